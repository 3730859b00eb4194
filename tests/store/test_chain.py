"""The log's chain: whatever is done to the file behind the store's back is found, and the door goes on logging."""

import logging
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import LogError, StoreBusyError, StoreError
from edge.store.key import KEY_BYTES, key_path
from edge.store.log import JUMP_S
from edge.store.sqlite import SqliteStore
from edge.types import Event
from tests.fakes import FakeClock
from tests.store.helpers import DIMENSION, MODEL, digests, open_store, vectors
from tests.store.test_opening import largest_file

DAY_S = 86400.0


@pytest.fixture(scope="module")
def twenty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed store with twenty entries that no test changes."""
    path = tmp_path_factory.mktemp("twenty") / "people.db"
    with open_store(path) as store:
        for number in range(1, 21):
            store.log(Event("granted" if number % 2 else "refused", number, {"n": number}))
    return path


@pytest.fixture
def path(twenty: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(twenty.parent, tmp_path / "store")) / twenty.name


def edit(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            other.execute(statement)


def finding(store: SqliteStore, limit: int = 7) -> str | None:
    """What the check says, over as many pages as it takes; None: all is well."""
    after_id, more = 0, True
    while more:
        try:
            page = store.verify_log(after_id, limit=limit)
        except LogError as error:
            return str(error)
        after_id, more = page.last_id, page.more
    return None


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE events SET detail = '{}' WHERE id = 17", "Entry 17 was changed."),
        ("UPDATE events SET at_utc = '2025' WHERE id = 1", "Entry 1 was changed."),
        ("UPDATE events SET kind = 'refused' WHERE id = 7", "Entry 7 was changed."),
        ("UPDATE events SET person_id = 1 WHERE id = 8", "Entry 8 was changed."),
        ("UPDATE events SET person_id = NULL WHERE id = 20", "Entry 20 was changed."),
        ("UPDATE events SET mac = randomblob(32) WHERE id = 3", "Entry 3 was changed."),
        ("UPDATE events SET mac = NULL WHERE id = 3", "Entry 3 was changed."),
        ("UPDATE events SET mac = zeroblob(5) WHERE id = 14", "Entry 14 was changed."),
        ("DELETE FROM events WHERE id BETWEEN 18 AND 19", "Entries 18 to 19 are missing."),
        ("DELETE FROM events WHERE id = 7", "Entry 7 is missing."),
        ("DELETE FROM events WHERE id < 4", "Entries 1 to 3 are missing."),
        ("DELETE FROM events WHERE id > 17", "The end is cut off: 3 entries are missing after entry 17."),
        ("DELETE FROM events WHERE id = 20", "The end is cut off: 1 entry is missing after entry 19."),
        ("DELETE FROM events", "The end is cut off: 20 entries are missing after entry 0."),
        (
            "INSERT INTO events SELECT 21, at_utc, kind, person_id, detail, mac FROM events WHERE id = 20",
            "Entry 21 was",
        ),
        ("INSERT INTO events SELECT -1, at_utc, kind, person_id, detail, mac FROM events WHERE id = 9", "-1 to -1"),
    ],
)
def test_an_edit_is_named_then_and_after_more_was_logged(path: Path, statement: str, says: str) -> None:
    edit(path, statement)
    with open_store(path) as store:
        assert says in (finding(store) or "")
        store.log(Event("more"))
    edit(path, "DELETE FROM sqlite_sequence")
    with open_store(path) as store:
        store.log(Event("more"))
        said = finding(store)
    assert said is not None
    if "cut off" not in says and "21" not in says:
        assert says in said


def test_entries_that_change_places_or_numbers_are_found(path: Path) -> None:
    edit(
        path,
        "UPDATE events SET id = 100 WHERE id = 5",
        "UPDATE events SET id = 5 WHERE id = 6",
        "UPDATE events SET id = 6 WHERE id = 100",
    )
    with open_store(path) as store:
        assert "Entry 5 was changed" in (finding(store) or "")
    edit(path, "DELETE FROM events WHERE id = 6", "UPDATE events SET id = id - 1 WHERE id > 6")
    with open_store(path) as store:
        assert "Entry 5 was changed" in (finding(store) or "")


def test_after_the_end_was_cut_off_the_gap_stays(path: Path) -> None:
    edit(path, "DELETE FROM events WHERE id > 17", "UPDATE sqlite_sequence SET seq = 17 WHERE name = 'events'")
    with open_store(path) as store:
        store.log(Event("more"))
        assert store.log_page(last=1)[0].id == 21
        assert "Entries 18 to 20 are missing" in (finding(store) or "")


def test_an_entry_of_another_history_of_the_same_store_does_not_fit(path: Path, tmp_path: Path) -> None:
    """With the same number and the same key: only the mac before it differs."""
    other = Path(shutil.copytree(path.parent, tmp_path / "other")) / path.name
    for file, kinds in ((path, "abc"), (other, "xyz")):
        with open_store(file) as store:
            for kind in kinds:
                store.log(Event(kind))
    with closing(sqlite3.connect(path, isolation_level=None)) as into:
        into.execute("ATTACH ? AS other", [str(other)])
        into.execute("DELETE FROM events WHERE id = 22")
        into.execute("INSERT INTO events SELECT * FROM other.events WHERE id = 22")
    with open_store(path) as store:
        assert "Entry 22 was changed" in (finding(store) or "")


def test_whoever_goes_on_from_an_entry_with_another_mac_hears_of_it(path: Path) -> None:
    edit(path, "UPDATE events SET mac = randomblob(32) WHERE id = 20")
    with open_store(path) as store, pytest.raises(LogError, match="Entry 20 is not the one that was written last"):
        store.verify_log(20)


@pytest.mark.parametrize("entry", [21, 22, 2**60, 2**63 - 1])
def test_a_forged_entry_ahead_does_not_stop_the_log(path: Path, entry: int) -> None:
    columns = "at_utc, kind, person_id, detail, mac"
    edit(path, f"INSERT INTO events SELECT {entry}, {columns} FROM events WHERE id = 20")  # noqa: S608
    with open_store(path) as store:
        store.log(Event("more"))
        store.log(Event("and more"))
        assert [line.event.kind for line in store.log_page(20) if "more" in line.event.kind] == ["more", "and more"]
        assert store.log_head()[0] < 2**53
        assert finding(store) is not None


@settings(max_examples=150)
@given(data=st.data())
def test_any_change_of_a_row_is_found(
    twenty: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = Path(shutil.copytree(twenty.parent, tmp_path_factory.mktemp("any") / "store")) / twenty.name
    column = data.draw(st.sampled_from(["at_utc", "kind", "person_id", "detail", "mac"]))
    values = {"person_id": st.none() | st.integers(-(2**63), 2**63 - 1), "mac": st.binary(min_size=32, max_size=32)}
    text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
    row, value = data.draw(st.integers(1, 20)), data.draw(values.get(column, text))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        select, update = f"SELECT {column} FROM events", f"UPDATE events SET {column} = ?"  # noqa: S608
        before = other.execute(f"{select} WHERE id = ?", [row]).fetchone()[0]
        other.execute(f"{update} WHERE id = ?", [value, row])
    with open_store(path) as store:
        assert (finding(store) is None) == (before == value)


def test_the_key_belongs_to_the_guardian_alone(path: Path) -> None:
    file = key_path(path)
    assert (file.stat().st_size, stat.S_IMODE(file.stat().st_mode)) == (KEY_BYTES, 0o600)


def test_macs_are_not_made_without_the_key(path: Path, tmp_path: Path) -> None:
    """Two stores that log the very same have other macs."""
    with open_store(path) as store, open_store(tmp_path / "other.db") as other:
        assert store.log_head()[1] != other.log_head()[1]
        for number in range(1, 21):
            other.log(Event("granted" if number % 2 else "refused", number, {"n": number}))
        assert store.log_page() == other.log_page()
        assert store.log_head()[1] != other.log_head()[1]


@pytest.mark.parametrize("content", [None, b"", b"short", bytes(33)])
def test_without_its_key_the_store_opens_and_the_log_says_so_for_good(
    path: Path, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    key_path(path).unlink()
    if content is not None:
        key_path(path).write_bytes(content)
    with open_store(path) as store:
        assert "a new chain begins with entry 21" in caplog.text
        store.log(Event("later"))
        assert [line.event for line in store.log_page(20)] == [
            Event("log_key_lost", None, {"last_id": 20}),
            Event("later"),
        ]
        assert "Entries 1 to 20 cannot be verified" in (finding(store) or "")
    before = digests(path)
    with open_store(path) as store:
        assert "Entry 21 says when" in (finding(store) or "")
    assert digests(path) == before  # the new key was kept: nothing begins anew
    edit(path, "UPDATE events SET kind = 'x' WHERE id = 22")
    with open_store(path) as store:
        assert "Entry 22 was changed" in (finding(store) or "")


def test_entries_of_a_former_key_are_pruned_and_then_all_verifies(path: Path) -> None:
    key_path(path).unlink()
    with open_store(path) as store:
        for _ in range(9):
            store.log(Event("later"))
        assert store.prune_log(365, 15) == 15
        assert "Entries 16 to 20 cannot be verified" in (finding(store) or "")
        assert store.prune_log(365, 8) == 7
        assert finding(store) is None
        assert store.verify_log().checked == 8


def test_another_key_is_as_good_as_none(path: Path) -> None:
    key_path(path).write_bytes(bytes(32))
    with open_store(path) as store:
        assert store.log_page(20)[0].event.kind == "log_chain_broken"
        assert "cannot be verified" in (finding(store) or "")


def test_where_no_key_can_be_kept_the_door_works_all_the_same(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    key_path(path).unlink()
    key_path(path).mkdir()
    for _ in range(2):
        with open_store(path) as store:
            assert "the log's key can be neither read nor made" in caplog.text
            store.log(Event("later"))
            assert "cannot be verified" in (finding(store) or "")
    key_path(path).rmdir()
    with open_store(path) as store:
        store.enroll("Anna", vectors(1))
        assert [line.event.kind for line in store.log_page(20)] == [
            *("log_key_lost", "later", "log_key_lost", "later"),
            "log_key_lost",
        ]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM log_marks",
        "DELETE FROM log_marks WHERE name = 'head'",
        "DELETE FROM log_marks WHERE name = 'anchor'",
        "UPDATE log_marks SET entry_id = 17 WHERE name = 'head'",
        "UPDATE log_marks SET entry_id = 3 WHERE name = 'anchor'",
        "UPDATE log_marks SET mac = zeroblob(32) WHERE name = 'head'",
        "UPDATE log_marks SET seal = (SELECT seal FROM log_marks WHERE name = 'anchor') WHERE name = 'head'",
        """UPDATE log_marks SET (entry_id, mac, seal) =
            (SELECT entry_id, mac, seal FROM log_marks WHERE name = 'anchor') WHERE name = 'head'""",
        "UPDATE log_marks SET entry_id = 9223372036854775807, seal = zeroblob(3) WHERE name = 'head'",
    ],
)
@pytest.mark.parametrize("running", [True, False])
def test_marks_that_were_changed_are_found_and_the_log_goes_on(path: Path, statement: str, running: bool) -> None:
    if running:
        with open_store(path) as store:
            edit(path, statement)
            assert "was changed" in (finding(store) or "")
            store.log(Event("later"))
            assert [line.event.kind for line in store.log_page(20)] == ["log_chain_broken", "later"]
            assert "Entries 1 to 20 cannot be verified" in (finding(store) or "")
    else:
        edit(path, statement)
        with open_store(path) as store:
            assert store.log_page(20)[0].event.kind == "log_chain_broken"
            assert "Entries 1 to 20 cannot be verified" in (finding(store) or "")


def test_a_head_of_before_is_found_while_the_lock_runs(path: Path) -> None:
    """Sealed with the right key, so that nothing but the running process knows better."""
    with closing(sqlite3.connect(path)) as other:
        head = other.execute("SELECT entry_id, mac, seal FROM log_marks WHERE name = 'head'").fetchone()
    with open_store(path) as store:
        store.log(Event("burglar"))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("UPDATE log_marks SET entry_id = ?, mac = ?, seal = ? WHERE name = 'head'", head)
            other.execute("DELETE FROM events WHERE id = 21")
        assert finding(store) is not None
        store.log(Event("later"))
        assert store.log_page(20)[0].event.kind == "log_chain_broken"


def test_a_file_that_was_put_back_shows_against_a_head_kept_elsewhere(path: Path, tmp_path: Path) -> None:
    shutil.copytree(path.parent, tmp_path / "before")
    with open_store(path) as store:
        store.log(Event("burglar"))
        known = store.log_head()
    with open_store(tmp_path / "before" / path.name) as store:
        assert finding(store) is None  # sound in itself
        store.log(Event("later"))
        page = store.verify_log(until_id=known[0])
        assert page.last_id == known[0]
        assert page.digest != known[1]


def test_the_chain_holds_across_pruning_and_its_anchor_is_checked(path: Path) -> None:
    with open_store(path) as store:
        assert store.prune_log(365, 12) == 8
        assert finding(store) is None
    edit(path, "DELETE FROM events WHERE id = 9")
    with open_store(path) as store:
        assert "Entry 9 is missing" in (finding(store) or "")


def test_what_was_wrong_with_removed_entries_is_written_down_before_they_go(path: Path) -> None:
    edit(path, "DELETE FROM events WHERE id BETWEEN 3 AND 5")
    with open_store(path) as store:
        assert store.prune_log(365, 10) == 7
        assert store.log_page(last=1)[0].event == Event("log_broken", None, {"finding": "Entries 3 to 5 are missing"})
        assert finding(store) is None
        store.log(Event("later"))
        assert finding(store) is None


def test_a_calendar_that_jumps_a_year_removes_nothing_within_a_day(tmp_path: Path) -> None:
    """Even where a battery-backed clock makes it trusted."""
    clock = FakeClock()
    with SqliteStore.open(tmp_path / "people.db", MODEL, DIMENSION, clock) as store:
        for _ in range(20):
            store.log(Event("granted"))
        clock.utc_jump(366 * DAY_S)
        assert store.prune_log(365, 1000) == 0
        clock.advance(JUMP_S - 1)
        assert store.prune_log(365, 1000) == 0
        clock.utc_jump(-366 * DAY_S)
        assert store.prune_log(365, 1000) == 0
        clock.advance(JUMP_S)
        assert store.prune_log(365, 1000) == 0  # the right year again
        clock.utc_jump(366 * DAY_S)
        assert store.prune_log(365, 1000) == 0
        clock.advance(JUMP_S)
        assert store.prune_log(365, 1000) == 19  # it has held: this is the year


def log_until_it_fails(store: SqliteStore) -> None:
    """The write-ahead log may have some room left in its last block."""
    for _ in range(50):
        store.log(Event("meanwhile"))


# A disk that is full, a lock that is held, a file that is damaged.


def test_on_a_full_disk_logging_fails_and_later_works_with_the_chain_whole(path: Path) -> None:
    with open_store(path) as store:
        store.log(Event("before"))
        size = path.with_name("people.db-wal").stat().st_size
        for room in (0, 3000, 6000, 9000):
            with largest_file(size + room), pytest.raises(StoreError, match="cannot be written"):
                log_until_it_fails(store)
        store.log(Event("after"))
        assert finding(store) is None
    with open_store(path) as store:
        assert store.log_page(last=1)[0].event.kind == "after"
        assert finding(store) is None


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A file system of 300 KiB."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs root that may mount a tmpfs")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_on_a_file_system_that_is_really_full_too(tiny: Path) -> None:
    with open_store(tiny / "people.db") as store:
        store.log(Event("before"))
        ballast = tiny / "ballast"
        free = os.statvfs(tiny)
        ballast.write_bytes(bytes(free.f_bavail * free.f_frsize))
        with pytest.raises(StoreError, match=r"cannot be written .*(full|disk)"):
            log_until_it_fails(store)
        with pytest.raises(StoreError):
            store.keep("mode", "x" * 10_000)
        ballast.unlink()
        store.log(Event("after"))
        assert store.log_page(last=1)[0].event.kind == "after"
        assert finding(store) is None


HOLDER = """if True:
    import sqlite3, sys
    other = sqlite3.connect(sys.argv[1], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    print(flush=True)
    input()
"""


def test_a_lock_of_another_process_is_waited_for_once(path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(path)]
    with open_store(path) as store, subprocess.Popen(command, stdin=-1, stdout=-1) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        waits = []
        for _ in range(5):
            began = time.monotonic()
            with pytest.raises(StoreBusyError, match="Close the program"):
                store.log(Event("meanwhile"))
            waits.append(time.monotonic() - began)
        holder.kill()
        holder.wait()
        assert waits[0] >= 0.4
        assert sum(waits) < 2.0  # the guardian's watchdog; five waits would be 2.5
        store.log(Event("after"))
        assert store._db.execute("PRAGMA busy_timeout").fetchone()[0] == 500
        assert store.log_page(20)[-1].event.kind == "after"
        assert finding(store) is None


def test_a_damaged_file_fails_the_log_and_a_restored_one_takes_it_again(path: Path) -> None:
    with open_store(path) as store:
        store._db.execute("PRAGMA cache_size = 0")  # nothing is remembered: every page is read anew
        sound = path.read_bytes()
        path.write_bytes(sound[:100] + os.urandom(len(sound) - 100))
        with pytest.raises(StoreError, match=r"is damaged"):
            store.log(Event("meanwhile"))
        with pytest.raises(StoreError):
            store.verify_log()
        path.write_bytes(sound)
        store.log(Event("after"))
        assert store.log_page(last=1)[0].event.kind == "after"
        assert finding(store) is None


def test_a_closed_store_says_so(path: Path) -> None:
    store = open_store(path)
    store.close()
    calls = (
        lambda: store.log(Event("x")),
        store.log_page,
        store.log_head,
        store.verify_log,
        lambda: store.prune_log(1, 1),
        lambda: store.keep("a", "b"),
        store.permissions,
    )
    for call in calls:
        with pytest.raises(StoreError):
            call()


def test_opening_a_sound_store_changes_no_byte(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = digests(path)
    with caplog.at_level(logging.INFO), open_store(path) as store:
        assert finding(store) is None
    assert digests(path) == before
    assert caplog.text == ""
