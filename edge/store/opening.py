"""Making a store, and the one way to connect to it for writing."""

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from sqlite_utils import Database

from edge.errors import StoreError
from edge.store.faults import damaged, explained, where
from edge.store.key import flush_folder
from edge.store.lock import give_to_folder_owner

_MAGIC = b"SQLite format 3\0"  # https://www.sqlite.org/fileformat.html, section 1.3

BUSY_TIMEOUT_S = 0.5
"""How long SQLite waits for another program's lock. The lock file keeps other writers away, so this is for a backup or
somebody at the SQLite shell; the guardian must not stand still for more than a fraction of its watchdog's 2 s."""


def make_folder(path: Path) -> None:
    """Create the folder of ``path``, for its owner only whatever the umask; an existing one is left as it is.

    What root creates belongs to the owner of the folder it lies in, so that an operator's ``sudo facelatch backup``
    does not keep the guardian from making its own.
    """
    with explained(path, "be created"):
        path.parent.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            path.parent.mkdir(mode=0o700)
            descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                os.fchmod(descriptor, 0o700)
                give_to_folder_owner(descriptor, path.parent.parent)
            finally:
                os.close(descriptor)


def build(path: Path, fill: Callable[[Database], None]) -> None:
    """Make a database, complete or not at all: it is built under another name, then renamed.

    So an empty or half-made file under the name itself is always damage, never a beginning. Raises StoreError.
    """
    for rest in beside(path, "-wal", "-journal"):
        if rest.exists():  # SQLite would play it into the new file
            raise damaged(path, f"is missing, but its {rest.name!r} is there")
    fresh = path.with_name(path.name + ".new")
    with explained(path, "be created"):
        try:
            make_file(fresh)
            with closing(connect(fresh)) as db:
                fill(db)
            fresh.rename(path)
            flush_folder(path.parent)
        except BaseException:
            with suppress(OSError):
                _remove(fresh)
            raise


def make_file(path: Path) -> None:
    """An empty file in place of a database that may be there, for the folder's owner only. Raises OSError."""
    _remove(path)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        give_to_folder_owner(descriptor, path.parent)
    finally:
        os.close(descriptor)


def check_file(path: Path, *, writable: bool = True) -> None:
    """A regular file, readable and ``writable``, that begins as SQLite's do and is no shorter than it says.

    Raises StoreDamagedError, OSError.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise damaged(path, "is not a regular file")
    # Opening for writing shows a read-only file or disk now, and changes nothing.
    descriptor = os.open(path, (os.O_RDWR if writable else os.O_RDONLY) | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        header = os.pread(descriptor, 100, 0)
        size = os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)
    if not header.startswith(_MAGIC):
        raise damaged(path, "is not a SQLite database" if header else "is an empty file")
    # SQLite itself fills a last page that is cut off with zeros.
    page_bytes, pages = int.from_bytes(header[16:18]), int.from_bytes(header[28:32])
    if not has_log(path) and size < page_bytes * pages:
        raise damaged(path, f"is truncated ({size} bytes of {page_bytes * pages})")


def has_log(path: Path) -> bool:
    """Whether a write-ahead log holds what the file may not have yet."""
    log = path.with_name(path.name + "-wal")
    return log.exists() and log.stat().st_size > 0


def connect(path: Path) -> Database:
    """A connection that writes durably and leaves no deleted bytes behind. Raises sqlite3.Error, StoreError."""
    uri = f"{path.as_uri()}?mode=rw"  # never creates a file
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    try:
        if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
            raise StoreError(f"{where(path)} cannot use write-ahead logging. Put it on a local disk.")
        connection.execute("PRAGMA synchronous = FULL")  # what was answered survives a power cut
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # deleted rows are overwritten with zeros
        connection.execute("PRAGMA temp_store = MEMORY")  # no template in a temporary file
        connection.execute("PRAGMA trusted_schema = OFF")
        return Database(connection, execute_plugins=False)
    except BaseException:
        connection.close()
        raise


def beside(path: Path, *endings: str) -> list[Path]:
    """Files of the same name with something behind it."""
    return [path.with_name(path.name + ending) for ending in endings]


def _remove(path: Path) -> None:
    for file in beside(path, "", "-wal", "-shm", "-journal"):
        file.unlink(missing_ok=True)
