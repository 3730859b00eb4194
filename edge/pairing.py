"""Which laptops may talk over the USB cable, and what: their public keys, kept by the guardian.

The process on the cable proves that somebody has a key; what that key may is decided here, for every question anew.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from edge import wire
from edge.core.names import shown
from edge.errors import DoorError, InputError, StoreError
from edge.pairing_code import TRIES, VALID_S, new_code
from edge.ports import Clock, Store
from edge.teller import Teller, quoted

KEYS_MAX = 16
"""Laptops that are paired at a time; the setting that they are kept in stays far below its limit."""

INSTALLER_DAYS = 7
"""How long an installer's key is good where nobody says otherwise."""

SETTING = "usb_keys"

MAY: Mapping[wire.Role, tuple[type[wire.CableQuestion], ...]] = {
    "owner": (
        *(wire.AskStatus, wire.AskPeople, wire.AskEnroll, wire.AskForget, wire.AskLog),
        *(wire.AskCamera, wire.AskCameraProgress, wire.AskCameraPicture, wire.AskCameraCancel),
    ),
    "installer": (
        *(wire.AskStatus, wire.AskEnroll),
        *(wire.AskCamera, wire.AskCameraProgress, wire.AskCameraPicture, wire.AskCameraCancel),
    ),
}
"""An installer enrols and sees how the lock is; who lives there, and what they did, is the owner's."""


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One laptop, as it is kept in JSON."""

    number: int
    key: bytes
    label: str
    role: wire.Role
    paired_utc: str
    paired_by: str
    expires_utc: str | None = None


class _Book(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``last``: the highest number ever given."""

    last: int = 0
    keys: list[_Kept] = []


@dataclass(slots=True)
class _Open:
    code: str
    question: wire.AskPair
    who: str
    until_s: float
    tries: int = TRIES


AskPairing = wire.AskPair | wire.AskUsbKeys | wire.AskRevoke


