"""The kernel's own simulated hardware: gpio-sim's lines and uinput's keypad. Needs root and the modules; a laptop's
kernel seldom has gpio-sim, a lab's has."""

import fcntl
import os
import struct
from pathlib import Path

SIMS = Path("/sys/kernel/config/gpio-sim")
UINPUT = Path("/dev/uinput")
LINES = 32


class GpioSim:
    """A gpiochip that exists in the kernel only. Its lines are numbered from 0, its label is ``label``."""

    def __init__(self, label: str) -> None:
        self.label = label
        self._folder = SIMS / label
        bank = self._folder / "bank0"
        bank.mkdir(parents=True)
        (bank / "num_lines").write_text(str(LINES))
        (bank / "label").write_text(label)
        (self._folder / "live").write_text("1")
        device = (self._folder / "dev_name").read_text().strip()
        chip = (bank / "chip_name").read_text().strip()
        self.number = int(chip.removeprefix("gpiochip"))
        self._lines = Path("/sys/devices/platform") / device / chip

    def level(self, number: int) -> bool:
        """What is on an output."""
        return (self._lines / f"sim_gpio{number}" / "value").read_text().strip() == "1"

    def set_level(self, number: int, high: bool) -> None:
        """Pull an input from outside."""
        (self._lines / f"sim_gpio{number}" / "pull").write_text("pull-up" if high else "pull-down")

    def close(self) -> None:
        (self._folder / "live").write_text("0")
        (self._folder / "bank0").rmdir()
        self._folder.rmdir()


class UinputKeypad:
    """A keyboard made by linux/uinput.h; ``path`` is its event device."""

    def __init__(self, name: str) -> None:
        self._file = os.open(UINPUT, os.O_WRONLY | os.O_NONBLOCK)
        fcntl.ioctl(self._file, 0x40045564, 1)  # UI_SET_EVBIT, EV_KEY
        for code in range(1, 120):
            fcntl.ioctl(self._file, 0x40045565, code)  # UI_SET_KEYBIT
        setup = struct.pack("HHHH80sI", 3, 1, 1, 1, name.encode(), 0)
        fcntl.ioctl(self._file, 0x405C5503, setup)  # UI_DEV_SETUP
        fcntl.ioctl(self._file, 0x5501)  # UI_DEV_CREATE
        sysname = bytearray(64)
        fcntl.ioctl(self._file, 0x8040552C, sysname)  # UI_GET_SYSNAME(64)
        folder = Path("/sys/devices/virtual/input") / sysname.split(b"\0")[0].decode()
        self.path = Path("/dev/input") / next(folder.glob("event*")).name

    def press(self, code: int) -> None:
        for value in (1, 0):
            os.write(self._file, struct.pack("llHHi", 0, 0, 1, code, value))
            os.write(self._file, struct.pack("llHHi", 0, 0, 0, 0, 0))

    def close(self) -> None:
        """Pulled out."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1
