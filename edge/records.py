"""What is kept of one person, for the person and the owner: shown, exported, agreed to. For guardian and command line
alike."""

from datetime import date, datetime

import msgspec

from edge import wire
from edge.core.names import name_key, nobody_named, shown
from edge.errors import InputError
from edge.ports import Store
from edge.types import Consent, Permission, Person


def show(store: Store, question: wire.AskShow) -> wire.Shown:
    """Everything but templates and pictures. Raises PersonError, StoreError."""
    person = find(store, question.name)
    permission = store.permissions().get(person.id, Permission())
    pins = [pin.duress for pin in store.pins() if pin.person_id == person.id]
    return wire.Shown(
        wire.PersonLine.of(person),
        wire.PermissionLine.of(permission),
        has_pin=False in pins,
        has_duress_pin=True in pins,
        pictures=len(store.crops(person.name)),
    )


def templates(store: Store, model_id: str, person: Person) -> wire.Templates:
    """A person's templates of the model in use. Raises StoreError."""
    return wire.Templates(model_id, [wire.to_bytes(row) for row in store.gallery(person.id).templates])


def agree(store: Store, question: wire.AskAgree) -> Person:
    """Record consent and last day; what is UNSET stays. Raises InputError, PersonError, StoreError."""
    person = find(store, question.name)
    consent = person.consent if question.consent is msgspec.UNSET else consent_of(question.consent)
    expires = person.expires if question.expires is msgspec.UNSET else last_day(question.expires)
    return store.agree(person.name, consent, expires)


def consent_of(given: wire.ConsentLine | None) -> Consent | None:
    """As it is stored. Raises InputError for a time that is none."""
    if given is None:
        return None
    try:
        datetime.fromisoformat(given.given_utc)
    except ValueError as error:
        raise InputError(f"{shown(given.given_utc)} is no time of a consent. Write it as 2026-12-31T18:00Z.") from error
    return Consent(given.given_utc, given.wording)


def last_day(text: str | None) -> str | None:
    """An ISO date before 3000. Raises InputError for what is none."""
    if text is None:
        return None
    try:
        if date.fromisoformat(text).isoformat() == text and text < "3000":
            return text
    except ValueError:
        pass
    raise InputError(f"{shown(text)} is no date. Write it as 2026-12-31.")


def find(store: Store, name: str) -> Person:
    """Raises PersonError when nobody has the name, StoreError."""
    people = store.people()
    found = next((person for person in people if name_key(person.name) == name_key(name[:1000])), None)
    if found is None:
        raise nobody_named(name, (person.name for person in people))
    return found
