"""The commands of ``python -m tools.train``."""

from pathlib import Path

import click

from edge.output import json_option, print_json
from tools.models.console import errors, reporting
from tools.train import sheet
from tools.train.start import training

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Train a liveness network, and show what it is trained on."""


@main.command("sheet")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("build/attacks.png"), show_default=True
)
def sheet_command(out: Path) -> None:
    """Ten generated attacks, made from photographs in the public domain."""
    with errors():
        sheet.draw(out)
    click.echo(f"written to {out}")


DATA = click.option("--data", type=FOLDER, required=True, help="The folder of the data sets (tools/train/README.md).")
TEACHERS = click.option("--teachers", type=FOLDER, required=True, help="The folder of the teachers' .tflite files.")
WORK = click.option(
    "--work",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/train"),
    show_default=True,
    help="Where the squares cut from the pictures are kept; remove it after a change of the generator or the data.",
)


@main.command("liveness")
@DATA
@TEACHERS
@WORK
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/train/shelf"),
    show_default=True,
    help="The shelf that the network goes to, once every check has passed.",
)
@json_option
def liveness_command(data: Path, teachers: Path, work: Path, out: Path, as_json: bool) -> None:
    """Train, quantise, check and write a liveness network. Needs the extra `tools`; half an hour on two cores."""
    with reporting() as report, training():
        from tools.train import crops, learn, liveness

        cache = crops.ready(data, teachers, work, lambda done: report("look at pictures", done))
        step = lambda number, _: report("train", (number + 1) / learn.STEPS)  # noqa: E731
        figures = liveness.make(cache, data, teachers, out, work / "shelves", step)
    if as_json:
        print_json({"folder": str(out), "figures": figures})
    else:
        click.echo("\n".join(f"{variant}: {found}" for variant, found in figures.items()))


if __name__ == "__main__":
    main(prog_name="python -m tools.train")
