"""A store of the release before, which sealed nothing: taken over whole, and nothing of it left in the open."""

import os
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sqlite_utils import Database

from edge.errors import StoreBusyError, StoreDamagedError
from edge.store import backups
from edge.store.chain import Chain
from edge.store.key import key_path
from edge.store.keyring import KeyRing
from edge.store.master import MasterKey
from edge.store.opening import connect
from edge.store.schema import KNOWN, migrations
from edge.types import Permission, PinHash
from tests.fakes import FakeClock
from tests.store.conftest import noted
from tests.store.helpers import DIMENSION, MODEL, open_store, vectors

UTC = "2026-01-01T00:00:00.000+00:00"
PIN = "16384$8$1$c2FsdHNhbHRzYWx0c2FsdA==$ZGlnZXN0"
KILLS = 60


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Anna with three templates, a PIN and hours, Cleopatra with two of another model; number 2 was forgotten."""
    made = tmp_path / "old" / "people.db"
    made.parent.mkdir()
    made.touch(0o600)
    with closing(connect(made)) as db:
        migrations.apply(db, stop_before=KNOWN[3])
        for number, name in ((1, "Anna"), (2, "Bert"), (3, "Cleopatra")):
            db.execute("INSERT INTO people VALUES (?, ?, ?, ?)", [number, name, name.casefold(), UTC])
        for person, model, seed in ((1, MODEL, 1), (1, MODEL, 2), (1, MODEL, 3), (3, "older", 4), (3, "older", 5)):
            row = [person, model, DIMENSION, blob(seed), UTC]
            db.execute("INSERT INTO templates VALUES (NULL, ?, ?, ?, ?, ?)", row)
        db.execute("INSERT INTO permissions VALUES (3, 1, NULL, NULL, 7, 'Mon 08:00-18:00', 1)")
        db.execute("INSERT INTO pins VALUES (1, 0, ?)", [PIN])
        db.execute("DELETE FROM people WHERE id = 2")
        db.execute("INSERT INTO people VALUES (4, 'Dora', 'dora', ?)", [UTC])
        db.execute("DELETE FROM people WHERE id = 4")
        key_path(made).write_bytes(bytes(32))
        Chain(db, bytes(32), key_lost=False).begin()
    return made


def blob(seed: int) -> bytes:
    return vectors(1, seed)[0].astype("<f4").tobytes()


def in_the_open(path: Path) -> list[bytes]:
    needles = [b"Anna", b"anna", b"Cleopatra", b"cleopatra", PIN.encode(), *(blob(seed)[:300] for seed in range(1, 6))]
    content = b"".join(file.read_bytes() for file in path.parent.iterdir())
    return [needle for needle in needles if needle in content]


def assert_taken_over(path: Path) -> None:
    with open_store(path) as store:
        assert [(p.id, p.name, p.templates, p.former_model, p.enrolled_utc) for p in store.people()] == [
            (1, "Anna", 3, None, UTC),
            (3, "Cleopatra", 0, "older", UTC),
        ]
        assert np.array_equal(store.gallery().templates, np.stack([vectors(1, seed)[0] for seed in (1, 2, 3)]))
        assert store.pins() == [PinHash(1, PIN, duress=False)]
        assert store.permissions() == {
            3: Permission(disabled=True, uses_left=7, schedule="Mon 08:00-18:00", pin_required=True)
        }
        assert store.verify_log().checked == 0
    with open_store(path, "older") as store:
        assert np.array_equal(store.gallery().templates, np.stack([vectors(1, seed)[0] for seed in (4, 5)]))


def test_everybody_is_taken_over_and_nothing_stays_in_the_open(path: Path) -> None:
    assert len(in_the_open(path)) == 10
    assert_taken_over(path)
    assert in_the_open(path) == []
    assert sorted(file.name for file in path.parent.iterdir()) == [
        f"people.db{ending}" for ending in ("", ".keys", ".lock", ".logkey", ".master")
    ]


def test_the_copy_of_the_old_store_goes_though_the_power_went_right_after_the_upgrade(path: Path) -> None:
    shutil.copyfile(path, path.with_name("people.db.schema3"))
    open_store(path).close()
    old = path.with_name("people.db.schema3")
    old.write_bytes(b"Cleopatra in the open")
    assert_taken_over(path)
    assert not old.exists()


def test_the_copy_of_the_old_store_stays_while_not_all_can_be_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(path).close()
    old = path.with_name("people.db.schema3")
    old.write_bytes(b"the last copy there is")

    def unreadable(*_: object) -> None:
        raise StoreDamagedError("A template cannot be read. Look at it.")

    monkeypatch.setattr("edge.store.sqlite.SqliteStore.gallery", unreadable)
    with pytest.raises(StoreDamagedError):
        open_store(path)
    assert old.exists()


def test_numbers_that_were_given_before_are_not_given_again(path: Path) -> None:
    with open_store(path) as store:
        assert store.enroll("Emil", vectors(1, 9)).id == 5


def test_once_sealed_a_store_is_never_replaced_by_one_that_is_not(path: Path, tmp_path: Path) -> None:
    """The attack of who can write the file and has no key: a store of an old release with the attacker's face in the
    owner's place. The keys know better; and whoever was forgotten since does not come back in the old file."""
    old = shutil.copyfile(path, tmp_path / "old.db")
    with open_store(path) as store:
        store.forget("Anna")
    shutil.copyfile(old, path)
    with pytest.raises(StoreDamagedError, match="sealed nothing, and this lock's store has been sealed since"):
        open_store(path)
    assert path.read_bytes() == old.read_bytes()
    path.unlink()
    with pytest.raises(StoreDamagedError, match="sealed nothing"):
        backups.restore(path, old, MODEL, DIMENSION, FakeClock())


