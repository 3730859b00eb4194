"""The system's clocks behind the port."""

import ctypes
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from edge.core.names import shown
from edge.errors import ConfigError

TRUST_KEPT_S = 3.0
"""How long an answer of the kernel is used again: the door asks at every look, and NTP needs seconds to settle."""

_LOCALTIME = Path("/etc/localtime")
_RTC = (Path("/dev/rtc0"), Path("/sys/class/rtc/rtc0"))  # the node may be hidden from a service, the class is not

_STA_UNSYNC, _TIME_ERROR = 0x0040, 5  # linux/timex.h


class _Timex(ctypes.Structure):
    """The beginning of ``struct timex`` (adjtimex(2)); the rest, 208 bytes at most, is only room for the kernel."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 512),
    )


class SystemClock:
    """``CLOCK_MONOTONIC`` for everything that decides, the calendar for the log and for schedules."""

    def __init__(self, zone: str = "") -> None:
        """``zone``: as "Europe/Berlin", empty for the system's. Raises ConfigError for an unknown one."""
        self._zone = _zone(zone) if zone else _system_zone()
        self._trusted, self._asked_s = False, float("-inf")

    def now_s(self) -> float:
        return time.monotonic()

    def utc(self) -> str:
        return datetime.now(UTC).isoformat(timespec="milliseconds")

    def local(self) -> datetime:
        return datetime.now(self._zone) if self._zone else datetime.now(UTC).astimezone()

    def trusted(self) -> bool:
        """Whether NTP holds the clock, or a clock with a battery is there that the kernel read at boot.

        What that clock says is believed: one that was set wrong is not noticed.
        """
        if self.now_s() - self._asked_s > TRUST_KEPT_S:
            # os.path: what cannot be looked at is no clock to be trusted, and no error.
            self._trusted = synchronised() or any(os.path.exists(path) for path in _RTC)
            self._asked_s = self.now_s()
        return self._trusted


def synchronised() -> bool:
    """What the kernel says; False where it does not say."""
    state = _Timex()  # modes 0: only read
    returned = ctypes.CDLL(None).adjtimex(ctypes.byref(state))
    return returned not in (-1, _TIME_ERROR) and not state.status & _STA_UNSYNC


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            f"The time zone {shown(name)} is not known here. Give one as Europe/Berlin (`timedatectl list-timezones` "
            "lists them; Debian's package tzdata holds them)."
        ) from error


def _system_zone() -> ZoneInfo | None:
    """The rules of /etc/localtime, daylight saving included; None where the C library must be asked each time."""
    if os.environ.get("TZ"):
        return None
    try:
        with _LOCALTIME.open("rb") as file:
            return ZoneInfo.from_file(file, key="localtime")
    except (OSError, ValueError):
        return None
