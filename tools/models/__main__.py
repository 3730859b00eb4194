"""``python -m tools.models``: build the networks of ``models_tflite/``, or only their fp32 references."""

import importlib.util
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from edge.errors import FacelatchError, ModelError
from tools.models import build as building

NEEDED = ("ai_edge_litert", "ai_edge_quantizer", "joblib", "lz4", "tensorflow")

WORK = click.option(
    "--work",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/models"),
    show_default=True,
    help="Where downloads and fp32 references are kept.",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@click.group()
def main() -> None:
    """Fetch, convert, quantise and check the networks of facelatch. Needs the extra `tools`."""


@main.command("build")
@click.option(
    "--faces",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="A folder tree of photographs of people, to calibrate and check with; may be given several times. Required.",
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
@AS_JSON
def build_command(faces: tuple[Path, ...], unseen: tuple[Path, ...], out: Path, work: Path, as_json: bool) -> None:
    """Build the int8 networks and their manifest."""
    if not faces:
        raise click.UsageError(
            "Quantising needs real faces. Pass a folder with a thousand photographs of people: --faces DIR."
        )
    names = {
        word
        for path in unseen
        for word in path.read_text(encoding="utf-8", errors="replace").split()
        if not re.fullmatch(r"\d+", word)
    }
    with _tools(), _reporting() as report:
        figures = building.build(work, out, faces, names, report)
    _print_figures(out, figures, as_json)


@main.command("fp32")
@WORK
@AS_JSON
def fp32_command(work: Path, as_json: bool) -> None:
    """Rebuild only the fp32 references, in the work folder."""
    with _tools(), _reporting() as report:
        shelf = building.build_fp32(building.get_published(work, report), work / "fp32", report)
    _print_figures(shelf.folder, {name: {"size_bytes": card.size_bytes} for name, card in shelf.cards.items()}, as_json)


@contextmanager
def _tools() -> Iterator[None]:
    """Errors in one line with their exit code, and TensorFlow quiet and repeatable."""
    # oneDNN chooses kernels, and with them the order of sums, by the machine.
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", CUDA_VISIBLE_DEVICES="")
    try:
        missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
        if missing:
            raise ModelError(f"Building networks needs {', '.join(missing)}. Run `pip install -e .[tools]`.")
        yield
    except FacelatchError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:  # a folder of the caller's that cannot be read or written, a full disk
        click.echo(f"error: {error}. Check the path, its permissions and the space left.", err=True)
        sys.exit(ModelError.exit_code)


@contextmanager
def _reporting() -> Iterator[building.Report]:
    # The file is named, because the quantiser's own bars are kept off sys.stderr meanwhile.
    with Progress(console=Console(file=sys.stderr)) as progress:
        tasks: dict[str, TaskID] = {}

        def report(step: str, done: float) -> None:
            task = tasks.get(step)
            if task is None:
                task = tasks[step] = progress.add_task(step, total=1.0)
            progress.update(task, completed=done)

        yield report


def _print_figures(folder: Path, figures: building.Figures, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"folder": str(folder), "models": figures}))
        return
    table = Table("network", "figure", "value", title=f"written to {folder}")
    for name, values in figures.items():
        for key, value in values.items():
            table.add_row(name, key, f"{value:.7g}")
    Console().print(table)


if __name__ == "__main__":
    main(prog_name="python -m tools.models")
