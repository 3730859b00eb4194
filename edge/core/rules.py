"""When a person may come in, and when the door is free: pure rules over a moment of the calendar.

A rule answers with a reason that a person can read, or None. Whatever cannot be decided refuses: a date that is none, a
schedule that cannot be read, and, unless the owner says otherwise, dates and schedules while the clock is not to be
trusted (a board without a battery starts in the past).
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import Enum

from edge.core.names import shown
from edge.core.schedule import Schedule
from edge.errors import InputError
from edge.types import Permission


class Mode(Enum):
    """What the door asks of people. NORMAL, as the owner sets it, follows the schedules."""

    NORMAL = "normal"
    FREE = "free"
    NIGHT = "night"
    LOCKDOWN = "lockdown"


@dataclass(frozen=True, slots=True)
class Moment:
    """Now: an aware local time, and whether it can be right."""

    local: datetime
    trusted: bool


@dataclass(frozen=True, slots=True)
class House:
    """The rules for everybody. ``untrusted_opens``: without a trusted clock, dates and schedules hold as it shows
    them."""

    free: Schedule | None = None
    night: Schedule | None = None
    holidays: frozenset[date] = frozenset()
    untrusted_opens: bool = False


FREE_AHEAD = timedelta(hours=24)
"""A door set free by an operator is looked at anew a day later at the latest."""


def mode_now(setting: Mode, house: House, moment: Moment) -> Mode:
    """The mode in force. What the owner set wins; otherwise night wins over free hours.

    Without a trusted clock no schedule frees the door, and a door that has night hours is in them.
    """
    if setting is not Mode.NORMAL:
        return setting
    if house.night is not None and not moment.trusted and not house.untrusted_opens:
        return Mode.NIGHT
    if house.night is not None and house.night.holds(moment.local, house.holidays):
        return Mode.NIGHT
    if house.free is not None and moment.trusted and house.free.holds(moment.local, house.holidays):
        return Mode.FREE
    return Mode.NORMAL


def free_until(setting: Mode, house: House, moment: Moment) -> datetime | None:
    """When the door stops being free, None when it is not. Night hours that begin earlier end it by ``mode_now``."""
    if mode_now(setting, house, moment) is not Mode.FREE:
        return None
    if setting is Mode.FREE or house.free is None:
        return (moment.local.astimezone(UTC) + FREE_AHEAD).astimezone(moment.local.tzinfo)
    return house.free.until(moment.local, house.holidays)


def refusal(permission: Permission, mode: Mode, house: House, moment: Moment) -> str | None:
    """Why this person may not come in now, by face or PIN, or None."""
    if mode is Mode.LOCKDOWN:
        return "the door is locked down"
    if permission.disabled:
        return "this person is not let in at present"
    if permission.uses_left is not None and permission.uses_left <= 0:
        return "the number of uses is spent"
    dated = permission.valid_from_utc, permission.valid_until_utc, permission.schedule
    if dated == (None, None, None):
        return None
    if not moment.trusted and not house.untrusted_opens:
        return "the clock is not set yet, and this person has dates or hours"
    try:
        return _dates(permission, moment) or _hours(permission, house, moment)
    except (InputError, ValueError, OverflowError):
        return "this person's dates or hours cannot be read"


def over(last_day: str | None, moment: Moment) -> str | None:
    """Why somebody is not let in who is known until the end of ``last_day``, an ISO date of the local calendar.

    Without a trusted clock it is not over: whoever was enrolled comes in after a power cut, too, and nobody is erased
    before the clock is right.
    """
    if last_day is None or not moment.trusted:
        return None
    try:
        is_over = date.fromisoformat(last_day) < moment.local.date()
    except ValueError:
        return "this person's last day cannot be read"
    return f"this person's last day was {last_day}" if is_over else None


def checked(permission: Permission) -> Permission:
    """The permission in canonical form. Raises InputError for what ``refusal`` could not read."""
    start, end = _utc(permission.valid_from_utc), _utc(permission.valid_until_utc)
    if start is not None and end is not None and end <= start:
        raise InputError("The permission would end before it begins. Give a later end, or an earlier beginning.")
    if permission.uses_left is not None and permission.uses_left < 0:
        raise InputError("The number of uses is below 0. Give 0 or more.")
    return replace(
        permission,
        valid_from_utc=None if start is None else start.isoformat(timespec="seconds"),
        valid_until_utc=None if end is None else end.isoformat(timespec="seconds"),
        schedule=None if permission.schedule is None else str(Schedule.parse(permission.schedule)),
    )


def _dates(permission: Permission, moment: Moment) -> str | None:
    start, end = _utc(permission.valid_from_utc), _utc(permission.valid_until_utc)
    if start is not None and moment.local < start:
        return f"not let in before {_told(start, moment)}"
    if end is not None and moment.local >= end:
        return f"not let in since {_told(end, moment)}"
    return None


def _hours(permission: Permission, house: House, moment: Moment) -> str | None:
    if permission.schedule is None:
        return None
    schedule = Schedule.parse(permission.schedule)
    return None if schedule.holds(moment.local, house.holidays) else f"not let in at this hour ({schedule})"


def _utc(text: str | None) -> datetime | None:
    """Raises InputError unless it is an ISO date and time with its offset."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise InputError(f"{shown(text)} is no moment. Write it as 2026-12-31T18:00:00+00:00.")


def _told(moment: datetime, now: Moment) -> str:
    return f"{moment.astimezone(now.local.tzinfo):%Y-%m-%d %H:%M}"
