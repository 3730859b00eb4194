"""What is kept of one person: ``facelatch people show``, ``export``, ``expire``, ``agree``, ``disable`` and ``enable``;
and ``facelatch consent``."""

import base64
import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec

from edge import app, consent, wire
from edge import config as configuration
from edge.cli.people import ask_people, name_argument, people
from edge.core.ageing import Ageing, trend
from edge.core.names import clean_name, shown
from edge.errors import InputError, WireError
from edge.output import console, json_option, print_json, table
from edge.records import last_day
from edge.settings import Config

NEVER = "never"
"""What takes the last day away."""

LINES = 100
"""Entries of the log in one answer."""


@people.command()
@name_argument
@json_option
@click.pass_obj
def show(config_path: Path | None, name: str, as_json: bool) -> None:
    """Show what is kept of NAME, when NAME was last let in, and whether the templates have aged."""
    config = configuration.load(config_path)
    found = _shown(config, name)
    ageing = _ageing(config, found.person.name)
    if as_json:
        print_json({"kept": found, "ageing": ageing})
        return
    table(found.person.name, ("what", "detail"), _rows(found, ageing))


@people.command()
@name_argument
@click.option("--to", "file", type=click.Path(path_type=Path), help="Write to this new file (0600), not to the screen.")
@json_option
@click.pass_obj
def export(config_path: Path | None, name: str, file: Path | None, as_json: bool) -> None:
    """Give NAME all that is kept of NAME, as JSON: templates and pictures, rules, consent, entries of the log."""
    config = configuration.load(config_path)
    found = _shown(config, name)
    named = found.person.name
    templates, crops = app.answer(config, wire.AskTemplates(named)), app.answer(config, wire.AskCrops(named))
    if not isinstance(templates, wire.Templates) or not isinstance(crops, wire.Crops):
        raise WireError("The guardian answered something else than templates. Use one release for both.")
    document = msgspec.json.format(
        msgspec.json.encode(
            {
                "kept": found,
                "model": templates.model_id,
                "templates (float32, little-endian, base64)": [_text(each) for each in templates.templates],
                "pictures (JPEG, base64)": [_text(each) for each in crops.crops],
                "log": _log(config, named),
            },
            order="sorted",
        )
    )
    if file is None:
        click.echo(document)
        return
    _write(file, document)
    if as_json:
        print_json({"file": str(file), "person": named})
        return
    console.print(f"{file} holds all that is kept of {named}.", markup=False, soft_wrap=True)


@people.command()
@name_argument
@click.argument("day")
@json_option
@click.pass_obj
def expire(config_path: Path | None, name: str, day: str, as_json: bool) -> None:
    """Erase NAME after DAY (as 2026-12-31, or "never"): refused from then on, and forgotten for good within hours.

    Days are the door's, as its clock on the wall shows them.
    """
    until = None if day == NEVER else _to_come(configuration.load(config_path), day)
    ask_people(config_path, wire.AskAgree(clean_name(name), expires=until), as_json)


@people.command()
@name_argument
@click.option("--until", help="The last day, as 2026-12-31.  [default: privacy.consent_days from today]")
@json_option
@click.pass_obj
def agree(config_path: Path | None, name: str, until: str | None, as_json: bool) -> None:
    """Record that NAME has agreed to the wording that `facelatch consent` prints, today, and until when it holds."""
    given, ends = consent_given(configuration.load(config_path), until)
    ask_people(config_path, wire.AskAgree(clean_name(name), given, ends), as_json)


@people.command()
@name_argument
@json_option
@click.pass_obj
def disable(config_path: Path | None, name: str, as_json: bool) -> None:
    """Let NAME in no more for now; nothing is erased."""
    ask_people(config_path, wire.AskAllow(clean_name(name), disabled=True), as_json)


@people.command()
@name_argument
@json_option
@click.pass_obj
def enable(config_path: Path | None, name: str, as_json: bool) -> None:
    """Let NAME in again."""
    ask_people(config_path, wire.AskAllow(clean_name(name), disabled=False), as_json)


