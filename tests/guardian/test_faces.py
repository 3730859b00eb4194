"""The guardian's judgement, on a real store, with a clock that stands still and a bolt that can be made to fail."""

from collections.abc import Iterator, Mapping

import pytest

from edge import wire
from edge.core.door import State
from edge.core.evidence import SPOILT_S
from edge.core.risk import Limits
from edge.errors import BoltError, PersonError, StoreError, TemplateModelError, WireError
from edge.guardian import EYES_AWAY_S, LISTED_MAX, Guardian
from edge.latch import CHECK_EVERY_S
from edge.registry import Registry
from edge.settings import Config
from edge.store.sqlite import SqliteStore
from edge.teller import Plain
from edge.types import Event, Gallery
from tests.core.looks import look
from tests.fakes import FakeClock
from tests.guardian.household import ADA, DIMENSION, HELLO, MODEL, STRANGER, FailingBolt, Household, settle, unit


def test_two_clear_looks_open_the_door_for_as_long_as_configured(household: Household) -> None:
    for _ in range(2):
        assert not household.is_open()
        household.eyes_see(ADA)
    assert household.is_open()
    assert household.bolt.until_s == household.clock.now_s() + 5.0
    assert household.guardian.next_tick_s() <= household.bolt.until_s
    household.clock.advance(5.0)
    household.guardian.tick()
    assert not household.is_open()
    assert household.kinds()[-2:] == ["released", "secured"] or household.kinds()[-3:-1] == ["released", "secured"]


def test_a_stranger_is_refused_and_written_down_without_a_name(household: Household) -> None:
    for _ in range(6):
        household.eyes_see(STRANGER)
    assert not household.is_open()
    assert household.kinds().count("refused") == 1
    event = household.store.events(1)[0].event
    assert (event.kind, event.person_id) == ("refused", None)


def test_every_notice_names_the_bolt_and_the_liveness_mode(household: Household) -> None:
    for _ in range(3):
        household.eyes_see(ADA)
    for _, values in household.said:
        assert "bolt a test bolt" in str(values["status"])
        assert "liveness off" in str(values["status"])
    released = dict(household.said)["released"]
    assert released["name"] == "Ada"
    assert released["liveness"] == "off"


def test_the_log_holds_the_persons_number_and_no_name(household: Household) -> None:
    for _ in range(3):
        household.eyes_see(ADA)
    event = household.store.events(1)[0].event
    assert event.kind == "released"
    assert event.person_id == household.store.people()[0].id
    assert "Ada" not in str(event.detail)


def test_a_person_together_with_somebody_else_stays_outside(household: Household) -> None:
    for _ in range(10):
        household.eyes_see(ADA, STRANGER)
    assert not household.is_open()
    assert "several faces" in str(dict(household.said)["refused"]["reason"])


def test_a_crowd_stamped_an_hour_ahead_keeps_nobody_out_for_an_hour(household: Household) -> None:
    household.eyes_see(ADA, STRANGER, age_s=-3600)
    assert not household.comes(ADA, 5)
    household.passes(SPOILT_S)
    assert household.comes(ADA, 6)


def test_looks_that_come_late_open_nothing(household: Household) -> None:
    for _ in range(10):
        household.eyes_see(ADA, age_s=0.6)
    assert not household.is_open()


def test_eyes_that_fall_silent_are_away_and_the_door_still_relocks(household: Household) -> None:
    for _ in range(3):
        household.eyes_see(ADA)
    household.clock.advance(EYES_AWAY_S + 0.1)
    household.guardian.tick()
    assert household.guardian.status().eyes == "away"
    assert household.is_open()
    household.clock.advance(5.0 - EYES_AWAY_S)
    household.guardian.tick()
    assert not household.is_open()


def test_eyes_that_were_silent_for_a_while_are_heard_again(household: Household) -> None:
    household.eyes_see(ADA)
    household.clock.advance(EYES_AWAY_S + 0.1)
    household.guardian.tick()
    household.eyes_see(STRANGER)
    assert household.kinds()[-2:] == ["eyes_away", "eyes_present"]
    assert "present" in household.guardian.status().eyes


