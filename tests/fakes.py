"""Hand-written stand-ins for the ports. They pass the same conformance tests as the real adapters."""

from collections.abc import Sequence
from dataclasses import dataclass, field
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
    templates: list[Embedding] = field(default_factory=list)

    def person(self) -> Person:
        return Person(self.id, self.name, len(self.templates), self.enrolled_utc)


class FakeStore:
    """``ports.Store`` in memory."""

    def __init__(self, dimension: int, clock: FakeClock) -> None:
        self._dimension = dimension
        self._clock = clock
        self._rows: dict[str, _Row] = {}
        self._order: list[tuple[int, Embedding]] = []
        self._events: list[LoggedEvent] = []
        self._last_id = 0

    def people(self) -> list[Person]:
        return [row.person() for _, row in sorted(self._rows.items())]

    def gallery(self) -> Gallery:
        templates = np.zeros((len(self._order), self._dimension), dtype=np.float32)
        for number, (_, template) in enumerate(self._order):
            templates[number] = template
        return Gallery(
            templates=templates,
            person_ids=np.array([person_id for person_id, _ in self._order], dtype=np.int64),
            names={row.id: row.name for row in self._rows.values()},
        )

    def enroll(self, name: str, templates: Sequence[Embedding], *, add: bool = False) -> Person:
        name = clean_name(name)
        check_templates(templates, self._dimension)
        row = self._rows.get(name_key(name))
        if row is None and add:
            raise nobody_named(name, self._names())
        if row is not None and not add:
            raise already_enrolled(row.name)
        if row is None:
            self._last_id += 1
            row = self._rows[name_key(name)] = _Row(self._last_id, name, self._clock.utc())
        check_count(len(row.templates) + len(templates))
        own = [template.copy() for template in templates]
        row.templates.extend(own)
        self._order.extend((row.id, template) for template in own)
        return row.person()

    def forget(self, name: str) -> Person:
        row = self._rows.pop(name_key(name), None)
        if row is None:
            raise nobody_named(name, self._names())
        self._order = [(owner, template) for owner, template in self._order if owner != row.id]
        return row.person()

    def log(self, event: Event) -> None:
        detail_json(event)
        kept = Event(event.kind, event.person_id, MappingProxyType(dict(event.detail)))
        self._events.append(LoggedEvent(len(self._events) + 1, self._clock.utc(), kept))

    def events(self, limit: int) -> list[LoggedEvent]:
        return self._events[::-1][: max(limit, 0)]

    def close(self) -> None:
        pass

    def _names(self) -> list[str]:
        return [row.name for _, row in sorted(self._rows.items())]
