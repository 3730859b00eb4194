"""``python -m tools.liveness fit``: the judge's weights, written beside the networks."""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import msgspec

from edge.core.living.judge import Weights
from edge.errors import FacelatchError, ModelError
from edge.models.judging import JUDGE, SCHEMA
from edge.models.manifest import LIVENESS, Shelf, own_folder, variants
from edge.settings import Config
from tools.evaluate import options
from tools.evaluate.networks import check_folder
from tools.evaluate.options import FOLDER
from tools.liveness import evaluation, report
from tools.liveness.evaluation import Evaluation
from tools.liveness.teachers import teachers as open_teachers
from tools.models.manifest_writer import dumps

HEADER = "# Written by `python -m tools.liveness fit`; do not edit. For these networks and no other.\n"


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def liveness() -> None:
    """The liveness judge."""


@liveness.command("fit")
@click.option(
    "--data", type=FOLDER, required=True, help="A folder with print_attack, replay_attack, clips and group_photos."
)
@click.option("--models", "folder", type=FOLDER, help="The networks.  [default: those of this checkout]")
@click.option("--teachers", type=FOLDER, help="A folder of minifasnet_*.tflite to measure beside the network.")
@options.cache_option
def fit_command(data: Path, folder: Path | None, teachers: Path | None, cache: Path | None) -> None:
    """Fit the judge to everything, measure it with each collection left out, and write judge.toml."""
    if cache is not None:
        check_folder(cache, "--cache")
    shelf = Shelf.open(folder or own_folder())
    named = evaluation.networks([shelf], {} if teachers is None else open_teachers(teachers))
    looked = evaluation.look(data, named, [shelf], cache)
    found, _, _ = evaluation.evaluate(looked, named, shelf, Config(), cache)
    write(shelf, evaluation.fitted(looked, found.network), found)
    report.print_all(found)
    click.echo(f"Written to {shelf.folder / JUDGE}.")


def write(shelf: Shelf, weights: Weights, found: Evaluation) -> None:
    """Replace ``judge.toml``, whole or not at all. Raises ModelError."""
    digests = {variant: Shelf.open(shelf.folder, variant).card(LIVENESS).sha256 for variant in variants(shelf.folder)}
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "networks": digests,
        "weights": evaluation.plain(weights),
        "left_out": {name.replace(" ", "_"): each for name, each in found.weights.items()},
        "measured": {
            "revision": found.revision or "not known",
            "network": found.digest,
            "points": msgspec.to_builtins(found.points),
            "operating": msgspec.to_builtins(found.operating),
            "door": msgspec.to_builtins(found.opened),
            "rows": msgspec.to_builtins(found.rows),
        },
    }
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=shelf.folder, suffix=".toml", delete=False) as work:
            work.write(dumps(document, HEADER))
        os.chmod(work.name, 0o644)
        os.replace(work.name, shelf.folder / JUDGE)
    except OSError as error:
        raise ModelError(f"{shelf.folder / JUDGE} cannot be written ({error}). Check its folder.") from error


def main() -> None:
    """Run the command; a FacelatchError becomes its message on standard error and its exit code."""
    try:
        liveness(prog_name="python -m tools.liveness")
    except FacelatchError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
