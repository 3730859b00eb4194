"""Copies of a store in use, and the way back: whole, of one moment, and nobody comes back who was forgotten."""

import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from edge.errors import StoreBusyError, StoreDamagedError, StoreError, StoreKeyError, StoreTooNewError
from edge.store import backups
from edge.store.backups import Restored
from edge.store.keyring import keys_path
from edge.types import Event
from tests.fakes import FakeClock
from tests.store.helpers import DIMENSION, MODEL, open_store, vectors
from tests.store.test_durability import plain, sealed
from tests.store.test_opening import largest_file

UTC = "2026-01-02T03:04:05.678+00:00"
NAME = "facelatch-20260102T030405Z.db"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "store" / "people.db"
    with open_store(made) as store:
        store.enroll("Anna", vectors(3, 1))
        store.enroll("Bert", vectors(2, 2))
        store.log(Event("granted", 1))
    return made


@pytest.fixture
def folder(path: Path) -> Path:
    return path.with_name("backups")


def restore(path: Path, backup: Path) -> Restored:
    return backups.restore(path, backup, MODEL, DIMENSION, FakeClock())


def contents(path: Path) -> dict[str, bytes]:
    """Every file of the store and its keys, the lock aside."""
    return {f.name: f.read_bytes() for f in path.parent.iterdir() if f.is_file() and f.suffix != ".lock"}


def names(path: Path) -> list[str]:
    with open_store(path) as store:
        return [person.name for person in store.people()]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_backup_that_root_makes_leaves_the_guardian_its_folder(path: Path, folder: Path) -> None:
    os.chown(path.parent, 4321, 4321)
    made = backups.back_up(path, folder, UTC, keep=7)
    assert {(each.stat().st_uid, each.stat().st_gid) for each in (folder, made)} == {(4321, 4321)}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_backup_is_one_file_for_its_owner_alone_without_keys_and_names(path: Path, folder: Path) -> None:
    wrapped = sealed(path, 1)[-1]
    with open_store(path):
        made = backups.back_up(path, folder, UTC, keep=3)
    assert made == folder / NAME
    assert [file.name for file in folder.iterdir()] == [NAME]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    content = made.read_bytes()
    master = path.with_name("people.db.master").read_bytes()
    assert not [needle for needle in [*plain("Anna", 1), master, wrapped] if needle in content]


def test_the_newest_copies_stay_and_nothing_else_is_touched(path: Path, folder: Path) -> None:
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    (folder / "facelatch-20260102T030405Z.db.bak").write_text("mine, too")
    for day in (3, 1, 5, 2, 4):
        made = backups.back_up(path, folder, UTC.replace("01-02", f"01-0{day}"), keep=3)
        assert made.exists()
    # The last one was made by a clock that had gone back; it is there all the same.
    assert [file.name[10:18] for file in backups.backups(folder)] == ["20260105", "20260104", "20260103"]
    assert {file.name for file in folder.iterdir()} >= {"notes.txt", "facelatch-20260102T030405Z.db.bak"}
    assert backups.newest_utc(folder) == "2026-01-05T03:04:05+00:00"
    made = backups.back_up(path, folder, UTC.replace("2026", "1970"), keep=1)
    assert made.exists()
    assert backups.newest_utc(folder.with_name("nowhere")) is None


def test_what_was_backed_up_is_there_again_and_the_log_says_so(path: Path, folder: Path) -> None:
    made = backups.back_up(path, folder, UTC, 3)
    with open_store(path) as store:
        store.enroll("Cleo", vectors(1, 3))
        store.rename("Anna", "Annabel")
    done = restore(path, made)
    assert (done.people, done.backup) == (2, made)
    assert names(path) == ["Anna", "Bert"]
    with open_store(path) as store:
        assert np.array_equal(store.gallery().templates, np.stack(vectors(3, 1) + vectors(2, 2)))
        assert [entry.event.kind for entry in store.log_page()] == ["granted", "restored"]
        assert store.verify_log().checked == 2
    assert done.aside is not None
    shutil.copyfile(done.aside, path)  # what stood there before is whole
    assert names(path) == ["Annabel", "Bert", "Cleo"]


