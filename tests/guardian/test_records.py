"""What is kept of a person and for how long: consent, its end, records handed out, keys and daily backups."""

import threading
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from edge import wire
from edge.core.risk import Limits
from edge.daily import DAY_S, DailyBackup
from edge.errors import InputError, PersonError, StoreError
from edge.expiry import BELIEVED_S, EVERY_S
from edge.registry import Registry
from edge.settings import Config, PrivacyConfig
from edge.store.sqlite import SqliteStore
from edge.teller import Plain, Teller
from edge.types import Consent, Person
from tests.fakes import FakeClock, FakeStore
from tests.guardian.household import ADA, DIMENSION, MODEL, FailingBolt, Household, settle, unit

CONSENT = wire.ConsentLine("2026-01-01T00:00:00.000+00:00", 1)


def people(household: Household) -> list[str]:
    return [person.name for person in household.store.people()]


def test_a_person_comes_in_on_the_last_day_and_is_refused_and_erased_after_it(household: Household) -> None:
    answer = household.guardian.answer(wire.AskAgree("ada", CONSENT, "2026-01-02"), "root (uid 0)")
    assert isinstance(answer, wire.People)
    assert (answer.people[0].consent, answer.people[0].expires) == (CONSENT, "2026-01-02")
    household.clock.advance(2 * DAY_S - 10)  # ten seconds before the end of the second day, UTC
    household.guardian.tick()
    household.guardian.eyes_say(wire.Hello(wire.VERSION, MODEL, DIMENSION, "a camera"))
    assert household.comes(ADA, track=1)
    household.passes(20)
    assert not household.comes(ADA, track=2)
    assert "this person's last day was 2026-01-02" in str(household.told("refused")[-1]["reason"])
    assert people(household) == ["Ada"]
    household.clock.advance(EVERY_S)
    household.guardian.tick()
    assert people(household) == []
    assert household.told("forgotten")[0]["name"] == "Ada"
    (entry,) = household.store.log_page(kind="forgotten")
    assert (entry.event.person_id, entry.event.detail["by"]) == (1, "the end of 2026-01-02")
    assert not household.comes(ADA, track=3)


def test_the_end_is_announced_every_day_before(household: Household) -> None:
    household.guardian.answer(wire.AskAgree("Ada", CONSENT, "2026-02-10"))
    for _ in range(45 * 24):
        household.clock.advance(EVERY_S)
        household.guardian.tick()
    told = [values["days"] for values in household.told("expires")]
    assert told == list(range(30, -1, -1))
    assert {values["last_day"] for values in household.told("expires")} == {"2026-02-10"}
    assert people(household) == []


def test_a_calendar_that_was_set_wrong_costs_nobody_the_enrolment(household: Household) -> None:
    household.guardian.answer(wire.AskAgree("Ada", CONSENT, "2026-06-01"))
    household.passes(60)
    household.clock.utc_jump(365 * DAY_S)  # and set right again within the hour
    household.passes(BELIEVED_S - 60)
    assert not household.comes(ADA, track=1)
    household.clock.utc_jump(-365 * DAY_S)
    household.passes(2 * EVERY_S)
    assert people(household) == ["Ada"]
    household.guardian.eyes_say(wire.Hello(wire.VERSION, MODEL, DIMENSION, "a camera"))
    assert household.comes(ADA, track=2)


def test_without_a_clock_to_trust_nobody_is_erased(household: Household) -> None:
    household.guardian.answer(wire.AskAgree("Ada", CONSENT, "2026-01-01"))
    household.clock.is_trusted = False
    household.clock.advance(30 * DAY_S)
    household.passes(3 * EVERY_S)
    assert people(household) == ["Ada"]
    household.clock.is_trusted = True
    household.passes(BELIEVED_S / 2)
    assert people(household) == ["Ada"]
    household.passes(BELIEVED_S / 2 + EVERY_S)
    assert people(household) == []


