"""``python -m tools.models``: build the networks of ``models_tflite/`` or only their fp32 references; for owners of a
Coral accelerator the commands of ``coral``."""

import importlib.util
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from edge.errors import ModelError
from edge.output import json_option, print_json
from tools.evaluate.lfw import measured_with, open_view1
from tools.models import build as building
from tools.models.console import errors, reporting
from tools.models.coral import edgetpu_command, parity_command

NEEDED = ("ai_edge_litert", "ai_edge_quantizer", "joblib", "lz4", "tensorflow")

WORK = click.option(
    "--work",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/models"),
    show_default=True,
    help="Where downloads and fp32 references are kept.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Fetch, convert, quantise and check the networks of facelatch, and compile them for an Edge TPU.

    `build` and `fp32` need the extra `tools`.
    """


@main.command("build")
@click.option(
    "--faces",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="A folder tree of photographs of people, to calibrate and check with; may be given several times.",
)
@click.option(
    "--lfw",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="LFW View 1 instead of --faces, or added to it: people of pairsDevTrain of whom no two pictures are compared, "
    "so that all genuine pairs remain to measure with. The committed networks are built so.",
)
@click.option(
    "--unseen",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="A list of people whose folders are left out, because accuracy is measured on them (LFW's pairsDevTest.txt).",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("models_tflite"),
    show_default=True,
    help="Where the int8 networks and their manifest go, once every check has passed.",
)
@WORK
@json_option
def build_command(
    faces: tuple[Path, ...], lfw: Path | None, unseen: tuple[Path, ...], out: Path, work: Path, as_json: bool
) -> None:
    """Build the int8 networks and their manifest."""
    if not faces and lfw is None:
        raise click.UsageError(
            "Quantising needs real faces. Pass a folder with a thousand photographs of people: --faces DIR, or --lfw "
            "DIR."
        )
    names = {
        word
        for path in unseen
        for word in path.read_text(encoding="utf-8", errors="replace").split()
        if not re.fullmatch(r"\d+", word)
    }
    with with_tools(), reporting() as report:
        if lfw is not None:
            faces += (lfw / "images",)
            names |= measured_with(open_view1(lfw))
        figures = building.build(work, out, faces, names, report)
    _print_figures(out, figures, as_json)


@main.command("fp32")
@WORK
@json_option
def fp32_command(work: Path, as_json: bool) -> None:
    """Rebuild only the fp32 references, in the work folder."""
    with with_tools(), reporting() as report:
        shelf = building.build_fp32(building.get_published(work, report), work / "fp32", report)
    sizes = {name: {"fp32": {"size_bytes": card.size_bytes}} for name, card in shelf.cards.items()}
    _print_figures(shelf.folder, sizes, as_json)


main.add_command(edgetpu_command)
main.add_command(parity_command)


@contextmanager
def with_tools() -> Iterator[None]:
    """TensorFlow quiet and repeatable. Ends with an error where a package is missing."""
    # oneDNN chooses kernels, and with them the order of sums, by the machine.
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", CUDA_VISIBLE_DEVICES="")
    with errors():
        missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
        if missing:
            raise ModelError(f"Building networks needs {', '.join(missing)}. Run `pip install -e .[tools]`.")
        yield


def _print_figures(folder: Path, figures: building.Figures, as_json: bool) -> None:
    if as_json:
        print_json({"folder": str(folder), "models": figures})
        return
    table = Table("network", "variant", "figure", "value", title=f"written to {folder}")
    for name, by_variant in figures.items():
        for variant, values in by_variant.items():
            for key, value in values.items():
                table.add_row(name, variant, key, f"{value:.7g}")
    Console().print(table)


if __name__ == "__main__":
    main(prog_name="python -m tools.models")
