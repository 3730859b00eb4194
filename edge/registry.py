"""Who lives here: the one set of operations on people, whoever asks.

The guardian answers an operator's questions with a ``Registry``; a command that finds no guardian takes the store's
lock and uses the same class itself. Both therefore check, refuse and log alike.
"""

import logging
from dataclasses import asdict

import msgspec
import numpy as np

from edge import logbook, lookalikes, permits, records, wire
from edge.core.match import Index, acceptable
from edge.core.names import already_enrolled, clean_name, name_key, nobody_named, shown
from edge.core.risk import Decision, Limits
from edge.errors import FaceError, FacelatchError, InputError, TemplateModelError, WireError
from edge.ports import Store
from edge.types import SAME_PERSON_MIN, Embedding, Event, Gallery, Match, Permission, Person

_log = logging.getLogger(__name__)


class Registry:
    """People, templates and matching over one store.

    ``index`` holds who can be recognised, ``enrol_again`` who cannot for want of a template of this model; both are
    rebuilt after every change.
    """

    def __init__(
        self,
        store: Store,
        model_id: str,
        dimension: int,
        limits: Limits,
        margin_min: float,
        *,
        consent_required: bool = False,
    ) -> None:
        """Reads the whole gallery. Raises StoreError; ModelError where a threshold cannot be derived."""
        self._consent_required = consent_required
        self._store = store
        self.model_id, self.dimension = model_id, dimension
        self._limits, self._margin_min = limits, margin_min
        self.decision: Decision
        self.index: Index
        self.enrol_again: list[Person]
        self._names: dict[int, str]
        self._nobody = Gallery(np.zeros((0, dimension), np.float32), np.zeros(0, np.int64), {})
        self._read()

    @property
    def similarity_min(self) -> float:
        """The threshold in force."""
        return self.decision.similarity_min

    @property
    def alike_min(self) -> float:
        """From here on two people could be taken for each other."""
        return self.similarity_min - self._margin_min

    def answer(self, question: wire.Question, who: str = "") -> wire.Answer:
        """Carry out one question; ``who`` asks. Raises the FacelatchError that says why it cannot be."""
        match question:
            case wire.AskEnroll() | wire.AskForget() | wire.AskRename():
                return _one(self._change(question, who))
            case wire.AskAgree() | wire.AskShow() | wire.AskTemplates() | wire.AskCrops():
                return self._record(question, who)
            case wire.AskAllow() | wire.AskPin() | wire.AskHolidays():
                return self._rule(question, who)
            case wire.AskUnlock() | wire.AskMode() | wire.AskClear():
                raise WireError("No guardian runs that could move the door. Start facelatch-door.")
            case wire.AskCamera() | wire.AskCameraProgress() | wire.AskCameraCancel():
                raise WireError("No guardian runs that could look. Start facelatch-door and facelatch-eyes.")
            case wire.AskDrill() | wire.AskPresent() | wire.AskDrillProgress() | wire.AskDrillEnd():
                raise WireError("No guardian runs that could look. Start facelatch-door and facelatch-eyes.")
            case wire.AskDrillReport():
                raise WireError("No guardian runs that knows the camera. Start facelatch-door and facelatch-eyes.")
            case wire.AskIdentify() | wire.AskAlike():
                return self._compare(question)
            case wire.AskPeople():
                everybody = self._store.people()
                page = everybody[question.start : question.start + wire.PAGE]
                return wire.People([wire.PersonLine.of(p) for p in page], question.start + len(page) < len(everybody))
            case wire.AskLog() | wire.AskVerify():
                return logbook.answer(self._store, question)
            case wire.AskKeys() | wire.AskRotate() | wire.AskDropKeys():
                return self._keys(question, who)
            case _:
                return status_without_guardian(len(self.index), self.decision, len(self.enrol_again))

    def expect(self, terms: wire.EnrollTerms) -> None:
        """Raise before an enrolment what would be raised after it. Raises PersonError, PersonNameError, InputError."""
        name = clean_name(terms.name)
        known = name_key(name) in map(name_key, self._names.values())
        again = name_key(name) in (name_key(person.name) for person in self.enrol_again)
        if terms.add and not known:
            raise nobody_named(name, self._names.values())
        if known and not terms.add and not again:
            raise already_enrolled(name)
        self._require_consent(terms)

    def name_of(self, person_id: int) -> str | None:
        """The name of somebody enrolled."""
        return self._names.get(person_id)

    def log_threshold(self, who: str = "") -> None:
        """The threshold with its reasons into the log, whenever it is another than was logged last."""
        now = f"{self.similarity_min:.3f}"
        try:
            before = self._store.setting("similarity_min")
            if before == now:
                return
            self._store.keep("similarity_min", now)
        except FacelatchError as error:
            _log.error("whether the threshold has changed cannot be told: %s", error)
            return
        facts = {"people": self.decision.people, "templates": self.decision.templates_max}
        told = {"similarity_min": self.similarity_min, "before": before, **facts, "reason": self.decision.reason}
        self._log("threshold", None, who, told)

    def _change(self, question: wire.AskEnroll | wire.AskForget | wire.AskRename, who: str) -> Person:
        """Who is enrolled; the index follows at once."""
        before = self.similarity_min
        try:
            match question:
                case wire.AskEnroll():
                    kind, person = "enrolled", self._enroll(question)
                case wire.AskForget():
                    kind, person = "forgotten", self._store.forget(question.name)
                case wire.AskRename():
                    kind, person = "renamed", self._store.rename(question.name, question.new_name)
            self._follow(person, is_gone=kind == "forgotten")
        except BaseException:
            self._read()  # whatever came of it is what holds
            raise
        self._log(kind, person.id, who, {"templates": person.templates})
        if self.similarity_min != before:
            self.log_threshold(who)
        return person

    def _follow(self, person: Person, *, is_gone: bool) -> None:
        """One person has changed: only that one's templates are read."""
        self.index = self.index.replaced(person.id, self._nobody if is_gone else self._store.gallery(person.id))
        self.decision = self._limits.decide(self.index.templates)
        self._names.pop(person.id, None)
        self.enrol_again = [other for other in self.enrol_again if other.id != person.id]
        if not is_gone:
            self._names[person.id] = person.name
            self.enrol_again += [person] * person.enrol_again

    def _enroll(self, question: wire.AskEnroll) -> Person:
        self._require_model(question.model_id)
        self._require_consent(question)
        templates = [wire.to_embedding(template, self.dimension) for template in question.templates]
        if question.add:
            self._require_likeness(question.name, templates)
        known = self._names, self._store.permissions()
        alike = lookalikes.undecided(self.index, *known, question.name, templates, self.alike_min)
        if alike and not question.pin_required:
            raise lookalikes.refused(question.name, alike, self.alike_min, self.similarity_min)
        # First those who are let in by the face now: should the rest fail, nobody is let in as them.
        for name, _ in alike:
            permits.allow(self._store, wire.AskAllow(name, pin_required=True))
        return self._store.enroll(
            question.name,
            templates,
            add=question.add,
            pin_required=question.pin_required,
            consent=records.consent_of(question.consent),
            expires=records.last_day(question.expires),
            crops=question.crops,
        )

    def _record(
        self, question: wire.AskAgree | wire.AskShow | wire.AskTemplates | wire.AskCrops, who: str
    ) -> wire.Answer:
        match question:
            case wire.AskShow():
                return records.show(self._store, question)
            case wire.AskAgree():
                person = records.agree(self._store, question)
                agreed = person.consent is not None
                self._log("agreed", person.id, who, {"expires": person.expires, "consent": agreed})
                return _one(person)
        person = records.find(self._store, question.name)
        if isinstance(question, wire.AskTemplates):
            self._log("exported", person.id, who, {"what": "templates"})
            return records.templates(self._store, self.model_id, person)
        self._log("exported", person.id, who, {"what": "pictures"})
        return wire.Crops(self._store.crops(person.name))

    def _keys(self, question: wire.AskKeys | wire.AskRotate | wire.AskDropKeys, who: str) -> wire.Answer:
        if isinstance(question, wire.AskRotate):
            self._store.rotate_keys()
        dropped = self._store.drop_keys() if isinstance(question, wire.AskDropKeys) else 0
        keys = wire.Keys(*self._store.key_state())
        if isinstance(question, wire.AskRotate):
            self._log("keys_rotated", None, who, {"mark": keys.mark})
        if dropped:
            self._log("keys_dropped", None, who, {"keys": dropped})
        return keys

    def _require_consent(self, question: wire.AskEnroll | wire.EnrollTerms) -> None:
        """Where the owner wants it; who has agreed before needs not agree to more templates."""
        if not self._consent_required or question.consent is not None:
            return
        wanted = name_key(question.name)
        if not any(each.consent is not None and name_key(each.name) == wanted for each in self._store.people()):
            raise InputError(
                f"{shown(question.name)} is not enrolled: this lock asks for consent (privacy.consent). Show the "
                "wording that `facelatch consent` prints; who agrees to it is enrolled with --consent."
            )

    def _rule(self, question: wire.AskAllow | wire.AskPin | wire.AskHolidays, who: str) -> wire.Answer:
        if isinstance(question, wire.AskHolidays):
            dates = permits.holidays(self._store, question)
            if question.add or question.remove:
                self._log("holidays", None, who, {"dates": len(dates.dates)})
            return dates
        if isinstance(question, wire.AskAllow):
            person = permits.allow(self._store, question)
            self._log("allowed", person.id, who, asdict(self._store.permissions().get(person.id, Permission())))
        else:
            person = permits.set_pin(self._store, question)
            self._log("pin_removed" if question.pin is None else "pin_set", person.id, who, {})
        return _one(person)

    def _compare(self, question: wire.AskIdentify | wire.AskAlike) -> wire.Answer:
        if isinstance(question, wire.AskAlike):
            return lookalikes.pairs(self.index, self._names, self._store.permissions(), self.alike_min)
        self._require_model(question.model_id)
        found = self.index.best(wire.to_embedding(question.embedding, self.dimension))
        accepted = acceptable(found, self.similarity_min, self._margin_min)
        if found is None:
            return wire.Identified(None, None, None, False, self.similarity_min)
        return wire.Identified(found.name, found.similarity, _finite_margin(found), accepted, self.similarity_min)

    def _log(self, kind: str, person_id: int | None, who: str, detail: dict[str, str | int | float | None]) -> None:
        try:
            self._store.log(Event(kind, person_id, {**detail, "by": who}))
        except FacelatchError as error:  # the change itself is stored
            _log.error("%s, but that could not be logged: %s", kind, error)

    def _read(self) -> None:
        self.index = Index(self._nobody)  # should the gallery not be readable now, nobody is known
        self.decision = self._limits.decide([])
        self.index = Index(self._store.gallery())
        self.decision = self._limits.decide(self.index.templates)
        everybody = self._store.people()
        self._names = {person.id: person.name for person in everybody}
        self.enrol_again = [person for person in everybody if person.enrol_again]

    def _require_likeness(self, name: str, templates: list[Embedding]) -> None:
        """More templates of somebody must look like that person: a wrong file would let a stranger in.

        With templates of another model there is nothing to compare: who must enrol again is enrolled like somebody
        new.
        """
        own = next((number for number, known in self._names.items() if name_key(known) == name_key(name)), 0)
        for template in templates:
            similarity = self.index.similarity_to(own, template)
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


def status_without_guardian(people: int, decision: Decision, enrol_again: int = 0) -> wire.Status:
    """What can be said of the lock where no guardian runs."""
    threshold = decision.similarity_min, enrol_again
    said = wire.Status("not running", "no guardian", "not driven", "off", "none", people, *threshold)
    return msgspec.structs.replace(said, threshold=decision.reason)


def _one(person: Person) -> wire.People:
    return wire.People([wire.PersonLine.of(person)])


def _finite_margin(match: Match) -> float | None:
    return None if match.margin == float("inf") else match.margin
