"""A store is opened only when it is sound and ours; what is refused keeps its bytes."""

import os
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import (
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreKeyError,
    StoreTooNewError,
)
from edge.store.lock import StoreLock
from edge.store.templates import seal_template
from edge.types import Event
from tests.store.helpers import MODEL, digests, open_store, vectors
from tests.unprivileged import unprivileged

KEYS = (".keys", ".keys-wal", ".keys-shm")
TABLES = ("people", "templates", "events", "permissions", "pins", "holidays", "settings", "log_marks")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with two people, closed in good order."""
    made = tmp_path / "store" / "people.db"
    with open_store(made) as store:
        store.enroll("Anna", vectors(3, 1))
        store.enroll("Bert", vectors(2, 2))
        store.log(Event("granted", 1))
    return made


def edit(path: Path, *statements: str, parameters: tuple[object, ...] = ()) -> None:
    """Change the file behind the store's back, without its constraints."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            connection.execute(statement, parameters)


def assert_refused(path: Path, error: type[StoreError], message: str) -> None:
    before = digests(path)
    with pytest.raises(error, match=message) as caught:
        open_store(path)
    assert type(caught.value) is error
    assert digests(path) == before
    StoreLock(path).release()  # it is free again


def test_what_was_stored_is_there_again(path: Path) -> None:
    with open_store(path) as store:
        assert [(p.name, p.templates) for p in store.people()] == [("Anna", 3), ("Bert", 2)]
        assert np.array_equal(store.gallery().templates, np.stack(vectors(3, 1) + vectors(2, 2)))
        assert [line.event for line in store.events(9)] == [Event("granted", 1)]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_only_the_owner_may_read_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    folder = tmp_path / "store"
    before = os.umask(umask)
    try:
        with open_store(folder / "people.db") as store:
            store.enroll("Anna", vectors(1))
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert modes == dict.fromkeys(
        [f"people.db{end}" for end in ("", "-wal", "-shm", ".lock", ".logkey", ".master", *KEYS)], 0o600
    )


def test_an_existing_folder_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    open_store(tmp_path / "people.db").close()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_makes_belongs_to_the_folders_owner(tmp_path: Path) -> None:
    os.chown(tmp_path, 4321, 4321)
    with open_store(tmp_path / "people.db") as store:
        store.enroll("Anna", vectors(1))
        assert {(f.stat().st_uid, f.stat().st_gid) for f in tmp_path.iterdir()} == {(4321, 4321)}


def test_odd_paths_are_paths(tmp_path: Path) -> None:
    path = tmp_path / "a b?mode=memory#%41" / "peo;ple'.db"
    with open_store(path) as store:
        store.enroll("Anna", vectors(1))
    assert sorted(file.name for file in path.parent.iterdir()) == [
        f"peo;ple'.db{ending}" for ending in ("", ".keys", ".lock", ".logkey", ".master")
    ]


def test_the_settings_that_durability_rests_on(path: Path) -> None:
    with open_store(path) as store:
        found = {
            name: store._db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "busy_timeout": 500,
    }


