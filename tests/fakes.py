"""Hand-written stand-ins for the ports. They pass the same conformance tests as the real adapters."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from types import MappingProxyType

import numpy as np

from edge.core.names import already_enrolled, clean_name, name_key, nobody_named
from edge.errors import LogError
from edge.store.chain import PRUNED_A_CALL
from edge.store.events import detail_json
from edge.store.permissions import check_plain
from edge.store.rules import check_value
from edge.store.templates import check_count, check_crops, check_templates
from edge.types import Consent, Embedding, Event, Gallery, LogCheck, LoggedEvent, Permission, Person, PinHash

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class FakeClock:
    """Time that stands still until it is told to ``advance``. It starts at 1000 s, 2026-01-01 UTC."""

    def __init__(self, zone: tzinfo = UTC) -> None:
        self.zone = zone
        self.is_trusted = True
        self._elapsed_s = 0.0
        self._jumped_s = 0.0

    def now_s(self) -> float:
        return 1000.0 + self._elapsed_s

    def utc(self) -> str:
        return self._calendar().isoformat(timespec="milliseconds")

    def local(self) -> datetime:
        return self._calendar().astimezone(self.zone)

    def trusted(self) -> bool:
        return self.is_trusted

    def advance(self, seconds: float) -> None:
        self._elapsed_s += seconds

    def utc_jump(self, seconds: float) -> None:
        """Set the calendar, and nothing else, forward or back."""
        self._jumped_s += seconds

    def _calendar(self) -> datetime:
        return _EPOCH + timedelta(seconds=self._elapsed_s + self._jumped_s)


@dataclass
class _Row:
    id: int
    name: str
    enrolled_utc: str
    consent: Consent | None = None
    expires: str | None = None


@dataclass
class _Template:
    person_id: int
    model: str
    embedding: Embedding
    crop: bytes | None = None


class FakeStore:
    """``ports.Store`` in memory."""

    def __init__(self, model: str, dimension: int, clock: FakeClock) -> None:
        self._model, self._dimension = model, dimension
        self._clock = clock
        self._rows: dict[str, _Row] = {}
        self._templates: list[_Template] = []
        self._events: list[LoggedEvent] = []
        self._last_id = 0
        self._logged = 0
        self._permissions: dict[int, Permission] = {}
        self._pins: dict[tuple[int, bool], PinHash] = {}
        self._holidays: set[str] = set()
        self._settings: dict[str, str] = {}
        self._rotations = 0

    def reopened(self, model: str, dimension: int) -> "FakeStore":
        """What is stored, as a release with this embedding model opens it; it takes this store's place."""
        other = copy.copy(self)
        other._model, other._dimension = model, dimension
        return other

    def people(self) -> list[Person]:
        return [self._person(row) for _, row in sorted(self._rows.items())]

    def gallery(self, person_id: int | None = None) -> Gallery:
        current = [each for each in self._templates if self._is_current(each) and person_id in (None, each.person_id)]
        templates = np.zeros((len(current), self._dimension), dtype=np.float32)
        for number, each in enumerate(current):
            templates[number] = each.embedding
        person_ids = [each.person_id for each in current]
        return Gallery(
            templates=templates,
            person_ids=np.array(person_ids, dtype=np.int64),
            names={row.id: row.name for row in self._rows.values() if row.id in person_ids},
        )

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
        check_plain(consent.given_utc if consent else None, expires)
        row = self._rows.get(name_key(name))
        if row is None and add:
            raise nobody_named(name, self._names())
        if row is not None and not add and not self._person(row).enrol_again:
            raise already_enrolled(row.name)
        check_count(len(templates) + (self._person(row).templates if row else 0))
        if row is None:
            self._last_id += 1
            row = self._rows[name_key(name)] = _Row(self._last_id, name, self._clock.utc())
        row.consent, row.expires = consent or row.consent, expires or row.expires
        self._templates = [each for each in self._templates if each.person_id != row.id or self._is_current(each)]
        kept: Sequence[bytes | None] = crops or [None] * len(templates)
        self._templates += [
            _Template(row.id, self._model, template.copy(), crop)
            for template, crop in zip(templates, kept, strict=True)
        ]
        if pin_required:
            self._permissions[row.id] = replace(self._permissions.get(row.id, Permission()), pin_required=True)
        return self._person(row)

    def forget(self, name: str) -> Person:
        row = self._rows.pop(name_key(name), None)
        if row is None:
            raise nobody_named(name, self._names())
        person = self._person(row)
        self._templates = [each for each in self._templates if each.person_id != row.id]
        self._permissions.pop(row.id, None)
        self._pins = {key: pin for key, pin in self._pins.items() if pin.person_id != row.id}
        return person

    def rename(self, name: str, new_name: str) -> Person:
        new_name = clean_name(new_name)
        row = self._rows.get(name_key(name))
        if row is None:
            raise nobody_named(name, self._names())
        known = self._rows.get(name_key(new_name))
        if known is not None and known.id != row.id:
            raise already_enrolled(known.name)
        del self._rows[name_key(name)]
        row.name = new_name
        self._rows[name_key(new_name)] = row
        return self._person(row)

    def agree(self, name: str, consent: Consent | None, expires: str | None) -> Person:
        check_plain(consent.given_utc if consent else None, expires)
        self._must_find(name)
        row = self._rows[name_key(name)]
        row.consent, row.expires = consent, expires
        return self._person(row)

    def crops(self, name: str) -> list[bytes]:
        person = self._must_find(name)
        return [each.crop for each in self._templates if each.person_id == person.id and each.crop is not None]

    def rotate_keys(self) -> None:
        self._rotations += 1

    def drop_keys(self) -> int:
        return 0

    def key_state(self) -> tuple[str, int, int, int]:
        return f"{self._rotations:016x}", len(self._rows), self._last_id - len(self._rows), 0

    def permissions(self) -> Mapping[int, Permission]:
        return dict(self._permissions)

    def permit(self, name: str, permission: Permission) -> Person:
        check_plain(permission.valid_from_utc, permission.valid_until_utc, permission.schedule)
        person = self._must_find(name)
        self._permissions[person.id] = permission
        return person

    def spend_use(self, person_id: int) -> None:
        permission = self._permissions.get(person_id)
        if permission is not None and permission.uses_left:
            self._permissions[person_id] = replace(permission, uses_left=permission.uses_left - 1)

    def pins(self) -> list[PinHash]:
        return [pin for _, pin in sorted(self._pins.items())]

    def set_pin(self, name: str, text: str | None, *, duress: bool) -> Person:
        check_plain(text)
        person = self._must_find(name)
        self._pins.pop((person.id, duress), None)
        if text is not None:
            self._pins[person.id, duress] = PinHash(person.id, text, duress)
        return person

    def holidays(self) -> list[str]:
        return sorted(self._holidays)

    def set_holidays(self, add: Sequence[str], remove: Sequence[str]) -> None:
        check_plain(*add)
        self._holidays |= set(add)
        self._holidays -= set(remove)

    def setting(self, key: str) -> str | None:
        return self._settings.get(key)

    def keep(self, key: str, value: str) -> None:
        check_value(key, value)
        self._settings[key] = value

    def log(self, event: Event) -> None:
        detail_json(event)
        kept = Event(event.kind, event.person_id, MappingProxyType(dict(event.detail)))
        self._logged += 1
        self._events.append(LoggedEvent(self._logged, self._clock.utc(), kept))

    def events(self, limit: int) -> list[LoggedEvent]:
        return self._events[::-1][: max(limit, 0)]

    def log_page(
        self,
        after_id: int = 0,
        since_utc: str | None = None,
        person_id: int | None = None,
        kind: str | None = None,
        last: int | None = None,
        *,
        limit: int = 100,
    ) -> list[LoggedEvent]:
        found = [
            each
            for each in self._events
            if each.id > after_id
            and (since_utc is None or each.at_utc >= since_utc)
            and (person_id is None or each.event.person_id == person_id)
            and (kind is None or each.event.kind == kind)
        ]
        return found[:limit] if last is None else found[max(len(found) - last, 0) :]

    def log_head(self) -> tuple[int, str]:
        return self._logged, f"{self._logged:064x}"

    def verify_log(self, after_id: int = 0, *, until_id: int | None = None, limit: int = 1000) -> LogCheck:
        """Nothing can be changed here: there is no chain, and the digest is only the entry's number."""
        removed = self._logged - len(self._events)
        first = max(after_id, removed)
        if first > self._logged:
            raise LogError(f"Entry {after_id} is missing. It was never written.")
        until = self._logged if until_id is None else min(max(until_id, first), self._logged)
        last = min(until, first + limit)
        return LogCheck(last - first, last, f"{last:064x}", last < self._logged)

    def prune_log(self, keep_days: int, keep_rows: int) -> int:
        oldest = datetime.fromisoformat(self._clock.utc()) - timedelta(days=keep_days)
        removed = 0
        for each in self._events[:-1]:
            is_old = self._clock.trusted() and datetime.fromisoformat(each.at_utc) < oldest
            if each.id > self._logged - keep_rows and not is_old:
                break
            removed += 1
        removed = min(removed, PRUNED_A_CALL)
        self._events = self._events[removed:]
        return removed

    def close(self) -> None:
        pass

    def _is_current(self, template: _Template) -> bool:
        return (template.model, len(template.embedding)) == (self._model, self._dimension)

    def _person(self, row: _Row) -> Person:
        own = [each for each in self._templates if each.person_id == row.id]
        count = sum(self._is_current(each) for each in own)
        former = None if count or not own else own[-1].model
        return Person(row.id, row.name, count, row.enrolled_utc, former, row.consent, row.expires)

    def _must_find(self, name: str) -> Person:
        row = self._rows.get(name_key(name))
        if row is None:
            raise nobody_named(name, self._names())
        return self._person(row)

    def _names(self) -> list[str]:
        return [row.name for _, row in sorted(self._rows.items())]