def test_whoever_was_forgotten_since_stays_forgotten(path: Path, folder: Path) -> None:
    made = backups.back_up(path, folder, UTC, 3)
    needles = sealed(path, 1)
    with open_store(path) as store:
        store.forget("Anna")
    assert any(needle in made.read_bytes() for needle in needles)  # the rows are in the copy, and nothing opens them
    assert restore(path, made).people == 1
    assert names(path) == ["Bert"]
    assert not [needle for needle in needles if needle in path.read_bytes() + keys_path(path).read_bytes()]
    with open_store(path) as store:
        assert [(entry.event.kind, entry.event.person_id) for entry in store.log_page()][-2:] == [
            ("forgotten", 1),
            ("restored", None),
        ]


def test_a_backup_under_a_writer_is_of_one_moment(path: Path, folder: Path) -> None:
    """Each person is enrolled in one transaction with five templates: no copy may hold half of one."""
    stop = threading.Event()
    made: list[Path] = []

    def copy() -> None:
        while not stop.is_set():
            stamp = f"2026-01-02T03:{len(made) // 60:02}:{len(made) % 60:02}+00:00"
            made.append(backups.back_up(path, folder, stamp, 999))

    copier = threading.Thread(target=copy)
    with open_store(path) as store:
        copier.start()
        for number in range(60):
            store.enroll(f"New {number}", vectors(5, number))
            if number % 3 == 0:
                store.forget(f"New {number}")
        stop.set()
        copier.join()
    assert len(made) > 3
    found = []
    for backup in made:
        restore(path, backup)
        with open_store(path) as store:
            people = store.people()
            assert {person.templates for person in people if person.name.startswith("New")} <= {5}
            assert store.verify_log()
            found.append(len(people))
    assert len(set(found)) > 1  # the copies were made at different moments


def test_restoring_under_a_writer_is_refused_and_changes_nothing(path: Path, folder: Path) -> None:
    made = backups.back_up(path, folder, UTC, 3)
    with open_store(path) as store:
        store.enroll("Cleo", vectors(1, 3))
        before = contents(path)
        with pytest.raises(StoreBusyError, match=f"in use by process {os.getpid()}"):
            restore(path, made)
        assert contents(path) == before
        assert len(store.people()) == 3


def spoil(made: Path, kind: str) -> None:
    content = made.read_bytes()
    match kind:
        case "empty":
            made.write_bytes(b"")
        case "photograph":
            made.write_bytes(b"\xff\xd8\xff" + bytes(9000))
        case "cut":
            made.write_bytes(content[:-5000])
        case "garbled":
            # Behind the first page, so that it still looks like a database.
            made.write_bytes(content[:5000] + bytes(4000) + content[9000:])
        case "gone":
            made.unlink()
        case "folder":
            made.unlink()
            made.mkdir()
        case "pipe":
            made.unlink()
            os.mkfifo(made)
        case sql:
            with closing(sqlite3.connect(made, isolation_level=None)) as other:
                other.execute("PRAGMA ignore_check_constraints = ON")
                other.execute(sql)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        *((kind, StoreDamagedError) for kind in ("empty", "photograph", "cut", "garbled", "folder", "pipe")),
        ("gone", StoreError),
        ("PRAGMA application_id = 1", StoreDamagedError),
        ("PRAGMA user_version = 9", StoreTooNewError),
        ("CREATE TRIGGER t AFTER INSERT ON people BEGIN DELETE FROM people; END", StoreDamagedError),
        ("UPDATE templates SET person_id = 2", StoreDamagedError),
        ("UPDATE people SET sealed = zeroblob(80)", StoreDamagedError),
        ("UPDATE settings SET value = 'x' WHERE key = 'household'", StoreKeyError),
    ],
)
def test_a_file_that_cannot_serve_is_refused_and_nothing_changed(
    path: Path, folder: Path, kind: str, error: type[StoreError]
) -> None:
    made = backups.back_up(path, folder, UTC, 3)
    spoil(made, kind)
    before = contents(path)
    with pytest.raises(error, match=f"{NAME}' is not restored, and nothing was changed"):
        restore(path, made)
    assert contents(path) == before
    assert names(path) == ["Anna", "Bert"]


