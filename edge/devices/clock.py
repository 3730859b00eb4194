"""The system's clocks behind the port."""

import time
from datetime import UTC, datetime


class SystemClock:
    """``CLOCK_MONOTONIC`` for everything that decides, the calendar for the log."""

    def now_s(self) -> float:
        return time.monotonic()

    def utc(self) -> str:
        return datetime.now(UTC).isoformat(timespec="milliseconds")
