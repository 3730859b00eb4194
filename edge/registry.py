"""Who lives here: the one set of operations on people, whoever asks.

The guardian answers an operator's questions with a ``Registry``; a command that finds no guardian takes the store's
lock and uses the same class itself. Both therefore check, refuse and log alike.
"""

import logging

import numpy as np

from edge import wire
from edge.core.match import Index, acceptable
from edge.errors import FaceError, FacelatchError, TemplateModelError
from edge.ports import Store
from edge.types import SAME_PERSON_MIN, Embedding, Event, Gallery, Match, Person

_log = logging.getLogger(__name__)


class Registry:
    """People, templates and matching over one store.

    ``index`` holds who can be recognised, ``enrol_again`` who cannot for want of a template of this model; both are
    rebuilt after every change.
    """

    def __init__(self, store: Store, model_id: str, dimension: int, similarity_min: float, margin_min: float) -> None:
        """Reads the whole gallery. Raises StoreError."""
        self._store = store
        self.model_id, self.dimension = model_id, dimension
        self.similarity_min, self._margin_min = similarity_min, margin_min
        self._nobody = Gallery(np.zeros((0, dimension), np.float32), np.zeros(0, np.int64), {})
        self._read()

    def answer(self, question: wire.Question) -> wire.Answer:
        """Carry out one question. Raises the FacelatchError that says why it cannot be."""
        match question:
            case wire.AskEnroll():
                return _one(self._enroll(question))
            case wire.AskForget():
                person = self._store.forget(question.name)
                self._changed("forgotten", person)
                return _one(person)
            case wire.AskIdentify():
                return self._identify(question)
            case wire.AskPeople():
                everybody = self._store.people()
                page = everybody[question.start : question.start + wire.PAGE]
                return wire.People([wire.PersonLine.of(p) for p in page], question.start + len(page) < len(everybody))
            case _:
                return status_without_guardian(len(self.index), self.similarity_min, len(self.enrol_again))

    def _enroll(self, question: wire.AskEnroll) -> Person:
        self._require_model(question.model_id)
        templates = [wire.to_embedding(template, self.dimension) for template in question.templates]
        if question.add:
            self._require_likeness(question.name, templates)
        person = self._store.enroll(question.name, templates, add=question.add)
        self._changed("enrolled", person)
        return person

    def _identify(self, question: wire.AskIdentify) -> wire.Identified:
        self._require_model(question.model_id)
        found = self.index.best(wire.to_embedding(question.embedding, self.dimension))
        accepted = acceptable(found, self.similarity_min, self._margin_min)
        if found is None:
            return wire.Identified(None, None, None, False, self.similarity_min)
        return wire.Identified(found.name, found.similarity, _finite_margin(found), accepted, self.similarity_min)

    def _changed(self, kind: str, person: Person) -> None:
        self._read()
        try:
            self._store.log(Event(kind, person.id, {"templates": person.templates}))
        except FacelatchError as error:  # the change itself is stored
            _log.error("%s, but that could not be logged: %s", kind, error)

    def _read(self) -> None:
        self.index = Index(self._nobody)  # should the gallery not be readable now, nobody is known
        self.index = Index(self._store.gallery())
        self.enrol_again = [person for person in self._store.people() if person.enrol_again]

    def _require_likeness(self, name: str, templates: list[Embedding]) -> None:
        """More templates of somebody must look like that person: a wrong file would let a stranger in.

        With templates of another model there is nothing to compare: who must enrol again is enrolled like somebody
        new.
        """
        for template in templates:
            similarity = self.index.similarity_to(name, template)
            if similarity is not None and similarity < SAME_PERSON_MIN:
                raise FaceError(
                    f"A picture hardly looks like the person enrolled (similarity {similarity:.2f}, at least "
                    f"{SAME_PERSON_MIN} needed). Use pictures of that person, or forget the person and enrol anew."
                )

    def _require_model(self, model_id: str) -> None:
        if model_id != self.model_id:
            raise TemplateModelError(
                f"The embedding is of the model {model_id!r:.100}, the store's are of {self.model_id}. "
                "Use the same release of facelatch for all commands and services."
            )


def status_without_guardian(people: int, similarity_min: float, enrol_again: int = 0) -> wire.Status:
    """What can be said of the lock where no guardian runs."""
    return wire.Status("not running", "no guardian", "not driven", "off", "none", people, similarity_min, enrol_again)


def _one(person: Person) -> wire.People:
    return wire.People([wire.PersonLine.of(person)])


def _finite_margin(match: Match) -> float | None:
    return None if match.margin == float("inf") else match.margin
