"""A laptop on a USB cable: paired, a person enrolled, unplugged at a hundred random bytes; the person opens the door.

The board's own gadget and units on a controller that the kernel emulates (dummy_hcd), with the real services. What the
lock's end of the cable must not be able to do is tried from inside its sandbox: `refusals.txt`.
"""

import json

from tests.lab import board, gadgets
from tests.lab.gadgets import LAPTOP, LINK, LOAD_S
from tests.lab.lab import Lab
from tests.lab.places import INSIDE
from tests.lab.scenarios import sandbox
from tests.lab.vm import Guest

PIN = 17
PHOTOS = "/root/facelatch/photos"
NAME = "Barack Obama"
ENROL = f"cd {PHOTOS}; {LAPTOP} facelatch usb enroll '{NAME}' obama.jpg obama3.jpg"
CUTS = 100
CUT_S = 120.0
"""Of one of them, at most: the lock's end is started again, and looks at the photographs."""
HIGH = f"grep -q 1 /run/lab-lines/sim_gpio{PIN}/value"
FACE_S = 240.0


def run(lab: Lab) -> None:
    with lab.guest() as guest:
        guest.without_camera()
        gadgets.prepare(guest)
        _cable(lab, guest)
        _refusals(lab, guest)
        _unplugged(lab, guest)
        _opens(lab, guest)
        lab.keep("log.txt", guest.run("facelatch log --last 1000").stdout)
        oops = guest.run("dmesg | grep -E 'Oops|BUG:|Call Trace'").stdout
        lab.check("the kernel has nothing to complain of", not oops, oops)


def _cable(lab: Lab, guest: Guest) -> None:
    gadgets.plug_cable(guest)
    lab.check("the gadget's port starts the lock's end of the cable", True)
    stranger = guest.run(f"{LAPTOP} facelatch usb status")
    lab.check("a laptop that is not paired is told so", stranger.returncode == 4, stranger.stdout)
    lab.check("a laptop pairs, and finds the port by its USB ids", True, gadgets.pair(guest))
    guest.sh(f"facelatch forget '{NAME}' --yes")
    enrolled = guest.run(ENROL, within_s=LOAD_S)
    lab.keep("enrol.txt", enrolled.stdout)
    lab.check("a person is enrolled over the cable", enrolled.returncode == 0, enrolled.stdout[-100:])
    user = guest.sh(f"ps -o user:20= -p $(systemctl show -P MainPID {LINK})")
    lab.check("the lock's end runs as a user of its own", user == "facelatch-link", user)
    again = guest.run(ENROL, within_s=LOAD_S)
    lab.check("... and not a second time", again.returncode == 5, again.stdout[-100:])


def _refusals(lab: Lab, guest: Guest) -> None:
    pid = guest.sh("systemctl show -P MainPID facelatch-door")
    marked(guest)
    probe = f"/usr/bin/python3 {sandbox.PROBE} link {pid}"
    outside = sandbox.probed(guest.sh(probe))
    guest.write("/run/systemd/system/facelatch-link@.service.d/99-probe.conf", f"[Service]\nExecStartPre={probe}\n")
    guest.sh(f"systemctl daemon-reload; systemctl restart {LINK}", within_s=180)
    guest.until(f"systemctl is-active -q {LINK}", within_s=LOAD_S)
    inside = sandbox.probed(guest.sh(f"journalctl --sync; journalctl -u {LINK} -o cat --no-pager -g '^PROBE'"))
    guest.sh("rm -r /run/systemd/system/facelatch-link@.service.d; systemctl daemon-reload")
    lab.keep("refusals.txt", "\n".join(sandbox.judge(lab, "facelatch-link@", inside, outside)))


def marked(guest: Guest) -> None:
    """The probe, and what it looks for."""
    guest.write(sandbox.PROBE, (INSIDE / "probe.py").read_text())
    guest.sh(
        "id owner >/dev/null 2>&1 || useradd --create-home owner; chmod 755 /home/owner /root; "
        "for place in /root /home/owner /var/tmp; do echo x >$place/lab-marker; done; chmod 644 /root/lab-marker"
    )


def _unplugged(lab: Lab, guest: Guest) -> None:
    guest.push(INSIDE / "unplug.py", "/root")
    files = " ".join(f"{PHOTOS}/{name}" for name in ("obama.jpg", "obama3.jpg"))
    command = f"{LAPTOP} /opt/facelatch/bin/python /root/unplug.py {CUTS} {files} 2>/root/lost.txt"
    done = guest.run(command, within_s=CUTS * CUT_S)
    lab.keep("unplugged.txt", done.stdout)
    lost = lab.keep("lost.txt", guest.sh("cat /root/lost.txt")).read_text()
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    lab.check("none of it ended the laptop's side", done.returncode == 0, lost[-300:] if done.returncode else "")
    whole, rounds = lines[0], lines[1:]
    seen = f"{whole['bytes']} bytes, {whole['first_looked_at_s']:.1f} s until the first photograph was looked at"
    lab.check("a whole enrolment, in emulation", bool(rounds), f"{seen}, {whole['took_s']:.1f} s in all")
    cut = [each for each in rounds if each["cut"]]
    lab.check(f"unplugged {CUTS} times", len(cut) >= CUTS * 0.95, f"{len(cut)}: others ended before their byte")
    bad = [each for each in rounds if not each["holds"]]
    lab.check("the person was there once each time, with all templates", len(rounds) == CUTS and not bad, bad[:3] or "")
    slowest = max(each["took_s"] for each in rounds)
    lab.check("... the slowest enrolment with the cable pulled", True, f"{slowest:.1f} s")


def _opens(lab: Lab, guest: Guest) -> None:
    enrolled = guest.run(ENROL, within_s=LOAD_S)
    lab.check("enrolled once more, over the same cable", enrolled.returncode == 0, enrolled.stdout[-100:])
    with guest.showing("obama2.jpg"):
        guest.sh("systemctl start facelatch-eyes")
        took_s = guest.until(HIGH, within_s=FACE_S)
    lab.check("the person opens the door", True, f"{took_s:.1f} s after the camera, at {board.now_s(guest):.0f}")
