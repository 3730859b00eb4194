"""Copies of the store kept beside it, and the way back. They hold no key: only the lock that made one can read it, and
of whoever was forgotten since nobody can.
"""

import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from edge.core.names import shown
from edge.errors import StoreError
from edge.ports import Clock
from edge.store.checking import check_content, check_tables, refuse_unsealed
from edge.store.copying import copy_database
from edge.store.faults import damaged, explained
from edge.store.key import flush_folder
from edge.store.keyring import KeyRing
from edge.store.lock import StoreLock
from edge.store.master import MasterKey
from edge.store.opening import beside, make_file, make_folder
from edge.store.owner import as_owner_of
from edge.store.schema import SEALED_SINCE
from edge.store.sqlite import SqliteStore
from edge.types import Event

_NAME = re.compile(r"facelatch-\d{8}T\d{6}Z\.db", re.ASCII)
_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Restored:
    """What is in place now. ``aside``: where what stood there before lies, None where nothing did.
    ``keys_of_nobody``: how many were enrolled after the backup, whose keys are still there."""

    backup: Path
    people: int
    aside: Path | None
    keys_of_nobody: int = 0


def back_up(store: Path, folder: Path, at_utc: str, keep: int) -> Path:
    """A copy of the store in ``folder``, named by its time; of all there the newest ``keep`` stay.

    Raises StoreError.
    """
    made = folder / f"facelatch-{datetime.fromisoformat(at_utc).strftime(_STAMP)}.db"
    make_folder(made)
    with explained(folder, "be tidied"):
        for half in folder.glob("facelatch-*.db.new*"):  # of a backup that was killed
            half.unlink(missing_ok=True)
    copy_database(store, made)
    with explained(folder, "be tidied"):
        for old in backups(folder)[max(keep, 1) :]:
            if old != made:  # a clock that went back must not take away the copy made just now
                old.unlink()
    return made


def backups(folder: Path) -> list[Path]:
    """The copies in ``folder``, newest first; whatever else lies there is none."""
    try:
        return sorted((file for file in folder.iterdir() if _NAME.fullmatch(file.name)), reverse=True)
    except OSError:
        return []


def newest_utc(folder: Path) -> str | None:
    """When the newest copy was made, ISO-8601; None where there is none."""
    for file in backups(folder):
        with suppress(ValueError):
            return datetime.strptime(f"{file.name}+0000", f"facelatch-{_STAMP}.db%z").isoformat()
    return None


def restore(
    store: Path,
    backup: Path,
    template_model: str,
    dimension: int,
    clock: Clock,
    master: MasterKey | None = None,
    reason: str = "",
) -> Restored:
    """Put ``backup`` in the store's place, where no guardian runs; a backup that cannot serve changes nothing.

    The backup is copied first and the copy looked at: what was looked at is what is used. Whoever was forgotten since
    stays forgotten. Raises StoreBusyError, StoreDamagedError, StoreKeyError, StoreTooNewError, StoreError.
    """
    real = Path(os.path.realpath(store))
    master = MasterKey.beside(real) if master is None else master
    with _refusing(backup), explained(backup, "be read"):
        source = _opened(backup)
    with source, as_owner_of(real.parent), ExitStack() as held:
        make_folder(real)
        with explained(real, "be locked"):
            lock = StoreLock(real)
        held.callback(lock.release)
        with _refusing(backup):
            trial = _on_trial(real, source, template_model, dimension, master)
        aside = _put_aside(real, clock.utc())
        with explained(real, "be put in place"):
            trial.replace(real)
            flush_folder(real.parent)
        held.pop_all()
        with SqliteStore.open(real, template_model, dimension, clock, master, lock) as restored:
            people, keys = len(restored.people()), restored.key_state()[3]
            told = {"people": people, "keys_of_nobody": keys}
            restored.log(Event("restored", None, {**told, "backup": backup.name[:100], "reason": reason[:500]}))
    return Restored(backup, people, aside, keys)


def export(store: Path, target: Path) -> None:
    """A copy of the store, in use or not, as the new file ``target``, 0600. Raises StoreError."""
    (fresh,) = beside(store, ".export")
    with as_owner_of(store.parent):
        copy_database(store, fresh)
        with explained(fresh, "be read"):
            source = fresh.open("rb")
            fresh.unlink()
    with source, explained(target, "be written"):
        _write(source, os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))


def _opened(backup: Path) -> BinaryIO:
    """Raises OSError for what is not there or no file."""
    descriptor = os.open(backup, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise damaged(backup, "is not a regular file")
    return os.fdopen(descriptor, "rb")


def _write(source: BinaryIO, descriptor: int) -> None:
    with os.fdopen(descriptor, "wb") as file:
        shutil.copyfileobj(source, file)
        file.flush()
        os.fsync(descriptor)


def _on_trial(real: Path, source: BinaryIO, template_model: str, dimension: int, master: MasterKey) -> Path:
    """A copy of the backup that can take the store's place. Raises StoreError."""
    (trial,) = beside(real, ".trial")
    try:
        with explained(trial, "be written"):
            make_file(trial)
            _write(source, os.open(trial, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC))
        version = check_tables(trial)
        with closing(KeyRing.open(real, master, make=False)) as ring:
            if version < SEALED_SINCE:
                refuse_unsealed(trial, ring)
            check_content(trial, template_model, dimension, ring if version >= SEALED_SINCE else None)
    except BaseException:
        with suppress(OSError):
            trial.unlink(missing_ok=True)
        raise
    return trial


@contextmanager
def _refusing(backup: Path) -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        raise type(error)(f"{shown(str(backup), 120)} is not restored, and nothing was changed. {error}") from error


def _put_aside(real: Path, at_utc: str) -> Path | None:
    """Keep what stands in the store's place under another name, its write-ahead log with it.

    The file goes first: a log without its file is refused by whoever opens the store, a file without its log would be
    taken for whole.
    """
    stamp = datetime.fromisoformat(at_utc).strftime(_STAMP)
    number, aside = 1, real.with_name(f"{real.name}.before-{stamp}")
    while any(file.exists() for file in beside(aside, "", "-wal")):  # nothing put aside before is replaced
        number, aside = number + 1, real.with_name(f"{real.name}.before-{stamp}-{number + 1}")
    found = False
    with explained(real, "be put aside"):
        for ending in ("", "-wal"):
            (file,), (kept,) = beside(real, ending), beside(aside, ending)
            if file.exists():
                found = found or file.stat().st_size > 0
                file.replace(kept)
        real.with_name(real.name + "-shm").unlink(missing_ok=True)  # an index of the log, made anew by whoever opens it
        flush_folder(real.parent)
    return aside if found else None
