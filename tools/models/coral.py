"""The commands for owners of a Coral accelerator: ``edgetpu`` compiles the networks for it, ``parity`` tries it out."""

import sys
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from edge.errors import ModelError
from edge.models.interpreter import load_delegate
from edge.models.manifest import Shelf
from edge.output import json_option, print_json
from tools.models import compiler as compiling
from tools.models import parity
from tools.models.console import errors, reporting

DIFFERENT = 1
"""Exit code of ``parity`` when the device computes something else."""


@click.command("edgetpu")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="A folder that is new or empty, for the compiled networks and their manifest: the lock's models.folder.",
)
@click.option("--compiler", default="edgetpu_compiler", show_default=True, help="Google's compiler.")
@json_option
def edgetpu_command(out: Path, compiler: str, as_json: bool) -> None:
    """Compile the networks for the Edge TPU, and check that every operator was mapped."""
    with errors(), reporting() as report:
        shelf = Shelf.open(None, compiling.VARIANT)
        compiled = compiling.compile_shelf(shelf, out, compiler, lambda done: report("compile", done))
    if as_json:
        networks = {
            name: {key: value for key, value in asdict(each).items() if key != "content"}
            for name, each in compiled.items()
        }
        print_json({"folder": str(out), "models": networks})
        return
    versions = ", ".join(sorted({each.compiler for each in compiled.values()}))
    table = Table("network", "file", "mapped", title=f"written to {out} by edgetpu_compiler {versions}")
    for name, each in compiled.items():
        table.add_row(name, each.file, str(each.operations))
    Console().print(table)


@click.command("parity")
@click.option(
    "--models",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="What `edgetpu` wrote.",
)
@click.option("--delegate", default="libedgetpu.so.1", show_default=True, help="The Edge TPU's library.")
@click.option(
    "--faces",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="A folder tree of photographs of people.",
)
@json_option
def parity_command(models: Path, delegate: str, faces: Path, as_json: bool) -> None:
    """Compare what the Edge TPU computes of real faces with what the processor computes.

    Ends with 1 when they differ by more than two sound implementations of one network do.
    """
    with errors():
        with reporting() as report:
            reference, device = Shelf.open(None, compiling.VARIANT), Shelf.open(models, compiling.VARIANT)
            loaded = load_delegate(delegate)
            inputs = parity.collect(reference, faces, report)
            found = parity.compare(reference, device, loaded, inputs, report)
        if as_json:
            print_json([asdict(each) | {"same": each.same} for each in found])
        else:
            _print_differences(found)
        try:
            parity.refuse_different(found)
        except ModelError as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(DIFFERENT)


def _print_differences(found: list[parity.Difference]) -> None:
    title = "Edge TPU against processor: difference in int8 steps, and cosine"
    table = Table("output", "mean", "99 %", "largest", "cosine", "least", "same", title=title)
    for each in found:
        steps = f"{each.steps_mean:.2f}", f"{each.steps_p99:.0f}", str(each.steps_max)
        cosines = ("" if cosine is None else f"{cosine:.4f}" for cosine in (each.cosine_mean, each.cosine_min))
        table.add_row(f"{each.network} {each.output}", *steps, *cosines, "yes" if each.same else "NO")
    Console().print(table)
