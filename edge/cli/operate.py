"""What an operator tells the door: unlock, mode, lockdown, clear. The guardian checks who asks, and logs it."""

import re
from pathlib import Path

import click

from edge import app, wire
from edge import config as configuration
from edge.cli.run import door
from edge.core.names import harmless
from edge.errors import InputError
from edge.output import json_option, print_json

UNITS_S = {"": 1.0, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(text: str) -> float:
    """``5``, ``5s``, ``2min``, ``1h`` or ``3d`` in seconds. Raises InputError."""
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)(s|min|h|d|)", text.strip(), re.ASCII)
    if found is None:
        raise InputError(f"{text[:40]!r} is no length of time. Write it as 5s, 2min, 1h or 3d.")
    return float(found[1]) * UNITS_S[found[2]]


@click.command()
@click.option("--for", "for_text", default="5s", show_default=True, help="How long, at most 30s.")
@click.option("--reason", required=True, help="Why; it goes into the log.")
@json_option
@click.pass_obj
def unlock(config_path: Path | None, for_text: str, reason: str, as_json: bool) -> None:
    """Release the bolt once."""
    _ask(config_path, wire.AskUnlock(seconds(for_text), _reason(reason)), as_json)


@door.command()
@click.argument("mode", type=click.Choice(["normal", "free", "night", "lockdown"]))
@click.option("--reason", default="", help="Why; it goes into the log.")
@json_option
@click.pass_obj
def mode(config_path: Path | None, mode: str, reason: str, as_json: bool) -> None:
    """Set the door's mode until another is set.

    normal: as the schedules say. free: no lock. night: face and PIN are both needed. lockdown: nobody comes in; the
    exit button still works.
    """
    _ask(config_path, wire.AskMode(mode, reason[:200]), as_json)  # type: ignore[arg-type]  # click has checked it


@click.command()
@click.option("--reason", default="", help="Why; it goes into the log.")
@json_option
@click.pass_obj
def lockdown(config_path: Path | None, reason: str, as_json: bool) -> None:
    """Secure the door and let nobody in, until `facelatch door mode normal`."""
    _ask(config_path, wire.AskMode("lockdown", reason[:200]), as_json)


@click.command()
@click.option("--camera", is_flag=True, help="And take the camera that is there for the lock's own.")
@json_option
@click.pass_obj
def clear(config_path: Path | None, camera: bool, as_json: bool) -> None:
    """Acknowledge an alarm, end a latched fault (the self-check must pass) and every lockout."""
    _ask(config_path, wire.AskClear(camera), as_json)


def _ask(config_path: Path | None, question: wire.Question, as_json: bool) -> None:
    answer = app.answer(configuration.load(config_path), question)
    if as_json:
        print_json(answer)
    elif isinstance(answer, wire.Status):
        click.echo(harmless(answer.line()))


def _reason(text: str) -> str:
    if not 1 <= len(text) <= 200 or not text.isprintable():
        raise InputError("The reason must be 1 to 200 printable characters. Say it in a few words.")
    return text
