"""What was done to the board's pins since it booted, from the kernel's own trace (guest/lab-board switches it on)."""

import re
from dataclasses import dataclass

from tests.lab.vm import Guest

WRITTEN = re.compile(
    r"^\s*(?P<who>.+?)-(?P<pid>\d+)\s+\[\d+\].*?\s(?P<at>\d+\.\d+): gpio_value: (?P<line>\d+) set (?P<level>[01])", re.M
)


@dataclass(frozen=True, slots=True)
class Write:
    """A level that somebody wrote to a pin: when (seconds of the guest's CLOCK_MONOTONIC), who, and which."""

    at_s: float
    who: str
    level: int


def now_s(guest: Guest) -> float:
    """The guest's CLOCK_MONOTONIC."""
    return float(guest.sh("python3 -c 'import time; print(time.monotonic())'"))


def written(guest: Guest, pin: int, since_s: float = 0.0) -> list[Write]:
    """Every write to a pin since boot, or since a time, the oldest first."""
    trace = guest.sh("cat /sys/kernel/tracing/instances/lab/trace")
    line = pin + int(guest.sh("cat /run/lab-base"))
    found = [
        Write(float(each["at"]), each["who"].strip(), int(each["level"]))
        for each in WRITTEN.finditer(trace)
        if int(each["line"]) == line
    ]
    return [each for each in found if each.at_s >= since_s]


def highs(writes: list[Write], until_s: float) -> list[tuple[float, float]]:
    """When a pin was high: from and to, in seconds; one that still is ends at ``until_s``."""
    spans: list[tuple[float, float]] = []
    since: float | None = None
    for each in writes:
        if each.level and since is None:
            since = each.at_s
        elif not each.level and since is not None:
            spans.append((since, each.at_s))
            since = None
    return spans if since is None else [*spans, (since, until_s)]
