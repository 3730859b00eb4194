"""``facelatch run`` for the bench, ``door`` and ``eyes`` for the services, ``status`` for both."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.text import Text

from edge import app, wire
from edge import config as configuration
from edge.cli.output import console, json_option, print_json
from edge.guardian import Announce, Plain

STYLES = {
    "released": "bold green",
    "secured": "bold",
    "refused": "yellow",
    "fault": "bold red",
    "eyes_away": "red",
    "malformed": "red",
    "log_failed": "bold red",
}


@click.command()
@click.option(
    "--simulate", is_flag=True, help="Use a simulated bolt: nothing is driven, and every status line says so."
)
@click.option(
    "--replay",
    type=click.Path(path_type=Path),
    help="Play a video or a folder of pictures as a simulated camera, and end with it.",
)
@json_option
@click.pass_obj
def run(config_path: Path | None, simulate: bool, replay: Path | None, as_json: bool) -> None:
    """Run guardian and eyes in the foreground: for a bench, a demonstration, a laptop.

    Both run as the same user here; as services they do not. End with Ctrl-C: the bolt is secured first.
    """
    flags: dict[str, dict[str, str]] = {}
    if simulate:
        flags["bolt"] = {"driver": "simulated"}
    if replay is not None:
        flags["camera"] = {"driver": "replay", "source": str(replay.absolute())}
    sys.exit(app.run(configuration.load(config_path, flags=flags), announcer(as_json)))


@click.command()
@json_option
@click.pass_obj
def door(config_path: Path | None, as_json: bool) -> None:
    """Be the guardian alone: the service facelatch-door."""
    app.guard(configuration.load(config_path), announcer(as_json))


@click.command()
@click.pass_obj
def eyes(config_path: Path | None) -> None:
    """Be the eyes alone: the service facelatch-eyes."""
    app.watch_door(configuration.load(config_path))


@click.command()
@json_option
@click.pass_obj
def status(config_path: Path | None, as_json: bool) -> None:
    """Say how the door is."""
    answer = app.answer(configuration.load(config_path), wire.AskStatus())
    if as_json:
        print_json(answer)
    elif isinstance(answer, wire.Status):
        click.echo(answer.line())


def announcer(as_json: bool) -> Announce:
    """Prints every notice at once: a line of JSON, or a coloured line with the status below it."""

    def say_json(kind: str, values: Mapping[str, Plain]) -> None:
        print_json({"at_utc": _now_utc(), "kind": kind, **values})

    def say(kind: str, values: Mapping[str, Plain]) -> None:
        told = dict(values)
        status_line = told.pop("status", None)
        details = " · ".join(f"{key} {value}" for key, value in told.items() if value is not None)
        console.print(Text(f"{_now_utc()[11:23]} {kind:<12} {details}", style=STYLES.get(kind, "")), soft_wrap=True)
        if status_line is not None:
            console.print(Text(f"{'':13}{status_line}", style="dim"), soft_wrap=True)

    return say_json if as_json else say


def _now_utc() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
