"""Every person's own key, wrapped by the master key, in a file of its own: ``<store>.keys``.

It is in no backup. Who is forgotten loses the key first: from then on no copy of the store, however old, holds anything
of that person that can be read. The file keeps the person's number as destroyed, so that a backup brings nobody back,
and gives out the numbers, so that none is given twice even after one was restored.
"""

import hashlib
import logging
import secrets
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

from sqlite_utils import Database

from edge.core.names import shown
from edge.errors import StoreDamagedError, StoreKeyError
from edge.store.faults import explained
from edge.store.master import MasterKey
from edge.store.opening import BUSY_TIMEOUT_S, build, check_file, connect
from edge.store.sealing import KEY_BYTES, OVERHEAD_BYTES, seal, unseal

_log = logging.getLogger(__name__)

APPLICATION_ID = 0x464C4B59
"""``FLKY`` in the file's header (https://www.sqlite.org/fileformat.html, offset 68)."""

VERSION = 1

_KEYS = f"""
    CREATE TABLE keys (
        person_id INTEGER PRIMARY KEY AUTOINCREMENT,
        wrapped BLOB CHECK (length(wrapped) = {KEY_BYTES + OVERHEAD_BYTES}),
        destroyed_utc TEXT,
        CHECK ((wrapped IS NULL) = (destroyed_utc IS NOT NULL))
    ) STRICT
"""

# Which store the keys are of, by which master key they are wrapped, and whether that store is sealed: from then on a
# file of a release that sealed nothing is not this store, whatever stands in it.
_RING = """
    CREATE TABLE ring (
        household BLOB NOT NULL CHECK (length(household) = 16),
        master BLOB NOT NULL CHECK (length(master) = 8),
        sealed INTEGER NOT NULL CHECK (sealed IN (0, 1))
    ) STRICT
"""


