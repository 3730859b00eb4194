"""Contact, exit button, tamper switch and bolt: what the guardian does with them."""

from collections.abc import Iterator

import msgspec
import pytest

from edge import wire
from edge.core.door import State
from edge.errors import StoreError
from edge.latch import CHECK_EVERY_S
from edge.settings import Config, DoorConfig, InputsConfig
from edge.store.sqlite import SqliteStore
from edge.types import Event, Input, Sensed, Sign
from tests.fakes import FakeClock
from tests.guardian.household import ADA, DIMENSION, MODEL, FailingBolt, Household, settle


@pytest.fixture
def shunted(house: Config) -> Iterator[Household]:
    """A door that opens from inside by itself."""
    clock = FakeClock()
    with SqliteStore.open(house.store_path, MODEL, DIMENSION, clock) as store:
        yield settle(
            msgspec.structs.replace(house, inputs=InputsConfig(exit_action="shunt")), store, clock, FailingBolt()
        )


def test_a_door_held_open_warns_then_alarms_then_is_quiet_once_shut(household: Household) -> None:
    household.comes(ADA, 1)
    household.senses(Input.DOOR_CONTACT)
    assert not household.is_open()
    door = DoorConfig()
    household.passes(door.held_open_s - door.held_open_warning_s + 1)
    assert household.state() is State.LOCKED
    household.passes(door.held_open_warning_s)
    assert household.state() is State.HELD_OPEN
    household.senses(Input.DOOR_CONTACT, active=False)
    assert household.state() is State.LOCKED
    assert household.lamps.shown[-4:] == [Sign.READY, Sign.WARNING, Sign.ALARM, Sign.READY]
    assert [event.event.kind for event in household.store.events(100)].count("held_open") == 1


def test_a_forced_door_alarms_and_an_operator_clears_it(household: Household) -> None:
    household.senses(Input.DOOR_CONTACT)
    assert household.state() is State.FORCED
    assert household.told("forced")
    household.guardian.answer(wire.AskClear(), "root")
    assert household.state() is State.LOCKED
    assert "the door stands open" in household.guardian.status().line()


def test_the_exit_button_opens_while_an_alarm_sounds_and_while_faces_are_locked_down(household: Household) -> None:
    household.senses(Input.DOOR_CONTACT)
    household.senses(Input.EXIT_BUTTON)
    assert household.is_open()
    household.passes(6)
    household.guardian.answer(wire.AskMode("lockdown"), "root")
    household.senses(Input.EXIT_BUTTON)
    assert household.is_open()


def test_a_button_held_for_an_hour_opens_once(household: Household) -> None:
    household.senses(Input.EXIT_BUTTON)
    household.passes(3600)
    assert not household.is_open()
    household.senses(Input.EXIT_BUTTON, active=False)
    assert not household.is_open()
    household.senses(Input.EXIT_BUTTON)
    assert household.is_open()


def test_a_shunting_button_releases_nothing_and_mutes_the_alarm(shunted: Household) -> None:
    shunted.senses(Input.EXIT_BUTTON)
    assert not shunted.is_open()
    shunted.senses(Input.DOOR_CONTACT)
    assert shunted.state() is State.LOCKED


def test_tampering_secures_and_only_an_operator_ends_it_once_the_case_is_shut(household: Household) -> None:
    household.comes(ADA, 1)
    household.senses(Input.TAMPER)
    assert not household.is_open()
    household.passes(60)
    household.senses(Input.EXIT_BUTTON)
    assert not household.comes(ADA, 2)
    household.guardian.answer(wire.AskClear(), "root")
    assert household.state() is State.FAULT
    household.senses(Input.TAMPER, active=False)
    household.passes(60)
    assert household.state() is State.LOCKED
    assert household.comes(ADA, 3)


def test_a_latched_fault_stays_when_the_case_is_shut_again(household: Household) -> None:
    household.senses(Input.TAMPER)
    household.senses(Input.TAMPER, active=False)
    household.passes(60)
    assert household.state() is State.FAULT
    assert "latched" in household.guardian.status().line()


