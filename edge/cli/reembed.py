"""``facelatch people reembed``: after a change of model, from the pictures that were kept."""

import sys
from pathlib import Path

import click
import msgspec
from rich.progress import Progress

from edge import app, wire
from edge import config as configuration
from edge.cli.people import people
from edge.errors import FaceError, FacelatchError
from edge.output import errors, json_option, print_json, table
from edge.ports import Embedder
from edge.settings import Config

ALIGNED_SHAPE = (112, 112, 3)
"""What the embedder describes (ArcFace's template)."""


class Reembedded(msgspec.Struct):
    """What became of one person, as ``--json`` gives it. ``refused``: why the person must still enrol again."""

    name: str
    templates: int
    refused: str | None = None


@people.command()
@json_option
@click.pass_obj
def reembed(config_path: Path | None, as_json: bool) -> None:
    """Describe everybody who must enrol again anew, from the pictures that were kept (privacy.keep_pictures).

    For a change of model. Nobody has to come; who has no picture kept is named, and the exit code is then 5.
    """
    config = configuration.load(config_path)
    again = [person for person in app.people(config) if person.enrol_again]
    embedder = app.embedder(config)
    with Progress(console=errors, transient=True, disable=as_json) as progress:
        lines = [_one(config, embedder, each) for each in progress.track(again, description="Looking at the pictures")]
    if as_json:
        print_json(lines)
    else:
        done = sum(line.refused is None for line in lines)
        rows = [(line.name, line.templates, line.refused) for line in lines]
        table(f"{done} of {len(lines)} described anew", ("name", "templates", "why not"), rows)
    if any(line.refused for line in lines):
        sys.exit(FaceError.exit_code)


def _one(config: Config, embedder: Embedder, person: wire.PersonLine) -> Reembedded:
    from edge.images import decode_rgb

    kept = app.answer(config, wire.AskCrops(person.name))
    if not isinstance(kept, wire.Crops) or not kept.crops:
        return Reembedded(person.name, 0, "no picture was kept: enrol again with new ones")
    try:
        faces = [decode_rgb(crop, f"the picture kept of {person.name}") for crop in kept.crops]
        if any(face.shape != ALIGNED_SHAPE for face in faces):
            return Reembedded(person.name, 0, "a picture that was kept is no aligned face: enrol again with new ones")
        templates = [wire.to_bytes(embedder.embed(face)) for face in faces]
        question = wire.AskEnroll(person.name, embedder.model_id, templates, crops=kept.crops)
        answer = app.answer(config, question)
    except FacelatchError as error:
        if isinstance(error, OSError):  # the store or the guardian: the others would fare no better
            raise
        return Reembedded(person.name, 0, str(error))
    return Reembedded(person.name, answer.people[0].templates if isinstance(answer, wire.People) else 0)
