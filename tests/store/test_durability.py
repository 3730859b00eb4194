"""Nothing half-written, nothing lost that was answered, nothing left of who is forgotten."""

import logging
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from edge.errors import PersonError, StoreError
from edge.store.sqlite import SqliteStore
from edge.types import Consent, Event
from tests.store.conftest import noted
from tests.store.helpers import open_store, vectors
from tests.store.test_opening import largest_file

KILLS = 200


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "store" / "people.db"
    with open_store(made) as store:
        store.enroll("Anna", vectors(5, 1))
        store.enroll("Bert", vectors(5, 2))
    return made


def names(store: SqliteStore) -> list[str]:
    """Everybody, each with the five templates that these tests enrol."""
    people = store.people()
    assert {person.templates for person in people} <= {5}
    gallery = store.gallery()
    assert len(gallery.templates) == 5 * len(people)
    assert set(gallery.person_ids.tolist()) == {person.id for person in people}
    return [person.name for person in people]


def refuse_fifth_template(path: Path) -> None:
    """A real failure in the middle of a transaction: the database itself refuses the last row."""
    with closing(sqlite3.connect(path)) as other:
        other.execute("""
            CREATE TRIGGER refuse BEFORE INSERT ON templates
            WHEN (SELECT count(*) FROM templates WHERE person_id = NEW.person_id) = 4
            BEGIN SELECT RAISE(ABORT, 'refused'); END
        """)


def test_a_failure_at_the_last_template_stores_nothing_of_the_person(path: Path) -> None:
    with open_store(path) as store:
        refuse_fifth_template(path)
        with pytest.raises(StoreError, match="refused"):
            store.enroll("Cleo", vectors(5, 3))
        assert names(store) == ["Anna", "Bert"]
        assert store.enroll("Cleo", vectors(4, 3)).templates == 4  # and the store works on


def test_a_failure_at_the_last_added_template_adds_none(path: Path) -> None:
    with open_store(path) as store:
        store.enroll("Cleo", vectors(2, 3))
        refuse_fifth_template(path)
        with pytest.raises(StoreError, match="refused"):
            store.enroll("Cleo", vectors(3, 4), add=True)
        assert {p.name: p.templates for p in store.people()} == {"Anna": 5, "Bert": 5, "Cleo": 2}


def test_a_failure_at_the_last_template_of_enrolling_again_keeps_the_old_ones(path: Path) -> None:
    with open_store(path, "newer-model") as store:
        refuse_fifth_template(path)
        with pytest.raises(StoreError, match="refused"):
            store.enroll("Anna", vectors(5, 3))
        assert [person.former_model for person in store.people()] == ["test-model"] * 2
    with closing(sqlite3.connect(path)) as other:
        other.execute("DROP TRIGGER refuse")
    with open_store(path) as store:
        assert names(store) == ["Anna", "Bert"]


@pytest.mark.parametrize("room", [0, 3000, 9000])
def test_on_a_full_disk_nothing_changes_and_later_all_works(path: Path, room: int) -> None:
    with open_store(path) as store:
        for _ in range(100):  # the store's log is longer than that of its keys
            store.log(Event("started"))
        size = path.with_name("people.db-wal").stat().st_size
        with largest_file(size + room):
            with pytest.raises(StoreError, match=r"cannot be written .*(Check the disk|Free some space)"):
                store.enroll("Cleo", vectors(5, 3))
            assert names(store) == ["Anna", "Bert"]
        store.enroll("Cleo", vectors(5, 3))
        assert names(store) == ["Anna", "Bert", "Cleo"]
    with open_store(path) as store:
        assert names(store) == ["Anna", "Bert", "Cleo"]


def test_on_a_disk_without_room_for_a_key_nobody_is_enrolled_or_forgotten(path: Path) -> None:
    with open_store(path) as store, largest_file(0):
        with pytest.raises(StoreError, match="cannot be written"):
            store.enroll("Cleo", vectors(5, 3))
        with pytest.raises(StoreError, match="cannot be written"):
            store.forget("Anna")
        assert names(store) == ["Anna", "Bert"]
    with open_store(path) as store:
        assert names(store) == ["Anna", "Bert"]


