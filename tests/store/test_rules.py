"""Permissions, PINs, holidays, settings and the log's pages: what the real store and the fake both do."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import pytest
from sqlite_utils import Database

from edge.errors import InputError, LogError, PersonError, StoreDamagedError, StoreError
from edge.ports import Store
from edge.store.opening import connect
from edge.store.schema import KNOWN, migrations
from edge.store.sqlite import SqliteStore
from edge.types import Event, Permission, PinHash
from tests.fakes import FakeClock, FakeStore
from tests.store.helpers import DIMENSION, MODEL, open_store, vectors

AnyStore: TypeAlias = SqliteStore | FakeStore
DAY_S = 86400.0
LIMITED = Permission(True, "2026-01-01T00:00:00+00:00", "2026-02-01T00:00:00+00:00", 3, "mon-fri 08:00-18:00", True)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["sqlite", "fake"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Iterator[AnyStore]:
    made: AnyStore
    if request.param == "sqlite":
        made = SqliteStore.open(tmp_path / "people.db", MODEL, DIMENSION, clock)
    else:
        made = FakeStore(MODEL, DIMENSION, clock)
    with closing(made):
        yield made


def test_both_are_stores_without_any_rule(store: AnyStore) -> None:
    port: Store = store  # mypy checks it
    anna = port.enroll("Anna", vectors(1))
    assert (port.permissions(), port.pins(), port.holidays(), port.setting("mode")) == ({}, [], [], None)
    port.spend_use(anna.id)
    assert port.permissions() == {}


def test_a_permission_takes_the_place_of_the_former_one(store: AnyStore) -> None:
    anna, bert = store.enroll("Anna", vectors(1)), store.enroll("Bert", vectors(1, 2))
    assert store.permit(" aNNA ", LIMITED) == anna
    store.permit("Bert", Permission(uses_left=0))
    assert store.permissions() == {anna.id: LIMITED, bert.id: Permission(uses_left=0)}
    store.permit("Anna", Permission())
    assert store.permissions()[anna.id] == Permission()


def test_uses_are_spent_one_by_one_and_never_below_none(store: AnyStore) -> None:
    anna, bert = store.enroll("Anna", vectors(1)), store.enroll("Bert", vectors(1, 2))
    store.permit("Anna", Permission(uses_left=2))
    store.permit("Bert", Permission())
    left = []
    for _ in range(3):
        store.spend_use(anna.id)
        store.spend_use(bert.id)
        store.spend_use(999)
        left.append((store.permissions()[anna.id].uses_left, store.permissions()[bert.id].uses_left))
    assert left == [(1, None), (0, None), (0, None)]


def test_a_person_has_one_pin_of_each_kind(store: AnyStore) -> None:
    anna, bert = store.enroll("Anna", vectors(1)), store.enroll("Bert", vectors(1, 2))
    store.set_pin("Bert", "b", duress=False)
    store.set_pin("Anna", "duress", duress=True)
    store.set_pin("Anna", "old", duress=False)
    assert store.set_pin("anna", "new", duress=False) == anna
    assert store.pins() == [PinHash(1, "new", False), PinHash(1, "duress", True), PinHash(bert.id, "b", False)]
    store.set_pin("Anna", None, duress=False)
    store.set_pin("Bert", None, duress=True)
    assert store.pins() == [PinHash(1, "duress", True), PinHash(bert.id, "b", False)]


def test_forgetting_takes_permission_and_pins_along(store: AnyStore) -> None:
    bert = store.enroll("Bert", vectors(1, 2))
    for name in ("Anna", "Bert"):
        if name == "Anna":
            store.enroll(name, vectors(1))
        store.permit(name, LIMITED)
        store.set_pin(name, "one", duress=False)
        store.set_pin(name, "two", duress=True)
    store.forget("Anna")
    assert store.permissions() == {bert.id: LIMITED}
    assert store.pins() == [PinHash(bert.id, "one", False), PinHash(bert.id, "two", True)]
    store.enroll("Anna", vectors(1))
    assert set(store.permissions()) == {bert.id}


def test_nobody_is_permitted_or_given_a_pin(store: AnyStore) -> None:
    store.enroll("Anna", vectors(1))
    with pytest.raises(PersonError, match="Did you mean 'Anna'"):
        store.permit("Ana", Permission())
    with pytest.raises(PersonError, match="Did you mean 'Anna'"):
        store.set_pin("Ana", "x", duress=False)
    assert (store.permissions(), store.pins()) == ({}, [])


@pytest.mark.parametrize("text", ["\x1b[2J", "a\nb", "\u202e", "x" * 501])
def test_what_could_not_be_shown_is_not_stored(store: AnyStore, text: str) -> None:
    """The store would call it damage when it is opened again."""
    store.enroll("Anna", vectors(1))
    for permission in (Permission(schedule=text), Permission(valid_from_utc=text), Permission(valid_until_utc=text)):
        with pytest.raises(InputError):
            store.permit("Anna", permission)
    with pytest.raises(InputError):
        store.set_pin("Anna", text, duress=False)
    with pytest.raises(InputError):
        store.set_holidays([text], [])
    assert (store.permissions(), store.pins(), store.holidays()) == ({}, [], [])


def test_holidays_are_a_sorted_set(store: AnyStore) -> None:
    store.set_holidays(["2026-12-25", "2026-01-01", "2026-12-25"], [])
    assert store.holidays() == ["2026-01-01", "2026-12-25"]
    store.set_holidays(["2026-05-01"], ["2026-01-01", "2099-01-01"])
    assert store.holidays() == ["2026-05-01", "2026-12-25"]


def test_a_setting_is_kept_until_another_value(store: AnyStore) -> None:
    store.keep("mode", "night")
    store.keep("lockouts", "{}")
    store.keep("mode", "\u00e9" * 10_000)
    with pytest.raises(StoreError, match="10001 characters"):
        store.keep("mode", "x" * 10_001)
    assert (store.setting("mode"), store.setting("lockouts")) == ("\u00e9" * 10_000, "{}")


def fill(store: AnyStore, clock: FakeClock, count: int) -> None:
    """Entries 1, 2, ... a minute apart; of the persons 0, 1, 2, 0 ... and two kinds in turn."""
    for number in range(1, count + 1):
        store.log(Event("odd" if number % 2 else "even", number % 3, {"n": number}))
        clock.advance(60)


def test_the_log_is_read_page_by_page(store: AnyStore, clock: FakeClock) -> None:
    fill(store, clock, 12)

    def ids(*question: int | str | None, limit: int = 100) -> list[int]:
        return [entry.id for entry in store.log_page(*question, limit=limit)]  # type: ignore[arg-type]

    assert ids() == list(range(1, 13))
    assert ids(limit=5) == [1, 2, 3, 4, 5]
    assert ids(5, limit=5) == [6, 7, 8, 9, 10]
    assert ids(12) == []
    assert ids(0, "2026-01-01T00:09:00.000+00:00") == [10, 11, 12]
    assert ids(0, None, 2) == [2, 5, 8, 11]
    assert ids(2, None, None, "even") == [4, 6, 8, 10, 12]
    assert ids(0, None, 0, "odd") == [3, 9]
    assert ids(0, None, None, None, 3) == [10, 11, 12]
    assert ids(0, None, None, "odd", 2) == [9, 11]
    assert ids(11, None, None, None, 3) == [12]
    assert store.log_page(0, None, None, "' OR 1 --") == []
    assert store.log_page()[3].event == Event("even", 1, {"n": 4})


def test_what_was_logged_verifies_page_by_page(store: AnyStore, clock: FakeClock) -> None:
    fill(store, clock, 10)
    pages = [store.verify_log(limit=4)]
    while pages[-1].more:
        pages.append(store.verify_log(pages[-1].last_id, limit=4))
    assert [(page.checked, page.last_id, page.more) for page in pages] == [(4, 4, True), (4, 8, True), (2, 10, False)]
    assert (pages[-1].last_id, pages[-1].digest) == store.log_head()
    assert store.verify_log(limit=10).more is False
    until = store.verify_log(until_id=8)
    assert (until.checked, until.last_id, until.digest, until.more) == (8, 8, pages[1].digest, True)
    assert store.verify_log(until_id=99) == store.verify_log()
    with pytest.raises(LogError, match="Entry 11 is missing"):
        store.verify_log(11)


def test_an_empty_log_verifies(store: AnyStore) -> None:
    page = store.verify_log()
    assert (page.checked, page.last_id, page.more) == (0, 0, False)
    assert store.log_head() == (0, page.digest)


def test_the_oldest_entries_are_removed_beyond_a_number(store: AnyStore, clock: FakeClock) -> None:
    fill(store, clock, 12)
    assert store.prune_log(365, 12) == 0
    assert store.prune_log(365, 5) == 7
    assert store.prune_log(365, 5) == 0
    assert [entry.id for entry in store.log_page()] == [8, 9, 10, 11, 12]
    page = store.verify_log()
    assert (page.checked, page.last_id) == (5, 12)
    assert store.verify_log(3).checked == 5  # whoever was reading goes on where the log begins now
    assert store.verify_log(until_id=7).checked == 0
    store.log(Event("next"))
    assert store.verify_log().last_id == 13


def test_entries_are_removed_at_an_age_and_the_newest_stays(store: AnyStore, clock: FakeClock) -> None:
    fill(store, clock, 3)
    clock.advance(10 * DAY_S)
    fill(store, clock, 2)
    assert store.prune_log(11, 1000) == 0
    assert store.prune_log(10, 1000) == 3
    for _ in range(30):
        clock.advance(DAY_S)
    assert store.prune_log(10, 1000) == 1
    assert [entry.id for entry in store.log_page()] == [5]
    assert store.verify_log().checked == 1


def test_an_untrusted_calendar_removes_nothing_for_its_age(store: AnyStore, clock: FakeClock) -> None:
    fill(store, clock, 12)
    clock.is_trusted = False
    clock.advance(400 * DAY_S)
    assert store.prune_log(365, 1000) == 0
    assert store.prune_log(365, 10) == 2


def test_at_most_500_entries_are_removed_at_a_time(store: AnyStore, clock: FakeClock) -> None:
    fill(store, clock, 1110)
    assert [store.prune_log(365, 100) for _ in range(4)] == [500, 500, 10, 0]
    assert store.verify_log().checked == 100


# What only the file can tell.


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "store" / "people.db"
    with open_store(made) as store:
        store.enroll("Anna", vectors(1))
        store.permit("Anna", LIMITED)
        store.set_pin("Anna", "salt-and-digest", duress=False)
        store.set_holidays(["2026-12-25"], [])
        store.keep("mode", "night")
    return made


def test_rules_are_there_again_after_reopening(path: Path) -> None:
    with open_store(path) as store:
        assert (store.permissions(), store.pins()) == ({1: LIMITED}, [PinHash(1, "salt-and-digest", False)])
        assert (store.holidays(), store.setting("mode")) == (["2026-12-25"], "night")


@pytest.mark.parametrize("text", ["another-one", None])
def test_of_a_former_pin_no_byte_is_left(path: Path, text: str | None) -> None:
    with open_store(path) as store:
        store.set_pin("Anna", text, duress=False)
        assert b"salt-and-digest" not in b"".join(file.read_bytes() for file in path.parent.iterdir())


def test_a_pin_is_not_taken_for_the_duress_pin(path: Path) -> None:
    """By who can edit the file: which of both it is, is sealed with it."""
    with open_store(path) as store:
        name = store.people()[0].name
        store.set_pin(name, None, duress=True)
        store.set_pin(name, "a-digest", duress=False)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("UPDATE pins SET duress = 1")
    with pytest.raises(StoreDamagedError, match="does not open"):
        open_store(path)


def test_of_a_former_pin_no_sealed_byte_is_left(path: Path) -> None:
    with open_store(path) as store:
        name = store.people()[0].name
        store.set_pin(name, "a-digest", duress=False)
        ((sealed,),) = store._db.execute("SELECT sealed FROM pins WHERE duress = 0").fetchall()
        store.set_pin(name, "another-digest", duress=False)
        assert sealed not in b"".join(file.read_bytes() for file in path.parent.iterdir())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE permissions SET schedule = 'x' || char(27)",
        "UPDATE permissions SET uses_left = -1",
        "UPDATE permissions SET disabled = 7",
        "UPDATE permissions SET valid_until_utc = CAST(zeroblob(9) AS TEXT)",
        "UPDATE permissions SET person_id = 77",
        "UPDATE pins SET sealed = zeroblob(90)",
        "UPDATE pins SET person_id = 2",
        "UPDATE pins SET duress = 7",
        "UPDATE holidays SET date = char(8238)",
        "DROP TABLE holidays",
        "ALTER TABLE permissions ADD COLUMN more TEXT",
        "DROP TABLE log_marks",
    ],
)
def test_rules_that_facelatch_would_not_store_are_damage(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA ignore_check_constraints = ON")
        other.execute(statement)
    with pytest.raises(StoreDamagedError):
        open_store(path)


def version_1(path: Path) -> None:
    """A store as the first release made and filled it."""
    path.parent.mkdir(exist_ok=True)
    path.touch(0o600)
    with closing(connect(path)) as db:
        migrations.apply(db, stop_before=KNOWN[1])
        people = [{"name": "Anna", "name_key": "anna", "enrolled_utc": "2026-01-01T00:00:00.000+00:00"}]
        db.table("people").insert_all(people)
        event = {"at_utc": "2026-01-01T00:00:00.000+00:00", "person_id": 1, "detail": "{}"}
        db.table("events").insert_all({**event, "kind": f"kind {number}"} for number in range(2100))
    assert version(path) == 1


def version(path: Path) -> int:
    with closing(Database(sqlite3.connect(path), execute_plugins=False)) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def test_a_store_of_the_first_release_is_upgraded_and_its_log_chained(tmp_path: Path) -> None:
    path = tmp_path / "old" / "people.db"
    version_1(path)
    with open_store(path) as store:
        assert [person.name for person in store.people()] == ["Anna"]
        assert store.verify_log(limit=9999).checked == 2100
        store.log(Event("new"))
        store.permit("Anna", LIMITED)
    assert version(path) == len(KNOWN)
    with open_store(path) as store:
        assert store.verify_log(limit=9999).checked == 2101
        assert [entry.event.kind for entry in store.log_page(last=2)] == ["kind 2099", "new"]
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("UPDATE events SET kind = 'other' WHERE id = 1500")
    with open_store(path) as store, pytest.raises(LogError, match="Entry 1500 was changed"):
        store.verify_log(limit=9999)


def test_a_permission_of_the_release_before_is_kept_and_asks_for_no_pin(tmp_path: Path) -> None:
    path = tmp_path / "old" / "people.db"
    version_1(path)
    with closing(connect(path)) as db:
        migrations.apply(db, stop_before=KNOWN[2])
        db.execute("INSERT INTO permissions VALUES (1, 1, NULL, NULL, 7, NULL)")
        db.execute("DELETE FROM events")  # its chain is not what this is about
        db.execute("PRAGMA user_version = 1")
        db.execute("DELETE FROM _sqlite_migrations WHERE name = ?", [KNOWN[1]])
    with pytest.raises(StoreDamagedError):
        open_store(path)  # tables of a release that it does not say it is of
    with closing(connect(path)) as db:
        db.execute("PRAGMA user_version = 2")
        db.execute("INSERT INTO _sqlite_migrations VALUES (2, 'facelatch', ?, '')", [KNOWN[1]])
    with open_store(path) as store:
        assert store.permissions() == {1: Permission(disabled=True, uses_left=7)}
    assert version(path) == len(KNOWN)


def test_an_upgrade_that_fails_leaves_the_first_releases_store(tmp_path: Path) -> None:
    path = tmp_path / "old" / "people.db"
    version_1(path)
    before = path.read_bytes()
    path.with_name("people.db.logkey.new").mkdir()  # the key cannot be made
    with pytest.raises(StoreError, match="cannot be opened"):
        open_store(path)
    assert path.read_bytes() == before
    shutil.rmtree(path.with_name("people.db.logkey.new"))
    with open_store(path) as store:
        assert store.verify_log(limit=9999).checked == 2100
