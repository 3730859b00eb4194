"""A laptop on a USB cable, and a stick: paired, enrolled, unplugged at random points; the person then opens the door.

The kernel emulates both ends of both (dummy_hcd): the board's own gadget and unit on one controller, a stick on the
other. The laptop is the same guest with another home; it finds the port by its USB ids.
"""

import json
import random

from tests.lab import board
from tests.lab.lab import Lab
from tests.lab.vm import Guest

PIN = 17
PHOTOS = "/root/facelatch/photos"
LAPTOP = "HOME=/root/laptop XDG_CONFIG_HOME=/root/laptop"
NAME = "Barack Obama"
ENROL = f"cd {PHOTOS}; {LAPTOP} facelatch usb enroll '{NAME}' obama.jpg obama3.jpg"
GADGET = "/sys/kernel/config/usb_gadget/facelatch/UDC"
STICK = "/sys/kernel/config/usb_gadget/stick"
LINK, HELPER = "facelatch-link@ttyGS0", "facelatch-stick@sda"
CUTS = 10
"""Unplugged so often here; 100 take hours in emulation."""
HIGH = f"grep -q 1 /run/lab-lines/sim_gpio{PIN}/value"
FACE_S, LOAD_S = 240.0, 300.0


def run(lab: Lab) -> None:
    with lab.guest() as guest:
        guest.sh(
            "modprobe dummy_hcd num=2; modprobe libcomposite; modprobe cdc-acm; modprobe usb-storage; modprobe vfat"
        )
        _cable(lab, guest)
        _unplugged(lab, guest)
        _opens(lab, guest)
        _stick(lab, guest)
        lab.keep("log.txt", guest.run("facelatch log --last 1000").stdout)
        lab.keep("journal.txt", guest.run("journalctl --no-pager -u 'facelatch-link@*' -u 'facelatch-stick@*'").stdout)


def _cable(lab: Lab, guest: Guest) -> None:
    guest.sh("systemctl start facelatch-gadget")
    guest.until("test -c /dev/ttyGS0 -a -c /dev/ttyACM0", within_s=60)
    guest.until(f"systemctl is-active -q {LINK}", within_s=LOAD_S)
    lab.check("the gadget's port starts the lock's end of the cable", True)
    stranger = guest.run(f"{LAPTOP} facelatch usb status")
    lab.check("a laptop that is not paired is told so", stranger.returncode == 4, stranger.stderr)
    code = json.loads(guest.sh("facelatch usb pair --json"))["code"]
    paired = guest.run(f"{LAPTOP} facelatch usb pair {code}", within_s=LOAD_S)
    lab.check(
        "a laptop pairs, and finds the port by its USB ids", paired.returncode == 0, paired.stdout + paired.stderr
    )
    enrolled = guest.run(ENROL, within_s=LOAD_S)
    lab.check("a person is enrolled over the cable", enrolled.returncode == 0, enrolled.stdout[-300:])
    user = guest.sh(f"ps -o user= -p $(systemctl show -P MainPID {LINK})").strip()
    lab.check("the lock's end runs as a user of its own", user.startswith("facelatch-li"), user)
    for path in ("/var/lib/facelatch/facelatch.db", "/run/facelatch/control.sock", "/dev/gpiochip0"):
        inside = (
            f"nsenter -t $(systemctl show -P MainPID {LINK}) -m setpriv --reuid facelatch-link --regid facelatch-link"
        )
        refused = guest.run(f"{inside} --clear-groups sh -c 'exec <>{path}'")
        lab.check(f"... which cannot open {path}", refused.returncode != 0, refused.stderr[-120:])


def _unplugged(lab: Lab, guest: Guest) -> None:
    drawn = random.Random(9)  # noqa: S311 - places to unplug
    udc = guest.sh(f"cat {GADGET}").strip()
    for number in range(CUTS):
        guest.sh(f"facelatch forget '{NAME}' --yes")
        after_s = round(drawn.uniform(0.2, 20), 1)
        guest.sh(
            f"({ENROL} >/run/enrol.txt 2>&1; echo $? >/run/enrol.code) & sleep {after_s}; echo '' >{GADGET}; sleep 3"
        )
        guest.sh(f"echo {udc} >{GADGET}")
        guest.until("test -s /run/enrol.code", within_s=LOAD_S)
        said = guest.sh("cat /run/enrol.code /run/enrol.txt; rm /run/enrol.code")
        people = json.loads(guest.sh("facelatch people --json"))
        lab.check(
            f"unplugged after {after_s} s ({number + 1}): the person is there once",
            said.startswith("0") and [each["name"] for each in people] == [NAME],
            said[-200:],
        )


def _opens(lab: Lab, guest: Guest) -> None:
    with guest.showing(f"{PHOTOS}/obama2.jpg"):
        took_s = guest.until(HIGH, within_s=FACE_S)
    lab.check("the person opens the door", True, f"{took_s:.1f} s after the camera, at {board.now_s(guest):.0f}")


def _stick(lab: Lab, guest: Guest) -> None:
    guest.sh(
        f"mkdir -p /root/people/'Joe Biden'; cp {PHOTOS}/biden.jpg /root/people/'Joe Biden'; cd /root; "
        f"{LAPTOP} facelatch bundle create people --out /root/a.facelatch; "
        "truncate -s 32M stick.img; mkfs.vfat stick.img; "
        "mount -o loop stick.img /mnt; cp a.facelatch /mnt; umount /mnt; "
        f"mkdir -p {STICK}/configs/c.1 {STICK}/functions/mass_storage.0; "
        f"echo 0x1d6b >{STICK}/idVendor; echo 0x0104 >{STICK}/idProduct; "
        f"echo 1 >{STICK}/functions/mass_storage.0/lun.0/ro; "
        f"echo /root/stick.img >{STICK}/functions/mass_storage.0/lun.0/file; "
        f"ln -s {STICK}/functions/mass_storage.0 {STICK}/configs/c.1/"
    )
    other = "$(ls /sys/class/udc | grep -v $(cat " + GADGET + ") | head -n 1)"
    since = guest.moment()
    guest.sh(f"echo {other} >{STICK}/UDC")
    guest.hear("usb_stick", since, within_s=LOAD_S)
    report = guest.sh("facelatch usb report --json")
    lab.check("a stick's bundle enrols", '"person":"Joe Biden","refused":null' in report, report)
    lab.check("... from a mount that is gone again", not guest.run("findmnt -t vfat").stdout.strip())
    since = guest.moment()
    guest.sh(f"echo '' >{STICK}/UDC; sleep 2; echo {other} >{STICK}/UDC")
    guest.hear("usb_stick", since, within_s=LOAD_S)
    lab.check("... and the same one no second time", "used before" in guest.sh("facelatch usb report --json"))
