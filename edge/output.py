"""Printing for people and for programs."""

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click
import msgspec
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from edge.core.names import harmless

Command = TypeVar("Command", bound=Callable[..., Any])

PROSE = frozenset({"at", "detail", "photo", "verdict", "why not"})
"""Columns that may take several lines."""

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def json_option(function: Command) -> Command:
    """``--json``: the same as JSON on standard output."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")(function)


def print_json(value: Any) -> None:
    """One JSON document and a newline."""
    click.echo(msgspec.json.encode(value, order="sorted"))


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table whose cells are plain text: no markup is read out of a name or a path. Prose folds, figures do not."""
    drawn = Table(title=Text(harmless(title)), title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in columns:
        drawn.add_column(Text(column), no_wrap=column not in PROSE, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(cell(value)) for value in row))
    console.print(drawn)


def cell(value: Any) -> str:
    """A value as people read it."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return "-" if math.isinf(value) else f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    return harmless(str(value))