def test_who_is_forgotten_is_forgotten_though_the_rows_cannot_be_removed_yet(path: Path) -> None:
    with open_store(path) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # another program's lock on the store, none on its keys
            assert store.forget("Anna").name == "Anna"
            assert names(store) == ["Bert"]
            assert store.pins() == []
        with pytest.raises(PersonError):
            store.forget("Anna")
    with open_store(path) as store:
        assert names(store) == ["Bert"]
        (entry,) = store.log_page(kind="forgotten")
        assert entry.event.person_id == 1
    assert rows(path, "people") == [2]


def test_killed_at_any_step_it_holds_what_was_answered_and_nothing_by_half(path: Path, tmp_path: Path) -> None:
    stores = [tmp_path / f"kill{number}" / "people.db" for number in range(KILLS)]
    for copy in stores:
        shutil.copytree(path.parent, copy.parent)
    subprocess.run([sys.executable, "-m", "tests.store.kill_worker", "1", *map(str, stores)], check=True)
    interrupted = forgetting = 0
    for copy in stores:
        answers = copy.with_name("people.db.answers").read_text().splitlines()
        answered = ["Bert", *(answer.removeprefix("enrolled ") for answer in answers if "enrolled" in answer)]
        with open_store(copy) as store:
            found = names(store)
        if "forgot Anna" not in answers:
            assert found in (["Anna", "Bert"], ["Bert"])
            forgetting += 1
        else:
            # Whoever was being enrolled at that moment is there wholly or not at all.
            assert sorted(found)[: len(answered)] == sorted(answered)
            assert len(found) - len(answered) in (0, 1)
            interrupted += 1
    assert 0 < interrupted < KILLS  # the kills fell into forgetting and into enrolling
    noted(f"killed {KILLS} times: {forgetting} while forgetting, {interrupted} while enrolling; all as answered")


def test_a_log_torn_at_any_byte_gives_the_state_before_or_after(path: Path, tmp_path: Path) -> None:
    with open_store(path) as store:
        store.enroll("Cleo", vectors(5, 3))
        log = path.with_name("people.db-wal").read_bytes()
        file = path.read_bytes()
    seen = set()
    cuts = {*range(0, len(log), 1009), *range(32, len(log) + 1, 24 + 4096), len(log) - 1, len(log)}
    for cut in sorted(cuts):
        copy = tmp_path / f"torn{cut}" / "people.db"
        shutil.copytree(path.parent, copy.parent)
        copy.write_bytes(file)
        copy.with_name("people.db-wal").write_bytes(log[:cut])
        with open_store(copy) as store:
            seen.add(tuple(names(store)))
    assert seen == {("Anna", "Bert"), ("Anna", "Bert", "Cleo")}


def rows(path: Path, table: str) -> list[int]:
    """The first column of a table, read behind the store's back."""
    with closing(sqlite3.connect(path)) as other:
        return [row[0] for row in other.execute(f"SELECT * FROM {table}")]  # noqa: S608  # constant


def raw(path: Path) -> bytes:
    """Every byte of every file of the store and its keys."""
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


def plain(name: str, seed: int) -> list[bytes]:
    """The name, its spellings, and halves of the templates, as nobody may find them."""
    blobs = [template.astype("<f4").tobytes() for template in vectors(5, seed)]
    spellings = [text.encode(code) for text in (name, name.casefold()) for code in ("utf-8", "utf-16-le")]
    return [*spellings, *(blob[:200] for blob in blobs), *(blob[-200:] for blob in blobs)]


