"""What SQLite and the system report, as errors of facelatch: what failed, where, and what to do."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.core.names import shown
from edge.errors import StoreBusyError, StoreDamagedError, StoreError

# Primary result codes, https://www.sqlite.org/rescode.html; the extended ones carry them in the low byte.
_ACCESS = {sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}


def where(path: Path) -> str:
    """The store's path for a message."""
    return f"The store {shown(str(path), 120)}"


def damaged(path: Path, finding: str) -> StoreDamagedError:
    """The one error for a file that is not, or no longer, a store."""
    return StoreDamagedError(
        f"{where(path)} {finding}. It was left as it is: restore a backup (`facelatch restore`), or move it and its "
        "file of keys away and enrol everybody anew."
    )


@contextmanager
def explained(path: Path, doing: str) -> Iterator[None]:
    """Turn what goes wrong while ``doing`` something ("be opened", "be written") into a StoreError."""
    try:
        yield
    except StoreError:  # itself an OSError
        raise
    except sqlite3.Error as error:
        raise _from_sqlite(error, path, doing) from error
    except UnicodeDecodeError as error:  # SQLite's own message quotes the damage
        raise damaged(path, "is damaged (text that is not UTF-8)") from error
    except OSError as error:
        advice = "Check the disk, and the owner and permissions of the file and its folder."
        raise StoreError(f"{where(path)} cannot {doing} ({error.strerror}). {advice}") from error


def _from_sqlite(error: sqlite3.Error, path: Path, doing: str) -> StoreError:
    # Errors of the sqlite3 module itself carry no code; the operational one is text that is not UTF-8.
    undecodable = sqlite3.SQLITE_CORRUPT if isinstance(error, sqlite3.OperationalError) else sqlite3.SQLITE_ERROR
    code = getattr(error, "sqlite_errorcode", undecodable) & 0xFF
    if code in _DAMAGED:
        return damaged(path, f"is damaged ({shown(str(error), 80)[1:-1]})")
    problem = f"{where(path)} cannot {doing} ({shown(str(error), 80)[1:-1]})."
    if code in _BUSY:
        return StoreBusyError(f"{problem} Close the program that has it open.")
    if code == sqlite3.SQLITE_FULL:
        return StoreError(f"{problem} Free some space on the disk; nothing was changed.")
    if code in _ACCESS:
        return StoreError(f"{problem} Check the owner and permissions of the file and its folder.")
    return StoreError(f"{problem} Check the disk; nothing was changed.")
