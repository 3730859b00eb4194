"""Weekly hours: how they are written, and when they hold, daylight saving and holidays included."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.schedule import DAYS, Schedule
from edge.errors import InputError

LONDON, NEW_YORK = ZoneInfo("Europe/London"), ZoneInfo("America/New_York")
OFFICE = Schedule.parse("Mon-Fri 09:00-17:00")
MONDAY = date(2026, 11, 23)

minutes = st.integers(0, 24 * 60 - 1)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A schedule as somebody may write it."""
    entries = []
    for _ in range(draw(st.integers(1, 5))):
        days = ",".join(draw(st.lists(st.sampled_from(DAYS), min_size=1, max_size=3)))
        hours = []
        for _ in range(draw(st.integers(1, 3))):
            start, end = draw(minutes), draw(minutes)
            end = (end + (end == start)) % 1440
            hours.append(f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}")
        entries.append(f"{days} {','.join(hours)}")
    return "; ".join(entries)


def at(day: date, hour: int, minute: int = 0, zone: tzinfo = LONDON) -> datetime:
    return datetime.combine(day, time(hour, minute), zone)


@pytest.mark.parametrize(
    ("hour", "minute", "holds"), [(8, 59, False), (9, 0, True), (16, 59, True), (17, 0, False), (0, 0, False)]
)
def test_office_hours(hour: int, minute: int, holds: bool) -> None:
    assert OFFICE.holds(at(MONDAY, hour, minute), ()) is holds
    assert not OFFICE.holds(at(MONDAY + timedelta(days=5), hour, minute), ())


def test_until_is_the_end_of_the_period() -> None:
    assert OFFICE.until(at(MONDAY, 10), ()) == at(MONDAY, 17)
    assert OFFICE.until(at(MONDAY, 8), ()) is None


def test_hours_past_midnight_belong_to_the_day_on_which_they_begin() -> None:
    night = Schedule.parse("Fri 22:00-06:00")
    friday = MONDAY + timedelta(days=4)
    assert night.holds(at(friday, 23), ())
    assert night.holds(at(friday + timedelta(days=1), 5, 59), ())
    assert not night.holds(at(friday + timedelta(days=1), 6), ())
    assert not night.holds(at(friday, 5), ())
    assert night.until(at(friday, 23), ()) == at(friday + timedelta(days=1), 6)


def test_ranges_that_touch_at_midnight_are_one_period() -> None:
    both = Schedule.parse("Mon 20:00-24:00; Tue 00:00-03:00")
    assert both.until(at(MONDAY, 21), ()) == at(MONDAY + timedelta(days=1), 3)


def test_a_schedule_without_an_end_looks_a_day_ahead() -> None:
    always = Schedule.parse("Mon-Sun 00:00-24:00; Hol 00:00-24:00")
    assert always.until(at(MONDAY, 12), ()) == at(MONDAY + timedelta(days=1), 12)


def test_on_a_holiday_only_its_own_hours_begin() -> None:
    schedule = Schedule.parse("Mon-Sun 09:00-17:00; Hol 10:00-12:00")
    assert not schedule.holds(at(MONDAY, 13), {MONDAY})
    assert schedule.holds(at(MONDAY, 11), {MONDAY})
    assert not OFFICE.holds(at(MONDAY, 11), {MONDAY})
    night = Schedule.parse("Mon-Sun 22:00-06:00; Hol closed")
    assert night.holds(at(MONDAY, 5), {MONDAY})  # it began the day before
    assert not night.holds(at(MONDAY, 23), {MONDAY})


@pytest.mark.parametrize(("zone", "day"), [(LONDON, date(2026, 3, 29)), (NEW_YORK, date(2026, 3, 8))])
def test_an_hour_that_daylight_saving_skips_is_not_there(zone: ZoneInfo, day: date) -> None:
    skipped = 1 if zone is LONDON else 2
    schedule = Schedule.parse(f"Sun 00:00-{skipped + 1:02}:00")
    start = at(day, 0, zone=zone)
    until = schedule.until(start, ())
    assert until is not None
    # The wall clock goes from the skipped hour's beginning to its end at once.
    assert until.astimezone(UTC) - start.astimezone(UTC) == timedelta(hours=skipped)
    assert schedule.holds((until.astimezone(UTC) - timedelta(seconds=1)).astimezone(zone), ())
    assert not schedule.holds(until, ())


@pytest.mark.parametrize(("zone", "day"), [(LONDON, date(2026, 10, 25)), (NEW_YORK, date(2026, 11, 1))])
def test_an_hour_that_daylight_saving_repeats_holds_twice(zone: ZoneInfo, day: date) -> None:
    schedule = Schedule.parse("Sun 00:30-01:30")
    for fold in (0, 1):
        assert schedule.holds(at(day, 1, 15, zone).replace(fold=fold), ())
        assert not schedule.holds(at(day, 1, 45, zone).replace(fold=fold), ())


@given(texts(), st.integers(0, 366 * 24 * 60), st.sampled_from([LONDON, NEW_YORK, UTC]))
def test_a_period_holds_until_its_end_and_not_beyond(text: str, offset: int, zone: tzinfo) -> None:
    schedule = Schedule.parse(text)
    now = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=offset)).astimezone(zone)
    until = schedule.until(now, ())
    assert (until is not None) == schedule.holds(now, ())
    if until is None:
        return
    ahead = until.astimezone(UTC) - now.astimezone(UTC)
    assert timedelta(0) < ahead <= timedelta(days=1)
    if ahead < timedelta(days=1):
        assert not schedule.holds(until, ())


@given(texts())
def test_the_canonical_text_is_read_back(text: str) -> None:
    schedule = Schedule.parse(text)
    assert Schedule.parse(str(schedule)) == schedule
    assert str(Schedule.parse(str(schedule))) == str(schedule)


def test_the_canonical_text_is_short() -> None:
    assert str(Schedule.parse("mon,tue,wed 9:00-10:00".replace("9:", "09:"))) == "Mon-Wed 09:00-10:00"
    assert str(Schedule.parse("Fri-Mon 09:00-10:00\nHol closed")) == "Mon 09:00-10:00; Fri-Sun 09:00-10:00"
    assert str(Schedule.parse("Mon closed")) == "Hol closed"


@pytest.mark.parametrize(
    "text",
    [
        *("", ";", "Mon", "always", "Mon 9-17", "Mon 09:00-09:00", "Mon 25:00-26:00", "Mon 09:60-10:00"),
        *("Mon-Hol 09:00-10:00", "Mon- 09:00-10:00", "Mon 24:00-24:00", "Mon ٠٩:00-10:00", "Mon 09:00-24:01"),
        *("Mon,Mon-", "x" * 501, "Mon 09:00-10:00," * 30, "\x1b[2J 09:00-10:00"),
    ],
)
def test_what_is_no_schedule_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError, match="Write it as") as raised:
        Schedule.parse(text)
    assert str(raised.value).isprintable()