@click.command("consent")
@json_option
@click.pass_obj
def consent_command(config_path: Path | None, as_json: bool) -> None:
    """Print what people agree to (--consent), to be read or signed."""
    config = configuration.load(config_path)
    privacy = config.privacy
    text = consent.text(privacy.consent_days, config.log.keep_days, keeps_pictures=privacy.keep_pictures)
    if as_json:
        print_json({"wording": consent.WORDING, "text": text})
    else:
        click.echo(text, nl=False)


def consent_given(config: Config, until: str | None) -> tuple[wire.ConsentLine, str]:
    """A consent given now, and its last day. Raises InputError."""
    clock = app.clock(config)
    days = timedelta(days=config.privacy.consent_days)
    ends = _to_come(config, until) if until else (clock.local().date() + days).isoformat()
    return wire.ConsentLine(clock.utc(), consent.WORDING), ends


def _to_come(config: Config, day: str) -> str:
    """A last day that is not past: a slip of the finger must not erase anybody. Raises InputError."""
    if date.fromisoformat(last_day(day) or "") < app.clock(config).local().date():
        raise InputError(f"{shown(day)} is past. Give a day to come; to erase somebody now: `facelatch people forget`.")
    return day


def _shown(config: Config, name: str) -> wire.Shown:
    answer = app.answer(config, wire.AskShow(clean_name(name)))
    if not isinstance(answer, wire.Shown):
        raise WireError("The guardian answered something else than a person. Use one release for both.")
    return answer


def _ageing(config: Config, name: str) -> Ageing:
    """From the first and the newest grants in the log."""
    first = _page(config, wire.AskLog(person=name, kind="released"))
    newest = _page(config, wire.AskLog(person=name, kind="released", last=LINES))
    grants = {
        line.id: (line.at_utc, similarity)
        for line in (*first.lines, *newest.lines)
        if isinstance(similarity := line.detail.get("similarity"), float)
    }
    return trend(list(grants.values()), app.status(config).similarity_min)


def _log(config: Config, name: str) -> list[wire.LogLine]:
    lines: list[wire.LogLine] = []
    while True:
        page = _page(config, wire.AskLog(after_id=lines[-1].id if lines else 0, person=name))
        lines += page.lines
        if not page.more:
            return lines


def _page(config: Config, question: wire.AskLog) -> wire.Log:
    answer = app.answer(config, question)
    if not isinstance(answer, wire.Log):
        raise WireError("The guardian answered something else than a log. Use one release for both.")
    return answer


def _rows(found: wire.Shown, ageing: Ageing) -> list[tuple[str, Any]]:
    person, permission = found.person, found.permission
    given = person.consent
    pins = [kind for kind, there in (("PIN", found.has_pin), ("duress PIN", found.has_duress_pin)) if there]
    said = [
        ("number", person.id),
        ("enrolled (UTC)", person.enrolled_utc),
        ("templates", person.templates),
        ("must enrol again", f"the templates are of model {person.former_model}" if person.enrol_again else None),
        ("pictures kept", found.pictures or None),
        ("consent", f"wording {given.wording}, given {given.given_utc[:10]}" if given else "none recorded"),
        ("erased after", person.expires or "never"),
        ("PINs", ", ".join(pins) or "none"),
        ("disabled", "not let in at present" if permission.disabled else None),
        ("by PIN only", "looks like somebody else" if permission.pin_required else None),
        ("from (UTC)", permission.valid_from_utc),
        ("until (UTC)", permission.valid_until_utc),
        ("uses left", permission.uses_left),
        ("hours", permission.schedule),
        ("last let in (UTC)", ageing.last_seen_utc or "never by face"),
        ("grants in the log", ageing.grants),
        ("similarity", None if ageing.first is None else f"{ageing.first:.2f} at first, {ageing.latest:.2f} lately"),
        ("templates' age", ageing.advice),
    ]
    return [(what, detail) for what, detail in said if detail is not None]


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _write(file: Path, document: bytes) -> None:
    """A new file for its owner alone. Raises InputError."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(document + b"\n")
    except OSError as error:
        raise InputError(
            f"{shown(str(file), 120)} cannot be written ({error.strerror}). Give a name that is free."
        ) from error
