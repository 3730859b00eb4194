"""The people's rules as an operator sets them: permissions, PINs, holidays. Used by guardian and command line alike."""

from dataclasses import replace
from datetime import date

import msgspec

from edge import pin, wire
from edge.core.names import name_key, shown
from edge.core.rules import checked
from edge.errors import InputError
from edge.ports import Store
from edge.types import Permission, Person

FIELDS = ("disabled", "valid_from_utc", "valid_until_utc", "uses_left", "schedule", "pin_required")


def allow(store: Store, question: wire.AskAllow) -> Person:
    """Change what a person may. Raises InputError, PersonError, StoreError."""
    known = store.permissions().get(_id(store, question.name), Permission())
    changes = {field: getattr(question, field) for field in FIELDS}
    changed = replace(known, **{key: value for key, value in changes.items() if value is not msgspec.UNSET})
    return store.permit(question.name, checked(changed))


def set_pin(store: Store, question: wire.AskPin) -> Person:
    """Give a person a PIN or take it away. A PIN says who typed it: nobody else may have the same.

    Raises InputError, PersonError, StoreError.
    """
    if question.pin is None:
        return store.set_pin(question.name, None, duress=question.duress)
    own = _id(store, question.name), question.duress
    others = [kept for kept in store.pins() if (kept.person_id, kept.duress) != own]
    text = pin.hash_pin(question.pin, others)
    if pin.find(question.pin, others) is not None:
        raise InputError("This PIN cannot be given. Choose another one.")
    return store.set_pin(question.name, text, duress=question.duress)


def holidays(store: Store, question: wire.AskHolidays) -> wire.Holidays:
    """Add and remove holidays. Raises InputError, StoreError."""
    for text in (*question.add, *question.remove):
        try:
            is_date = date.fromisoformat(text).isoformat() == text
        except ValueError:
            is_date = False
        if not is_date:
            raise InputError(f"{shown(text)} is no date. Write it as 2026-12-25.")
    if question.add or question.remove:
        store.set_holidays(question.add, question.remove)
    return wire.Holidays(store.holidays())


def _id(store: Store, name: str) -> int:
    """The person's number; 0, which nobody has, for a name that nobody has: the store then refuses the change."""
    return next((person.id for person in store.people() if name_key(person.name) == name_key(name[:1000])), 0)
