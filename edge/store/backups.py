"""Copies of the store kept beside it, and the way back. They hold no key: only the lock that made one can read it, and
of whoever was forgotten since nobody can.
"""

import os
import re
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from edge.core.names import shown
from edge.errors import StoreError
from edge.ports import Clock
from edge.store.checking import check_content, check_tables
from edge.store.copying import copy_database
from edge.store.faults import explained
from edge.store.key import flush_folder
from edge.store.keyring import KeyRing
from edge.store.lock import StoreLock
from edge.store.master import MasterKey
from edge.store.opening import beside, make_folder
from edge.store.schema import SEALED_SINCE
from edge.store.sqlite import SqliteStore
from edge.types import Event

_NAME = re.compile(r"facelatch-\d{8}T\d{6}Z\.db", re.ASCII)
_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Restored:
    """What is in place now. ``aside``: where what stood there before lies, None where nothing did."""

    backup: Path
    people: int
    aside: Path | None


def back_up(store: Path, folder: Path, at_utc: str, keep: int) -> Path:
    """A copy of the store in ``folder``, named by its time; of all there the newest ``keep`` stay.

    Raises StoreError.
    """
    made = folder / f"facelatch-{datetime.fromisoformat(at_utc).strftime(_STAMP)}.db"
    make_folder(made)
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
    make_folder(real)
    with ExitStack() as held:
        with explained(real, "be locked"):
            lock = StoreLock(real)
        held.callback(lock.release)
        trial = _on_trial(real, backup, template_model, dimension, master)
        aside = _put_aside(real, clock.utc())
        with explained(real, "be put in place"):
            trial.replace(real)
            flush_folder(real.parent)
        held.pop_all()
    with SqliteStore.open(real, template_model, dimension, clock, master, lock) as restored:
        people = len(restored.people())
        restored.log(Event("restored", None, {"backup": backup.name[:100], "people": people, "reason": reason[:500]}))
    return Restored(backup, people, aside)


def _on_trial(real: Path, backup: Path, template_model: str, dimension: int, master: MasterKey) -> Path:
    """A copy of the backup that can take the store's place. Raises StoreError."""
    (trial,) = beside(real, ".trial")
    try:
        copy_database(backup, trial)
        if check_tables(trial) < SEALED_SINCE:
            check_content(trial, template_model, dimension, None)
        else:
            with closing(KeyRing.open(real, master, make=False)) as ring:
                check_content(trial, template_model, dimension, ring)
    except StoreError as error:
        with suppress(OSError):
            trial.unlink(missing_ok=True)
        raise type(error)(f"{shown(str(backup), 120)} is not restored, and nothing was changed. {error}") from error
    return trial


def _put_aside(real: Path, at_utc: str) -> Path | None:
    """Keep what stands in the store's place under another name, its write-ahead log with it.

    The file goes first: a log without its file is refused by whoever opens the store, a file without its log would be
    taken for whole.
    """
    aside = real.with_name(f"{real.name}.before-{datetime.fromisoformat(at_utc).strftime(_STAMP)}")
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
