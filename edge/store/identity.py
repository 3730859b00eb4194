"""Who a person is: name, consent and last day, sealed together with the person's own key."""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge.core.names import clean_name
from edge.errors import InputError, PersonNameError
from edge.store.faults import damaged
from edge.store.keyring import KeyRing
from edge.store.permissions import check_plain
from edge.store.sealing import seal, unseal
from edge.types import Consent

if TYPE_CHECKING:
    from sqlite_utils import Database


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As it is sealed, in JSON. ``expires``: an ISO date."""

    name: str
    consent_utc: str | None = None
    wording: int | None = None
    expires: str | None = None

    @classmethod
    def of(cls, name: str, consent: Consent | None, expires: str | None) -> "Identity":
        """Raises InputError for a text that is not stored."""
        check_plain(consent.given_utc if consent else None, expires)
        return cls(name, consent.given_utc if consent else None, consent.wording if consent else None, expires)

    @property
    def consent(self) -> Consent | None:
        return None if self.consent_utc is None else Consent(self.consent_utc, self.wording or 0)


def seal_identity(key: bytes, person_id: int, identity: Identity) -> bytes:
    """The row's ``sealed``."""
    return seal(key, msgspec.json.encode(identity), _purpose(person_id))


def read_identities(db: "Database", path: Path, ring: KeyRing) -> dict[int, Identity]:
    """Everybody whose key is not destroyed, by number. Raises StoreDamagedError, StoreKeyError, sqlite3.Error."""
    found = {}
    for person_id, sealed in db.execute("SELECT id, sealed FROM people"):
        key = ring.key_of(person_id)
        if key is None:
            continue
        try:
            identity = msgspec.json.decode(unseal(key, sealed, _purpose(person_id)), type=Identity)
            sound = clean_name(identity.name) == identity.name
            check_plain(identity.consent_utc, identity.expires)
        except (ValueError, PersonNameError, InputError):
            sound = False
        if not sound:
            raise damaged(path, f"holds a person (number {person_id}) whose key does not open it")
        found[person_id] = identity
    return found


def _purpose(person_id: int) -> str:
    return f"identity of {person_id}"
