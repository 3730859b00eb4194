"""Who may come in when, and in which mode the door is."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.rules import FREE_AHEAD, House, Mode, Moment, checked, free_until, mode_now, over, refusal
from edge.core.schedule import Schedule
from edge.errors import InputError
from edge.types import Permission

LONDON = ZoneInfo("Europe/London")
NOON = Moment(datetime(2026, 11, 23, 12, tzinfo=LONDON), trusted=True)  # a Monday
UNSET = replace(NOON, trusted=False)
HOUSE = House(Schedule.parse("Mon-Fri 09:00-17:00"), Schedule.parse("Mon-Sun 22:00-06:00"))
ANYBODY = Permission()


def later(**by: float) -> Moment:
    return Moment((NOON.local.astimezone(UTC) + timedelta(**by)).astimezone(LONDON), trusted=True)


def why(permission: Permission, moment: Moment = NOON, mode: Mode = Mode.NORMAL, house: House = HOUSE) -> str | None:
    return refusal(permission, mode, house, moment)


def test_nobody_is_limited_unless_the_owner_says_so() -> None:
    for moment in (NOON, UNSET, later(days=-400)):
        for mode in (Mode.NORMAL, Mode.FREE, Mode.NIGHT):
            assert why(ANYBODY, moment, mode) is None


@pytest.mark.parametrize(
    ("permission", "expected"),
    [
        (Permission(disabled=True), "not let in at present"),
        (Permission(uses_left=0), "uses is spent"),
        (Permission(uses_left=-1), "uses is spent"),
        (Permission(valid_from_utc="2026-11-23T12:00:01+00:00"), "not let in before 2026-11-23 12:00"),
        (Permission(valid_until_utc="2026-11-23T12:00:00+00:00"), "not let in since 2026-11-23 12:00"),
        (Permission(schedule="Tue 00:00-24:00"), "not let in at this hour (Tue 00:00-24:00)"),
        (Permission(valid_from_utc="soon"), "cannot be read"),
        (Permission(valid_until_utc="2026-11-24"), "cannot be read"),
        (Permission(valid_until_utc="9999-12-31T23:59:59-23:59"), "cannot be read"),
        (Permission(schedule="whenever"), "cannot be read"),
        (Permission(schedule=""), "cannot be read"),
    ],
)
def test_each_limit_refuses_with_a_reason(permission: Permission, expected: str) -> None:
    assert expected in str(why(permission))


@pytest.mark.parametrize(
    "permission",
    [
        Permission(uses_left=1),
        Permission(valid_from_utc="2026-11-23T12:00:00+00:00"),
        Permission(valid_until_utc="2026-11-23T12:00:01+00:00"),
        Permission(schedule="Mon 11:00-13:00"),
    ],
)
def test_within_the_limits_a_person_comes_in(permission: Permission) -> None:
    assert why(permission) is None
    assert why(permission, mode=Mode.LOCKDOWN) == "the door is locked down"


@pytest.mark.parametrize(
    "permission",
    [
        Permission(valid_from_utc="2000-01-01T00:00:00+00:00"),
        Permission(valid_until_utc="2999-01-01T00:00:00+00:00"),
        Permission(schedule="Mon-Sun 00:00-24:00"),
    ],
)
def test_without_a_trusted_clock_dates_and_hours_refuse_unless_the_owner_says_otherwise(permission: Permission) -> None:
    assert "clock is not set" in str(why(permission, UNSET))
    assert why(permission, UNSET, house=replace(HOUSE, untrusted_opens=True)) is None


def test_the_mode_follows_the_schedules() -> None:
    assert mode_now(Mode.NORMAL, HOUSE, NOON) is Mode.FREE
    assert mode_now(Mode.NORMAL, HOUSE, later(hours=6)) is Mode.NORMAL
    assert mode_now(Mode.NORMAL, HOUSE, later(hours=11)) is Mode.NIGHT
    both = replace(HOUSE, night=Schedule.parse("Mon-Sun 00:00-24:00"))
    assert mode_now(Mode.NORMAL, both, NOON) is Mode.NIGHT
    assert mode_now(Mode.NORMAL, House(), NOON) is Mode.NORMAL


@pytest.mark.parametrize("mode", [Mode.FREE, Mode.NIGHT, Mode.LOCKDOWN])
def test_what_the_owner_sets_wins(mode: Mode) -> None:
    for moment in (NOON, UNSET, later(hours=11)):
        assert mode_now(mode, HOUSE, moment) is mode


@given(st.integers(0, 7 * 24 * 60))
def test_without_a_trusted_clock_no_schedule_frees_the_door_and_night_is_kept(offset: int) -> None:
    moment = replace(later(minutes=offset), trusted=False)
    assert mode_now(Mode.NORMAL, HOUSE, moment) is Mode.NIGHT
    assert mode_now(Mode.NORMAL, replace(HOUSE, night=None), moment) is Mode.NORMAL
    assert mode_now(Mode.NORMAL, replace(HOUSE, night=None, untrusted_opens=True), moment) is Mode.NORMAL
    assert free_until(Mode.NORMAL, HOUSE, moment) is None


@given(st.integers(0, 366 * 24 * 60))
def test_free_hours_have_an_end_as_long_as_they_hold(offset: int) -> None:
    moment = later(minutes=offset)
    until = free_until(Mode.NORMAL, HOUSE, moment)
    assert (until is not None) == (mode_now(Mode.NORMAL, HOUSE, moment) is Mode.FREE)
    assert until is None or timedelta(0) < until.astimezone(UTC) - moment.local.astimezone(UTC) <= FREE_AHEAD


def test_a_door_set_free_is_looked_at_anew_a_day_later() -> None:
    until = free_until(Mode.FREE, HOUSE, UNSET)
    assert until is not None
    assert until.astimezone(UTC) - NOON.local.astimezone(UTC) == FREE_AHEAD


def test_a_holiday_is_not_free() -> None:
    assert mode_now(Mode.NORMAL, replace(HOUSE, holidays=frozenset({date(2026, 11, 23)})), NOON) is Mode.NORMAL


def test_a_permission_is_stored_in_one_form() -> None:
    raw = Permission(
        valid_from_utc="2026-11-23T13:00:00+01:00",
        valid_until_utc="2026-11-24T00:00:00Z",
        schedule="mon,tue 09:00-10:00",
    )
    assert checked(raw) == Permission(
        valid_from_utc="2026-11-23T12:00:00+00:00",
        valid_until_utc="2026-11-24T00:00:00+00:00",
        schedule="Mon-Tue 09:00-10:00",
    )


@pytest.mark.parametrize(
    "permission",
    [
        Permission(valid_from_utc="2026-11-24T00:00:00"),
        Permission(valid_from_utc="0001-01-01T00:00:00+14:00"),
        Permission(valid_from_utc="2026-11-24T00:00:00Z", valid_until_utc="2026-11-24T00:00:00Z"),
        Permission(uses_left=-1),
        Permission(schedule="always"),
    ],
)
def test_what_could_not_be_read_later_is_not_stored(permission: Permission) -> None:
    with pytest.raises(InputError):
        checked(permission)


@given(st.one_of(st.none(), st.text(max_size=30)), st.one_of(st.none(), st.text(max_size=30)))
def test_no_stored_text_raises(moment_text: str | None, schedule: str | None) -> None:
    permission = Permission(valid_from_utc=moment_text, schedule=schedule)
    if (moment_text, schedule) != (None, None):
        assert why(permission) is not None or moment_text is None or schedule is None


def test_a_last_day_is_over_at_its_end_and_not_before() -> None:
    evening = Moment(datetime(2026, 12, 31, 23, 59, tzinfo=ZoneInfo("Pacific/Auckland")), trusted=True)
    assert over("2026-12-31", evening) is None
    assert over("2026-12-30", evening) == "this person's last day was 2026-12-30"
    assert over(None, evening) is None
    assert over("soon", evening) == "this person's last day cannot be read"
    assert over("2026-12-30", replace(evening, trusted=False)) is None
