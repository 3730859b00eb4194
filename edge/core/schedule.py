"""Weekly hours: ``Mon-Fri 09:00-17:00; Sat 10:00-12:00,14:00-16:00; Hol closed``.

Hours are wall-clock time of the door's zone: an hour that daylight saving repeats holds twice, one that it skips never.
A range that ends before it begins goes on past midnight and belongs to the day on which it begins. A holiday is a day
of its own kind, ``Hol``: on it only the ranges of ``Hol`` begin, and without any the day is closed.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from edge.core.names import shown
from edge.errors import InputError

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Hol")
"""As they are written; the number of a day is its place, 7 a holiday's."""

HOLIDAY = 7
MINUTES = 24 * 60
TEXT_MAX_CHARS = 500
_RANGE = re.compile(r"([0-2][0-9]):([0-5][0-9])-([0-2][0-9]):([0-5][0-9])", re.ASCII)
_EXAMPLE = "Write it as `Mon-Fri 09:00-17:00; Sat 10:00-12:00; Hol closed`."


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """``start`` to ``end`` in minutes after midnight of the day it begins on, 0 <= start < end <= start + 1440."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """Ranges by number of day, eight tuples."""

    days: tuple[tuple[Range, ...], ...]

    @classmethod
    def parse(cls, text: str) -> "Schedule":
        """Raises InputError that says what is wrong where."""
        if len(text) > TEXT_MAX_CHARS:
            raise InputError(
                f"A schedule of {len(text)} characters is too long, {TEXT_MAX_CHARS} are the most. {_EXAMPLE}"
            )
        days: list[list[Range]] = [[] for _ in DAYS]
        named: set[int] = set()
        for entry in filter(None, (part.strip() for part in re.split("[;\n]", text))):
            words = entry.split(None, 1)
            if len(words) != 2:
                raise InputError(f"The schedule's entry {shown(entry)} wants days and hours. {_EXAMPLE}")
            numbers = _days(words[0])
            ranges = [] if words[1].lower() == "closed" else [_range(each) for each in words[1].split(",")]
            for number in numbers:
                days[number] += ranges
            named |= numbers
        if not named:
            raise InputError(f"The schedule {shown(text)} is empty. {_EXAMPLE}")
        return cls(tuple(tuple(sorted(set(each))) for each in days))

    def __str__(self) -> str:
        """The canonical text: ``parse`` reads it back."""
        told = []
        for number, ranges in enumerate(self.days[:HOLIDAY]):
            if ranges and (number == 0 or self.days[number - 1] != ranges):
                same = [last for last in range(number, HOLIDAY) if set(self.days[number : last + 1]) == {ranges}]
                days = DAYS[number] if same[-1] == number else f"{DAYS[number]}-{DAYS[same[-1]]}"
                told.append(f"{days} {_told(ranges)}")
        if self.days[HOLIDAY] or not told:
            told.append(f"Hol {_told(self.days[HOLIDAY])}")
        return "; ".join(told)

    def holds(self, local: datetime, holidays: Collection[date]) -> bool:
        """Whether an aware local time lies within the hours."""
        return self._end(local, holidays) is not None

    def until(self, local: datetime, holidays: Collection[date]) -> datetime | None:
        """The moment at which the present hours end, at most a day ahead; None outside of them.

        Ranges that touch or overlap are one period.
        """
        end = self._end(local, holidays)
        horizon = local.astimezone(UTC) + timedelta(days=1)
        while end is not None and end.astimezone(UTC) < horizon:
            further = self._end(end, holidays)
            if further is None or further.astimezone(UTC) <= end.astimezone(UTC):
                break
            end = further
        return None if end is None else min(end.astimezone(UTC), horizon).astimezone(local.tzinfo)

    def _end(self, local: datetime, holidays: Collection[date]) -> datetime | None:
        """The latest end of the ranges that hold now, of those that began today or yesterday."""
        minute = local.hour * 60 + local.minute
        ends = []
        for back in (0, 1):
            day = local.date() - timedelta(days=back) if local.date() > date.min else local.date()
            number = HOLIDAY if day in holidays else day.weekday()
            now = minute + back * MINUTES
            ends += [(day, each.end) for each in self.days[number] if each.start <= now < each.end]
        found = [_instant(local, day, end) for day, end in ends]
        return max(found, key=lambda each: each.astimezone(UTC), default=None)


def _instant(local: datetime, day: date, minutes: int) -> datetime:
    """The moment when a day's wall clock shows so many minutes.

    Of a time that daylight saving repeats it is the next one to come: the first while the clock has not been set back,
    and the hours hold twice.
    """
    wall = datetime.combine(day, time(), local.tzinfo) + timedelta(minutes=minutes)
    first, second = wall.replace(fold=0), wall.replace(fold=1)
    # Hours that end within the repeated hour end for good at its second time: what holds twice ends last.
    return max(first, second, key=lambda each: each.astimezone(UTC)) if _repeats(first, second) else first


def _repeats(first: datetime, second: datetime) -> bool:
    return second.utcoffset() != first.utcoffset() and second.astimezone(UTC) > first.astimezone(UTC)


def _days(text: str) -> set[int]:
    known = {name.lower(): number for number, name in enumerate(DAYS)}
    numbers: set[int] = set()
    for part in text.lower().split(","):
        first, dash, last = part.partition("-")
        if first not in known or (dash and last not in known):
            raise InputError(f"The schedule's days {shown(text)} are not known. {_EXAMPLE}")
        if not dash:
            numbers.add(known[first])
        elif HOLIDAY in (known[first], known[last]):
            raise InputError(f"The schedule's days {shown(text)} go to or from Hol. Name Hol by itself. {_EXAMPLE}")
        else:
            span = (known[last] - known[first]) % 7
            numbers |= {(known[first] + step) % 7 for step in range(span + 1)}
    return numbers


def _range(text: str) -> Range:
    found = _RANGE.fullmatch(text.strip())
    if found is None:
        raise InputError(f"The schedule's hours {shown(text)} are not known. {_EXAMPLE}")
    start, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    if start >= MINUTES or end > MINUTES or start == end:
        raise InputError(f"The schedule's hours {shown(text)} are no part of a day. {_EXAMPLE}")
    return Range(start, end if end > start else end + MINUTES)


def _told(ranges: tuple[Range, ...]) -> str:
    if not ranges:
        return "closed"
    return ",".join(
        f"{_clock(each.start)}-{_clock(each.end if each.end <= MINUTES else each.end - MINUTES)}" for each in ranges
    )


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
