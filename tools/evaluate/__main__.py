"""The commands of ``python -m tools.evaluate``."""

import sys
from pathlib import Path
from typing import Any

import click

from edge.cli.output import console, errors, json_option, print_json, table
from edge.errors import FacelatchError
from tools.evaluate import detection, lfw, plot, verification, wider
from tools.evaluate.networks import FP32_ABSENT, check_folder, open_networks, revision

FOLDER = click.Path(path_type=Path, file_okay=False)
MODELS = click.option(
    "--models",
    "folders",
    type=FOLDER,
    multiple=True,
    help="A folder of networks with manifest.toml; may be given several times.  [default: the int8 networks of this "
    "checkout, and the fp32 references where they have been built]",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def evaluate() -> None:
    """How accurate the networks are, measured on data sets that you have as folders."""


@evaluate.command("verification")
@click.option(
    "--lfw",
    "folder",
    type=FOLDER,
    required=True,
    help="LFW: pairsDevTrain.txt, pairsDevTest.txt, images/<Person>/<Person>_0001.jpg.",
)
@MODELS
@click.option("--limit", type=click.IntRange(min=20), help="Take so many pairs of each list, always the same ones.")
@click.option("--cache", type=FOLDER, help="A folder to keep embeddings in: the next run is a matter of seconds.")
@click.option(
    "--plot", "picture", type=click.Path(path_type=Path, dir_okay=False), help="Draw DET and histograms (PNG)."
)
@click.option(
    "--at-least",
    "accuracy_min",
    type=click.FloatRange(0, 100),
    help="Exit with 1 when an accuracy is below this, in %.",
)
@json_option
def verification_command(
    folder: Path,
    folders: tuple[Path, ...],
    limit: int | None,
    cache: Path | None,
    picture: Path | None,
    accuracy_min: float | None,
    as_json: bool,
) -> None:
    """Is this pair one person? LFW View 1: threshold from pairsDevTrain, accuracy on pairsDevTest."""
    if cache is not None:
        check_folder(cache, "--cache")
    if picture is not None:
        plot.check(picture)
    shelves = open_networks(folders)
    view = lfw.open_view1(folder)
    view = view if limit is None else view.sample(limit)
    judged = [verification.verify(view, networks, cache) for networks in shelves]
    if picture is not None:
        plot.draw(picture, judged)
    results = [result for result, _ in judged]
    name = "LFW View 1" + ("" if limit is None else f", {limit} pairs of each list")
    if as_json:
        print_json({"data_set": name, "revision": revision(), "results": results})
    else:
        _print_verification(name, results)
        _print_notes(results, folders)
    worst = 100 * min(result.accuracy for result in results)
    if accuracy_min is not None and not worst >= accuracy_min:
        errors.print(f"An accuracy of {worst:.2f} % is below the {accuracy_min:.2f} % asked for.", style="bold red")
        sys.exit(1)


@evaluate.command("detection")
@click.option("--wider", "folder", type=FOLDER, required=True, help="boxes.txt (WIDER FACE's form) and its pictures.")
@MODELS
@json_option
def detection_command(folder: Path, folders: tuple[Path, ...], as_json: bool) -> None:
    """Are the faces found, and nothing else? Pictures are scaled down to fit 640x480."""
    shelves = open_networks(folders)
    pictures = wider.open_pictures(folder)
    results = [detection.detect(pictures, networks) for networks in shelves]
    if as_json:
        print_json({"data_set": folder.resolve().name, "revision": revision(), "results": results})
        return
    rows = [
        (
            result.kind,
            _estimate(result.recall, result.recall_interval, 3),
            _estimate(result.false_per_picture, result.false_per_picture_interval, 3),
            f"{result.mean_iou:.3f}",
        )
        for result in results
    ]
    one = results[0]
    title = (
        f"{folder.resolve().name}: {one.faces} faces of {detection.COUNTED_PX} px or more in {one.pictures} pictures"
    )
    table(title, ("networks", "recall", "false per picture", "mean IoU"), rows)
    _dim("In brackets: 95 % by bootstrap over pictures.")
    _print_notes(results, folders)


def _print_verification(name: str, results: list[verification.Verification]) -> None:
    fars = [f"TAR % at\nFAR {far:.0e}".replace("e-0", "e-") for far in verification.FARS]
    rows = [
        (
            result.kind,
            _estimate(100 * result.accuracy, result.accuracy_interval, 2, 100) + f"\nfrom {result.threshold:.3f}",
            *(_tar(tar) for tar in result.tar_at_far),
            f"{100 * result.equal_error_rate:.2f}",
            f"{result.pictures_without_face}\nof {result.pictures}",
        )
        for result in results
    ]
    table(name, ("networks", "accuracy %", *fars, "EER %", "no face\nfound"), rows)
    one = results[0]
    _dim(
        "Third lines: the similarity (cosine) from which a pair is accepted. In brackets: 95 % by bootstrap over "
        f"people. Accuracy: the threshold is the best one on {one.train_pairs} pairs of pairsDevTrain, the accuracy "
        f"that on {one.test_pairs} pairs of pairsDevTest, whose {one.people} people are others. TAR on its "
        f"{one.genuine_pairs} genuine pairs; FAR over all {one.impostor_comparisons:,} comparisons of two people among "
        "its pictures. A pair with a picture without a face counts as wrong; such a picture is in no impostor "
        "comparison."
    )


def _tar(tar: verification.TarAtFar) -> str:
    if tar.tar is None or tar.interval is None or tar.threshold is None:
        return "too few\ncomparisons"
    return _estimate(100 * tar.tar, tar.interval, 1, 100) + f"\nfrom {tar.threshold:.3f}"


def _estimate(value: float, ends: tuple[float, float], digits: int, factor: float = 1) -> str:
    return f"{value:.{digits}f}\n[{factor * ends[0]:.{digits}f}, {factor * ends[1]:.{digits}f}]"


def _print_notes(results: list[Any], folders: tuple[Path, ...]) -> None:
    for result in results:
        _dim(f"{result.kind}: {result.networks}, digest {result.digest[:12]}")
    _dim(f"code: revision {revision() or 'not known'}")
    if not folders and all(result.kind != "fp32" for result in results):
        _dim(FP32_ABSENT)


def _dim(text: str) -> None:
    console.print(text, style="dim", markup=False)


def main() -> None:
    """Run the command; a FacelatchError becomes its message on standard error and its exit code."""
    try:
        evaluate(prog_name="python -m tools.evaluate")
    except FacelatchError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