class Pairings:
    """The list of keys, and at most one pairing that is open."""

    def __init__(self, store: Store, clock: Clock, teller: Teller) -> None:
        self._store, self._clock, self._teller = store, clock, teller
        self._open: _Open | None = None

    def answer(self, question: AskPairing, who: str) -> wire.PairCode | wire.UsbKeys:
        """An operator's question. Raises InputError, StoreError."""
        match question:
            case wire.AskPair():
                return self._begin(question, who)
            case wire.AskRevoke():
                return wire.UsbKeys([self._line(self._revoke(question.number, who))])
        return wire.UsbKeys([self._line(each) for each in self._read().keys])

    def code(self) -> wire.PairCode:
        """What the laptop must prove to know, for one try. Raises DoorError when no pairing is open."""
        pairing = self._pairing()
        pairing.tries -= 1
        return wire.PairCode(pairing.code, pairing.until_s - self._clock.now_s())

    def paired(self, message: wire.CablePaired) -> wire.UsbKeys:
        """The laptop has proved the code. Raises DoorError when no pairing is open (any more), StoreError."""
        pairing, now_utc = self._pairing(spent=True), self._clock.utc()
        days = pairing.question.days or (INSTALLER_DAYS if pairing.question.role == "installer" else None)
        expires = None if days is None else _later(now_utc, days)
        book = self._read()
        number = book.last + 1
        label = quoted(message.label).strip()[:60] or "a laptop"
        kept = _Kept(number, message.key, label, pairing.question.role, now_utc, pairing.who, expires)
        keys = [each for each in book.keys if each.key != message.key]  # paired anew: what it was before is void
        self._keep(_Book(number, [*keys, kept]))
        self._open = None
        self._teller.tell("usb_paired", laptop=label, key=mark(kept.key), role=kept.role, by=pairing.who)
        return wire.UsbKeys([self._line(kept)])

    def admit(self, key: bytes) -> wire.UsbKeys:
        """The key's line. Raises DoorError when it may not talk, StoreError."""
        return wire.UsbKeys([self._line(self._known(key))])

    def allow(self, key: bytes, question: wire.CableQuestion) -> str:
        """Who asks, for the log. Raises DoorError when the key may not ask that, StoreError."""
        kept = self._known(key)
        if not isinstance(question, MAY[kept.role]):
            raise DoorError(f"The role of this laptop, {kept.role}, does not include that. Ask the owner.")
        return f"{kept.label} over USB ({kept.role}, key {mark(kept.key)})"

    def owner(self, key: bytes) -> wire.UsbKey:
        """The line of an owner's key. Raises DoorError for another one, StoreError."""
        kept = self._known(key)
        if kept.role != "owner":
            raise DoorError("Bundles are the owner's to make. Pair that laptop as an owner.")
        return self._line(kept)

    def _begin(self, question: wire.AskPair, who: str) -> wire.PairCode:
        if question.days is not None and question.role == "owner":
            raise InputError("An owner's key does not expire, it is revoked. Leave --days out, or pair an installer.")
        count = len(self._read().keys)
        if count >= KEYS_MAX:
            raise InputError(f"{count} laptops are paired already. Revoke one first: `facelatch usb keys` lists them.")
        self._open = _Open(new_code(), question, who, self._clock.now_s() + VALID_S)
        self._teller.tell("usb_pairing", role=question.role, by=who)
        return wire.PairCode(self._open.code, VALID_S)

    def _pairing(self, *, spent: bool = False) -> _Open:
        """``spent``: the try was counted before."""
        pairing = self._open
        if pairing is None or self._clock.now_s() >= pairing.until_s or (pairing.tries <= 0 and not spent):
            self._open = None
            raise DoorError("No pairing is open. Run `facelatch usb pair` on the lock; a code is good for one laptop.")
        return pairing

    def _known(self, key: bytes) -> _Kept:
        for each in self._read().keys:
            if secrets.compare_digest(each.key, key):
                if self._has_expired(each):
                    raise DoorError("This laptop's key has expired. Pair it again.")
                return each
        raise DoorError("This laptop is not paired, or its key was revoked. Pair it again.")

    def _revoke(self, number: int, who: str) -> _Kept:
        book = self._read()
        found = next((each for each in book.keys if each.number == number), None)
        if found is None:
            raise InputError(f"No laptop has the number {number}. `facelatch usb keys` lists them.")
        self._keep(_Book(book.last, [each for each in book.keys if each is not found]))
        self._teller.tell("usb_revoked", laptop=found.label, key=mark(found.key), role=found.role, by=who)
        return found

    def _has_expired(self, kept: _Kept) -> bool:
        """A clock that is not known to be right might give an old key its life back."""
        return kept.expires_utc is not None and (not self._clock.trusted() or self._clock.utc() >= kept.expires_utc)

    def _line(self, kept: _Kept) -> wire.UsbKey:
        return wire.UsbKey(
            *(kept.number, kept.label, kept.role, mark(kept.key), kept.paired_utc, kept.paired_by, kept.expires_utc),
            expired=self._has_expired(kept),
        )

    def _read(self) -> _Book:
        text = self._store.setting(SETTING)
        try:
            return _Book() if text is None else msgspec.json.decode(text, type=_Book)
        except msgspec.DecodeError as error:
            raise StoreError(
                f"The list of laptops in the store cannot be read ({shown(str(error), 80)[1:-1]}). Restore a backup."
            ) from error

    def _keep(self, book: _Book) -> None:
        self._store.keep(SETTING, msgspec.json.encode(book).decode())


def mark(key: bytes) -> str:
    """What a public key can be told by, eight hexadecimal digits."""
    return hashlib.sha256(key).hexdigest()[:8]


def _later(utc: str, days: int) -> str:
    return (datetime.fromisoformat(utc) + timedelta(days=days)).isoformat(timespec="milliseconds")
