"""USB sticks: a bundle and plain folders enrol people who then open the door; bad sticks of every kind enrol nobody.

Sticks and a keyboard that pretends to be one are emulated by the guest's kernel (dummy_hcd); udev, units, mounts and
the helper are the real ones. What the helper must not be able to do is tried from inside its sandbox: `refusals.txt`.
"""

import random

from tests.lab import gadgets
from tests.lab.gadgets import LAPTOP, LOAD_S, STICK_IMAGE
from tests.lab.lab import Lab
from tests.lab.places import INSIDE
from tests.lab.scenarios import sandbox
from tests.lab.scenarios.usb import FACE_S, HIGH, NAME, PHOTOS, marked
from tests.lab.vm import Guest

OTHER = "Joe Biden"
UNIT = "facelatch-stick@sda1"
DAMAGED, PULLED = 5, 5
WINDOW = "facelatch usb window --minutes 60"
BOMB = "/opt/facelatch/bin/python -c \"from PIL import Image; Image.new('1', (30000, 30000)).save('$1/bomb.png')\""


def run(lab: Lab) -> None:
    with lab.guest() as guest:
        guest.without_camera()
        gadgets.prepare(guest)
        guest.push(INSIDE / "stick_image.py", "/root")
        _bundle(lab, guest)
        _folders(lab, guest)
        _bad(lab, guest)
        _damaged(lab, guest)
        _pulled(lab, guest)
        _keyboard(lab, guest)
        _refusals(lab, guest)
        _ends(lab, guest)


def _bundle(lab: Lab, guest: Guest) -> None:
    gadgets.plug_cable(guest)
    gadgets.pair(guest)
    guest.sh("systemctl stop facelatch-gadget")
    guest.sh(
        f"mkdir -p '/root/people/{OTHER}' /root/a; cp {PHOTOS}/biden.jpg '/root/people/{OTHER}'; "
        f"{LAPTOP} facelatch bundle create /root/people --out /root/a/a.facelatch; "
        f"{STICK_IMAGE} /root/a.img vfat /root/a"
    )
    lines = gadgets.read(guest, "/root/a.img")
    lab.check("a bundle on a write-protected stick enrols", lines == _enrolled("a.facelatch", OTHER, 1), lines)
    mounts = guest.run("findmnt -t vfat").stdout.strip()
    lab.check("... and its mount is gone again", not mounts, mounts)
    again = gadgets.read(guest, "/root/a.img")
    lab.check("... and enrols no second time", "used before" in again[0]["refused"], again)
    _opens(lab, guest, OTHER, "biden.jpg")


def _folders(lab: Lab, guest: Guest) -> None:
    guest.sh(f"facelatch forget '{NAME}' --yes")
    guest.sh(
        f"mkdir -p '/root/b/people/{NAME}' '/root/b/people/Jos\u00e9'; cd '/root/b/people/{NAME}'; "
        f"cp {PHOTOS}/obama.jpg {PHOTOS}/obama3.jpg .; deep=.; for n in $(seq 30); do deep=$deep/deeper; done; "
        f"mkdir -p $deep; set -- .; {BOMB}; {STICK_IMAGE} /root/b.img vfat /root/b; sha256sum /root/b.img >/root/b.sum",
        within_s=LOAD_S,
    )
    closed = gadgets.read(guest, "/root/b.img", writable=True)
    lab.check("plain folders are refused with a reason", "usb window" in closed[0]["refused"], closed)
    guest.sh(WINDOW)
    lines = gadgets.read(guest, "/root/b.img", writable=True)
    lab.check("... and enrol in a window, past a bomb of 30,000 x 30,000", lines[0] == _enrolled("people/", NAME, 2)[0])
    lab.check("... with names as they are written", lines[1]["person"] == "Jos\u00e9", lines)
    unchanged = guest.run("sha256sum --check /root/b.sum")
    lab.check("nothing was written to a stick that can be written", unchanged.returncode == 0, unchanged.stdout)
    _opens(lab, guest, NAME, "obama2.jpg")


def _opens(lab: Lab, guest: Guest, who: str, film: str) -> None:
    with guest.showing(film):
        guest.sh("systemctl start facelatch-eyes")
        took_s = guest.until(HIGH, within_s=FACE_S)
    guest.sh("systemctl stop facelatch-eyes")
    lab.check(f"{who} opens the door", True, f"{took_s:.1f} s after the camera")


def _bad(lab: Lab, guest: Guest) -> None:
    guest.sh(f"{STICK_IMAGE} /root/ext4.img ext4 /root/b; {STICK_IMAGE} /root/crowded.img crowded")
    other = gadgets.read(guest, "/root/ext4.img")
    lab.check("ext4 is not mounted, and that is reported", "no FAT" in other[0]["refused"], other)
    crowded = gadgets.read(guest, "/root/crowded.img")
    said = " ".join(str(line["refused"]) for line in crowded)
    lab.check("of 100,000 files so many are looked at", "not all were looked at" in said, crowded)