class KeyRing:
    """The open file. ``household`` is written into the store as well: keys and store that belong together share it."""

    def __init__(self, db: Database, path: Path, master: MasterKey) -> None:
        """Reads every key. Raises StoreDamagedError, StoreKeyError, StoreError."""
        self._db, self.path, self._master = db, path, master
        with explained(path, "be read"):
            self._check()
            self.household, wrapped_by, sealed = db.execute("SELECT household, master, sealed FROM ring").fetchone()
            self._key = self._matching(wrapped_by)
            rows = db.execute("SELECT person_id, wrapped FROM keys").fetchall()
        self.sealed, self._traces = bool(sealed), True
        try:
            self._keys = {person: wrapped and unseal(self._key, wrapped, self._purpose) for person, wrapped in rows}
        except ValueError as error:
            raise _damaged(path, "holds a key that the master key does not open") from error
        self.erase_traces()  # of a process that was killed before it came to that

    @classmethod
    def open(cls, store: Path, master: MasterKey, *, make: bool) -> Self:
        """The keys of ``store``. With ``make`` they are begun where there are none, and the master key with them.

        Raises StoreKeyError, StoreDamagedError, StoreError.
        """
        path = keys_path(store)
        with explained(path, "be opened"):
            if not path.exists():
                if not make:
                    raise StoreKeyError(
                        f"The file of keys {shown(str(path), 120)} is missing. Put it back; without it nobody's "
                        "templates can be read, and the way on is to move the store away and to enrol everybody anew."
                    )
                key = master.make()
                build(path, lambda db: _make(db, key))
            try:
                check_file(path)
            except StoreDamagedError as error:
                raise _damaged(path, "is not, or no longer, a whole database") from error
            db = connect(path)
        try:
            return cls(db, path, master)
        except BaseException:
            db.close()
            raise

    def close(self) -> None:
        self._db.close()

    def key_of(self, person_id: int) -> bytes | None:
        """The person's key, None where it is destroyed. Raises StoreKeyError for somebody whose key was never here."""
        try:
            return self._keys[person_id]
        except KeyError as error:
            raise StoreKeyError(
                f"The file of keys {shown(str(self.path), 120)} has no key of person {person_id}. Put the newest copy "
                "of that file back."
            ) from error

    def knows(self, person_id: int) -> bool:
        """Whether the number was ever given: the key is here, or destroyed."""
        return person_id in self._keys

    def counts(self) -> tuple[int, int]:
        """Keys in use, and destroyed ones."""
        gone = sum(key is None for key in self._keys.values())
        return len(self._keys) - gone, gone

    def make_key(self, person_id: int | None = None) -> int:
        """A new key, for a number never given before or for ``person_id``, who had none; the number. Raises
        StoreError."""
        key = secrets.token_bytes(KEY_BYTES)
        with self._writing():
            row = [person_id, seal(self._key, key, self._purpose)]
            found = self._db.execute("INSERT INTO keys (person_id, wrapped) VALUES (?, ?) RETURNING person_id", row)
            ((made,),) = found.fetchall()
        self._keys[made] = key
        return int(made)

    def reserve(self, last_id: int) -> None:
        """Give no number up to ``last_id`` to anybody: a store without keys gave them. Raises StoreError."""
        with self._writing():
            self._db.execute("DELETE FROM sqlite_sequence WHERE name = 'keys' AND seq < ?", [last_id])
            self._db.execute(
                "INSERT INTO sqlite_sequence (name, seq) SELECT 'keys', ? WHERE NOT EXISTS "
                "(SELECT 1 FROM sqlite_sequence WHERE name = 'keys')",
                [last_id],
            )

    def destroy(self, person_id: int, at_utc: str) -> None:
        """From here on nothing that was sealed for this person can be read. Raises StoreError."""
        with self._writing():
            sql = "UPDATE keys SET wrapped = NULL, destroyed_utc = ? WHERE person_id = ?"
            self._db.execute(sql, [at_utc, person_id])
        self._keys[person_id] = None
        self._traces = True
        self.erase_traces()

    def rotate(self) -> None:
        """Wrap every key with the next master key. Killed at any moment, the old or the new one is in force.

        Raises StoreKeyError, StoreError.
        """
        key = self._master.prepare()
        try:
            with self._writing():
                for person_id, own in self._keys.items():
                    if own is not None:
                        wrapped = seal(key, own, self._purpose)
                        self._db.execute("UPDATE keys SET wrapped = ? WHERE person_id = ?", [wrapped, person_id])
                self._db.execute("UPDATE ring SET master = ?", [_mark(key)])
        finally:  # a commit may take effect and fail all the same
            with explained(self.path, "be read"):
                if self._db.execute("SELECT master FROM ring").fetchone()[0] == _mark(key):
                    self._key = key
        self._master.put_in_place()
        self._traces = True
        self.erase_traces()

    def note_sealed(self) -> None:
        """The store is sealed from here on, for good. Raises StoreError."""
        if not self.sealed:
            with self._writing():
                self._db.execute("UPDATE ring SET sealed = 1")
            self.sealed = True

    def erase_traces(self) -> None:
        """Carry the write-ahead log into the file and empty it: it may hold wrapped keys that are destroyed.

        What prevents that is logged, and it is tried again at the next call; what was done is done.
        """
        if not self._traces:
            return
        try:
            busy = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            self._traces = bool(busy)
        except sqlite3.Error as error:
            busy = error
        if self._traces:
            _log.warning("%s still holds traces of destroyed keys: %s", shown(str(self.path), 120), busy)

    def without_person(self, people: Collection[int]) -> list[int]:
        """Numbers whose key is in use though nobody in the store has them."""
        return sorted(number for number, key in self._keys.items() if key is not None and number not in people)

    def mark(self) -> str:
        """What the master key can be told by, hexadecimal; says nothing of the key."""
        return _mark(self._key).hex()

    @property
    def _purpose(self) -> str:
        return f"data key of {self.household.hex()}"

    def _matching(self, wrapped_by: bytes) -> bytes:
        """The master key that the keys are wrapped by; a change of keys that was interrupted is brought to its end."""
        following = self._master.read_next()
        if following is not None and _mark(following) == wrapped_by:
            self._master.put_in_place()
            return following
        if following is not None:
            self._master.drop_next()
        key = self._master.read()
        if _mark(key) != wrapped_by:
            raise StoreKeyError(
                f"The master key {shown(str(self._master.path), 120)} is not the one of {shown(str(self.path), 120)}. "
                "Put the right one back."
            )
        return key

    def _check(self) -> None:
        """A sound file of ours. Raises StoreDamagedError, sqlite3.Error."""
        try:
            known = [self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
            if known != [APPLICATION_ID, VERSION]:
                raise _damaged(self.path, "is not a file of keys that this release knows")
            if self._db.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":
                raise _damaged(self.path, "is damaged")
            with closing(Database(memory=True, execute_plugins=False)) as model:
                _make_tables(model)
                if _schema(self._db) != _schema(model):
                    raise _damaged(self.path, "holds tables that facelatch does not make")
            if self._db.execute("SELECT count(*) FROM ring").fetchone()[0] != 1:
                raise _damaged(self.path, "does not say whose keys it holds")
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            raise _damaged(self.path, "is damaged") from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with explained(self.path, "be written"):
            self._db.execute(f"PRAGMA busy_timeout = {round(BUSY_TIMEOUT_S * 1000)}")
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._db.rollback()
                raise


def keys_path(store: Path) -> Path:
    return store.with_name(store.name + ".keys")


def _make(db: Database, master: bytes) -> None:
    with db.atomic():
        _make_tables(db)
        ring = [secrets.token_bytes(16), _mark(master)]
        db.execute("INSERT INTO ring (household, master, sealed) VALUES (?, ?, 0)", ring)


def _make_tables(db: Database) -> None:
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(_KEYS)
    db.execute(_RING)
    db.execute(f"PRAGMA user_version = {VERSION}")


def _schema(db: Database) -> set[tuple[str, ...]]:
    return set(db.execute("SELECT type, name, sql FROM sqlite_schema WHERE name NOT GLOB 'sqlite_*'"))


def _mark(key: bytes) -> bytes:
    """Eight bytes of a digest: tells 2**64 keys apart, and a random key of 256 bits cannot be found from it."""
    return hashlib.sha256(b"facelatch master key " + key).digest()[:8]


def _damaged(path: Path, finding: str) -> StoreDamagedError:
    return StoreDamagedError(
        f"The file of keys {shown(str(path), 120)} {finding}. It was left as it is: put a sound copy back, or move it "
        "and the store away and enrol everybody anew."
    )