def test_every_table_is_strict_and_the_log_knows_no_names(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        strict = dict(connection.execute("SELECT name, strict FROM pragma_table_list").fetchall())
        columns = [row[1] for row in connection.execute("PRAGMA table_info(events)")]
    assert [strict[name] for name in TABLES] == [1] * len(TABLES)
    assert columns == ["id", "at_utc", "kind", "person_id", "detail", "mac"]


@pytest.mark.parametrize(
    ("statements", "error", "message"),
    [
        (["PRAGMA application_id = 0"], StoreDamagedError, "another program"),
        (["PRAGMA user_version = 5"], StoreTooNewError, r"schema 5, this one knows 4.*update facelatch"),
        (["PRAGMA user_version = 1"], StoreDamagedError, "contradicts"),
        (
            ["INSERT INTO _sqlite_migrations VALUES (9, 'facelatch', '0099_future', '')"],
            StoreTooNewError,
            "newer facelatch",
        ),
        (["PRAGMA user_version = 0"], StoreDamagedError, "contradicts"),
        (["DELETE FROM _sqlite_migrations"], StoreDamagedError, "contradicts"),
        (["DROP TABLE _sqlite_migrations"], StoreDamagedError, "no such table"),
        (["DROP TABLE people"], StoreDamagedError, "does not make|nobody"),
        (["DROP TABLE templates"], StoreDamagedError, "does not make"),
        (["ALTER TABLE people RENAME COLUMN sealed TO k"], StoreDamagedError, "does not make"),
        (["PRAGMA foreign_keys = OFF", "DELETE FROM people WHERE id = 1"], StoreDamagedError, "belongs to nobody"),
        (
            ["UPDATE people SET sealed = (SELECT sealed FROM people WHERE id = 2) WHERE id = 1"],
            StoreDamagedError,
            "number 1.*does not open",
        ),
        (["UPDATE people SET sealed = zeroblob(90) WHERE id = 1"], StoreDamagedError, "number 1.*does not open"),
        (["UPDATE people SET sealed = zeroblob(9) WHERE id = 1"], StoreDamagedError, "number 1.*does not open"),
        (["UPDATE people SET enrolled_utc = char(27)"], StoreDamagedError, "a date that facelatch would not store"),
        (["DELETE FROM settings WHERE key = 'household'"], StoreKeyError, "do not belong together"),
        (["UPDATE settings SET value = '00' WHERE key = 'household'"], StoreKeyError, "do not belong together"),
        (["INSERT INTO people SELECT 9, sealed, enrolled_utc FROM people WHERE id = 1"], StoreKeyError, "person 9"),
        (
            ["CREATE TRIGGER t AFTER DELETE ON people BEGIN DELETE FROM people; END"],
            StoreDamagedError,
            "does not make",
        ),
        (
            ["CREATE TRIGGER t AFTER DELETE ON _sqlite_migrations BEGIN SELECT 1; END"],
            StoreDamagedError,
            "does not make",
        ),
        (["CREATE VIEW v AS SELECT 1"], StoreDamagedError, "does not make"),
        (
            [
                "PRAGMA writable_schema = ON",
                "UPDATE sqlite_schema SET sql = replace(sql, 'ON DELETE CASCADE', '') WHERE name = 'templates'",
            ],
            StoreDamagedError,
            "does not make",
        ),
        (["UPDATE templates SET sealed = zeroblob(4) WHERE id = 5"], StoreDamagedError, "wrong length"),
        (["UPDATE templates SET sealed = zeroblob(796) WHERE id = 5"], StoreDamagedError, "person 2.*does not open"),
        # Mallory's own template in the owner's place: the attack of who can write to the file.
        (["UPDATE templates SET person_id = 2 WHERE id = 1"], StoreDamagedError, "person 2.*does not open"),
        (
            ["UPDATE templates SET sealed = (SELECT sealed FROM templates WHERE id = 5) WHERE id = 1"],
            StoreDamagedError,
            "person 1.*does not open",
        ),
        (["UPDATE templates SET dimension = 128 WHERE id = 5"], StoreDamagedError, "wrong length"),
        (
            ["UPDATE templates SET model_id = 'other', sealed = zeroblob(512) WHERE id = 5"],
            StoreDamagedError,
            "wrong length",
        ),
    ],
)
def test_a_store_that_is_not_as_we_make_it_is_refused_and_kept(
    path: Path, statements: list[str], error: type[StoreError], message: str
) -> None:
    edit(path, *statements)
    assert_refused(path, error, message)


def test_statistics_that_somebody_gathered_do_no_harm(path: Path) -> None:
    edit(path, "ANALYZE")
    open_store(path).close()


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.9])
def test_an_embedding_that_is_no_unit_vector_is_damage(path: Path, value: float) -> None:
    vector = vectors(1)[0]
    vector[7] = value
    with open_store(path) as store:
        sealed = seal_template(store._key(1), 1, MODEL, vector.tobytes())
    edit(path, "UPDATE templates SET sealed = ? WHERE id = 3", parameters=(sealed,))
    assert_refused(path, StoreDamagedError, "unit vector")


def test_a_template_of_another_model_is_not_taken_for_one_of_this(path: Path) -> None:
    """Not even by who edits the file: the model is sealed with it."""
    with open_store(path, "newer-model"):
        pass
    edit(path, "UPDATE templates SET model_id = 'newer-model' WHERE id = 1")
    with pytest.raises(StoreDamagedError, match="does not open"):
        open_store(path, "newer-model")


@pytest.mark.parametrize(("model", "dimension"), [("newer-model", 192), ("newer-model", 128), (MODEL, 128)])
def test_opening_the_store_with_another_model_changes_no_byte_of_it(path: Path, model: str, dimension: int) -> None:
    before = digests(path)
    with open_store(path, model, dimension) as store:
        assert [(p.name, p.templates, p.former_model) for p in store.people()] == [
            ("Anna", 0, MODEL),
            ("Bert", 0, MODEL),
        ]
        assert store.gallery().templates.shape == (0, dimension)
    assert digests(path) == before


