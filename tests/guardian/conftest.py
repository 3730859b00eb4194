"""The household of every test here: Ada is enrolled, and the eyes are present. And the fault table's lines."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from edge.settings import Config
from edge.store.sqlite import SqliteStore
from tests.fakes import FakeClock
from tests.guardian.household import ADA, DIMENSION, MODEL, FailingBolt, Household, settle


@dataclass
class Table:
    """What each fault did."""

    lines: list[tuple[str, str, str]] = field(default_factory=list)

    notes: list[str] = field(default_factory=list)

    def note(self, line: str) -> None:
        """Something that is printed below the table."""
        self.notes.append(line)

    def add(self, fault: str, after_ms: float | None, reason: str) -> None:
        """``after_ms``: when the bolt was secured; None where it never was released."""
        self.lines.append((fault, "never released" if after_ms is None else f"{after_ms:.0f} ms", reason))


_TABLE = Table()


@pytest.fixture
def household(house: Config) -> Iterator[Household]:
    clock = FakeClock()
    with SqliteStore.open(house.store_path, MODEL, DIMENSION, clock) as store:
        store.enroll("Ada", [ADA])
        yield settle(house, store, clock, FailingBolt())


@pytest.fixture
def table() -> Table:
    return _TABLE


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _TABLE.lines and not _TABLE.notes:
        return
    terminalreporter.section("faults")
    width = max((len(fault) for fault, _, _ in _TABLE.lines), default=0)
    terminalreporter.line(f"{'fault':<{width}}  {'secured after':>14}  reason told")
    for fault, after, reason in _TABLE.lines:
        terminalreporter.line(f"{fault:<{width}}  {after:>14}  {reason:.120}")
    for note in _TABLE.notes:
        terminalreporter.line(note)
