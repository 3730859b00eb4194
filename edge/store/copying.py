"""A copy of a database that is in use: SQLite's own online backup, complete or not at all."""

import os
import sqlite3
import stat
from contextlib import closing, suppress
from pathlib import Path

from edge.store.faults import damaged, explained
from edge.store.key import flush_folder
from edge.store.opening import beside, make_file


def copy_database(source: Path, target: Path) -> None:
    """``target``, 0600, is the state of ``source`` at one moment, whoever writes meanwhile; it replaces what was there.

    Raises StoreDamagedError for a copy that is not sound, StoreError.
    """
    source = source.absolute()
    (fresh,) = beside(target, ".new")
    with explained(source, "be read"):
        # Not opened here: closing a file drops every lock that this process's SQLite holds on it (POSIX advisory locks;
        # https://www.sqlite.org/howtocorrupt.html, 2.2), and the store is copied while it is in use.
        if not stat.S_ISREG(source.stat().st_mode):
            raise damaged(source, "is not a regular file")
    with explained(target, "be written"):
        try:
            make_file(fresh)
            _copy(source, fresh)
            fresh.replace(target)
            flush_folder(target.parent)
        except BaseException:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise


def _copy(source: Path, fresh: Path) -> None:
    with (
        explained(source, "be copied"),
        closing(_read_only(source)) as db,
        closing(sqlite3.connect(fresh, isolation_level=None)) as copy,
    ):
        # All pages in one step: under write-ahead logging nobody waits, and the copy is of one moment.
        db.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        found = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise damaged(source, "is damaged: its copy is not sound")
    with fresh.open("rb") as file:
        os.fsync(file.fileno())


def _read_only(source: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True, isolation_level=None)
