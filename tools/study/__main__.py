"""The commands of ``python -m tools.study``: what was tried, on which data; figures kept in models_tflite/study.toml.

They say why the networks and the settings are as they are. Half an hour for all; nothing of the product needs them.
"""

import os
import tomllib
from pathlib import Path
from typing import Any

import click

from edge.models.manifest import Shelf
from edge.output import json_option, print_json, table
from tools.evaluate import lfw, wider
from tools.evaluate.networks import ROOT, revision
from tools.models.__main__ import WORK, with_tools
from tools.models.console import errors, reporting
from tools.models.manifest_writer import dumps
from tools.train.__main__ import DATA, TEACHERS
from tools.train.__main__ import WORK as TRAIN_WORK
from tools.train.start import training

KEPT = ROOT / "models_tflite" / "study.toml"

HEADER = """\
# Written by `python -m tools.study`; do not edit. TAR in %, recall as a share, on the data that tools/study names.
"""

Rows = list[dict[str, Any]]

LFW = click.option(
    "--lfw", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True,
    help="LFW View 1: pairsDevTrain.txt, pairsDevTest.txt, images/.",
)  # fmt: skip
WIDER = click.option(
    "--wider", "wider_folder", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True,
    help="boxes.txt (WIDER FACE's form) and its pictures.",
)  # fmt: skip
RECORD = click.option("--record", is_flag=True, help="Keep the figures in models_tflite/study.toml.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """What was tried on the networks, and what each step gained."""


@main.command("quantisation")
@LFW
@WORK
@RECORD
@json_option
def quantisation_command(folder: Path, work: Path, record: bool, as_json: bool) -> None:
    """MobileFaceNet: ranges, samples, channels, biases, distillation. Needs the extra `tools`; 25 minutes."""
    with with_tools():
        from tools.models import build
        from tools.study import measured, quantisation

        faces = measured.find(lfw.open_view1(folder), Shelf.open(work / "fp32", "fp32"))
        with reporting() as report:
            published = build.get_published(work, report)
            _show("quantisation", quantisation.study(published, faces, report), record, as_json)


@main.command("alignment")
@LFW
@RECORD
@json_option
def alignment_command(folder: Path, record: bool, as_json: bool) -> None:
    """The template's scale, and the mean with the mirror image; 3 minutes."""
    with errors():
        from tools.study import alignment, measured

        shelf = Shelf.open()
        _show("alignment", alignment.study(measured.find(lfw.open_view1(folder), shelf), shelf), record, as_json)


@main.command("cascade")
@LFW
@WIDER
@WORK
@RECORD
@json_option
def cascade_command(folder: Path, wider_folder: Path, work: Path, record: bool, as_json: bool) -> None:
    """MTCNN: ranges, channels, heads. Needs the extra `tools`; 5 minutes."""
    with with_tools():
        from tools.models import build, calibrate
        from tools.study import cascade

        view, pictures = lfw.open_view1(folder), wider.open_pictures(wider_folder)
        reference = Shelf.open(work / "fp32", "fp32")
        with reporting() as report:
            published = build.get_published(work, report)
            wanted = sum(calibrate.FACES.values())
            paths = calibrate.pictures([folder / "images"], lfw.measured_with(view))
            samples = calibrate.collect(reference, paths, lambda count: report("find faces", count / wanted))
            _show("cascade", cascade.study(published, reference, samples, pictures, report), record, as_json)


@main.command("detector")
@WIDER
@RECORD
@json_option
def detector_command(wider_folder: Path, record: bool, as_json: bool) -> None:
    """The pyramid's factor and the three thresholds; 5 minutes."""
    with errors():
        from tools.study import detector

        _show("detector", detector.study(wider.open_pictures(wider_folder), Shelf.open()), record, as_json)


@main.command("liveness")
@DATA
@TEACHERS
@TRAIN_WORK
@RECORD
@json_option
def liveness_command(data: Path, teachers: Path, work: Path, record: bool, as_json: bool) -> None:
    """The liveness network, trained without one collection at a time. Needs the extra `tools`; half an hour."""
    with reporting() as report, training():
        from tools.study import liveness
        from tools.train import crops

        cache = crops.ready(data, teachers, work, lambda done: report("look at pictures", done))
        _show("liveness", liveness.study(cache, work / "shelves", report), record, as_json)


def _show(name: str, rows: Rows, record: bool, as_json: bool) -> None:
    rounded = [{key: _rounded(value) for key, value in row.items()} for row in rows]
    if record:
        kept = tomllib.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
        kept[name] = {"revision": revision() or "not known", "rows": rounded}
        unfinished = KEPT.with_suffix(".unfinished")
        unfinished.write_text(dumps(kept, HEADER), encoding="utf-8")
        os.replace(unfinished, KEPT)
    if as_json:
        print_json({"study": name, "revision": revision(), "rows": rounded})
    else:
        heads = tuple(key.replace("_", "\n") for key in rounded[0])
        table(name, heads, [tuple(_told(value) for value in row.values()) for row in rounded])


def _told(value: Any) -> str:
    if isinstance(value, list):
        return " to ".join(_told(each) for each in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _rounded(value: Any) -> Any:
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main(prog_name="python -m tools.study")
