"""The store: people, their templates, their rules and the audit log in one SQLite file, with one writer."""

import logging
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import numpy as np

from edge.core.names import already_enrolled, clean_name, name_key, nobody_named
from edge.errors import StoreError
from edge.ports import Clock
from edge.store.base import OF_THIS_MODEL
from edge.store.checking import check_content, check_tables, refuse_unsealed
from edge.store.copying import copy_database
from edge.store.faults import damaged, explained, where
from edge.store.identity import Identity, seal_identity
from edge.store.keyring import KeyRing
from edge.store.lock import StoreLock
from edge.store.log import LogStore
from edge.store.master import MasterKey
from edge.store.opening import beside, build, connect, make_folder
from edge.store.rules import RulesStore
from edge.store.schema import KNOWN, SEALED_SINCE
from edge.store.templates import (
    check_count,
    check_crops,
    check_templates,
    read_crops,
    read_templates,
    seal_crop,
    seal_template,
    to_blob,
)
from edge.store.upgrade import begin, migrate
from edge.types import Consent, Embedding, Event, Gallery, Person

_log = logging.getLogger(__name__)


class SqliteStore(RulesStore, LogStore):
    """``ports.Store`` on a SQLite file. Get one with ``open``; use it from the thread that opened it."""

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        template_model: str,
        dimension: int,
        clock: Clock,
        master: MasterKey | None = None,
        lock: StoreLock | None = None,
    ) -> Self:
        """Open the store at ``path`` as its only writer, or create it (file 0600, new folder 0700).

        ``template_model`` and ``dimension`` are the embedder's: templates of another stay in the file, so that going
        back to it works, and are never handed out. ``master``: the master key, where it is not beside the store.
        ``lock``: one that the caller holds and hands over. Whatever is refused keeps its bytes. Raises StoreBusyError,
        StoreDamagedError, StoreKeyError, StoreTooNewError, StoreError.
        """
        # Two names of one file (a symlink) must share one lock.
        real = Path(os.path.realpath(path))
        master = MasterKey.beside(real) if master is None else master
        make_folder(real)
        with ExitStack() as opened:  # whatever fails, what was opened is closed again
            if lock is None:
                with explained(real, "be locked"):
                    lock = StoreLock(real)
            opened.callback(lock.release)
            ring, version = _examined(real, template_model, dimension, master)
            opened.callback(ring.close)
            _copy_before_upgrade(real, version)
            with explained(real, "be opened"):
                db = connect(real)
                opened.callback(db.close)
                store = cls(db, ring, lock, real, template_model, dimension, clock)
                store._begin(migrate(db, real, ring))
                ring.note_sealed()
                store._finish_forgetting()
                store._erase_traces()
            store._remove_left_overs()
            opened.pop_all()
            return store

    def people(self) -> list[Person]:
        with explained(self._path, "be read"):
            return sorted(self._persons(), key=lambda person: name_key(person.name))

    def gallery(self, person_id: int | None = None) -> Gallery:
        with explained(self._path, "be read"):
            space = (self._model, self._dimension)
            person_ids, templates = read_templates(self._db, self._path, *space, self._ring, person_id)
            who = self._who()
        known = {number: who[number].name for number in np.unique(person_ids).tolist()}
        return Gallery(templates=templates, person_ids=person_ids, names=known)

    def enroll(
        self,
        name: str,
        templates: Sequence[Embedding],
        *,
        add: bool = False,
        pin_required: bool = False,
        consent: Consent | None = None,
        expires: str | None = None,
        crops: Sequence[bytes] = (),
    ) -> Person:
        name = clean_name(name)
        check_templates(templates, self._dimension)
        check_crops(crops, len(templates))
        identity = Identity.of(name, consent, expires)
        now_utc = self._clock.utc()
        known = self._allowed(name, len(templates), add=add)
        # The key first: whoever is in the store has one, whenever the power goes.
        person_id = known.id if known else self._ring.make_key()
        with self._writing():
            if known is None:
                sealed = seal_identity(self._key(person_id), person_id, identity)
                self._db.execute("INSERT INTO people VALUES (?, ?, ?)", [person_id, sealed, now_utc])
                self._who()[person_id] = identity
            elif consent is not None or expires is not None:
                self._identify(known.id, Identity.of(known.name, consent or known.consent, expires or known.expires))
            self._drop_other_models(person_id)
            for number, template in enumerate(templates):
                self._insert_template(person_id, template, crops[number] if crops else None, now_utc)
            if pin_required:
                self._require_pin(person_id)
            return self._get(person_id)

    def forget(self, name: str) -> Person:
        with explained(self._path, "be read"):
            person = self._must_find(name)
        # The key first: then no copy of the store, however old, can tell anything about this person.
        self._ring.destroy(person.id, self._clock.utc())
        self._who().pop(person.id, None)
        try:
            with self._writing():
                self._db.execute("DELETE FROM people WHERE id = ?", [person.id])
        except StoreError as error:  # nobody can read what is left, and it goes at the next opening
            _log.warning("%s still holds the sealed rows of who was forgotten: %s", where(self._path), error)
        self._try_to_erase_traces()
        return person

    def rename(self, name: str, new_name: str) -> Person:
        new_name = clean_name(new_name)
        with self._writing():
            person = self._must_find(name)
            known = self._find(new_name)
            if known is not None and known.id != person.id:
                raise already_enrolled(known.name)
            renamed = self._identify(person.id, Identity.of(new_name, person.consent, person.expires))
        self._try_to_erase_traces()
        return renamed

    def agree(self, name: str, consent: Consent | None, expires: str | None) -> Person:
        with self._writing():
            person = self._must_find(name)
            return self._identify(person.id, Identity.of(person.name, consent, expires))

    def crops(self, name: str) -> list[bytes]:
        with explained(self._path, "be read"):
            person = self._must_find(name)
            return read_crops(self._db, self._path, person.id, self._key(person.id))

    def rotate_keys(self) -> None:
        self._ring.rotate()

    def drop_keys(self) -> int:
        numbers = self._ring.without_person(self._who())
        for number in numbers:
            self._ring.destroy(number, self._clock.utc())
        return len(numbers)

    def key_state(self) -> tuple[str, int, int, int]:
        with explained(self._path, "be read"):
            without_person = len(self._ring.without_person(self._who()))
        return self._ring.mark(), *self._ring.counts(), without_person

    def _allowed(self, name: str, more: int, *, add: bool) -> Person | None:
        """Who is meant, None for somebody new. Raises PersonError, InputError."""
        with explained(self._path, "be read"):
            known = self._find(name)
            if known is None and add:
                raise nobody_named(name, self._names())
        if known is not None and not known.enrol_again and not add:
            raise already_enrolled(known.name)
        check_count(more + (known.templates if known else 0))
        return known

    def _identify(self, person_id: int, identity: Identity) -> Person:
        sealed = seal_identity(self._key(person_id), person_id, identity)
        self._db.execute("UPDATE people SET sealed = ? WHERE id = ?", [sealed, person_id])
        self._who()[person_id] = identity
        return self._get(person_id)

    def _insert_template(self, person_id: int, template: Embedding, crop: bytes | None, now_utc: str) -> None:
        key = self._key(person_id)
        sealed = seal_template(key, person_id, self._model, to_blob(template))
        sql = """
            INSERT INTO templates (person_id, model_id, dimension, sealed, created_utc) VALUES (?, ?, ?, ?, ?)
            RETURNING id
        """
        row = [person_id, self._model, self._dimension, sealed, now_utc]
        ((number,),) = self._db.execute(sql, row).fetchall()
        if crop is not None:
            self._db.execute("INSERT INTO crops VALUES (?, ?)", [number, seal_crop(key, person_id, crop)])

    def _require_pin(self, person_id: int) -> None:
        sql = """
            INSERT INTO permissions (person_id, disabled, pin_required) VALUES (?, 0, 1)
            ON CONFLICT (person_id) DO UPDATE SET pin_required = 1
        """
        self._db.execute(sql, [person_id])

    def _drop_other_models(self, person_id: int) -> None:
        """Who enrols has templates of one model from here on: biometric data that nothing reads is not kept."""
        sql = f"DELETE FROM templates WHERE person_id = :id AND NOT ({OF_THIS_MODEL})"  # noqa: S608  # constant
        self._db.execute(sql, {**self._space, "id": person_id})

    def _finish_forgetting(self) -> None:
        """Rows of people whose key is destroyed: a power cut came in between, or a backup brought them back."""
        for (person_id,) in self._db.execute("SELECT id FROM people").fetchall():
            if self._ring.key_of(person_id) is None:
                with self._writing():
                    self._db.execute("DELETE FROM people WHERE id = ?", [person_id])
                self.log(Event("forgotten", person_id, {"reason": "the key of this person was destroyed before"}))

    def _remove_left_overs(self) -> None:
        """Of a restore that was killed; and copies of releases that sealed nothing, which hold everybody in the open:
        they go once all can be read sealed. Raises StoreError."""
        copies = [_copy_of(self._path, version) for version in range(1, SEALED_SINCE)]
        left = [file for file in copies if file.exists()]
        if left:
            self.people(), self.gallery(), self.pins()  # for the errors that they raise
        for file in (*left, *beside(self._path, ".trial", ".trial.new")):
            with explained(file, "be removed"):
                file.unlink(missing_ok=True)


def _examined(path: Path, template_model: str, dimension: int, master: MasterKey) -> tuple[KeyRing, int]:
    """The keys of a store that is sound, or was made just now, and the version of its schema."""
    if not path.exists():
        ring = KeyRing.open(path, master, make=True)
        try:
            if in_use := ring.counts()[0]:
                raise damaged(path, f"is missing, but the keys of {in_use} people are there")
            build(path, lambda db: begin(db, path, ring))
        except BaseException:
            ring.close()
            raise
        return ring, len(KNOWN)
    version = check_tables(path)
    if version < SEALED_SINCE:
        check_content(path, template_model, dimension, None)
    ring = KeyRing.open(path, master, make=version < SEALED_SINCE)
    try:
        if version < SEALED_SINCE:
            refuse_unsealed(path, ring)
        else:
            check_content(path, template_model, dimension, ring)
    except BaseException:
        ring.close()
        raise
    return ring, version


def _copy_before_upgrade(path: Path, version: int) -> None:
    """Keep a store of an earlier release as it was, should the upgrade have to be taken back."""
    if version < len(KNOWN):
        copy_database(path, _copy_of(path, version))


def _copy_of(path: Path, version: int) -> Path:
    return path.with_name(f"{path.name}.schema{version}")
