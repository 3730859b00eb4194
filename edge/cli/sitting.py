"""``facelatch enroll NAME --camera``: the guardian collects the looks, this shows what to do and what became of it."""

import secrets
import time

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from edge import app, wire
from edge.errors import FacelatchError
from edge.output import console, errors, print_json, table
from edge.settings import Config

ASK_EVERY_S = 0.25
"""How often the guardian is asked how far it is: words that change faster are not read."""


def at_the_camera(config: Config, terms: wire.EnrollTerms, looks: int, as_json: bool) -> None:
    """Enrol whoever is before the camera. Ctrl-C cancels. Raises FacelatchError."""
    ticket = secrets.token_hex(8)
    sitting = app.sit(config, wire.AskCamera(ticket, terms, looks))
    try:
        with _progress(as_json) as progress:
            task = progress.add_task(sitting.guidance, total=sitting.wanted)
            while sitting.person is None:
                time.sleep(ASK_EVERY_S)
                sitting = app.sit(config, wire.AskCameraProgress(ticket))
                progress.update(task, description=sitting.guidance, completed=len(sitting.kept))
    except KeyboardInterrupt:
        app.sit(config, wire.AskCameraCancel(ticket))
        errors.print("Cancelled: nobody was enrolled.")
        raise click.Abort from None
    except FacelatchError:
        if not as_json:
            _show(terms.name, sitting)
        raise
    if as_json:
        print_json(sitting)
        return
    _show(terms.name, sitting)
    count = sitting.person.templates
    console.print(f"{sitting.person.name} is enrolled with {count} template{'s' * (count != 1)}.", markup=False)


def _progress(as_json: bool) -> Progress:
    words = TextColumn("{task.description}", markup=False)
    return Progress(words, BarColumn(), MofNCompleteColumn(), console=errors, transient=True, disable=as_json)


def _show(name: str, sitting: wire.Sitting) -> None:
    rows = [
        (number, look.pose or "as it came", look.face_px, look.yaw_deg, look.brightness, look.sharpness)
        for number, look in enumerate(sitting.kept, 1)
    ]
    table(name, ("look", "pose", "px", "yaw °", "light", "sharp"), rows)
    for reason, count in sitting.refused.items():
        console.print(f"{count} look{'s' * (count != 1)} not kept: {reason}", markup=False)