def test_damage_in_a_template_of_another_model_waits_for_who_reads_it(path: Path) -> None:
    """It can do no harm here, and a refusal would lock out those who are enrolled with the model in use."""
    edit(path, "UPDATE templates SET sealed = zeroblob(796) WHERE id = 5")
    with open_store(path, "newer-model") as store:
        assert [p.name for p in store.people()] == ["Anna", "Bert"]
    assert_refused(path, StoreDamagedError, "does not open")


def _crashed(path: Path, folder: Path) -> Path:
    """The store as a power cut leaves it: all that is new is in the write-ahead log."""
    with open_store(path) as store:
        store.enroll("Cleo", vectors(4, 3))
        return Path(shutil.copytree(path.parent, folder)) / path.name


def test_after_a_crash_what_is_in_the_log_counts(path: Path, tmp_path: Path) -> None:
    with open_store(_crashed(path, tmp_path / "crashed")) as store:
        assert [p.name for p in store.people()] == ["Anna", "Bert", "Cleo"]


def test_what_is_wrong_only_in_the_log_is_found_and_kept(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "crashed"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE people SET enrolled_utc = char(27) WHERE id = 1")
        shutil.copytree(path.parent, folder)
    assert (folder / "people.db-wal").stat().st_size
    assert_refused(folder / path.name, StoreDamagedError, "a date")


def test_an_index_that_lost_somebody_is_damage(path: Path) -> None:
    edit(path, "INSERT INTO holidays VALUES ('2026-12-25')")
    # The first is the table's row, the second the index of its primary key.
    content = path.read_bytes()
    spoilt = content.replace(b"2026-12-25", b"2026-12-26", 1)
    assert content.count(b"2026-12-25") == 2
    path.write_bytes(spoilt)
    assert_refused(path, StoreDamagedError, "is damaged")


def test_a_log_without_its_file_is_not_played_into_a_new_one(path: Path, tmp_path: Path) -> None:
    crashed = _crashed(path, tmp_path / "crashed")
    crashed.unlink()
    with pytest.raises(StoreDamagedError, match="is missing, but"):
        open_store(crashed)
    assert not crashed.exists()


@pytest.mark.parametrize("content", [b"", b"SQLite", b"hello, world", b"\xff\xd8\xff" + bytes(5000)])
def test_another_kind_of_file_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "people.db"
    path.write_bytes(content)
    assert_refused(path, StoreDamagedError, "not a SQLite database" if content else "empty file")


def test_folders_pipes_and_devices_are_refused_without_blocking(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    os.mkfifo(tmp_path / "pipe.db")
    (tmp_path / "zero.db").symlink_to("/dev/zero")
    refused: list[str] = []

    def attempt() -> None:
        for name in ("folder.db", "pipe.db"):
            with pytest.raises(StoreDamagedError, match="not a regular file"):
                open_store(tmp_path / name)
            refused.append(name)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(10)
    assert refused == ["folder.db", "pipe.db"]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed store that no test changes."""
    path = tmp_path_factory.mktemp("sound") / "people.db"
    with open_store(path) as store:
        store.enroll("Anna", vectors(3, 1))
        store.log(Event("granted", 1, {"similarity": 0.7}))
    return path


def _opens_or_is_refused_and_kept(path: Path) -> None:
    before = digests(path)
    try:
        store = open_store(path)
    except StoreError as error:
        assert str(error).isprintable()  # noqa: PT017  # either outcome is right
        assert digests(path) == before
    else:
        with store:
            assert {p.id for p in store.people()} == set(store.gallery().names)
            store.gallery()
            with suppress(StoreDamagedError):  # the log is looked at when it is read
                store.events(9)


@given(seed=st.integers(0, 2**32), flips=st.integers(1, 20))
@settings(max_examples=200, deadline=None)
def test_flipped_bytes_are_either_harmless_or_refused(
    tmp_path_factory: pytest.TempPathFactory, sound: Path, seed: int, flips: int
) -> None:
    path = tmp_path_factory.mktemp("flipped") / "people.db"
    source = np.random.default_rng(seed)
    data = np.frombuffer(sound.read_bytes(), dtype=np.uint8).copy()
    data[source.integers(0, len(data), flips)] = source.integers(0, 256, flips)
    path.write_bytes(data.tobytes())
    _opens_or_is_refused_and_kept(path)


def test_a_truncated_store_is_refused_wherever_it_ends(tmp_path: Path, sound: Path) -> None:
    whole = sound.read_bytes()
    for size in {*range(1, 200, 17), *range(200, len(whole), 1111), *range(4096, len(whole), 4096), len(whole) - 1}:
        path = tmp_path / str(size) / "people.db"
        path.parent.mkdir()
        path.write_bytes(whole[:size])
        assert_refused(path, StoreDamagedError, "left as it is: restore a backup")


def test_a_second_opener_hears_who_has_it(path: Path, tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(path)
    with open_store(path):
        for name in (path, tmp_path / "link.db"):
            with pytest.raises(StoreBusyError, match=rf"in use by process {os.getpid()}\. Ask the running guardian"):
                open_store(name)
    open_store(path).close()


def test_the_lock_ends_with_the_process_that_held_it(path: Path) -> None:
    code = """if True:
        import pathlib, sys
        from edge.store.lock import StoreLock
        lock = StoreLock(pathlib.Path(sys.argv[1]))
        print(flush=True)
        input()
    """
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(StoreBusyError, match=f"process {holder.pid}"):
            open_store(path)
        holder.kill()
    open_store(path).close()


def test_a_lock_file_of_other_content_names_nobody(path: Path) -> None:
    with StoreLock(path):
        path.with_name("people.db.lock").write_bytes(b"\x1b[2J")
        with pytest.raises(StoreBusyError, match="in use by another process"):
            open_store(path)


def test_a_program_that_holds_sqlites_lock_is_waited_for_and_then_named(path: Path) -> None:
    with open_store(path) as store, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError, match=r"locked.*Close the program"):
            store.enroll("Cleo", vectors(1))
        other.execute("ROLLBACK")
        assert store.enroll("Cleo", vectors(1)).templates == 1


@pytest.fixture
def public_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that an unprivileged user reaches."""
    chain = [tmp_path, *tmp_path.parents]
    modes = {folder: folder.stat().st_mode for folder in chain if not folder.stat().st_mode & 0o001}
    mine = {folder: mode for folder, mode in modes.items() if folder.stat().st_uid == os.geteuid()}
    for folder, mode in mine.items():
        folder.chmod(stat.S_IMODE(mode) | 0o011)
    yield tmp_path
    for folder, mode in mine.items():
        folder.chmod(stat.S_IMODE(mode))


def test_an_unwritable_folder_is_named_with_advice(public_folder: Path) -> None:
    folder = public_folder / "locked"
    folder.mkdir(mode=0o555)
    for path in (folder / "people.db", folder / "new" / "people.db"):
        with unprivileged(), pytest.raises(StoreError, match=r"Permission denied.*owner and permissions") as caught:
            open_store(path)
        assert type(caught.value) is StoreError
    assert list(folder.iterdir()) == []


def test_a_read_only_file_is_refused_and_kept(public_folder: Path, sound: Path) -> None:
    folder = public_folder / "open"
    folder.mkdir()
    folder.chmod(0o777)
    path = folder / "people.db"
    shutil.copyfile(sound, path)
    path.chmod(0o444)
    with unprivileged(), pytest.raises(StoreError, match=r"cannot be opened \(Permission denied\)"):
        open_store(path)
    assert path.read_bytes() == sound.read_bytes()


def test_a_folder_that_is_a_file_or_full_of_names_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be"):
        open_store(tmp_path / "file" / "people.db")
    with pytest.raises(StoreError, match="cannot be"):
        open_store(tmp_path / ("n" * 300))


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """As on a full disk: the kernel refuses to let files grow further (Python ignores SIGXFSZ)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 100, 4096, 9000])
def test_a_store_that_cannot_be_finished_is_not_begun(tmp_path: Path, size: int) -> None:
    path = tmp_path / "people.db"
    with largest_file(size), pytest.raises(StoreError):
        open_store(path)
    assert {file.name for file in tmp_path.iterdir()} <= {
        f"people.db{ending}" for ending in (".lock", ".logkey", ".master", ".keys")
    }
    open_store(path).close()


def test_what_a_killed_creation_left_is_swept_away(tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    for ending in ("", "-wal", "-journal"):
        (tmp_path / f"people.db.new{ending}").write_bytes(b"half a store")
    open_store(path).close()
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        f"people.db{ending}" for ending in ("", ".keys", ".lock", ".logkey", ".master")
    ]


def test_a_closed_store_says_so_and_closes_again(path: Path) -> None:
    store = open_store(path)
    store.close()
    store.close()
    with pytest.raises(StoreError):
        store.people()
