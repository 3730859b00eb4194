"""A board's lines as every adapter here sees them: Raspberry Pi, gpiod and simulated ones are taken alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class OutputLine(Protocol):
    """One output line. ``drive(True)`` is its active level: of the bolt's line the one that releases."""

    name: str

    def drive(self, active: bool) -> None:
        """Set the level and see that the line follows. Raises OSError when it does not."""
        ...

    def reads(self) -> bool:
        """Whether the line is at its active level. Raises OSError."""
        ...

    def close(self) -> None: ...


class InputLine(Protocol):
    """One input line with its pull-up on, so that a cut wire reads high."""

    def high(self) -> bool:
        """The level. Raises OSError when it cannot be read."""
        ...

    def close(self) -> None: ...


class Lines(Protocol):
    """What takes lines of one chip, which ``name`` names."""

    name: str

    def output(self, number: int, *, active_high: bool) -> OutputLine:
        """Take a line, at its inactive level from the first moment. Raises LineError."""
        ...

    def input(self, number: int, *, high_at_rest: bool) -> InputLine:
        """Take a line. ``high_at_rest``: the level that a simulated line is made with. Raises LineError."""
        ...

    def close(self) -> None:
        """Give the chip back, after its lines."""
        ...


@contextmanager
def as_os_error() -> Iterator[None]:
    """Whatever a line's library raises while the line is used: lgpio's and gpiod's own errors are plain Exceptions."""
    try:
        yield
    except Exception as error:
        raise OSError(str(error)) from error