def _damaged(lab: Lab, guest: Guest) -> None:
    before = gadgets.people(guest)
    for seed in range(DAMAGED):
        guest.sh(f"{STICK_IMAGE} /root/d.img vfat /root/b --damage {seed}")
        lines = gadgets.read(guest, "/root/d.img")
        lab.check(f"a damaged file system ({seed}) is reported", bool(lines), lines)
    after = gadgets.people(guest)
    lab.check("... and nobody came of it", set(after) <= set(before), after)


def _pulled(lab: Lab, guest: Guest) -> None:
    guest.sh(
        "for n in $(seq 8); do mkdir -p /root/p/people/Person-$n; for m in $(seq 6); do "
        f"cat {PHOTOS}/coffee.png >/root/p/people/Person-$n/$m.png; done; done; {STICK_IMAGE} /root/p.img vfat /root/p"
    )
    drawn = random.Random(4)  # noqa: S311 - when to pull
    for number in range(PULLED):
        since = guest.moment()
        gadgets.plug(guest, "/root/p.img")
        # In its first seconds the helper loads its networks; every second time it is pulled after that.
        guest.until(f"{gadgets.READING}{' && pgrep -f edge.darkroom >/dev/null' * (number % 2)}", within_s=LOAD_S)
        after_s = round(drawn.uniform(0, 20), 1)
        guest.sh(f"sleep {after_s}")
        gadgets.pull(guest)
        guest.hear(" usb_stick ", since, within_s=LOAD_S)
        lines = gadgets.report(guest)
        guest.until(f"! {gadgets.READING}", within_s=60)
        lab.check(f"pulled after {after_s} s ({number + 1}), it is reported", bool(lines), lines[-1])
    mounts = guest.run("findmnt -t vfat").stdout.strip()
    lab.check("... and no mount is left", not mounts, mounts)


def _keyboard(lab: Lab, guest: Guest) -> None:
    since = guest.moment()
    with gadgets.keyboard(guest):
        guest.until("grep -q 'USB flash disk' /proc/bus/input/devices", within_s=60)
        guest.sh(r"for key in 036 037 040 050; do printf '\000\000\'$key'\000\000\000\000\000' >/dev/hidg0; done")
        guest.sh("udevadm settle")
        started = guest.run(f"journalctl -o cat --after-cursor='{since}' | grep -E 'facelatch|usb_stick'").stdout
    lab.check("a keyboard that pretends to be a stick starts nothing", not started.strip(), started)


def _refusals(lab: Lab, guest: Guest) -> None:
    pid = guest.sh("systemctl show -P MainPID facelatch-door")
    marked(guest)
    guest.sh(f"echo x >/root/a/marker; {STICK_IMAGE} /root/m.img vfat /root/a; systemctl start facelatch-gadget")
    probe = f"/usr/bin/python3 {sandbox.PROBE} stick {pid}"
    guest.write("/run/systemd/system/facelatch-stick@.service.d/99-probe.conf", f"[Service]\nExecStartPre={probe}\n")
    guest.sh("systemctl daemon-reload")
    since = guest.moment()
    gadgets.plug(guest, "/root/m.img")
    guest.hear(" usb_stick ", since, within_s=LOAD_S)
    inside = sandbox.probed(guest.sh(f"journalctl --sync; journalctl -u {UNIT} -o cat --no-pager -g '^PROBE'"))
    outside = sandbox.probed(guest.sh(probe))
    guest.until(f"! {gadgets.READING}", within_s=60)
    guest.sh(f"mount -o ro /dev/sda1 /mnt; systemctl start {UNIT}")
    result = guest.sh(f"systemctl show -P Result {UNIT}; umount /mnt")
    lab.check("a disk that is in use is left alone", result == "exec-condition", result)
    gadgets.pull(guest)
    lab.keep("refusals.txt", "\n".join(sandbox.judge(lab, "facelatch-stick@", inside, outside)))


def _ends(lab: Lab, guest: Guest) -> None:
    journal = guest.run("journalctl --no-pager -o short-monotonic -u 'facelatch-stick@*'").stdout
    lab.keep("sticks.txt", journal)
    lab.check("no helper ended in a fault", "Traceback" not in journal)
    lab.keep("log.txt", guest.run("facelatch log --last 1000").stdout)
    lab.check("the guardian serves after all of it", guest.sh("facelatch status").startswith("LOCKED"))
    oops = guest.run("dmesg | grep -E 'Oops|BUG:|Call Trace'").stdout
    lab.check("the kernel has nothing to complain of", not oops, oops)


def _enrolled(bundle: str, person: str, templates: int) -> list[dict[str, object]]:
    return [{"bundle": bundle, "person": person, "templates": templates, "refused": None}]