def sealed(path: Path, person_id: int) -> list[bytes]:
    """Everything that is sealed for a person, and the wrapped key, as the files hold them."""
    found: list[bytes] = []
    with closing(sqlite3.connect(path)) as store, closing(sqlite3.connect(path.with_name("people.db.keys"))) as keys:
        for sql in (
            "SELECT sealed FROM people WHERE id = ?",
            "SELECT sealed FROM templates WHERE person_id = ?",
            "SELECT sealed FROM pins WHERE person_id = ?",
            "SELECT crops.sealed FROM crops JOIN templates ON id = template_id WHERE person_id = ?",
        ):
            found += [blob for (blob,) in store.execute(sql, [person_id])]
        found += [blob for (blob,) in keys.execute("SELECT wrapped FROM keys WHERE person_id = ?", [person_id])]
    return found


def traces(path: Path, needles: list[bytes]) -> int:
    content = raw(path)
    return sum(needle in content for needle in needles)


def test_nothing_of_anybody_can_be_read_in_the_files(path: Path) -> None:
    with open_store(path) as store:
        consent = Consent("2026-01-01T00:00:00.000+00:00", 77)
        store.enroll(
            "Cleopatra", vectors(5, 3), consent=consent, expires="2031-12-24", crops=[b"jpeg-of-cleopatra"] * 5
        )
        store.set_pin("Cleopatra", "scrypt$of$a$pin", duress=False)
        store.rename("Cleopatra", "Philopator")
        needles = [*plain("Cleopatra", 3), *plain("Philopator", 3), b"jpeg-of-cleopatra", b"scrypt$of", b"2031-12-24"]
        assert traces(path, needles) == 0
    assert traces(path, needles) == 0
    assert traces(path, plain("Bert", 2)) == 0


def test_of_the_forgotten_no_byte_is_left_and_the_key_is_gone_first(path: Path) -> None:
    with open_store(path) as store:
        store.enroll("Cleopatra", vectors(5, 3), crops=[b"jpeg"] * 5)
        store.set_pin("Cleopatra", "scrypt$of$a$pin", duress=False)
        store.log(Event("granted", 3))
        needles, others = sealed(path, 3), sealed(path, 2)
        assert traces(path, needles) == len(needles) == 1 + 5 + 1 + 5 + 1
        store.forget("Cleopatra")
        assert traces(path, needles) == 0
        assert traces(path, others) == len(others) == 1 + 5 + 1
    assert traces(path, needles) == 0
    noted(f"forgotten: of {len(needles)} sealed values and the wrapped key no byte is left in the files")


def test_of_the_forgotten_no_byte_is_left_after_a_change_of_model(path: Path) -> None:
    needles, others = sealed(path, 1), sealed(path, 2)
    with open_store(path, "newer-model", 64) as store:
        store.forget("Anna")
        assert traces(path, needles) == 0
        assert traces(path, others) == len(others)


def test_of_replaced_templates_no_byte_is_left_when_the_store_is_closed(path: Path) -> None:
    needles, others = sealed(path, 1), sealed(path, 2)
    with open_store(path, "newer-model", 64) as store:
        store.enroll("Anna", vectors(1, 9, 64))
    assert traces(path, needles) == 2  # who it is, and the wrapped key
    assert traces(path, others) == len(others)


def test_a_reader_delays_the_erasing_but_not_the_forgetting(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    needles = sealed(path, 1)
    with open_store(path) as store, closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM templates").fetchone() == (10,)
        with caplog.at_level(logging.WARNING):
            store.forget("Anna")
        assert "keeps traces of erased data" in caplog.text
        assert names(store) == ["Bert"]
        assert traces(path, needles[:-1]) > 0
        assert traces(path, needles[-1:]) == 0  # without the key the traces say nothing
    assert traces(path, needles) == 0


def test_erasing_that_a_crash_interrupted_is_made_good_at_the_next_opening(path: Path, tmp_path: Path) -> None:
    crashed = tmp_path / "crashed" / path.name
    with open_store(path) as store:
        store.enroll("Cleopatra", vectors(5, 3))
        needles = sealed(path, 3)
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM templates").fetchone()
            store.forget("Cleopatra")
            shutil.copytree(path.parent, crashed.parent)
    assert traces(crashed, needles) > 0
    with open_store(crashed) as store:
        assert names(store) == ["Anna", "Bert"]
        assert traces(crashed, needles) == 0
