"""Hand-written stand-ins for the ports. They pass the same conformance tests as the real adapters."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import numpy as np

from edge.core.names import clean_name, name_key
from edge.store.events import LoggedEvent, detail_json
from edge.store.faults import already_enrolled, nobody_named
from edge.store.templates import check_count, check_templates
from edge.types import Embedding, Event, Gallery, Person

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class FakeClock:
    """Time that stands still until it is told to ``advance``. It starts at 1000 s, 2026-01-01 UTC."""

    def __init__(self) -> None:
        self._elapsed_s = 0.0

    def now_s(self) -> float:
        return 1000.0 + self._elapsed_s

    def utc(self) -> str:
        return (_EPOCH + timedelta(seconds=self._elapsed_s)).isoformat(timespec="milliseconds")

    def advance(self, seconds: float) -> None:
        self._elapsed_s += seconds


@dataclass
class _Row:
    id: int
    name: str
    enrolled_utc: str


@dataclass
class _Template:
    person_id: int
    model: str
    embedding: Embedding


class FakeStore:
    """``ports.Store`` in memory."""

    def __init__(self, model: str, dimension: int, clock: FakeClock) -> None:
        self._model, self._dimension = model, dimension
        self._clock = clock
        self._rows: dict[str, _Row] = {}
        self._templates: list[_Template] = []
        self._events: list[LoggedEvent] = []
        self._last_id = 0

    def reopened(self, model: str, dimension: int) -> "FakeStore":
        """What is stored, as a release with this embedding model opens it; it takes this store's place."""
        other = copy.copy(self)
        other._model, other._dimension = model, dimension
        return other

    def people(self) -> list[Person]:
        return [self._person(row) for _, row in sorted(self._rows.items())]

    def gallery(self) -> Gallery:
        current = [each for each in self._templates if self._is_current(each)]
        templates = np.zeros((len(current), self._dimension), dtype=np.float32)
        for number, each in enumerate(current):
            templates[number] = each.embedding
        person_ids = [each.person_id for each in current]
        return Gallery(
            templates=templates,
            person_ids=np.array(person_ids, dtype=np.int64),
            names={row.id: row.name for row in self._rows.values() if row.id in person_ids},
        )

    def enroll(self, name: str, templates: Sequence[Embedding], *, add: bool = False) -> Person:
        name = clean_name(name)
        check_templates(templates, self._dimension)
        row = self._rows.get(name_key(name))
        if row is None and add:
            raise nobody_named(name, self._names())
        if row is not None and not add and not self._person(row).enrol_again:
            raise already_enrolled(row.name)
        check_count(len(templates) + (self._person(row).templates if row else 0))
        if row is None:
            self._last_id += 1
            row = self._rows[name_key(name)] = _Row(self._last_id, name, self._clock.utc())
        self._templates = [each for each in self._templates if each.person_id != row.id or self._is_current(each)]
        self._templates += [_Template(row.id, self._model, template.copy()) for template in templates]
        return self._person(row)

    def forget(self, name: str) -> Person:
        row = self._rows.pop(name_key(name), None)
        if row is None:
            raise nobody_named(name, self._names())
        person = self._person(row)
        self._templates = [each for each in self._templates if each.person_id != row.id]
        return person

    def log(self, event: Event) -> None:
        detail_json(event)
        kept = Event(event.kind, event.person_id, MappingProxyType(dict(event.detail)))
        self._events.append(LoggedEvent(len(self._events) + 1, self._clock.utc(), kept))

    def events(self, limit: int) -> list[LoggedEvent]:
        return self._events[::-1][: max(limit, 0)]

    def close(self) -> None:
        pass

    def _is_current(self, template: _Template) -> bool:
        return (template.model, len(template.embedding)) == (self._model, self._dimension)

    def _person(self, row: _Row) -> Person:
        own = [each for each in self._templates if each.person_id == row.id]
        count = sum(self._is_current(each) for each in own)
        return Person(row.id, row.name, count, row.enrolled_utc, None if count or not own else own[-1].model)

    def _names(self) -> list[str]:
        return [row.name for _, row in sorted(self._rows.items())]
