"""``python -m tools.evaluate liveness``."""

from pathlib import Path

import click

from edge.errors import InputError
from edge.models.manifest import Shelf, own_folder
from edge.output import json_option, print_json
from edge.settings import Config
from tools.evaluate import options, plot
from tools.evaluate.networks import check_folder
from tools.evaluate.options import FOLDER
from tools.liveness import evaluation, report
from tools.liveness.sets import LIGHTS
from tools.liveness.teachers import teachers as open_teachers


@click.command("liveness")
@click.option(
    "--data", type=FOLDER, required=True, help="A folder with print_attack, replay_attack, clips and group_photos."
)
@click.option(
    "--models",
    "folders",
    type=FOLDER,
    multiple=True,
    help="A folder of networks; several times, the first one's is in the fusion.  [default: those of this checkout]",
)
@click.option("--teachers", type=FOLDER, help="A folder of minifasnet_*.tflite to measure against.")
@options.cache_option
@options.plot_option("Draw the fusion's DET curves (PNG).")
@click.option("--gallery", type=FOLDER, help="A folder for a picture of everything that went wrong at the door.")
@click.option(
    "--light",
    type=click.Choice(list(LIGHTS)),
    default="as recorded",
    show_default=True,
    help="See every frame so; the judge stays fitted to what was recorded.",
)
@click.option("--door/--no-door", default=True, show_default=True, help="The whole door, too.")
@json_option
def liveness_command(
    data: Path,
    folders: tuple[Path, ...],
    teachers: Path | None,
    cache: Path | None,
    picture: Path | None,
    gallery: Path | None,
    light: str,
    door: bool,
    as_json: bool,
) -> None:
    """Is this a living face? APCER, BPCER and ACER (ISO/IEC 30107-3), and what opens the whole door."""
    for folder, what in ((cache, "--cache"), (gallery, "--gallery")):
        if folder is not None:
            check_folder(folder, what)
    if picture is not None:
        plot.check(picture)
    shelves = [Shelf.open(folder) for folder in folders or (own_folder(),)]
    others = {} if teachers is None else open_teachers(teachers)
    named = evaluation.networks(shelves, others)
    if len(named) < len(shelves) + len(others):
        raise InputError("Two folders of --models have one name. Rename one of them.")
    recorded = evaluation.look(data, named, shelves, cache)
    looked = recorded if light == "as recorded" else evaluation.look(data, named, shelves, cache, light)
    config = Config()
    found, by_look, by_approach = evaluation.evaluate(
        looked, named, shelves[0], config, cache, with_door=door, fitted_to=recorded
    )
    if picture is not None:
        report.draw(picture, by_look, by_approach)
    wrong = 0 if gallery is None else report.gallery(gallery, found.stays, looked.found)
    if as_json:
        print_json(found)
        return
    report.print_all(found)
    if gallery is not None:
        click.echo(f"{wrong} pictures of what went wrong are in {gallery}.")
