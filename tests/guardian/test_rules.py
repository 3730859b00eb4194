"""Rules, modes, PINs, lockouts and operators at the door."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec
import pytest

from edge import pin, wire
from edge.core.door import State
from edge.core.evidence import GONE_S
from edge.core.stopping import STANDARD
from edge.errors import DoorError, InputError, PersonError, StoreError
from edge.settings import Config, DoorConfig
from edge.store.sqlite import SqliteStore
from edge.types import Embedding, Input, Permission
from tests.fakes import FakeClock
from tests.guardian.household import ADA, DIMENSION, MODEL, STRANGER, FailingBolt, Household, settle, unit

PIN, DURESS = "48151", "62342"
NEAR = (unit(0) * 0.55 + unit(1) * (1 - 0.55**2) ** 0.5).astype("float32")
"""Somebody whose similarity to Ada is 0.55: a near miss."""

Mode = Literal["normal", "free", "night", "lockdown"]


def allow(household: Household, **limits: object) -> None:
    household.guardian.answer(msgspec.convert({"type": "allow", "name": "Ada", **limits}, wire.AskAllow), "root")


def set_mode(household: Household, mode: Mode) -> None:
    household.guardian.answer(wire.AskMode(mode, "a test"), "root")


@pytest.fixture
def with_pins(household: Household) -> Household:
    household.guardian.answer(wire.AskPin("Ada", PIN), "root")
    household.guardian.answer(wire.AskPin("Ada", DURESS, duress=True), "root")
    return household


def why_refused(household: Household) -> str:
    return str(household.told("refused")[-1]["reason"])


def test_a_disabled_person_stays_outside_and_comes_in_again_when_enabled(household: Household) -> None:
    allow(household, disabled=True)
    assert not household.comes(ADA, 1)
    assert "not let in at present" in why_refused(household)
    allow(household, disabled=False)
    assert household.comes(ADA, 2)


def test_a_permission_that_ends_ends_while_the_lock_runs(household: Household) -> None:
    end = datetime.fromisoformat(household.clock.utc()) + timedelta(minutes=1)
    allow(household, valid_until_utc=end.isoformat())
    assert household.comes(ADA, 1)
    household.passes(70)
    assert not household.comes(ADA, 2)
    assert "not let in since" in why_refused(household)


def test_uses_are_counted_and_end(household: Household) -> None:
    allow(household, uses_left=2)
    for track in (1, 2):
        assert household.comes(ADA, track)
        household.passes(6)
    assert not household.comes(ADA, 3)
    assert "uses is spent" in why_refused(household)
    assert household.store.permissions()[1].uses_left == 0


def test_a_use_counts_also_when_a_release_has_just_ended_and_nobody_has_looked(household: Household) -> None:
    allow(household, uses_left=2)
    assert household.comes(ADA, 1)
    assert household.bolt.until_s is not None
    household.clock.advance(household.bolt.until_s - household.clock.now_s() - 0.15)
    assert household.comes(ADA, 2)  # its second look decides, 50 ms after the end
    assert household.store.permissions()[1].uses_left == 0


def test_a_door_that_is_free_takes_no_use_away(household: Household) -> None:
    allow(household, uses_left=1)
    set_mode(household, "free")
    household.comes(ADA, 1)
    assert household.store.permissions()[1].uses_left == 1


def test_a_door_in_fault_takes_no_use_away(household: Household) -> None:
    allow(household, uses_left=1)
    household.senses(Input.TAMPER)
    assert not household.comes(ADA, 1)
    assert household.store.permissions()[1].uses_left == 1


def test_a_use_that_cannot_be_counted_is_no_use(household: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(person_id: int) -> None:
        raise StoreError("The disk is full. Make room.")

    allow(household, uses_left=2)
    monkeypatch.setattr(household.store, "spend_use", full)
    assert not household.comes(ADA, 1)
    assert "cannot be counted" in why_refused(household)


def test_hours_are_kept_and_an_unknown_clock_is_not_believed(household: Household) -> None:
    weekday = household.clock.local().strftime("%a")
    allow(household, schedule=f"{weekday} 00:00-12:00")
    assert household.comes(ADA, 1)
    household.passes(6)
    household.clock.is_trusted = False
    assert not household.comes(ADA, 2)
    assert "clock is not set" in why_refused(household)
    household.clock.is_trusted = True
    household.clock.utc_jump(13 * 3600)
    assert not household.comes(ADA, 3)
    assert "at this hour" in why_refused(household)


@pytest.mark.parametrize("years", [-1, 1])
def test_a_calendar_that_jumps_a_year_keeps_no_bolt_released(household: Household, years: int) -> None:
    assert household.comes(ADA, 1)
    household.clock.utc_jump(years * 365 * 86400)
    household.passes(5)
    assert not household.is_open()
    assert household.comes(ADA, 2)


def test_limits_of_somebody_unknown_and_limits_that_are_none_are_refused(household: Household) -> None:
    with pytest.raises(PersonError):
        household.guardian.answer(wire.AskAllow("Bob", disabled=True))
    with pytest.raises(InputError, match="no moment"):
        allow(household, valid_until_utc="tomorrow")
    with pytest.raises(InputError, match="not known"):
        allow(household, schedule="Monday to Friday")
    assert household.comes(ADA, 1)


def test_a_lockdown_secures_keeps_faces_and_pins_out_and_survives_a_restart(
    with_pins: Household, house: Config
) -> None:
    assert with_pins.comes(ADA, 1)
    set_mode(with_pins, "lockdown")
    assert not with_pins.is_open()
    assert not with_pins.comes(ADA, 2)
    with_pins.types(PIN)
    assert not with_pins.is_open()
    with pytest.raises(DoorError, match="locked down"):
        with_pins.guardian.answer(wire.AskUnlock(5.0, "the postman"), "root")
    again = settle(house, with_pins.store, with_pins.clock, FailingBolt())
    assert not again.comes(ADA, 3)
    assert "mode lockdown" in again.guardian.status().line()
    set_mode(again, "normal")
    assert again.comes(ADA, 4)


def test_a_mode_that_cannot_be_read_is_a_lockdown(household: Household, house: Config) -> None:
    household.store.keep("mode", "wide open")
    again = settle(house, household.store, household.clock, FailingBolt())
    assert not again.comes(ADA, 1)
    assert again.guardian.status().mode == "lockdown"


def test_a_lockdown_that_cannot_be_kept_holds_all_the_same(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(key: str, value: str) -> None:
        raise StoreError("The disk is full. Make room.")

    assert household.comes(ADA, 1)
    monkeypatch.setattr(household.store, "keep", full)
    with pytest.raises(StoreError):
        set_mode(household, "lockdown")
    assert not household.is_open()
    assert not household.comes(ADA, 2)
    allow(household, uses_left=5)  # the rules are read anew
    assert not household.comes(ADA, 3)
    monkeypatch.undo()
    set_mode(household, "normal")
    assert household.comes(ADA, 4)


def test_rules_that_cannot_be_read_let_nobody_in_until_they_can(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy() -> Mapping[int, Permission]:
        raise StoreError("Another program has the store. Close it.")

    monkeypatch.setattr(household.store, "permissions", busy)
    household.guardian.answer(wire.AskHolidays(add=["2026-12-25"]), "root")
    assert not household.comes(ADA, 1)
    monkeypatch.undo()
    household.passes(2)
    assert household.comes(ADA, 2)


def test_an_operator_frees_the_door_until_told_otherwise(household: Household) -> None:
    set_mode(household, "free")
    assert household.state() is State.FREE
    household.passes(120)
    assert household.is_open()
    set_mode(household, "normal")
    assert not household.is_open()


def test_a_face_in_free_hours_is_no_release(household: Household) -> None:
    set_mode(household, "free")
    for track in range(5):
        assert not household.comes(ADA, track)
        household.clock.advance(9.7)
    assert len(household.told("recognised")) == 5


def test_an_operator_unlocks_once_and_is_named_in_the_log(household: Household) -> None:
    household.guardian.answer(wire.AskUnlock(7.0, "the postman"), "ada (uid 1000)")
    assert household.bolt.until_s == household.clock.now_s() + 7.0
    event = household.store.events(1)[0].event
    assert (event.kind, event.detail["by"], event.detail["reason"]) == ("released", "ada (uid 1000)", "the postman")
    with pytest.raises(DoorError, match="30 s at most"):
        household.guardian.answer(wire.AskUnlock(31.0, "for long"), "root")
    with pytest.raises(DoorError, match="at least"):
        household.guardian.answer(wire.AskUnlock(0.1, "for a blink"), "root")


def test_a_pin_opens_and_the_log_has_no_digit_of_it(with_pins: Household) -> None:
    with_pins.types(PIN)
    assert with_pins.is_open()
    assert not any(digits in str(with_pins.store.events(100)) for digits in (PIN, DURESS))


def test_a_duress_pin_opens_as_usual_and_is_told_in_silence(with_pins: Household) -> None:
    with_pins.types(PIN)
    usual = list(with_pins.lamps.shown)
    with_pins.passes(6)
    with_pins.lamps.shown.clear()
    with_pins.types(DURESS)
    assert with_pins.is_open()
    assert with_pins.lamps.shown[-1] is usual[-1]
    assert len(with_pins.told("duress")) == 1


def test_wrong_pins_wait_and_a_duress_pin_does_not(with_pins: Household) -> None:
    for _ in range(3):
        with_pins.passes(2)
        with_pins.types("9753")
    for pause_s in (2, 9):  # too soon to be looked at, and looked at in vain
        with_pins.passes(pause_s)
        with_pins.types(PIN)
        assert not with_pins.is_open()
        assert "wait" in why_refused(with_pins)
    with_pins.passes(10)
    with_pins.types(DURESS)
    assert with_pins.is_open()


def test_a_duress_pin_cannot_be_found_by_trying_while_pins_wait(
    with_pins: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A minute of a machine at the keypad: three wrong PINs, then one in ten seconds is looked at."""
    looked_at: list[str] = []
    monkeypatch.setattr(pin, "find", lambda typed, pins: looked_at.append(typed))
    for number in range(54):
        with_pins.types(str(90000 + number))
        with_pins.passes(1)
    assert len(looked_at) == 3 + 5


