"""What the store's tests counted is printed at their end."""

import pytest

_NOTES: list[str] = []


def noted(line: str) -> None:
    """Print this after the tests."""
    _NOTES.append(line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _NOTES:
        terminalreporter.section("the store")
    for line in _NOTES:
        terminalreporter.line(line)