def test_an_upgrade_that_was_cut_off_between_both_files_goes_on(path: Path) -> None:
    KeyRing.open(path, MasterKey.beside(path), make=True).close()
    assert_taken_over(path)


def test_an_upgrade_that_fails_leaves_the_old_store_and_a_copy_of_it(path: Path) -> None:
    before = path.read_bytes()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("UPDATE pins SET text = char(10)")
    with pytest.raises(StoreDamagedError):
        open_store(path)
    path.write_bytes(before)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError):
            open_store(path)
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA user_version").fetchone() == (3,)
        assert other.execute("SELECT name FROM people ORDER BY id").fetchall() == [("Anna",), ("Cleopatra",)]
    with closing(sqlite3.connect(path.with_name("people.db.schema3"))) as copy:
        assert copy.execute("SELECT count(*) FROM templates").fetchone() == (5,)


def test_killed_at_any_step_of_the_upgrade_the_next_start_finishes_it(path: Path, tmp_path: Path) -> None:
    for number in range(KILLS):
        copy = Path(shutil.copytree(path.parent, tmp_path / f"kill{number}")) / path.name
        child = os.fork()
        if child == 0:
            sqlite3.connect = dying(sqlite3.connect, 1 + 41 * number)  # type: ignore[assignment]
            open_store(copy)
            os._exit(0)
        os.waitpid(child, 0)
        assert_taken_over(copy)
        assert in_the_open(copy) == []
    noted(f"killed {KILLS} times during the upgrade: all taken over, nothing in the open")


def dying(real: object, steps: int) -> object:
    """``sqlite3.connect`` whose connections kill the process after so many of SQLite's instructions in all."""
    left = [steps]

    def count_down() -> int:
        left[0] -= 1
        if left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0

    def connect(*args: object, **named: object) -> sqlite3.Connection:
        connection: sqlite3.Connection = real(*args, **named)  # type: ignore[operator]
        connection.set_progress_handler(count_down, 1)
        return connection

    return connect


def test_the_tables_are_those_of_a_new_store(path: Path, tmp_path: Path) -> None:
    open_store(path).close()
    new = tmp_path / "new" / "people.db"
    open_store(new).close()
    assert schema(path) == schema(new)


def schema(path: Path) -> set[tuple[str, ...]]:
    with closing(Database(sqlite3.connect(path), execute_plugins=False)) as db:
        return set(db.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema"))
