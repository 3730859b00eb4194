"""Is this file a sound store of ours? Asked through a connection that cannot write, before anything else touches it."""

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from edge.core.names import clean_name, name_key, shown
from edge.errors import PersonNameError, StoreTooNewError, TemplateModelError
from edge.store.faults import damaged, explained, where
from edge.store.opening import BUSY_TIMEOUT_S
from edge.store.schema import APPLICATION_ID, KNOWN, migrations
from edge.store.templates import read_templates

_MAGIC = b"SQLite format 3\0"  # https://www.sqlite.org/fileformat.html, 1.3.1


def check(path: Path, template_model: str, dimension: int) -> None:
    """Raise unless the file at ``path`` is a sound store of this embedding model; its bytes stay as they are.

    Raises StoreDamagedError, StoreTooNewError, TemplateModelError, StoreBusyError, StoreError.
    """
    with explained(path, "be opened"):
        _check_file(path)
        with closing(_connect_read_only(path)) as db:
            try:
                _check_version(db, path)
                _check_soundness(db, path)
                _check_people(db, path)
                _check_model(db, path, template_model, dimension)
                read_templates(db, path, dimension)
            except sqlite3.OperationalError as error:
                # Plain SQLITE_ERROR is SQL that does not fit the tables, or text that is not UTF-8.
                if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) != sqlite3.SQLITE_ERROR:
                    raise
                raise damaged(path, f"is damaged ({shown(str(error), 80)[1:-1]})") from error


def _check_file(path: Path) -> None:
    """A regular file, readable and writable, that begins as SQLite's do."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise damaged(path, "is not a regular file")
    # Opening for writing shows a read-only file or disk now, and changes nothing.
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        begins = os.pread(descriptor, len(_MAGIC), 0)
    finally:
        os.close(descriptor)
    if begins != _MAGIC:
        raise damaged(path, "is not a SQLite database" if begins else "is an empty file")


def _connect_read_only(path: Path) -> Database:
    """Without a write-ahead log the file alone is the truth, and ``immutable`` leaves no trace beside it.

    With one (after a crash) SQLite has to read both; it then makes a ``-shm`` file, and still writes neither.
    """
    log = path.with_name(path.name + "-wal")
    how = "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
    connection = sqlite3.connect(f"{path.as_uri()}?{how}", uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    connection.execute("PRAGMA trusted_schema = OFF")
    return Database(connection, execute_plugins=False)


def _check_version(db: Database, path: Path) -> None:
    if _number(db, "PRAGMA application_id") != APPLICATION_ID:
        raise damaged(path, "is a SQLite database of another program")
    version = _number(db, "PRAGMA user_version")
    applied = tuple(migration.name for migration in migrations.applied(db))
    if version > len(KNOWN) or not set(applied) <= set(KNOWN):
        raise StoreTooNewError(
            f"{where(path)} was written by a newer facelatch (schema {version}, this one knows {len(KNOWN)}). "
            "It was left as it is: update facelatch, or restore an older backup."
        )
    if version < 1 or applied != KNOWN[:version]:
        raise damaged(path, "has a schema version that contradicts its migrations")


def _check_soundness(db: Database, path: Path) -> None:
    """SQLite's own checks (constraints and strict types included), and nothing that acts by itself on our writes."""
    finding = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    if finding != "ok":
        raise damaged(path, f"is damaged ({shown(finding, 80)[1:-1]})")
    if db.execute("PRAGMA foreign_key_check").fetchone():
        raise damaged(path, "is damaged (a template belongs to nobody)")
    if _number(db, "SELECT count(*) FROM sqlite_schema WHERE type IN ('trigger', 'view')"):
        raise damaged(path, "holds triggers or views, which facelatch never makes")


def _check_people(db: Database, path: Path) -> None:
    """Every name is one that facelatch would store, so that all of it may trust names from here on."""
    for name, key in db.execute("SELECT name, name_key FROM people"):
        try:
            sound = clean_name(name) == name and name_key(name) == key
        except PersonNameError:
            sound = False
        if not sound:
            raise damaged(path, f"holds a name that facelatch does not store, {shown(name)}")


def _check_model(db: Database, path: Path, template_model: str, dimension: int) -> None:
    for found_model, found_dimension in db.execute("SELECT DISTINCT model_id, dimension FROM templates"):
        if (found_model, found_dimension) != (template_model, dimension):
            raise TemplateModelError(
                f"{where(path)} holds templates of the model {shown(found_model)} with {found_dimension} values, "
                f"and {shown(template_model)} with {dimension} is in use; the two cannot be compared. "
                "It was left as it is: go back to that model, or move the file away and enrol everybody anew."
            )


def _number(db: Database, sql: str) -> int:
    return int(db.execute(sql).fetchone()[0])
