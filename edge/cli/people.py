"""``facelatch enroll``, ``people`` and ``forget``."""

import sys
from pathlib import Path

import click
import msgspec
from rich.progress import track

from edge import app, wire
from edge import config as configuration
from edge.cli.output import console, errors, json_option, print_json, table
from edge.core.names import clean_name, shown
from edge.enroll.session import Sample, Session
from edge.errors import FaceError, ImageError, WireError


class PhotoLine(msgspec.Struct):
    """What became of one photograph, as ``--json`` gives it."""

    photo: str
    refused: str | None
    face_px: float | None = None
    yaw_deg: float | None = None
    brightness: float | None = None


@click.command()
@click.argument("name")
@click.argument("photos", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--add", is_flag=True, help="Give somebody who is enrolled already more templates.")
@click.option(
    "--same-as", metavar="NAME2", help="NAME looks like NAME2 and is the same person: add the pictures there."
)
@click.option("--pin-required", is_flag=True, help="NAME looks like somebody else: let both in by PIN only.")
@json_option
@click.pass_obj
def enroll(
    config_path: Path | None,
    name: str,
    photos: tuple[Path, ...],
    add: bool,
    same_as: str | None,
    pin_required: bool,
    as_json: bool,
) -> None:
    """Enrol NAME from one or more PHOTOs, each showing that person alone.

    Photographs that cannot be used are listed with the reason, and the others count; when none can be used, nobody is
    enrolled. Works while the lock runs. Who must enrol again after a change of model (`facelatch people` says who) is
    enrolled like somebody new; the old templates are deleted. Who looks like somebody enrolled is refused until you
    say which it is: --same-as or --pin-required.
    """
    config = configuration.load(config_path)
    name, add = (clean_name(name), add) if same_as is None else (clean_name(same_as), True)
    embedder = app.embedder(config)
    session = Session(app.detector(config, photographs=True), embedder, config.faces.min_px)
    progress = track(photos, "Looking at the photographs", console=errors, transient=True, disable=as_json)
    samples = [_sample(session, photo) for photo in progress]
    if not session.templates:
        reasons = "\n".join(f"  {sample.source}: {sample.refused}" for sample in samples)
        raise FaceError(
            f"Nobody was enrolled, as no photograph can be used:\n{reasons}\n"
            "Use a sharp picture from the front, in even light, with one person in it."
        )
    templates = [wire.to_bytes(template) for template in session.templates]
    answer = app.answer(config, wire.AskEnroll(name, embedder.model_id, templates, add, pin_required))
    person = answer.people[0] if isinstance(answer, wire.People) else None
    lines = [_line(sample) for sample in samples]
    if as_json:
        print_json({"person": person, "photos": lines})
        return
    rows = [
        (line.photo, "no" if line.refused else "yes", line.face_px, line.yaw_deg, line.brightness, line.refused)
        for line in lines
    ]
    table(name, ("photo", "kept", "px", "yaw °", "light", "why not"), rows)
    total = person.templates if person else 0
    console.print(f"{name} is enrolled with {total} template{'s' * (total != 1)}.", markup=False)


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def people(context: click.Context, as_json: bool) -> None:
    """List everybody enrolled, or change what somebody may."""
    if context.invoked_subcommand is None:
        _list(context.obj, as_json)


def _list(config_path: Path | None, as_json: bool) -> None:
    everybody = app.people(configuration.load(config_path))
    if as_json:
        print_json(everybody)
        return
    rows = [(person.name, person.templates, person.enrolled_utc) for person in everybody]
    columns = ("name", "templates", "enrolled (UTC)")
    again = sum(person.enrol_again for person in everybody)
    if not again:
        table(f"{len(rows)} enrolled", columns, rows)
        return
    marked = [(*row, _advice(person)) for row, person in zip(rows, everybody, strict=True)]
    table(f"{len(rows) - again} enrolled · {again} must enrol again", (*columns, "detail"), marked)
    console.print("Enrol again with `facelatch enroll NAME PHOTOS`.", markup=False)


@click.command()
@click.argument("name")
@json_option
@click.pass_obj
def forget(config_path: Path | None, name: str, as_json: bool) -> None:
    """Delete NAME and every template of that person, for good."""
    answer = app.answer(configuration.load(config_path), wire.AskForget(clean_name(name)))
    if as_json:
        print_json(answer)
    elif isinstance(answer, wire.People):
        console.print(f"{answer.people[0].name} is forgotten.", markup=False)


@people.command("list")
@json_option
@click.pass_context
def list_people(context: click.Context, as_json: bool) -> None:
    """List everybody enrolled."""
    _list(context.obj, as_json)


@people.command()
@click.argument("name")
@click.argument("new_name")
@json_option
@click.pass_obj
def rename(config_path: Path | None, name: str, new_name: str, as_json: bool) -> None:
    """Give NAME another name; templates and rules stay."""
    question = wire.AskRename(clean_name(name), clean_name(new_name))
    answer = app.answer(configuration.load(config_path), question)
    if as_json:
        print_json(answer)
    elif isinstance(answer, wire.People):
        console.print(f"{name} is now {answer.people[0].name}.", markup=False)


@people.command()
@json_option
@click.pass_obj
def check(config_path: Path | None, as_json: bool) -> None:
    """Compare everybody with everybody: who looks alike, and whether that was decided. Exit code 1 when not."""
    answer = app.answer(configuration.load(config_path), wire.AskAlike())
    if not isinstance(answer, wire.Alike):
        raise WireError("The guardian answered something else than a check. Use one release for both.")
    undecided = [pair for pair in answer.pairs if not pair.pin_required]
    if as_json:
        print_json(answer)
    elif answer.pairs:
        rows = [(p.first, p.second, f"{p.similarity:.2f}", "yes" if p.pin_required else "no") for p in answer.pairs]
        table("people who look alike", ("person", "person", "similarity", "both by PIN only"), rows)
        if undecided:
            advice = "For each of them: `facelatch people allow NAME --pin-required`, or forget one of the two."
            console.print(advice, markup=False)
    else:
        console.print(f"No two look alike (similarity below {answer.alike_min:.2f}).", markup=False)
    if undecided:
        sys.exit(1)


def _advice(person: wire.PersonLine) -> str:
    if not person.enrol_again:
        return ""
    return "must enrol again" + (f": the templates are of model {person.former_model}" if person.former_model else "")


def _sample(session: Session, photo: Path) -> Sample:
    from edge.images import read_rgb

    source = shown(str(photo), 120)[1:-1]
    try:
        return session.add(source, read_rgb(photo))
    except ImageError as error:
        return Sample(source, str(error))


def _line(sample: Sample) -> PhotoLine:
    line = PhotoLine(sample.source, sample.refused)
    if sample.quality is not None:
        line.face_px, line.yaw_deg = sample.quality.face_px, sample.quality.yaw_deg
        line.brightness = sample.quality.brightness
    return line
