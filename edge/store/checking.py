"""Is this file a sound store of ours? Asked through a connection that cannot write, before anything else touches it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlite_utils import Database

from edge.core.names import clean_name, name_key, shown
from edge.errors import PersonNameError, StoreKeyError, StoreTooNewError
from edge.store.faults import damaged, explained, where
from edge.store.identity import read_identities
from edge.store.keyring import KeyRing
from edge.store.opening import BUSY_TIMEOUT_S, check_file, has_log
from edge.store.permissions import read_holidays, read_permissions, read_pins, read_plain_pins
from edge.store.schema import APPLICATION_ID, KNOWN, RULES_SINCE, migrations
from edge.store.sealing import OVERHEAD_BYTES
from edge.store.templates import read_templates


def check_tables(path: Path) -> int:
    """Raise unless the file at ``path`` is a sound database with a store's tables; the version of its schema.

    Its bytes stay as they are. Raises StoreDamagedError, StoreTooNewError, StoreBusyError, StoreError.
    """
    with _read(path) as db:
        _check_version(db, path)
        _check_soundness(db, path)
        _check_schema(db, path)
        return _number(db, "PRAGMA user_version")


def check_content(path: Path, template_model: str, dimension: int, ring: KeyRing | None) -> None:
    """Raise unless all that the tables hold is what facelatch stores. ``ring``: None for a store that seals nothing.

    The embeddings of this model are looked at one by one; of those of other models, which are never read, only the
    length. Raises StoreDamagedError, StoreKeyError, StoreError.
    """
    with _read(path) as db:
        if ring is None:
            _check_unsealed(db, path)
            return
        household = db.execute("SELECT value FROM settings WHERE key = 'household'").fetchone()
        if household is None or household[0] != ring.household.hex():
            raise StoreKeyError(
                f"{where(path)} and the file of keys {shown(str(ring.path), 120)} do not belong together. Put the one "
                "back that does; a backup can be read only by the lock that made it."
            )
        for (date,) in db.execute("SELECT enrolled_utc FROM people"):
            if not (date.isascii() and date.isprintable()):
                raise damaged(path, "holds a date that facelatch would not store")
        names = [name_key(identity.name) for identity in read_identities(db, path, ring).values()]
        if len(set(names)) < len(names):
            raise damaged(path, "holds two people of one name")
        _check_lengths(db, path, "sealed", OVERHEAD_BYTES)
        read_templates(db, path, template_model, dimension, ring)
        read_permissions(db, path)
        read_pins(db, path, ring)
        read_holidays(db, path)


def refuse_unsealed(path: Path, ring: KeyRing) -> None:
    """Raise StoreDamagedError for a file of a release that sealed nothing, where the store was sealed before.

    Anybody can write such a file: taken over, it would make the writer's face the owner's.
    """
    if ring.sealed:
        raise damaged(path, "is of a release that sealed nothing, and this lock's store has been sealed since")


def _check_unsealed(db: Database, path: Path) -> None:
    """Everything is taken over and sealed: the templates of every model."""
    _check_people(db, path)
    _check_lengths(db, path, "embedding", 0)
    if _number(db, "PRAGMA user_version") >= RULES_SINCE:
        read_permissions(db, path)
        read_plain_pins(db, path)
        read_holidays(db, path)


@contextmanager
def _read(path: Path) -> Iterator[Database]:
    with explained(path, "be opened"):
        check_file(path)
        with closing(_connect_read_only(path)) as db:
            try:
                db.execute("PRAGMA trusted_schema = OFF")
                yield db
            except sqlite3.OperationalError as error:
                if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR:
                    raise
                # Our SQL does not fit the tables.
                raise damaged(path, f"is damaged ({shown(str(error), 80)[1:-1]})") from error


def _connect_read_only(path: Path) -> Database:
    """Without a write-ahead log the file alone is the truth, and ``immutable`` leaves no trace beside it.

    With one (after a crash) SQLite has to read both; it then makes a ``-shm`` file, and still writes neither.
    """
    how = "mode=ro" if has_log(path) else "mode=ro&immutable=1"
    connection = sqlite3.connect(f"{path.as_uri()}?{how}", uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    return Database(connection, execute_plugins=False)


def _check_version(db: Database, path: Path) -> None:
    if _number(db, "PRAGMA application_id") != APPLICATION_ID:
        raise damaged(path, "is a SQLite database of another program")
    version = _number(db, "PRAGMA user_version")
    # Not migrations.applied(): it takes the table's columns for granted.
    sql = "SELECT name, applied_at FROM _sqlite_migrations WHERE migration_set = ? ORDER BY id"
    applied = tuple(name for name, _ in db.execute(sql, [migrations.name]))
    if version > len(KNOWN) or not set(applied) <= set(KNOWN):
        raise StoreTooNewError(
            f"{where(path)} was written by a newer facelatch (schema {version}, this one knows {len(KNOWN)}). "
            "It was left as it is: update facelatch, or restore an older backup."
        )
    if version < 1 or applied != KNOWN[:version]:
        raise damaged(path, "has a schema version that contradicts its migrations")


def _check_soundness(db: Database, path: Path) -> None:
    """SQLite's own check.

    On a read-only connection SQLite ignores CHECK constraints: what they say is looked at by the functions below.
    """
    # Measured with 50,000 templates: 0.1 s, no more than quick_check, which leaves indexes and UNIQUE out.
    finding = str(db.execute("PRAGMA integrity_check(1)").fetchone()[0])
    if finding != "ok":
        raise damaged(path, f"is damaged ({shown(finding, 80)[1:-1]})")
    if db.execute("PRAGMA foreign_key_check").fetchone():
        raise damaged(path, "is damaged (a template, permission or PIN belongs to nobody)")


def _check_schema(db: Database, path: Path) -> None:
    """The very tables that our migrations make: a lost ``ON DELETE CASCADE`` or a trigger would act on writes."""
    with closing(Database(memory=True, execute_plugins=False)) as model:
        migrations.apply(model, stop_before=KNOWN[_number(db, "PRAGMA user_version") :])
        if _schema(db) != _schema(model):
            raise damaged(path, "holds tables that facelatch does not make")


def _schema(db: Database) -> set[tuple[str, ...]]:
    """Everything that somebody created; SQLite's own tables and the one of sqlite-utils aside."""
    own = "name NOT GLOB 'sqlite_*' AND (tbl_name != '_sqlite_migrations' OR type = 'trigger')"
    return set(db.execute(f"SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE {own}"))  # noqa: S608  # constant


def _check_people(db: Database, path: Path) -> None:
    """Every name and date is one that facelatch would store, so that they can be shown from here on."""
    for name, key, date in db.execute("SELECT name, name_key, enrolled_utc FROM people"):
        try:
            sound = clean_name(name) == name and name_key(name) == key and date.isascii() and date.isprintable()
        except PersonNameError:
            sound = False
        if not sound:
            raise damaged(path, f"holds a person that facelatch would not store, {shown(name)}")


def _check_lengths(db: Database, path: Path, column: str, more: int) -> None:
    """Of the templates of every model: a row whose length contradicts its dimension is nobody's."""
    sql = f"SELECT 1 FROM templates WHERE length({column}) != 4 * dimension + {more} LIMIT 1"  # noqa: S608  # constants
    if db.execute(sql).fetchone():
        raise damaged(path, "holds a template of the wrong length")


def _number(db: Database, sql: str) -> int:
    return int(db.execute(sql).fetchone()[0])