def test_evidence_dies_with_the_eyes_that_gave_it(household: Household) -> None:
    household.eyes_see(ADA)
    household.guardian.eyes_gone("killed")
    household.guardian.eyes_say(HELLO)
    household.eyes_see(ADA)
    assert not household.is_open()


def test_eyes_must_say_hello_and_speak_of_the_same_model(household: Household) -> None:
    household.guardian.eyes_gone("killed")
    with pytest.raises(WireError, match="hello"):
        household.eyes_see(ADA)
    with pytest.raises(WireError, match="another-space"):
        household.guardian.eyes_say(wire.Hello(wire.VERSION, "another-space", DIMENSION, "a camera"))
    with pytest.raises(WireError, match="version 99"):
        household.guardian.eyes_say(wire.Hello(99, MODEL, DIMENSION, "a camera"))
    assert household.guardian.status().eyes == "away"


def test_eyes_that_fail_before_they_say_hello_are_told(household: Household) -> None:
    household.guardian.eyes_gone("killed")
    household.guardian.eyes_say(wire.Trouble("The camera does not open."))
    assert household.said[-1][0] == "eyes_away"
    assert "does not open" in str(household.said[-1][1]["reason"])


def test_a_log_that_fails_does_not_undo_an_enrolment(household: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(event: Event) -> None:
        raise StoreError("The disk is full. Make room.")

    monkeypatch.setattr(household.store, "log", full)
    answer = household.guardian.answer(wire.AskEnroll("Bob", MODEL, [wire.to_bytes(unit(2))]))
    assert isinstance(answer, wire.People)
    assert [person.name for person in household.store.people()] == ["Ada", "Bob"]


def test_a_camera_in_trouble_is_told(household: Household) -> None:
    household.guardian.eyes_say(wire.Trouble("The camera repeats one frame."))
    assert household.said[-1][0] == "eyes_away"
    assert "repeats one frame" in str(household.said[-1][1]["reason"])


def test_a_bolt_that_does_not_release_is_a_fault_that_ends_when_it_obeys_again(household: Household) -> None:
    household.bolt.broken = True
    for _ in range(3):
        household.eyes_see(ADA)
    assert household.state() is State.FAULT
    assert household.kinds().count("fault") == 1
    for _ in range(5):
        household.eyes_see(ADA, track=9)
    assert not household.is_open()
    household.clock.advance(CHECK_EVERY_S)
    household.guardian.tick()
    assert household.state() is State.FAULT
    household.bolt.broken = False
    household.clock.advance(CHECK_EVERY_S)
    household.guardian.tick()
    assert household.state() is State.LOCKED


def test_a_bolt_that_does_not_secure_is_a_fault_and_is_tried_again(household: Household) -> None:
    for _ in range(3):
        household.eyes_see(ADA)
    household.bolt.broken = True
    household.clock.advance(5.0)
    household.guardian.tick()
    assert household.state() is State.FAULT
    household.bolt.broken = False
    household.clock.advance(CHECK_EVERY_S)
    household.guardian.tick()
    assert not household.is_open()


def test_a_bolt_found_released_without_a_grant_is_secured(household: Household) -> None:
    household.bolt.released = True
    household.guardian.tick()
    assert not household.is_open()
    assert household.state() is State.FAULT


def test_a_log_that_cannot_be_written_keeps_nobody_out_and_is_told(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(event: Event) -> None:
        raise StoreError("The disk is full. Make room.")

    monkeypatch.setattr(household.store, "log", full)
    for _ in range(3):
        household.eyes_see(ADA)
    assert household.is_open()
    assert "log_failed" in household.kinds()


def test_a_person_enrolled_while_the_lock_runs_gets_in_and_a_forgotten_one_does_not(household: Household) -> None:
    bob = unit(2)
    household.guardian.answer(wire.AskEnroll("Bob", MODEL, [wire.to_bytes(bob)]))
    for _ in range(3):
        household.eyes_see(bob)
    assert household.is_open()
    household.clock.advance(6)
    household.guardian.tick()
    household.guardian.answer(wire.AskForget("bob"))
    for _ in range(6):
        household.eyes_see(bob, track=5)
    assert not household.is_open()
    assert [event.event.kind for event in household.store.events(20)].count("forgotten") == 1


def test_templates_of_another_model_and_unknown_people_are_refused(household: Household) -> None:
    with pytest.raises(TemplateModelError, match="another-space"):
        household.guardian.answer(wire.AskEnroll("Bob", "another-space", [wire.to_bytes(ADA)]))
    with pytest.raises(WireError):
        household.guardian.answer(wire.AskEnroll("Bob", MODEL, [b"\x00" * 16]))
    with pytest.raises(PersonError):
        household.guardian.answer(wire.AskForget("Nobody"))
    assert [person.name for person in household.store.people()] == ["Ada"]


@pytest.fixture
def after_a_change(house: Config) -> Iterator[Household]:
    """Ada was enrolled with an older model, and Bob since. Ada's old template is what the eyes now see of Ada."""
    clock, bolt = FakeClock(), FailingBolt()
    with SqliteStore.open(house.store_path, "older-space", DIMENSION, clock) as store:
        store.enroll("Ada", [ADA])
    with SqliteStore.open(house.store_path, MODEL, DIMENSION, clock) as store:
        store.enroll("Bob", [unit(2)])
        yield settle(house, store, clock, bolt)


def test_a_template_of_another_model_opens_nothing_even_where_the_numbers_are_equal(after_a_change: Household) -> None:
    for _ in range(10):
        after_a_change.eyes_see(ADA)
    assert not after_a_change.is_open()
    assert after_a_change.kinds().count("refused") == 1
    seen = after_a_change.guardian.answer(wire.AskIdentify(MODEL, wire.to_bytes(ADA)))
    assert isinstance(seen, wire.Identified)
    assert (seen.person, seen.similarity, seen.accepted) == ("Bob", 0.0, False)


def test_who_must_enrol_again_is_told_once_and_logged_without_a_name(after_a_change: Household) -> None:
    assert after_a_change.kinds()[:2] == ["started", "enrol_again"]
    told = after_a_change.said[1][1]
    assert (told["name"], told["ids"], told["people"]) == ("Ada", "1", 1)
    assert "1 enrolled · 1 must enrol again" in str(told["status"])
    for _ in range(5):
        after_a_change.eyes_see(ADA)
    (event,) = [line.event for line in after_a_change.store.events(50) if line.event.kind == "enrol_again"]
    assert (event.detail["ids"], event.detail["people"]) == ("1", 1)
    assert "Ada" not in str(event)
    assert after_a_change.kinds().count("enrol_again") == 1


def test_nobody_is_called_to_enrol_again_without_need(household: Household) -> None:
    assert "enrol_again" not in household.kinds()
    assert "again" not in household.guardian.status().line()


@pytest.mark.parametrize("add", [False, True])
def test_who_enrols_again_while_the_lock_runs_gets_in(after_a_change: Household, add: bool) -> None:
    face = unit(3)  # nothing like the old template: there is nothing that it could be compared with
    answer = after_a_change.guardian.answer(wire.AskEnroll("ada", MODEL, [wire.to_bytes(face)], add))
    assert isinstance(answer, wire.People)
    assert (answer.people[0].id, answer.people[0].enrol_again) == (1, False)
    assert after_a_change.guardian.status().enrol_again == 0
    for _ in range(3):
        after_a_change.eyes_see(face)
    assert after_a_change.is_open()
    assert after_a_change.store.events(1)[0].event.person_id == 1


def test_a_crowd_that_must_enrol_again_fits_one_line_of_the_log(house: Config) -> None:
    clock, said = FakeClock(), list[tuple[str, Mapping[str, Plain]]]()
    with SqliteStore.open(house.store_path, "older-space", DIMENSION, clock) as store:
        store._ring.reserve(2**63 - 1000)
        for number in range(LISTED_MAX + 5):
            store.enroll(f"Person {number:03}", [ADA])
    with SqliteStore.open(house.store_path, MODEL, DIMENSION, clock) as store:
        registry = Registry(store, MODEL, DIMENSION, Limits(0.6), 0.05)
        Guardian(house, registry, store, FailingBolt(), clock, lambda kind, values: said.append((kind, values)))
        newest = store.events(1)[0].event
    assert [kind for kind, _ in said] == ["started", "enrol_again"]
    assert newest.detail["people"] == LISTED_MAX + 5
    assert len(str(newest.detail["ids"]).split(", ")) == LISTED_MAX


def test_identifying_names_but_never_opens(household: Household) -> None:
    for _ in range(10):
        answer = household.guardian.answer(wire.AskIdentify(MODEL, wire.to_bytes(ADA)))
        household.guardian.tick()
    assert isinstance(answer, wire.Identified)
    assert (answer.person, answer.accepted, answer.margin) == ("Ada", True, None)
    assert not household.is_open()


def test_malformed_messages_are_told_ever_more_rarely(household: Household) -> None:
    for _ in range(1000):
        household.guardian.malformed(WireError("Not a message. Restart."))
    assert household.kinds().count("malformed") == 10
    assert household.said[-1][1]["count"] == 512


def test_a_notice_that_cannot_be_announced_stops_nothing(house: Config, household: Household) -> None:
    def gone(kind: str, values: Mapping[str, Plain]) -> None:
        raise BrokenPipeError

    registry = Registry(household.store, MODEL, DIMENSION, Limits(0.6), 0.05)
    household.guardian = Guardian(house, registry, household.store, household.bolt, household.clock, gone)
    household.guardian.eyes_say(HELLO)
    for _ in range(3):
        household.eyes_see(ADA)
    assert household.is_open()


def test_enrolling_somebody_gives_no_second_grant_and_lifts_no_refusal(household: Household) -> None:
    for _ in range(3):
        household.eyes_see(ADA)
    household.clock.advance(5)
    household.guardian.tick()
    household.eyes_see(ADA, STRANGER, track=2)
    household.guardian.answer(wire.AskEnroll("Bob", MODEL, [wire.to_bytes(unit(2))]))
    for track in (1, 1, 1, 1, 2, 2, 2, 2):
        household.eyes_see(ADA, track=track)
    assert not household.is_open()
    assert household.kinds().count("released") == 1


def test_faces_that_are_counted_but_not_described_keep_the_door_shut(household: Household) -> None:
    for _ in range(10):
        household.eyes_see(ADA)
        now_s = household.clock.now_s()
        household.guardian.eyes_say(wire.Report(household.frame, now_s + 0.01, 2, []))
        if household.frame == 1:
            break
    for _ in range(10):
        household.eyes_see(ADA)
    assert not household.is_open()


def test_a_gallery_that_cannot_be_read_after_a_change_knows_nobody(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(person_id: int | None = None) -> Gallery:
        raise StoreError("A template is damaged. Restore a backup.")

    household.store.enroll("Bob", [unit(2)])
    monkeypatch.setattr(household.store, "gallery", damaged)
    with pytest.raises(StoreError):
        household.guardian.answer(wire.AskRename("Ada", "Adah"))
    for _ in range(5):
        household.eyes_see(ADA)
    assert not household.is_open()


def test_a_face_that_flickers_between_two_flaws_is_told_once_each(household: Household) -> None:
    for number in range(40):
        household.clock.advance(0.1)
        now_s = household.clock.now_s()
        flawed = look(now_s, face_px=30) if number % 2 else look(now_s, yaw_deg=70)
        household.guardian.eyes_say(wire.to_report(number, now_s, 1, [flawed]))
    assert household.kinds().count("refused") == 2


def test_hostile_tracks_do_not_fill_the_log(household: Household) -> None:
    for track in range(500):
        household.eyes_see(STRANGER, track=track)
        household.guardian.eyes_say(wire.to_report(track, household.clock.now_s(), 1, [look(track=track, face_px=10)]))
    refused = [values for kind, values in household.said if kind == "refused"]
    assert len(refused) < 80
    assert sum(int(values.get("untold") or 0) for values in refused) > 300


def test_stopping_secures(household: Household) -> None:
    for _ in range(3):
        household.eyes_see(ADA)
    household.guardian.stop("SIGTERM came")
    assert not household.is_open()
    assert household.said[-1][0] == "stopped"


def test_a_guardian_that_cannot_secure_its_bolt_does_not_start(household: Household, house: Config) -> None:
    household.bolt.broken = True
    registry = Registry(household.store, MODEL, DIMENSION, Limits(0.6), 0.05)
    with pytest.raises(BoltError):
        Guardian(house, registry, household.store, household.bolt, household.clock, lambda kind, values: None)
