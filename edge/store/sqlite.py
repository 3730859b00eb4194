"""The store: people, their templates, their rules and the audit log in one SQLite file, with one writer."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np

from edge.core.names import clean_name, name_key
from edge.ports import Clock
from edge.store.base import OF_THIS_MODEL, PERSON
from edge.store.checking import check
from edge.store.faults import already_enrolled, explained, nobody_named
from edge.store.lock import StoreLock
from edge.store.log import LogStore
from edge.store.opening import connect, create, make_folder, migrate
from edge.store.rules import RulesStore
from edge.store.templates import check_count, check_templates, read_templates, to_blob
from edge.types import Embedding, Gallery, Person


class SqliteStore(RulesStore, LogStore):
    """``ports.Store`` on a SQLite file. Get one with ``open``; use it from the thread that opened it."""

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
                store._begin(migrate(db, real))
                store._erase_traces()
        except BaseException:
            store.close()
            raise
        return store

    def people(self) -> list[Person]:
        with explained(self._path, "be read"):
            return [Person(*row) for row in self._db.execute(PERSON + "ORDER BY name_key", self._space)]

    def gallery(self) -> Gallery:
        with explained(self._path, "be read"):
            person_ids, templates = read_templates(self._db, self._path, self._model, self._dimension)
            names = dict(self._db.execute("SELECT id, name FROM people").fetchall())
        known = {person_id: names[person_id] for person_id in np.unique(person_ids).tolist()}
        return Gallery(templates=templates, person_ids=person_ids, names=known)

    def enroll(
        self, name: str, templates: Sequence[Embedding], *, add: bool = False, pin_required: bool = False
    ) -> Person:
        name = clean_name(name)
        check_templates(templates, self._dimension)
        now_utc = self._clock.utc()
        with self._writing():
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
            if pin_required:
                self._require_pin(known.id)
            return self._get(known.id)

    def forget(self, name: str) -> Person:
        with self._writing():
            person = self._must_find(name)
            self._db.table("people").delete(person.id)
        self._try_to_erase_traces()
        return person

    def rename(self, name: str, new_name: str) -> Person:
        new_name = clean_name(new_name)
        with self._writing():
            person = self._must_find(name)
            known = self._find(new_name)
            if known is not None and known.id != person.id:
                raise already_enrolled(known.name)
            self._db.table("people").update(person.id, {"name": new_name, "name_key": name_key(new_name)})
            renamed = self._get(person.id)
        self._try_to_erase_traces()
        return renamed

    def _get(self, person_id: int) -> Person:
        return Person(*self._db.execute(PERSON + "WHERE id = :id", {**self._space, "id": person_id}).fetchone())

    def _require_pin(self, person_id: int) -> None:
        sql = """
            INSERT INTO permissions (person_id, disabled, pin_required) VALUES (?, 0, 1)
            ON CONFLICT (person_id) DO UPDATE SET pin_required = 1
        """
        self._db.execute(sql, [person_id])

    def _insert_person(self, name: str, now_utc: str) -> Person:
        sql = "INSERT INTO people (name, name_key, enrolled_utc) VALUES (?, ?, ?) RETURNING id, name, 0, enrolled_utc"
        return Person(*self._db.execute(sql, [name, name_key(name), now_utc]).fetchall()[0])

    def _drop_other_models(self, person_id: int) -> None:
        """Who enrols has templates of one model from here on: biometric data that nothing reads is not kept."""
        sql = f"DELETE FROM templates WHERE person_id = :id AND NOT ({OF_THIS_MODEL})"  # noqa: S608  # constant
        self._db.execute(sql, {**self._space, "id": person_id})
