"""The store: people, their templates and the audit log in one SQLite file, with one writer."""

import logging
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from sqlite_utils import Database

from edge.core.names import clean_name, name_key
from edge.ports import Clock
from edge.store.checking import check
from edge.store.events import LoggedEvent, detail_from, detail_json
from edge.store.faults import already_enrolled, damaged, explained, nobody_named, where
from edge.store.lock import StoreLock
from edge.store.opening import connect, create, make_folder
from edge.store.schema import migrations
from edge.store.templates import check_count, check_templates, read_templates, to_blob
from edge.types import Embedding, Event, Gallery, Person

_log = logging.getLogger(__name__)

_OF_THIS_MODEL = "model_id = :model AND dimension = :dimension"

# Who has no template of this model gets the model of the newest one instead.
_PERSON = f"""
    WITH counted AS (
        SELECT *, (SELECT count(*) FROM templates WHERE person_id = people.id AND {_OF_THIS_MODEL}) AS count FROM people
    )
    SELECT id, name, count, enrolled_utc, CASE count WHEN 0 THEN
        (SELECT model_id FROM templates WHERE person_id = counted.id ORDER BY id DESC LIMIT 1)
    END FROM counted
"""  # noqa: S608  # constant


class SqliteStore:
    """``ports.Store`` on a SQLite file. Get one with ``open``; use it from the thread that opened it."""

    def __init__(
        self, db: Database, lock: StoreLock, path: Path, template_model: str, dimension: int, clock: Clock
    ) -> None:
        self._db = db
        self._lock = lock
        self._path = path
        self._model = template_model
        self._dimension = dimension
        self._space = {"model": template_model, "dimension": dimension}
        self._clock = clock

    @classmethod
    def open(cls, path: str | os.PathLike[str], template_model: str, dimension: int, clock: Clock) -> Self:
        """Open the store at ``path`` as its only writer, or create it (file 0600, new folder 0700).

        ``template_model`` and ``dimension`` are the embedder's: templates of another stay in the file, so that going
        back to it works, and are never handed out. Whatever is refused keeps its bytes. Raises StoreBusyError,
        StoreDamagedError, StoreTooNewError, StoreError.
        """
        # Two names of one file (a symlink) must share one lock.
        real = Path(os.path.realpath(path))
        make_folder(real)
        with explained(real, "be locked"):
            lock = StoreLock(real)
        try:
            if real.exists():
                check(real, template_model, dimension)
            else:
                create(real)
            with explained(real, "be opened"):
                db = connect(real)
        except BaseException:
            lock.release()
            raise
        store = cls(db, lock, real, template_model, dimension, clock)
        try:
            with explained(real, "be opened"):
                migrations.apply(db)
                store._erase_traces()
        except BaseException:
            store.close()
            raise
        return store

    def people(self) -> list[Person]:
        with explained(self._path, "be read"):
            return [Person(*row) for row in self._db.execute(_PERSON + "ORDER BY name_key", self._space)]

    def gallery(self) -> Gallery:
        with explained(self._path, "be read"):
            person_ids, templates = read_templates(self._db, self._path, self._model, self._dimension)
            names = dict(self._db.execute("SELECT id, name FROM people").fetchall())
        known = {person_id: names[person_id] for person_id in np.unique(person_ids).tolist()}
        return Gallery(templates=templates, person_ids=person_ids, names=known)

    def enroll(self, name: str, templates: Sequence[Embedding], *, add: bool = False) -> Person:
        name = clean_name(name)
        check_templates(templates, self._dimension)
        now_utc = self._clock.utc()
        with explained(self._path, "be written"), self._db.atomic():
            known = self._find(name)
            if known is None and add:
                raise nobody_named(name, self._names())
            if known is not None and not known.enrol_again and not add:
                raise already_enrolled(known.name)
            if known is None:
                known = self._insert_person(name, now_utc)
            self._drop_other_models(known.id)
            check_count(known.templates + len(templates))
            self._db.table("templates").insert_all(
                {
                    "person_id": known.id,
                    "model_id": self._model,
                    "dimension": self._dimension,
                    "embedding": to_blob(template),
                    "created_utc": now_utc,
                }
                for template in templates
            )
            return self._get(known.id)

    def forget(self, name: str) -> Person:
        with explained(self._path, "be written"), self._db.atomic():
            person = self._find(name)
            if person is None:
                raise nobody_named(name, self._names())
            self._db.table("people").delete(person.id)
        # From here on the person is forgotten, and no error may say otherwise.
        try:
            self._erase_traces()
        except sqlite3.Error as error:
            _log.warning("%s still holds traces of erased data: %s", where(self._path), error)
        return person

    def log(self, event: Event) -> None:
        row = {
            "at_utc": self._clock.utc(),
            "kind": event.kind,
            "person_id": event.person_id,
            "detail": detail_json(event),
        }
        with explained(self._path, "be written"):
            self._db.table("events").insert(row)

    def events(self, limit: int) -> list[LoggedEvent]:
        """The newest ``limit`` lines of the audit log, newest first. Raises StoreError."""
        sql = "SELECT id, at_utc, kind, person_id, detail FROM events ORDER BY id DESC LIMIT ?"
        with explained(self._path, "be read"):
            rows = self._db.execute(sql, [max(limit, 0)]).fetchall()
        try:
            return [LoggedEvent(n, at, Event(kind, who, detail_from(detail))) for n, at, kind, who, detail in rows]
        except ValueError as error:
            raise damaged(self._path, "holds a line of the log that facelatch does not write") from error

    def close(self) -> None:
        """Close the file and give its lock back; may be called twice."""
        self._db.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _find(self, name: str) -> Person | None:
        row = self._db.execute(_PERSON + "WHERE name_key = :key", {**self._space, "key": name_key(name)}).fetchone()
        return None if row is None else Person(*row)

    def _get(self, person_id: int) -> Person:
        return Person(*self._db.execute(_PERSON + "WHERE id = :id", {**self._space, "id": person_id}).fetchone())

    def _names(self) -> list[str]:
        return [name for (name,) in self._db.execute("SELECT name FROM people ORDER BY name_key")]

    def _insert_person(self, name: str, now_utc: str) -> Person:
        sql = "INSERT INTO people (name, name_key, enrolled_utc) VALUES (?, ?, ?) RETURNING id, name, 0, enrolled_utc"
        return Person(*self._db.execute(sql, [name, name_key(name), now_utc]).fetchall()[0])

    def _drop_other_models(self, person_id: int) -> None:
        """Who enrols has templates of one model from here on: biometric data that nothing reads is not kept."""
        sql = f"DELETE FROM templates WHERE person_id = :id AND NOT ({_OF_THIS_MODEL})"  # noqa: S608  # constant
        self._db.execute(sql, {**self._space, "id": person_id})

    def _erase_traces(self) -> None:
        """Carry the write-ahead log into the file and empty it: it may still hold a forgotten person's templates.

        Another program that is reading can prevent that. The person is gone all the same; the traces go at the next
        call, at closing or at the next opening.
        """
        if self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            _log.warning("%s is being read by another program and keeps traces of erased data", where(self._path))
