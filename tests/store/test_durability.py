"""Nothing half-written, nothing lost that was answered, nothing left of who is forgotten."""

import logging
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from edge.errors import StoreError
from edge.store.sqlite import SqliteStore
from edge.types import Embedding, Event
from tests.store.helpers import open_store, vectors
from tests.store.test_opening import largest_file

KILLS = 60


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
        store.log(Event("started"))
        size = path.with_name("people.db-wal").stat().st_size
        with largest_file(size + room):
            with pytest.raises(StoreError, match=r"cannot be written .*(Check the disk|Free some space)"):
                store.enroll("Cleo", vectors(5, 3))
            with pytest.raises(StoreError, match="cannot be written"):
                store.forget("Anna")
            assert names(store) == ["Anna", "Bert"]
        store.enroll("Cleo", vectors(5, 3))
        assert names(store) == ["Anna", "Bert", "Cleo"]
    with open_store(path) as store:
        assert names(store) == ["Anna", "Bert", "Cleo"]


def test_killed_at_any_step_it_holds_what_was_answered_and_nothing_by_half(path: Path, tmp_path: Path) -> None:
    stores = [tmp_path / f"kill{number}" / "people.db" for number in range(KILLS)]
    for copy in stores:
        copy.parent.mkdir()
        shutil.copyfile(path, copy)
    subprocess.run([sys.executable, "-m", "tests.store.kill_worker", "1", *map(str, stores)], check=True)
    interrupted = 0
    for copy in stores:
        answers = copy.with_name("people.db.answers").read_text().splitlines()
        answered = ["Bert", *(answer.removeprefix("enrolled ") for answer in answers if "enrolled" in answer)]
        with open_store(copy) as store:
            found = names(store)
        if "forgot Anna" not in answers:
            assert found in (["Anna", "Bert"], ["Bert"])
        else:
            # Whoever was being enrolled at that moment is there wholly or not at all.
            assert sorted(found)[: len(answered)] == sorted(answered)
            assert len(found) - len(answered) in (0, 1)
            interrupted += 1
    assert 0 < interrupted < KILLS  # the kills fell into forgetting and into enrolling


def test_a_log_torn_at_any_byte_gives_the_state_before_or_after(path: Path, tmp_path: Path) -> None:
    with open_store(path) as store:
        store.enroll("Cleo", vectors(5, 3))
        log = path.with_name("people.db-wal").read_bytes()
        file = path.read_bytes()
    seen = set()
    cuts = {*range(0, len(log), 1009), *range(32, len(log) + 1, 24 + 4096), len(log) - 1, len(log)}
    for cut in sorted(cuts):
        copy = tmp_path / f"torn{cut}" / "people.db"
        copy.parent.mkdir()
        copy.write_bytes(file)
        copy.with_name("people.db-wal").write_bytes(log[:cut])
        with open_store(copy) as store:
            seen.add(tuple(names(store)))
    assert seen == {("Anna", "Bert"), ("Anna", "Bert", "Cleo")}


def raw(path: Path) -> bytes:
    """Every byte of every file of the store."""
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


def blob(template: Embedding) -> bytes:
    return template.astype("<f4").tobytes()


def traces(path: Path, name: str, seed: int) -> int:
    """How many of the person's templates, halves of them, and spellings of the name are in the raw files."""
    content = raw(path)
    needles = [name.encode(), name.casefold().encode()]
    for template in vectors(5, seed):
        needles += [blob(template)[:200], blob(template)[-200:]]
    return sum(needle in content for needle in needles)


def test_of_the_forgotten_no_byte_is_left(path: Path) -> None:
    with open_store(path) as store:
        store.enroll("Cleopatra", vectors(5, 3))
        assert traces(path, "Cleopatra", 3) == 12
        store.log(Event("granted", 3))
        store.forget("Cleopatra")
        assert traces(path, "Cleopatra", 3) == 0
        assert traces(path, "Bert", 2) == 12
    assert traces(path, "Cleopatra", 3) == 0


def test_of_the_forgotten_no_byte_is_left_after_a_change_of_model(path: Path) -> None:
    with open_store(path, "newer-model", 64) as store:
        store.forget("Anna")
        assert traces(path, "Anna", 1) == 0
        assert traces(path, "Bert", 2) == 12


def test_of_replaced_templates_no_byte_is_left_when_the_store_is_closed(path: Path) -> None:
    with open_store(path, "newer-model", 64) as store:
        store.enroll("Anna", vectors(1, 9, 64))
    assert traces(path, "Anna", 1) == 2  # the name and its key
    assert traces(path, "Bert", 2) == 12


def test_a_reader_delays_the_erasing_but_not_the_forgetting(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with open_store(path) as store, closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM templates").fetchone() == (10,)
        with caplog.at_level(logging.WARNING):
            store.forget("Anna")
        assert "keeps traces of erased data" in caplog.text
        assert names(store) == ["Bert"]
        assert traces(path, "Anna", 1) > 0
    assert traces(path, "Anna", 1) == 0


def test_erasing_that_a_crash_interrupted_is_made_good_at_the_next_opening(path: Path, tmp_path: Path) -> None:
    crashed = tmp_path / "crashed" / path.name
    with open_store(path) as store:
        store.enroll("Cleopatra", vectors(5, 3))
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM templates").fetchone()
            store.forget("Cleopatra")
            shutil.copytree(path.parent, crashed.parent)
    assert traces(crashed, "Cleopatra", 3) > 0
    with open_store(crashed) as store:
        assert names(store) == ["Anna", "Bert"]
        assert traces(crashed, "Cleopatra", 3) == 0