def test_a_keypad_that_types_a_thousand_pins_at_once_gets_one_looked_at(
    with_pins: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[str] = []
    monkeypatch.setattr(pin, "find", lambda typed, pins: looked_at.append(typed))
    with_pins.guardian.keys("".join(f"{number}\n" for number in range(40000, 41000)) + f"{PIN}\n")
    assert not with_pins.is_open()
    assert looked_at == ["40000"]
    assert len(with_pins.told("refused")) < 30


def test_a_pin_removed_or_of_a_forgotten_person_opens_nothing(with_pins: Household) -> None:
    with_pins.guardian.answer(wire.AskPin("Ada", None), "root")
    with_pins.types(PIN)
    assert not with_pins.is_open()
    with_pins.guardian.answer(wire.AskForget("Ada"), "root")
    with_pins.passes(2)
    with_pins.types(DURESS)
    assert not with_pins.is_open()


def test_two_people_cannot_have_one_pin(with_pins: Household) -> None:
    with_pins.guardian.answer(wire.AskEnroll("Bob", MODEL, [wire.to_bytes(unit(2))]), "root")
    for taken in (PIN, DURESS):
        with pytest.raises(InputError, match="another"):
            with_pins.guardian.answer(wire.AskPin("Bob", taken), "root")
    with pytest.raises(InputError, match="first that anybody tries"):
        with_pins.guardian.answer(wire.AskPin("Bob", "1234"), "root")


def test_at_night_face_and_pin_are_both_needed(with_pins: Household) -> None:
    set_mode(with_pins, "night")
    assert not with_pins.comes(ADA, 1)
    assert "PIN" in why_refused(with_pins)
    with_pins.types(PIN)
    assert with_pins.is_open()
    with_pins.passes(8)
    with_pins.types(PIN)
    assert not with_pins.is_open()
    assert "look at the camera" in why_refused(with_pins)


@pytest.mark.parametrize("typed", [PIN, DURESS])
def test_at_night_face_and_pin_of_somebody_who_is_disabled_open_nothing(with_pins: Household, typed: str) -> None:
    set_mode(with_pins, "night")
    allow(with_pins, disabled=True)
    assert not with_pins.comes(ADA, 1)
    with_pins.types(typed)
    assert not with_pins.is_open()
    assert "not let in at present" in why_refused(with_pins)


def test_at_night_the_pin_must_be_that_of_the_face_and_the_face_must_stay(with_pins: Household) -> None:
    with_pins.guardian.answer(wire.AskEnroll("Bob", MODEL, [wire.to_bytes(unit(2))]), "root")
    set_mode(with_pins, "night")
    with_pins.comes(unit(2), 1)
    with_pins.types(PIN)
    assert not with_pins.is_open()
    with_pins.comes(ADA, 2)
    with_pins.passes(1.5)
    with_pins.types(PIN)
    assert not with_pins.is_open()


def tries(household: Household, who: Embedding, track: int) -> None:
    for _ in range(3):
        household.eyes_see(who, track=track)
    household.passes(GONE_S + 1)


def test_attempts_lock_that_face_out_and_nothing_else(with_pins: Household, house: Config) -> None:
    with_pins.guardian.answer(wire.AskEnroll("Bob", MODEL, [wire.to_bytes(unit(2))]), "root")
    for track in range(house.attempts.allowed):
        assert not with_pins.told("lockout")
        tries(with_pins, NEAR, track)
    assert with_pins.told("lockout")[0]["for_s"] == house.attempts.lockout_s
    assert not with_pins.comes(ADA, 100)
    assert "locked out" in why_refused(with_pins)
    assert with_pins.comes(unit(2), 101)
    with_pins.passes(6)
    with_pins.types(PIN)
    assert with_pins.is_open()
    with_pins.passes(house.attempts.lockout_s)
    assert with_pins.comes(ADA, 102)


@pytest.mark.parametrize(("typed", "opens"), [(PIN, False), (DURESS, True)])
def test_at_night_a_lockout_holds_for_a_face_with_its_pin_and_not_for_a_duress_pin(
    with_pins: Household, house: Config, typed: str, opens: bool
) -> None:
    set_mode(with_pins, "night")
    for track in range(house.attempts.allowed):
        tries(with_pins, NEAR, track)
    with_pins.comes(ADA, 100)
    with_pins.types(typed)
    assert with_pins.is_open() == opens
    assert "locked out" in why_refused(with_pins)


def test_a_lockout_survives_a_restart_and_an_operator_ends_it(household: Household, house: Config) -> None:
    for track in range(house.attempts.allowed):
        tries(household, NEAR, track)
    again = settle(house, household.store, household.clock, FailingBolt())
    assert not again.comes(ADA, 1)
    again.guardian.answer(wire.AskClear(), "root")
    assert again.comes(ADA, 2)


def test_attempts_that_ended_before_an_operator_clears_lock_nobody_out_afterwards(
    household: Household, house: Config
) -> None:
    """Approaches end faster than they are counted, as when hostile eyes tear them apart."""
    few = msgspec.structs.replace(house, attempts=msgspec.structs.replace(house.attempts, allowed=3))
    hasty = settle(few, household.store, household.clock, FailingBolt())
    hasty.passes(0.5)  # they are counted once a second: just now
    for track in range(few.attempts.allowed + 1):
        for _ in range(STANDARD.looks_min):
            hasty.eyes_see(NEAR, track=track)
    hasty.guardian.answer(wire.AskClear(), "root")
    hasty.passes(GONE_S + 1)
    assert hasty.told("attempt")
    assert hasty.comes(ADA, 100)


def test_the_postman_counts_for_nothing(household: Household) -> None:
    for track in range(50):
        tries(household, STRANGER, track)
    assert not household.told("attempt")
    assert household.comes(ADA, 100)


@pytest.fixture
def office(house: Config) -> Iterator[Household]:
    """Free on working days from 9 to 17, face and PIN from 22 to 6; it is Thursday, 00:00."""
    door = DoorConfig(free="Mon-Fri 09:00-17:00", night="Mon-Sun 22:00-06:00")
    clock = FakeClock()
    assert clock.local() == datetime(2026, 1, 1, tzinfo=UTC)
    with SqliteStore.open(house.store_path, MODEL, DIMENSION, clock) as store:
        store.enroll("Ada", [ADA])
        yield settle(msgspec.structs.replace(house, door=door), store, clock, FailingBolt())


def test_office_hours_free_the_door_and_end(office: Household) -> None:
    office.guardian.tick()
    assert office.guardian.status().mode == "night"
    office.clock.advance(9 * 3600)
    office.guardian.tick()
    assert office.state() is State.FREE
    office.passes(60)
    assert office.is_open()
    office.clock.advance(8 * 3600 - 65)
    office.guardian.tick()
    office.passes(10)
    assert not office.is_open()


def test_on_a_holiday_the_door_is_not_free(office: Household) -> None:
    answer = office.guardian.answer(wire.AskHolidays(add=["2026-01-01"]), "root")
    assert answer == wire.Holidays(["2026-01-01"])
    office.clock.advance(10 * 3600)
    office.guardian.tick()
    assert office.state() is State.LOCKED
    office.guardian.answer(wire.AskHolidays(remove=["2026-01-01"]), "root")
    office.passes(1.5)
    assert office.state() is State.FREE
    with pytest.raises(InputError, match="no date"):
        office.guardian.answer(wire.AskHolidays(add=["Christmas"]), "root")


def test_a_clock_that_is_not_trusted_frees_nothing(office: Household) -> None:
    office.clock.is_trusted = False
    office.clock.advance(10 * 3600)
    office.guardian.tick()
    assert office.state() is State.LOCKED
    assert office.guardian.status().mode == "night"
