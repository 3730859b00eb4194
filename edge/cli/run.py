"""``facelatch run`` for the bench, ``door`` and ``eyes`` for the services, ``status`` for both."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.text import Text

from edge import app, wire
from edge import config as configuration
from edge.cli.printer import Printer
from edge.core.names import harmless
from edge.output import console, json_option, print_json
from edge.teller import Announce, Plain

STYLES = {
    "released": "bold green",
    "free": "bold green",
    "held_open": "bold red",
    "forced": "bold red",
    "tamper": "bold red",
    "camera_changed": "bold red",
    "input_fault": "bold red",
    "duress": "bold red",
    "lockout": "yellow",
    "attempt": "yellow",
    "secured": "bold",
    "refused": "yellow",
    "enrol_again": "yellow",
    "expires": "yellow",
    "restored": "bold red",
    "backup_refused": "bold red",
    "backup_failed": "bold red",
    "fault": "bold red",
    "eyes_away": "red",
    "eyes_crashed": "bold red",
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
    config = configuration.load(config_path, flags=flags)
    with announcer(as_json) as announce:
        code = app.run(config, announce)
    sys.exit(code)


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def door(context: click.Context, as_json: bool) -> None:
    """Be the guardian alone: the service facelatch-door. Or, with `mode`, tell a running one.

    Names stay out of its output, as the system's journal would outlive a forgotten person.
    """
    if context.invoked_subcommand is not None:
        return
    config_path: Path | None = context.obj
    config = configuration.load(config_path)
    with announcer(as_json) as announce:
        app.guard(config, lambda kind, told: announce(kind, {k: v for k, v in told.items() if k != "name"}))


@click.command()
@click.pass_obj
def eyes(config_path: Path | None) -> None:
    """Be the eyes alone: the service facelatch-eyes."""
    app.watch_door(configuration.load(config_path))


@click.command()
@click.argument("tty")
@click.pass_obj
def link(config_path: Path | None, tty: str) -> None:
    """Be the lock's end of the USB cable at the serial port TTY: the service facelatch-link@.

    It ends when the port goes away, and is started again when it comes back.
    """
    click.echo(harmless(app.serve_cable(configuration.load(config_path), tty)))


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.pass_obj
def stick(config_path: Path | None, folder: Path) -> None:
    """Enrol what is on a stick, mounted at FOLDER: the service facelatch-stick@.

    `facelatch usb report` shows what became of it.
    """
    app.use_stick(configuration.load(config_path), folder)


@click.command()
@json_option
@click.pass_obj
def status(config_path: Path | None, as_json: bool) -> None:
    """Say how the door is."""
    answer = app.answer(configuration.load(config_path), wire.AskStatus())
    if as_json:
        print_json(answer)
    elif isinstance(answer, wire.Status):
        click.echo(harmless(answer.line()))


@contextmanager
def announcer(as_json: bool) -> Iterator[Announce]:
    """Prints every notice: a line of JSON, or a coloured line with the status below it."""

    def write(notice: Mapping[str, Plain]) -> None:
        if as_json:
            print_json(notice)
            return
        told = dict(notice)
        at_utc, kind, status_line = (str(told.pop(key, "")) for key in ("at_utc", "kind", "status"))
        details = " · ".join(f"{key} {harmless(str(value))}" for key, value in told.items() if value is not None)
        console.print(Text(f"{at_utc[11:23]} {kind:<12} {details}", style=STYLES.get(kind, "")), soft_wrap=True)
        if status_line:
            console.print(Text(f"{'':13}{harmless(status_line)}", style="dim"), soft_wrap=True)

    printer = Printer(write)
    try:
        yield lambda kind, values: printer({"at_utc": _now_utc(), "kind": kind, **values})
    finally:
        printer.close()


def _now_utc() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
