"""What is plugged into a guest: a laptop's cable, sticks, a keyboard. Both ends are its own kernel's (dummy_hcd has two
controllers): the cable's gadget is the product's unit, the other ones are made here."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from tests.lab.vm import Guest

LAPTOP = "HOME=/root/laptop XDG_CONFIG_HOME=/root/laptop"
"""The laptop is the same guest with another home; it finds the port by its USB ids."""

LINK = "facelatch-link@ttyGS0"
CABLE = PurePosixPath("/sys/kernel/config/usb_gadget/facelatch/UDC")
GADGET = PurePosixPath("/sys/kernel/config/usb_gadget/lab")
CONTROLLER = "dummy_udc.1"
STICK_IMAGE = "python3 /root/stick_image.py"
LOAD_S = 300.0

READING = "systemctl list-units --no-legend --state=activating,deactivating 'facelatch-stick@*' | grep -q ."
"""A condition: some stick is being read."""

KEYBOARD = (
    r"\005\001\011\006\241\001\005\007\031\340\051\347\025\000\045\001\165\001\225\010\201\002\225\001\165\010"
    r"\201\003\225\006\165\010\025\000\045\145\005\007\031\000\051\145\201\000\300"
)
"""A report descriptor: eight modifier keys and six others (HID 1.11, appendix B.1), as printf writes it."""


def prepare(guest: Guest) -> None:
    """The controllers, and the kernel's drivers for what is plugged in."""
    guest.sh("modprobe dummy_hcd num=2; modprobe -a libcomposite cdc-acm usb-storage vfat usbhid")


def plug_cable(guest: Guest) -> None:
    """The board's own unit makes the gadget; udev starts the lock's end."""
    guest.sh("systemctl start facelatch-gadget")
    guest.until("test -c /dev/ttyGS0 -a -c /dev/ttyACM0", within_s=60)
    guest.until(f"systemctl is-active -q {LINK}", within_s=LOAD_S)


def pair(guest: Guest) -> str:
    """As an operator on the lock and a user of the laptop do it; what the laptop said."""
    code = json.loads(guest.sh("facelatch usb pair --json"))["code"]
    return guest.sh(f"{LAPTOP} facelatch usb pair {code}", within_s=LOAD_S)


@contextlib.contextmanager
def keyboard(guest: Guest) -> Iterator[None]:
    """One that calls itself a stick."""
    function = "hid.usb0"
    _make(
        guest,
        "functions/hid.usb0",
        f"echo 1 >{GADGET}/functions/{function}/protocol; echo 1 >{GADGET}/functions/{function}/subclass; "
        f"echo 8 >{GADGET}/functions/{function}/report_length; "
        f"printf '{KEYBOARD}' >{GADGET}/functions/{function}/report_desc",
    )
    try:
        yield
    finally:
        pull(guest)


def plug(guest: Guest, image: str, *, writable: bool = False) -> None:
    """A stick with this image; ``writable`` not: its switch is on."""
    lun = f"{GADGET}/functions/mass_storage.0/lun.0"
    _make(
        guest,
        "functions/mass_storage.0",
        f"echo {0 if writable else 1} >{lun}/ro; echo {image} >{lun}/file",
    )


def pull(guest: Guest) -> None:
    """Take out what is plugged in, at once."""
    guest.sh(f"echo '' >{GADGET}/UDC; {_REMOVE}")


def read(guest: Guest, image: str, *, writable: bool = False) -> list[dict[str, Any]]:
    """Plug a stick in, let it be read to its end, pull it; the report's lines."""
    since = guest.moment()
    plug(guest, image, writable=writable)
    try:
        guest.hear(" usb_stick ", since, within_s=LOAD_S)
    finally:
        pull(guest)
    guest.until(f"! {READING}", within_s=60)
    return report(guest)


def report(guest: Guest) -> list[dict[str, Any]]:
    """What became of the last stick."""
    lines: list[dict[str, Any]] = json.loads(guest.sh("facelatch usb report --json"))["lines"]
    return lines


def people(guest: Guest) -> list[str]:
    """Who is enrolled."""
    return [each["name"] for each in json.loads(guest.sh("facelatch people --json"))]


_REMOVE = (
    f"rm -f {GADGET}/configs/c.1/*.* ; rmdir {GADGET}/configs/c.1/strings/0x409 {GADGET}/configs/c.1 "
    f"{GADGET}/functions/* {GADGET}/strings/0x409 {GADGET}"
)


def _make(guest: Guest, function: str, settings: str) -> None:
    guest.sh(
        f"mkdir -p {GADGET}/strings/0x409 {GADGET}/configs/c.1/strings/0x409 {GADGET}/{function}; "
        f"echo 0x1d6b >{GADGET}/idVendor; echo 0x0104 >{GADGET}/idProduct; "
        f"echo 'USB flash disk' >{GADGET}/strings/0x409/product; echo 1 >{GADGET}/strings/0x409/serialnumber; "
        f"{settings}; ln -s {GADGET}/{function} {GADGET}/configs/c.1/; echo {CONTROLLER} >{GADGET}/UDC"
    )
