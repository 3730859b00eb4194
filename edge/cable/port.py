"""The serial port, on the lock and on the laptop, through pyserial; and which of a laptop's ports leads to a lock."""

import os
from dataclasses import dataclass

import serial
from serial.tools import list_ports

from edge.core.names import shown
from edge.errors import WireError

BAUD = 115_200
"""Of a USB-serial adapter; a gadget is as fast as USB whatever is set."""

GADGET = (0x1D6B, 0x0104)
"""USB ids of the lock's gadget (systemd/gadget.sh): the Linux Foundation's, for composite gadgets."""

PRODUCT = "facelatch lock"
"""What the gadget calls itself; others have the same ids."""

ADAPTERS = frozenset({0x0403, 0x10C4, 0x1A86, 0x067B})
"""Vendors of USB-serial adapters: FTDI, Silicon Labs, WCH, Prolific (http://www.linux-usb.org/usb.ids)."""

READ_S = 0.05
"""How long a read waits for the first byte. Replies do not wait for it to pass."""

WRITE_S = 5.0
"""How long a write may take: a window at 115,200 baud takes 0.7 s. Longer, and nobody reads at the other end."""


class UnpluggedError(WireError):
    """The port went away, or its other end reads no more."""


class Port:
    """An open port in raw mode."""

    def __init__(self, path: str, baud: int = BAUD) -> None:
        """Raises WireError when it cannot be opened, or is in use."""
        self.path = path
        only = {"exclusive": True} if os.name == "posix" else {}
        try:
            self._serial = serial.Serial(path, baud, timeout=READ_S, write_timeout=WRITE_S, **only)
        except (serial.SerialException, OSError, ValueError) as error:
            raise WireError(
                f"The port {shown(path, 100)} cannot be opened ({shown(_reason(error), 80)[1:-1]}). Look whether it is "
                "plugged in and not in use, and whether you may use it (on Linux: the group dialout)."
            ) from error

    def read(self, *, wait: bool = True) -> bytes:
        """What has come; without ``wait`` perhaps nothing. Raises UnpluggedError."""
        try:
            count = self._serial.in_waiting
            if count or not wait:
                return bytes(self._serial.read(count)) if count else b""
            first: bytes = self._serial.read(1)
            return first + bytes(self._serial.read(self._serial.in_waiting)) if first else b""
        except (serial.SerialException, OSError, TypeError) as error:  # TypeError: closed in the middle of a read
            raise self._gone(error) from error

    def write(self, data: bytes) -> None:
        """Raises UnpluggedError."""
        try:
            self._serial.write(data)
        except (serial.SerialException, OSError, TypeError) as error:
            raise self._gone(error) from error

    def close(self) -> None:
        try:
            self._serial.close()
        except (serial.SerialException, OSError):
            return

    def _gone(self, error: Exception) -> UnpluggedError:
        reason = shown(_reason(error), 80)[1:-1]
        return UnpluggedError(f"The cable at {shown(self.path, 100)} was unplugged ({reason}). Plug it in again.")


@dataclass(frozen=True, slots=True)
class Found:
    """A port that may lead to a lock; ``is_gadget``: it says so itself."""

    path: str
    about: str
    is_gadget: bool


def found() -> list[Found]:
    """Every port that may lead to a lock, by path."""
    ports = []
    for port in list_ports.comports():
        says_so = (port.vid, port.pid) == GADGET and PRODUCT in (port.product or port.description or "")
        # Windows hides a device's own words behind its driver's: there the ids have to do.
        is_gadget = says_so or ((port.vid, port.pid) == GADGET and os.name == "nt")
        if is_gadget or port.vid in ADAPTERS:
            ports.append(Found(port.device, shown(port.description or "", 60)[1:-1], is_gadget))
    return sorted(ports, key=lambda each: each.path)


def the_one(ports: list[Found]) -> str:
    """The path of the lock's port: the only gadget, or the only adapter where there is none. Raises WireError."""
    gadgets = [port for port in ports if port.is_gadget]
    candidates = gadgets or ports
    if len(candidates) == 1:
        return candidates[0].path
    if not candidates:
        raise WireError(
            "No lock is plugged in: there is neither its USB port nor a USB-serial adapter. Plug it in with a cable "
            "that carries data, or name its port with --port."
        )
    named = ", ".join(f"{port.path} ({port.about})" for port in candidates)
    raise WireError(f"Several ports may lead to the lock: {named}. Name one with --port.")


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