def test_a_last_day_taken_away_holds_no_longer(household: Household) -> None:
    household.guardian.answer(wire.AskAgree("Ada", CONSENT, "2026-01-01"))
    household.guardian.answer(wire.AskAgree("Ada", expires=None))
    household.clock.advance(30 * DAY_S)
    household.passes(2 * EVERY_S)
    (ada,) = household.store.people()
    assert (ada.expires, ada.consent) == (None, Consent(CONSENT.given_utc, CONSENT.wording))


def test_the_last_day_is_the_doors_own(house: Config) -> None:
    clock = FakeClock(ZoneInfo("America/Los_Angeles"))  # 16:00 on 31 December there
    with SqliteStore.open(house.store_path, MODEL, DIMENSION, clock) as store:
        store.enroll("Ada", [ADA], expires="2025-12-31")
        household = settle(house, store, clock, FailingBolt())
        assert household.comes(ADA, track=1)
        household.clock.advance(8 * 3600)
        household.guardian.eyes_say(wire.Hello(wire.VERSION, MODEL, DIMENSION, "a camera"))
        assert not household.comes(ADA, track=2)
        household.passes(EVERY_S + 60)
        assert people(household) == []


def test_without_a_clock_to_trust_a_last_day_shuts_nobody_out(household: Household) -> None:
    household.guardian.answer(wire.AskAgree("Ada", CONSENT, "2026-01-01"))
    household.clock.is_trusted = False
    household.clock.advance(30 * DAY_S)
    household.guardian.tick()
    household.guardian.eyes_say(wire.Hello(wire.VERSION, MODEL, DIMENSION, "a camera"))
    assert household.comes(ADA, track=1)