def test_a_bolt_released_without_a_command_latches(household: Household) -> None:
    household.bolt.released = True
    assert not household.guardian.sound()
    household.guardian.tick()
    assert not household.is_open()
    household.passes(CHECK_EVERY_S * 3)
    assert household.state() is State.FAULT
    household.guardian.answer(wire.AskClear(), "root")
    assert household.state() is State.LOCKED
    assert household.guardian.sound()


def test_a_bolt_that_reads_otherwise_while_it_is_released_is_a_fault_until_it_obeys(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert household.comes(ADA, 1)
    monkeypatch.setattr(household.bolt, "obeys", lambda: False)
    household.guardian.tick()
    assert household.state() is State.FAULT
    assert not household.is_open()
    assert not household.guardian.sound()  # the watchdog is not fed
    household.passes(2 * CHECK_EVERY_S)
    assert household.state() is State.FAULT
    monkeypatch.undo()
    household.passes(CHECK_EVERY_S + 1)
    assert household.state() is State.LOCKED


def test_a_bolt_that_cannot_be_driven_is_a_fault_that_is_not_latched(household: Household) -> None:
    household.comes(ADA, 1)
    household.bolt.broken = True
    household.passes(6)
    assert household.state() is State.FAULT
    assert not household.guardian.sound()
    household.bolt.broken = False
    household.passes(CHECK_EVERY_S + 1)
    assert household.state() is State.LOCKED


def test_a_contact_that_bounces_for_ever_does_not_fill_the_log(household: Household) -> None:
    for number in range(2000):
        household.senses(Input.DOOR_CONTACT, active=number % 2 == 0)
        household.clock.advance(0.001)
    assert len(household.store.events(1000)) < 150
    household.senses(Input.DOOR_CONTACT, active=False)
    assert household.state() is State.LOCKED


def test_a_full_disk_changes_nothing_at_the_door(household: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(event: Event) -> None:
        raise StoreError("The disk is full. Make room.")

    monkeypatch.setattr(household.store, "log", full)
    for which in (Input.DOOR_CONTACT, Input.EXIT_BUTTON, Input.TAMPER):
        household.senses(which)
    household.passes(6)
    assert not household.is_open()
    assert household.state() is State.FAULT
    assert household.told("log_failed")


def test_settings_that_changed_since_the_last_start_are_logged(household: Household, house: Config) -> None:
    assert not household.told("config_changed")
    other = msgspec.structs.replace(house, door=DoorConfig(unlock_s=7.5))
    again = settle(other, household.store, household.clock, FailingBolt())
    assert again.told("config_changed")[0]["settings"] == "unlock_s = 7.5"
    third = settle(other, household.store, household.clock, FailingBolt())
    assert not third.told("config_changed")


def test_the_logs_head_is_told_at_the_start_in_turn_and_at_the_end(household: Household, house: Config) -> None:
    household.guardian.tick()
    assert len(household.told("log_head")) == 1
    household.clock.advance(house.log.head_every_s)
    household.guardian.tick()
    household.guardian.stop("SIGTERM came")
    heads = [str(values["head"]) for values in household.told("log_head")]
    assert len(heads) == 3
    number, digest = household.store.log_head()
    assert household.store.verify_log().last_id == number
    before = household.store.verify_log(until_id=number - 1)  # the entry of the stop itself comes after
    assert heads[-1] == f"{before.last_id}:{before.digest}"
    assert digest not in heads[-1]


def test_old_entries_go_while_the_lock_runs(household: Household, house: Config) -> None:
    household.guardian.tick()
    household.clock.advance((house.log.keep_days - 1) * 86400)
    household.passes(120)
    assert household.store.events(1000)[-1].id == 1
    household.clock.advance(2 * 86400)
    household.passes(120)
    assert household.store.events(1000)[-1].id > 1


@pytest.fixture
def found_open(house: Config) -> Iterator[Household]:
    """A lock that starts while its door stands open and its case is open, too."""
    clock = FakeClock()
    found = [Sensed(Input.DOOR_CONTACT, True), Sensed(Input.EXIT_BUTTON, True)]
    with SqliteStore.open(house.store_path, MODEL, DIMENSION, clock) as store:
        yield settle(house, store, clock, FailingBolt(), found)


def test_a_door_that_stands_open_at_the_start_was_not_forced_but_may_not_stay_so(found_open: Household) -> None:
    assert found_open.state() is State.LOCKED
    assert "the door stands open" in found_open.guardian.status().line()
    assert not found_open.is_open()  # the button that was found pressed is no press
    found_open.passes(DoorConfig().held_open_s + 1)
    assert found_open.state() is State.HELD_OPEN


def test_a_latched_fault_outlasts_its_power_being_cut(house: Config) -> None:
    clock = FakeClock()
    with SqliteStore.open(house.store_path, MODEL, DIMENSION, clock) as store:
        first = settle(house, store, clock, FailingBolt())
        first.senses(Input.TAMPER)
        first.passes(2)
        again = settle(house, store, clock, FailingBolt(), [Sensed(Input.TAMPER, False)])
        assert again.state() is State.FAULT
        assert "the case was opened" in again.guardian.status().line()
        again.passes(20)
        assert again.state() is State.FAULT
        again.guardian.answer(wire.AskClear(), "root")
        assert again.state() is State.LOCKED
        again.passes(2)
        assert settle(house, store, clock, FailingBolt()).state() is State.LOCKED


def test_a_power_cut_right_after_the_case_was_opened_changes_nothing(household: Household, house: Config) -> None:
    household.passes(1)
    household.guardian.sensed(Sensed(Input.TAMPER, True))
    again = settle(house, household.store, household.clock, FailingBolt())
    assert again.state() is State.FAULT
    assert again.guardian.door.latched


def test_a_latch_that_cannot_be_read_is_one(
    household: Household, house: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(household.store, "setting", failing)
    again = settle(house, household.store, household.clock, FailingBolt())
    assert again.state() is State.FAULT


def failing(key: str) -> str:
    raise StoreError("The store cannot be read. Check the disk.")


def test_an_open_case_at_the_start_is_a_latched_fault(house: Config) -> None:
    clock = FakeClock()
    with SqliteStore.open(house.store_path, MODEL, DIMENSION, clock) as store:
        household = settle(house, store, clock, FailingBolt(), [Sensed(Input.TAMPER, True)])
        assert household.state() is State.FAULT
        household.guardian.answer(wire.AskClear(), "root")
        assert household.state() is State.FAULT
        household.senses(Input.TAMPER, active=False)
        household.guardian.answer(wire.AskClear(), "root")
        assert household.state() is State.LOCKED


def test_an_input_that_cannot_be_trusted_is_told_with_its_reason(household: Household) -> None:
    household.guardian.sense([Sensed(Input.DOOR_CONTACT, True, "it does not come to rest")])
    assert household.state() is State.FORCED
    assert household.told("input_fault")[0]["reason"] == "door contact: it does not come to rest"
    household.guardian.sense([Sensed(Input.EXIT_BUTTON, False, "it cannot be read")])
    assert not household.is_open()


def test_a_door_may_relock_when_it_is_shut_again_instead_of_when_it_opens(house: Config) -> None:
    clock = FakeClock()
    late = msgspec.structs.replace(house, door=DoorConfig(relock="close"))
    with SqliteStore.open(house.store_path, MODEL, DIMENSION, clock) as store:
        household = settle(late, store, clock, FailingBolt())
        household.senses(Input.EXIT_BUTTON)
        household.senses(Input.DOOR_CONTACT)
        assert household.is_open()
        household.senses(Input.DOOR_CONTACT, active=False)
        assert not household.is_open()
