"""What the parts of the store share: one connection, its lock, and who is enrolled under a name."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlite_utils import Database

from edge.core.names import name_key, nobody_named
from edge.ports import Clock
from edge.store.faults import damaged, explained, where
from edge.store.identity import Identity, read_identities
from edge.store.keyring import KeyRing
from edge.store.lock import StoreLock
from edge.store.opening import BUSY_TIMEOUT_S
from edge.types import Person

_log = logging.getLogger(__name__)

OF_THIS_MODEL = "model_id = :model AND dimension = :dimension"

# Who has no template of this model gets the model of the newest one instead.
_PERSON = f"""
    WITH counted AS (
        SELECT *, (SELECT count(*) FROM templates WHERE person_id = people.id AND {OF_THIS_MODEL}) AS count FROM people
    )
    SELECT id, count, enrolled_utc, CASE count WHEN 0 THEN
        (SELECT model_id FROM templates WHERE person_id = counted.id ORDER BY id DESC LIMIT 1)
    END FROM counted
"""  # noqa: S608  # constant


class OpenStore:
    """An open file and its keys. ``space``: the embedding model in use and its dimension.

    Names are sealed, so SQL cannot search them: who is who is kept in memory, and read anew when it changed.
    """

    def __init__(
        self,
        db: Database,
        ring: KeyRing,
        lock: StoreLock,
        path: Path,
        template_model: str,
        dimension: int,
        clock: Clock,
    ) -> None:
        self._db, self._ring, self._lock, self._path, self._clock = db, ring, lock, path, clock
        self._model, self._dimension = template_model, dimension
        self._space = {"model": template_model, "dimension": dimension}
        self._identities: dict[int, Identity] | None = None

    def close(self) -> None:
        """Close the file and give its lock back; may be called twice."""
        self._db.close()
        self._ring.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _writing(self, *, patient: bool = True) -> Iterator[None]:
        """One transaction, with SQLite's write lock from the first line on; errors are explained.

        ``patient``: another program's lock is waited for.
        """
        with explained(self._path, "be written"):
            self._wait_for_locks(BUSY_TIMEOUT_S if patient else 0)
            try:
                self._db.execute("BEGIN IMMEDIATE")
            finally:
                self._wait_for_locks(BUSY_TIMEOUT_S)
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._identities = None
                self._db.rollback()  # does nothing when SQLite has done it
                raise

    def _wait_for_locks(self, seconds: float) -> None:
        self._db.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")

    def _erase_traces(self) -> None:
        """Carry the write-ahead log into the file and empty it: it may still hold what was deleted.

        Another program that is reading can prevent that. What was deleted is gone all the same; the traces go at the
        next call, at closing or at the next opening. Raises sqlite3.Error.
        """
        if self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            _log.warning("%s is being read by another program and keeps traces of erased data", where(self._path))

    def _try_to_erase_traces(self) -> None:
        """After a deletion that is done: no error may say otherwise."""
        try:
            self._erase_traces()
        except sqlite3.Error as error:
            _log.warning("%s still holds traces of erased data: %s", where(self._path), error)

    def _who(self) -> dict[int, Identity]:
        """Everybody, by number. Raises StoreDamagedError, StoreKeyError, sqlite3.Error."""
        if self._identities is None:
            self._identities = read_identities(self._db, self._path, self._ring)
        return self._identities

    def _key(self, person_id: int) -> bytes:
        """Of somebody enrolled: whose key is destroyed is found by no name. Raises StoreKeyError."""
        key = self._ring.key_of(person_id)
        if key is None:
            raise nobody_named(f"number {person_id}", ())
        return key

    def _persons(self, condition: str = "", person_id: int | None = None) -> list[Person]:
        rows = self._db.execute(_PERSON + condition, {**self._space, "id": person_id}).fetchall()
        who = self._who()
        return [
            Person(number, known.name, count, enrolled_utc, former, known.consent, known.expires)
            for number, count, enrolled_utc, former in rows
            if (known := who.get(number)) is not None
        ]

    def _get(self, person_id: int) -> Person:
        found = self._persons("WHERE id = :id", person_id)
        if not found:  # another program has removed the row
            self._identities = None
            raise damaged(self._path, f"lost person {person_id} while it was in use")
        return found[0]

    def _find(self, name: str) -> Person | None:
        wanted = name_key(name)
        found = [number for number, known in self._who().items() if name_key(known.name) == wanted]
        return self._get(found[0]) if found else None

    def _must_find(self, name: str) -> Person:
        """Raises PersonError when nobody has the name."""
        person = self._find(name)
        if person is None:
            raise nobody_named(name, self._names())
        return person

    def _names(self) -> list[str]:
        return sorted((known.name for known in self._who().values()), key=name_key)