def test_many_who_end_on_one_day_are_erased_one_a_turn_and_one_who_cannot_be_keeps_nobody_back(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        household.store.enroll(f"Person {number:02}", [unit(1)], expires="2026-01-01")
    household.clock.advance(2 * DAY_S)
    household.guardian.tick()
    household.clock.advance(EVERY_S)
    forget = SqliteStore.forget

    def refusing(store: SqliteStore, name: str) -> Person:
        if name == "Person 07":
            raise StoreError("The disk is full. Make room.")
        return forget(store, name)

    monkeypatch.setattr(SqliteStore, "forget", refusing)
    for _ in range(25):
        before = len(people(household))
        household.clock.advance(1)
        household.guardian.tick()
        assert before - len(people(household)) <= 1
    assert people(household) == ["Ada", "Person 07"]
    assert "The disk is full" in str(household.told("log_failed")[-1]["reason"])
    monkeypatch.undo()
    household.passes(EVERY_S)
    assert people(household) == ["Ada"]


def test_who_agreed_anew_while_others_were_erased_stays(household: Household) -> None:
    for name in ("Bob", "Eve"):
        household.store.enroll(name, [unit(1)], expires="2026-01-01")
    household.clock.advance(2 * DAY_S)
    household.guardian.tick()
    assert people(household) == ["Ada", "Eve"]
    household.guardian.answer(wire.AskAgree("Eve", CONSENT, "2027-01-01"))
    household.passes(EVERY_S)
    assert people(household) == ["Ada", "Eve"]


def test_forgetting_that_fails_half_way_lets_nobody_in(household: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    def destroyed_and_failed(store: SqliteStore, name: str) -> Person:
        store._ring.destroy(1, "2026-01-01T00:00:00.000+00:00")
        store._identities = None
        raise StoreError("The disk is full. Make room.")

    monkeypatch.setattr(SqliteStore, "forget", destroyed_and_failed)
    with pytest.raises(StoreError):
        household.guardian.answer(wire.AskForget("Ada"))
    assert not household.comes(ADA, track=1)


def test_a_row_that_another_program_removed_is_an_error_and_not_the_end(household: Household) -> None:
    household.store._db.execute("DELETE FROM people")
    with pytest.raises(StoreError, match="lost person 1"):
        household.guardian.answer(wire.AskAllow("Ada", disabled=True))
    with pytest.raises(PersonError):
        household.guardian.answer(wire.AskAllow("Ada", disabled=True))


@pytest.mark.parametrize(
    "day", ["9999-12-31", "2026-13-01", "soon", "2026-1-1", "20260101", "2026-01-01T00:00:00", "\x1b[2J"]
)
def test_a_last_day_that_is_none_is_refused(household: Household, day: str) -> None:
    with pytest.raises(InputError, match="is no date"):
        household.guardian.answer(wire.AskAgree("Ada", CONSENT, day))
    assert household.store.people()[0].expires is None


def test_a_consent_of_no_time_is_refused(household: Household) -> None:
    with pytest.raises(InputError, match="no time of a consent"):
        household.guardian.answer(wire.AskAgree("Ada", wire.ConsentLine("yesterday", 1)))


def test_where_consent_is_required_nobody_is_enrolled_without(house: Config) -> None:
    clock = FakeClock()
    with SqliteStore.open(house.store_path, MODEL, DIMENSION, clock) as store:
        registry = Registry(store, MODEL, DIMENSION, Limits(0.6), 0.05, consent_required=True)
        question = wire.AskEnroll("Ada", MODEL, [wire.to_bytes(ADA)])
        with pytest.raises(InputError, match="this lock asks for consent"):
            registry.answer(question)
        assert store.people() == []
        answer = registry.answer(msgspec.structs.replace(question, consent=CONSENT, expires="2027-01-01"))
        assert isinstance(answer, wire.People)
        assert (answer.people[0].consent, answer.people[0].expires) == (CONSENT, "2027-01-01")
        registry.answer(wire.AskEnroll("Ada", MODEL, [wire.to_bytes(ADA)], add=True))  # the consent is there


def test_what_is_kept_of_a_person_is_shown_and_handed_out_and_that_is_logged(household: Household) -> None:
    faces = [unit(2), unit(3)]
    crops = [b"\xff\xd8one", b"\xff\xd8two"]
    household.guardian.answer(
        wire.AskEnroll("Bob", MODEL, [wire.to_bytes(each) for each in faces], consent=CONSENT, crops=crops)
    )
    household.guardian.answer(wire.AskPin("Bob", "482913", duress=False))
    household.guardian.answer(wire.AskAllow("Bob", uses_left=3))
    shown = household.guardian.answer(wire.AskShow("BOB"))
    assert isinstance(shown, wire.Shown)
    assert (shown.person.name, shown.person.templates, shown.person.consent) == ("Bob", 2, CONSENT)
    assert (shown.has_pin, shown.has_duress_pin, shown.pictures, shown.permission.uses_left) == (True, False, 2, 3)
    templates = household.guardian.answer(wire.AskTemplates("bob"), "root (uid 0)")
    assert templates == wire.Templates(MODEL, [wire.to_bytes(each) for each in faces])
    assert household.guardian.answer(wire.AskCrops("bob"), "root (uid 0)") == wire.Crops(crops)
    entries = household.store.log_page(kind="exported")
    assert [(entry.event.person_id, entry.event.detail) for entry in entries] == [
        (2, {"what": "templates", "by": "root (uid 0)"}),
        (2, {"what": "pictures", "by": "root (uid 0)"}),
    ]
    for question in (wire.AskShow("Eve"), wire.AskTemplates("Eve"), wire.AskCrops("Eve"), wire.AskAgree("Eve")):
        with pytest.raises(PersonError, match="Nobody named 'Eve'"):
            household.guardian.answer(question)


def test_a_master_key_is_changed_while_the_lock_runs(household: Household) -> None:
    before = household.guardian.answer(wire.AskKeys())
    after = household.guardian.answer(wire.AskRotate(), "root (uid 0)")
    assert isinstance(before, wire.Keys)
    assert isinstance(after, wire.Keys)
    assert (after.people, after.destroyed, after.mark != before.mark) == (1, 0, True)
    assert household.store.log_page(kind="keys_rotated")[0].event.detail == {"mark": after.mark, "by": "root (uid 0)"}
    assert household.comes(ADA, track=1)


def test_a_person_with_everything_fits_one_packet() -> None:
    name = "\N{CJK UNIFIED IDEOGRAPH-20000}" * 64
    longest = wire.PersonLine(2**53, name, 20, "x" * 40, False, None, CONSENT, "x" * 40)
    rules = wire.PermissionLine(True, "x" * 40, "x" * 40, 1_000_000, "x" * 500, True)
    assert len(wire.encode(wire.Shown(longest, rules, True, True, 20))) < wire.PACKET_MAX_BYTES
    templates, crops = [bytes(4 * 192)] * 20, [bytes(wire.CROP_MAX_BYTES)] * 20
    for message in (
        wire.AskEnroll("x" * 500, "m" * 100, templates, True, True, CONSENT, "2027-01-01", crops),
        wire.Templates("m" * 100, templates),
        wire.Crops(crops),
        wire.People([longest] * wire.PAGE, more=True),
    ):
        assert len(wire.encode(message)) <= wire.PACKET_MAX_BYTES


class Copies:
    """Makes backups, each when it is let to."""

    def __init__(self) -> None:
        self.made = 0
        self.error: Exception | None = None
        self.may = threading.Event()
        self.may.set()

    def __call__(self) -> str:
        assert self.may.wait(30)
        if self.error is not None:
            raise self.error
        self.made += 1
        return f"copy {self.made}"


def daily(clock: FakeClock, copies: Copies, newest_utc: str | None) -> tuple[DailyBackup, list[tuple[str, object]]]:
    said: list[tuple[str, object]] = []

    def announce(kind: str, values: Mapping[str, Plain]) -> None:
        said.append((kind, values.get("backup") or values.get("reason")))

    teller = Teller(FakeStore(MODEL, DIMENSION, clock), announce, clock, str)
    return DailyBackup(copies, newest_utc, clock, teller), said


def ended(backup: DailyBackup) -> None:
    """Let the thread come to its end, and hear of it."""
    assert backup._thread is not None
    backup._thread.join(30)
    backup.tick()


def test_a_backup_is_made_every_day_beside_the_door(clock: FakeClock) -> None:
    copies = Copies()
    backup, said = daily(clock, copies, None)
    copies.may.clear()
    backup.tick()
    for _ in range(10):  # it takes its time, and nobody waits
        clock.advance(1)
        backup.tick()
    assert said == []
    copies.may.set()
    ended(backup)
    assert said == [("backed_up", "copy 1")]
    clock.advance(DAY_S - 20)
    backup.tick()
    assert backup._thread is None
    clock.advance(20)
    backup.tick()
    ended(backup)
    assert said[1:] == [("backed_up", "copy 2")]


@pytest.mark.parametrize(
    ("newest_utc", "wait_s"),
    [
        ("2025-12-31T22:00:00+00:00", DAY_S - 7200),
        ("2025-12-30T22:00:00+00:00", 0),
        ("2031-01-01T00:00:00+00:00", 0),  # of a clock that was wrong
    ],
)
def test_after_a_start_the_next_one_is_due_a_day_after_the_last(
    clock: FakeClock, newest_utc: str, wait_s: float
) -> None:
    copies = Copies()
    backup, _ = daily(clock, copies, newest_utc)
    if wait_s:
        clock.advance(wait_s - 1)
        backup.tick()
        assert backup._thread is None
        clock.advance(1)
    backup.tick()
    ended(backup)
    assert copies.made == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [(StoreError("The disk is full. Make room."), "The disk is full."), (ZeroDivisionError(), "ZeroDivisionError")],
)
def test_a_backup_that_fails_is_told_and_tried_the_next_day(clock: FakeClock, error: Exception, reason: str) -> None:
    copies = Copies()
    copies.error = error
    backup, said = daily(clock, copies, None)
    backup.tick()
    ended(backup)
    assert said[0][0] == "backup_failed"
    assert reason in str(said[0][1])
    copies.error = None
    clock.advance(DAY_S)
    backup.tick()
    ended(backup)
    assert said[-1] == ("backed_up", "copy 1")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_a_guardian_without_backups_makes_none(house: Config, tmp_path: Path) -> None:
    clock = FakeClock()
    house = msgspec.structs.replace(house, privacy=PrivacyConfig(remind_days=0))
    with SqliteStore.open(house.store_path, MODEL, DIMENSION, clock) as store:
        household = settle(house, store, clock, FailingBolt())
        household.clock.advance(2 * DAY_S)
        household.guardian.tick()
    assert not house.backups_path.exists()