def test_another_locks_backup_is_refused(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "people.db"
    with open_store(other) as store:
        store.enroll("Mallory", vectors(1, 9))
    made = backups.back_up(other, tmp_path / "stick", UTC, 1)
    before = contents(path)
    with pytest.raises(StoreKeyError, match="do not belong together"):
        restore(path, made)
    assert contents(path) == before


def test_a_damaged_store_is_put_aside_as_it_is(path: Path, folder: Path) -> None:
    made = backups.back_up(path, folder, UTC, 3)
    path.write_bytes(b"rubbish")
    path.with_name("people.db-wal").write_bytes(b"more rubbish")
    done = restore(path, made)
    assert done.aside is not None
    assert done.aside.read_bytes() == b"rubbish"
    assert done.aside.with_name(done.aside.name + "-wal").read_bytes() == b"more rubbish"
    assert names(path) == ["Anna", "Bert"]


def test_a_lost_store_is_refused_with_its_keys_there_and_restored(path: Path, folder: Path) -> None:
    made = backups.back_up(path, folder, UTC, 3)
    path.unlink()
    with pytest.raises(StoreDamagedError, match=r"is missing, but the keys of 2 people are there.*facelatch restore"):
        open_store(path)
    assert not path.exists()
    assert restore(path, made).aside is None
    assert names(path) == ["Anna", "Bert"]


@pytest.mark.parametrize("room", [0, 4096, 20_000])
def test_without_room_there_is_no_backup_and_no_half_of_one(path: Path, folder: Path, room: int) -> None:
    first = backups.back_up(path, folder, UTC, 3)
    whole = first.read_bytes()
    with largest_file(room), pytest.raises(StoreError):
        backups.back_up(path, folder, UTC.replace("2026", "2027"), 3)
    assert [file.name for file in folder.iterdir()] == [first.name]
    before = contents(path)
    with largest_file(room), pytest.raises(StoreError):
        restore(path, first)
    assert contents(path) == before
    assert first.read_bytes() == whole


def test_killed_at_any_moment_of_restoring_the_store_is_the_one_or_the_other(path: Path, tmp_path: Path) -> None:
    """Where a kill falls between putting aside and putting in place, the opener refuses and restoring again helps."""
    made = backups.back_up(path, tmp_path / "stick", UTC, 3)
    with open_store(path) as store:
        store.enroll("Cleo", vectors(1, 3))
    ends = set()
    for step in range(40):
        copy = Path(shutil.copytree(path.parent, tmp_path / f"kill{step}")) / path.name
        code = f"""if True:
            import os, signal, sys
            from pathlib import Path
            from tests.store.test_backups import restore
            left = [{1 + 2 * step}]
            def audit(event, arguments):
                if event in ("open", "os.rename", "os.remove", "sqlite3.connect", "os.link", "fcntl.flock"):
                    left[0] -= 1
                    if left[0] == 0:
                        os.kill(os.getpid(), signal.SIGKILL)
            sys.addaudithook(audit)
            restore(Path({str(copy)!r}), Path({str(made)!r}))
        """
        killed = subprocess.run([sys.executable, "-c", code], check=False).returncode
        assert killed in (0, -signal.SIGKILL)
        try:
            found = names(copy)
        except StoreDamagedError as error:
            assert "is missing" in str(error)  # noqa: PT017  # one of three right outcomes
            restore(copy, made)
            found = ["again", *names(copy)]
        ends.add((killed, tuple(found)))
    assert {found for _, found in ends} <= {
        ("Anna", "Bert", "Cleo"),
        ("Anna", "Bert"),
        ("again", "Anna", "Bert"),
    }
    assert {(-9, ("Anna", "Bert", "Cleo")), (0, ("Anna", "Bert"))} <= ends
