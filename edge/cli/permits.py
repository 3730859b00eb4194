"""The people's rules: ``facelatch people allow``, ``people pin`` and ``facelatch holidays``."""

from datetime import UTC, date, datetime, tzinfo
from pathlib import Path

import click
import msgspec

from edge import app, wire
from edge import config as configuration
from edge.cli.people import ask_people, name_argument, people
from edge.core.names import clean_name, shown
from edge.errors import InputError
from edge.output import json_option, print_json

ANY = "any"
"""What takes a limit away."""


@people.command()
@name_argument
@click.option("--schedule", help='Weekly hours, as "Mon-Fri 08:00-18:00; Hol closed"; "any": at all times.')
@click.option("--from", "from_text", help='First day or moment, as 2026-12-24 or 2026-12-24T18:00; "any".')
@click.option("--until", "until_text", help='Last day or moment, as 2026-12-31 or 2026-12-31T12:00; "any".')
@click.option("--uses", help='How often the door still opens; "any": always.')
@click.option("--enable/--disable", "enabled", default=None, help="Let the person in again, or not for now.")
@click.option("--pin-required/--face-suffices", "pin_required", default=None, help="By PIN only, or by the face, too.")
@json_option
@click.pass_obj
def allow(
    config_path: Path | None,
    name: str,
    schedule: str | None,
    from_text: str | None,
    until_text: str | None,
    uses: str | None,
    enabled: bool | None,
    pin_required: bool | None,
    as_json: bool,
) -> None:
    """Say when NAME may come in. Days and hours are local time; what is not given stays as it was."""
    zone = app.clock(configuration.load(config_path)).local().tzinfo
    question = wire.AskAllow(
        clean_name(name),
        disabled=msgspec.UNSET if enabled is None else not enabled,
        valid_from_utc=_moment(from_text, zone, is_end=False),
        valid_until_utc=_moment(until_text, zone, is_end=True),
        uses_left=msgspec.UNSET if uses is None else _uses(uses),
        schedule=msgspec.UNSET if schedule is None else None if schedule == ANY else schedule,
        pin_required=msgspec.UNSET if pin_required is None else pin_required,
    )
    ask_people(config_path, question, as_json)


@people.command()
@name_argument
@click.option("--duress", is_flag=True, help="A second PIN for use under threat: opens, and logs it in silence.")
@click.option("--remove", is_flag=True, help="Take the PIN away.")
@json_option
@click.pass_obj
def pin(config_path: Path | None, name: str, duress: bool, remove: bool, as_json: bool) -> None:
    """Give NAME a PIN; it is asked for, and never shown."""
    typed = None if remove else click.prompt("PIN", hide_input=True, confirmation_prompt=True, err=True)
    ask_people(config_path, wire.AskPin(clean_name(name), typed, duress), as_json)


@click.command()
@click.option("--add", multiple=True, metavar="DATE", help="A day, as 2026-12-25.")
@click.option("--remove", multiple=True, metavar="DATE")
@json_option
@click.pass_obj
def holidays(config_path: Path | None, add: tuple[str, ...], remove: tuple[str, ...], as_json: bool) -> None:
    """List the holidays, after adding and removing some. On them only a schedule's "Hol" hours hold."""
    answer = app.answer(configuration.load(config_path), wire.AskHolidays(list(add), list(remove)))
    if as_json:
        print_json(answer)
    elif isinstance(answer, wire.Holidays):
        click.echo("\n".join(answer.dates) if answer.dates else "There are no holidays.")


def _moment(text: str | None, zone: tzinfo | None, *, is_end: bool) -> str | msgspec.UnsetType | None:
    """UTC of a day or moment in the door's time zone or moment; a day as an end is included. Raises InputError."""
    if text is None:
        return msgspec.UNSET
    if text == ANY:
        return None
    try:
        local = datetime.fromisoformat(text)
        if len(text) == len("2026-12-31") and is_end:
            local = datetime.fromordinal(date.fromisoformat(text).toordinal() + 1)
        if local.tzinfo is None:
            local = local.replace(tzinfo=zone)
        return local.astimezone(UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError) as error:
        raise InputError(f"{shown(text)} is no date. Write it as 2026-12-31 or 2026-12-31T18:00.") from error


def _uses(text: str) -> int | None:
    if text == ANY:
        return None
    if not text.isdecimal() or not text.isascii() or int(text[:8]) > 1_000_000:
        raise InputError(f"{shown(text)} is no number of uses. Give 0 to 1000000, or any.")
    return int(text)
