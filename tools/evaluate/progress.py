"""A progress bar on standard error, out of the way of tables and JSON."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import track

Item = TypeVar("Item")


def tracked(items: Sequence[Item], what: str) -> Iterator[Item]:
    """The items, with a bar that goes when they are through."""
    yield from track(items, what, console=Console(stderr=True), transient=True)
