"""What the commands of the workshop share: errors in one line, bars on standard error."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import click
from rich.console import Console
from rich.progress import Progress, TaskID

from edge.errors import FacelatchError, ModelError

Report: TypeAlias = Callable[[str, float], None]
"""Told the step and the share of it that is done, 0..1."""


@contextmanager
def errors() -> Iterator[None]:
    """Errors in one line with their exit code."""
    try:
        yield
    except FacelatchError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:  # a folder of the caller's that cannot be read or written, a full disk
        click.echo(f"error: {error}. Check the path, its permissions and the space left.", err=True)
        sys.exit(ModelError.exit_code)


@contextmanager
def reporting() -> Iterator[Report]:
    """A bar per step on standard error."""
    # The file is named, because the quantiser's own bars are kept off sys.stderr meanwhile.
    with Progress(console=Console(file=sys.stderr)) as progress:
        tasks: dict[str, TaskID] = {}

        def report(step: str, done: float) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(step, total=1.0)
            progress.update(tasks[step], completed=done)

        yield report
