"""The commands of ``python -m tools.evaluate``."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from edge.core.choose import SeveralFaces
from edge.core.share import accepted
from edge.errors import FacelatchError, InputError
from edge.models.manifest import own_folder
from edge.output import errors, json_option, print_json
from tools.evaluate import (
    alike,
    approaches,
    failures,
    identification,
    individual,
    keep,
    lfw,
    odds,
    options,
    plot,
    reach,
    record,
    report,
    summary,
    wider,
)
from tools.evaluate import templates as templating
from tools.evaluate.calibration import Sets, calibrate, described
from tools.evaluate.detection import detect, look_at
from tools.evaluate.networks import FP32, FP32_ABSENT, REFERENCE, Networks, check_folder, revision
from tools.evaluate.options import FOLDER
from tools.evaluate.protocols import verify_view1, verify_view2
from tools.evaluate.sending import sending
from tools.evaluate.tail import impostor_tail
from tools.evaluate.targets import targets
from tools.evaluate.verification import Scores, Verification, verify_set
from tools.evaluate.yunet import YuNet
from tools.liveness.command import liveness_command


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def evaluate() -> None:
    """How accurate the networks are, measured on data sets that you have as folders."""


evaluate.add_command(liveness_command)


@evaluate.command("verification")
@options.data_set_options
@options.network_options
@options.limit_option()
@options.cache_option
@options.plot_option("Draw DET and histograms (PNG).")
@click.option("--flip-average", is_flag=True, help="Each variant once more, averaged with the mirrored face.")
@click.option(
    "--at-least",
    "accuracy_min",
    type=click.FloatRange(0, 100),
    help="Exit with 1 when an accuracy (LFW) is below this, in %.",
)
@json_option
def verification_command(
    chosen: tuple[str, Path],
    folders: tuple[Path, ...],
    variants: tuple[str, ...],
    limit: int | None,
    cache: Path | None,
    picture: Path | None,
    flip_average: bool,
    accuracy_min: float | None,
    as_json: bool,
) -> None:
    """Is this pair one person? TAR at FAR over all comparisons; accuracy by LFW's View 1 and View 2."""
    networks = options.ready(folders, variants, cache, flip_average=flip_average)
    if picture is not None:
        plot.check(picture)
    judged = _verified(*chosen, networks, limit, cache)
    if picture is not None:
        plot.draw_verification(picture, judged)
    results = [result for result, _ in judged]
    if as_json:
        print_json({"revision": revision(), "results": results})
    else:
        report.print_verification(results)
        _print_origin(results, networks)
    worst = 100 * min((result.accuracy.accuracy for result in results if result.accuracy), default=float("nan"))
    if accuracy_min is not None and not worst >= accuracy_min:
        errors.print(f"An accuracy of {worst:.2f} % is below the {accuracy_min:.2f} % asked for.", style="bold red")
        sys.exit(1)


@evaluate.command("identification")
@options.data_set_options
@options.network_options
@click.option(
    "--enrolled",
    "sizes",
    type=click.IntRange(min=1),
    multiple=True,
    default=identification.SIZES,
    show_default=True,
    help="How many people are enrolled; several times.",
)
@click.option(
    "--looks",
    type=click.IntRange(1, 20),
    default=identification.LOOKS,
    show_default=True,
    help="Pictures that a person is enrolled with at most.",
)
@options.limit_option()
@options.cache_option
@options.plot_option("Draw FPIR over the threshold (PNG).")
@json_option
def identification_command(
    chosen: tuple[str, Path],
    folders: tuple[Path, ...],
    variants: tuple[str, ...],
    sizes: tuple[int, ...],
    looks: int,
    limit: int | None,
    cache: Path | None,
    picture: Path | None,
    as_json: bool,
) -> None:
    """Who is this, if anybody enrolled? FPIR (a stranger is accepted) and FNIR by threshold."""
    networks = options.ready(folders, variants, cache)
    if picture is not None:
        plot.check(picture)
    data_set = options.open_data_set(*chosen, limit)
    judged = [identification.identify(data_set, each, cache, sorted(set(sizes)), looks) for each in networks]
    if picture is not None:
        plot.draw_identification(picture, judged)
    results = [result for result, _ in judged]
    if as_json:
        print_json({"revision": revision(), "results": results})
    else:
        report.print_identification(results)
        _print_origin(results, networks)


@evaluate.command("alike")
@options.data_set_options
@options.network_options
@click.option("--pairs", "count", type=click.IntRange(1, 60), default=12, show_default=True, help="So many are shown.")
@options.limit_option()
@options.cache_option
@options.plot_option("Their faces side by side (PNG).")
@json_option
def alike_command(
    chosen: tuple[str, Path],
    folders: tuple[Path, ...],
    variants: tuple[str, ...],
    count: int,
    limit: int | None,
    cache: Path | None,
    picture: Path | None,
    as_json: bool,
) -> None:
    """Who looks most alike? Every pair of people, by the mean of each one's pictures."""
    networks = options.ready(folders, variants, cache)
    if picture is not None and not picture.parent.is_dir():
        raise InputError(f"The folder of {picture!s:.120} does not exist. Make it, or name another file.")
    data_set = options.open_data_set(*chosen, limit)
    results = [alike.closest(data_set, each, cache, count) for each in networks]
    if picture is not None:
        alike.draw(picture, results[0].pairs, data_set.folder, networks[0])
    if as_json:
        print_json({"revision": revision(), "results": results})
    else:
        report.print_alike(results)
        _print_origin(results, networks)


@evaluate.command("templates")
@options.data_set_options
@options.network_options
@options.limit_option()
@options.cache_option
@json_option
def templates_command(
    chosen: tuple[str, Path],
    folders: tuple[Path, ...],
    variants: tuple[str, ...],
    limit: int | None,
    cache: Path | None,
    as_json: bool,
) -> None:
    """How many templates, and which mean? Enrolled in one session, recognised in the others."""
    networks = options.ready(folders, variants, cache)
    data_set = options.open_data_set(*chosen, limit)
    results = [templating.several(data_set, each, cache) for each in networks]
    if as_json:
        print_json({"revision": revision(), "results": results})
    else:
        report.print_templates(results)
        _print_origin(results, networks)


@evaluate.command("sending")
@click.argument("folder", type=FOLDER)
@click.option("--people", "limit", type=click.IntRange(1), help="Only the first so many.")
@json_option
def sending_command(folder: Path, limit: int | None, as_json: bool) -> None:
    """What do photographs lose over a USB cable? Everybody of FOLDER/NAME/* is enrolled from files and from what is
    sent."""
    (networks,) = options.ready((), ("cpu",), None)
    result = sending(folder, networks, limit)
    if as_json:
        print_json({"revision": revision(), "result": result})
    else:
        report.print_sending(result)


@evaluate.command("tail")
@options.data_set_options
@options.network_options
@options.limit_option()
@options.cache_option
@json_option
def tail_command(
    chosen: tuple[str, Path],
    folders: tuple[Path, ...],
    variants: tuple[str, ...],
    limit: int | None,
    cache: Path | None,
    as_json: bool,
) -> None:
    """How alike are strangers? Quantiles of impostor similarity, by how many people are enrolled."""
    networks = options.ready(folders, variants, cache)
    data_set = options.open_data_set(*chosen, limit)
    results = [impostor_tail(data_set, each, cache) for each in networks]
    if as_json:
        print_json({"revision": revision(), "results": results})
    else:
        report.print_tail(results)
        _print_origin(results, networks)


@evaluate.command("approaches")
@click.option(
    "--faces",
    "folder",
    type=FOLDER,
    required=True,
    help="A folder with print_attack/live (NUAA) or clips; london and lfw_view1 fill the galleries.",
)
@options.network_options
@click.option(
    "--similarity-min",
    "thresholds",
    type=click.FloatRange(-1, 1),
    multiple=True,
    help=f"match.similarity_min; several times.  [default: {approaches.THRESHOLDS}, where no risk is given]",
)
@click.option(
    "--risk",
    "risks",
    multiple=True,
    help='door.strangers_admitted_max, as "1 in 10000 approaches": the threshold that the lock derives; several times.',
)
@click.option(
    "--enrolled",
    "sizes",
    type=click.IntRange(min=1),
    multiple=True,
    default=approaches.SIZES,
    show_default=True,
    help="How many people are enrolled; several times.",
)
@click.option(
    "--several",
    type=click.Choice(["nearest", "refuse"]),
    default="nearest",
    show_default=True,
    help="faces.several: many of these sequences have bystanders.",
)
@click.option("--failures", "sheet", type=options.FILE, help="Draw the worst failures with the reasons (PNG).")
@click.option("--record", "is_kept", is_flag=True, help="Write how looks correlate into manifest.toml.")
@options.limit_option("Only so many pictures of london and of lfw_view1 (there: pairs of each list).")
@options.cache_option
@json_option
def approaches_command(
    folder: Path,
    folders: tuple[Path, ...],
    variants: tuple[str, ...],
    thresholds: tuple[float, ...],
    risks: tuple[str, ...],
    sizes: tuple[int, ...],
    several: SeveralFaces,
    sheet: Path | None,
    is_kept: bool,
    limit: int | None,
    cache: Path | None,
    as_json: bool,
) -> None:
    """Does the owner get in, and how soon, and who else does? Whole approaches, by the lock's own rule."""
    asked = sorted({accepted(each) for each in risks}, reverse=True)
    chosen = sorted(set(thresholds or (() if risks else approaches.THRESHOLDS)))
    networks = options.ready(folders, variants, cache)
    if sheet is not None and not sheet.parent.is_dir():
        raise InputError(f"The folder of {sheet!s:.120} does not exist. Make it, or name another file.")
    results: list[approaches.Approaches] = []
    for each in networks:
        world = approaches.open_world(folder, each, cache, several, limit)
        result, judged = approaches.evaluate(world, each, chosen, sorted(set(sizes)), several, asked)
        if sheet is not None and not results:
            failures.draw(sheet, failures.worst(judged), each)
        results.append(result)
        if is_kept:
            keep.add(each.shelf.folder, "approaches", each.variant, approaches.table(result, revision()))
    if as_json:
        print_json({"revision": revision(), "results": results})
    else:
        report.print_approaches(results)
        _print_origin(results, networks)


@evaluate.command("reach")
@click.option(
    "--faces",
    "folder",
    type=FOLDER,
    required=True,
    help="A folder with any of london, print_attack/live (NUAA), lfw_view1 and clips.",
)
@options.network_options
@json_option
def reach_command(folder: Path, folders: tuple[Path, ...], variants: tuple[str, ...], as_json: bool) -> None:
    """How far away, and how far turned, may a face be? By size in pixels and by yaw; centimetres by lens."""
    networks = options.ready(folders, variants, None)
    results = [reach.reach(folder, each) for each in networks]
    if as_json:
        print_json({"revision": revision(), "results": results})
    else:
        report.print_reach(results)
        _print_origin(results, networks)


@evaluate.command("detection")
@click.option("--wider", "folder", type=FOLDER, required=True, help="boxes.txt (WIDER FACE's form) and its pictures.")
@options.network_options
@options.limit_option("Only so many pictures, the first ones.")
@options.yunet_option()
@options.plot_option("Draw recall by face size (PNG).")
@json_option
def detection_command(
    folder: Path,
    folders: tuple[Path, ...],
    variants: tuple[str, ...],
    limit: int | None,
    yunet: Path | None,
    picture: Path | None,
    as_json: bool,
) -> None:
    """Are the faces found, and nothing else? Pictures are scaled down to fit 640x480."""
    networks = options.ready(folders, variants, None)
    if picture is not None:
        plot.check(picture)
    pictures = wider.open_pictures(folder)[:limit]
    witness = None if yunet is None else look_at(pictures, YuNet(yunet), "Detecting, YuNet")
    results, reference = [], None
    for each in networks:
        result, tallies = detect(folder.resolve().name, pictures, each, reference, witness)
        results.append(result)
        reference = tallies if reference is None else reference
    if picture is not None:
        plot.draw_detection(picture, results)
    if as_json:
        print_json({"revision": revision(), "results": results})
    else:
        report.print_detection(results)
        _print_origin(results, networks)


@evaluate.command("record")
@click.option(
    "--data",
    type=FOLDER,
    required=True,
    help="A folder with lfw_view1, group_photos (WIDER), print_attack/live (NUAA) and london (sessions).",
)
@click.option(
    "--models", type=FOLDER, help="The networks whose manifest is written.  [default: those of this checkout]"
)
@click.option("--reference", type=FOLDER, default=FP32, help="The fp32 references.  [default: build/models/fp32]")
@options.limit_option("A quick try with so many pictures of each set (LFW: pairs of each list); nothing is written.")
@options.cache_option
@options.yunet_option("YuNet's .onnx file, for the landmark error: without it that target is not met.")
@json_option
def record_command(
    data: Path,
    models: Path | None,
    reference: Path,
    limit: int | None,
    cache: Path | None,
    yunet: Path | None,
    as_json: bool,
) -> None:
    """Measure every variant on everything, and write it into manifest.toml. Exit with 1 when a target is missed."""
    if cache is not None:
        check_folder(cache, "--cache")
    models = models or own_folder()
    shelves = record.shelves(models, reference)
    witness = None if yunet is None else YuNet(yunet)
    measured = record.measure(record.Data.open(data, limit), shelves, cache, witness)
    reached, code = targets(measured), revision()
    if limit is None:
        keep.write(models, keep.tables(measured, code))
    if as_json:
        found = [{"target": target, "met": target.met} for target in reached]
        print_json({"revision": code, "written": limit is None, "results": measured, "targets": found})
    else:
        summary.print_summary(measured)
        summary.print_targets(reached)
        report.dim("A quick try: nothing was written." if limit is not None else f"Written to {models}/manifest.toml.")
    if not all(target.met for target in reached):
        errors.print("A target is missed.", style="bold red")
        sys.exit(1)


@evaluate.command("calibrate")
@click.option("--data", type=FOLDER, required=True, help="A folder with lfw_view1, print_attack/live and london.")
@click.option(
    "--models", type=FOLDER, help="The networks whose manifest is written.  [default: those of this checkout]"
)
@options.cache_option
@json_option
def calibrate_command(data: Path, models: Path | None, cache: Path | None, as_json: bool) -> None:
    """Measure what the lock's odds are made of, and write it into manifest.toml."""
    models = models or own_folder()
    networks = options.ready((models,), (), cache)
    found = {each.variant: (each.digest, calibrate(Sets.open(data, each, cache))) for each in networks}
    tables = keep.risk_tables(found, revision())
    keep.write(models, tables)
    if as_json:
        print_json(tables)
    else:
        odds.print_calibrations({variant: of for variant, (_, of) in found.items()})
        report.dim(f"Written to {models}/manifest.toml.")


@evaluate.command("risk")
@click.option("--data", type=FOLDER, required=True, help="A folder with lfw_view1, print_attack/live and london.")
@options.network_options
@options.cache_option
@json_option
def risk_command(
    data: Path, folders: tuple[Path, ...], variants: tuple[str, ...], cache: Path | None, as_json: bool
) -> None:
    """Predicted against observed: strangers let in, of people whom the prediction was not made from."""
    networks = options.ready(folders, variants or ("cpu", "edgetpu"), cache)
    results = [line for each in networks for line in odds.compare(each.variant, Sets.open(data, each, cache))]
    if as_json:
        print_json({"revision": revision(), "results": results})
    else:
        odds.print_lines(results)


@evaluate.command("individual")
@options.data_set_options
@options.network_options
@options.cache_option
@json_option
def individual_command(
    chosen: tuple[str, Path], folders: tuple[Path, ...], variants: tuple[str, ...], cache: Path | None, as_json: bool
) -> None:
    """Would a threshold for each person help? Strangers let in at equal refusals of owners."""
    networks = options.ready(folders, variants or ("cpu",), cache)
    data_set = options.open_data_set(*chosen, None)
    results = {each.variant: individual.individual(described(data_set, each, cache)) for each in networks}
    if as_json:
        print_json({"revision": revision(), "results": results})
    else:
        for lines in results.values():
            individual.print_individual(lines)


def _verified(
    layout: str, folder: Path, networks: Sequence[Networks], limit: int | None, cache: Path | None
) -> list[tuple[Verification, Scores]]:
    """By every protocol that the folder has the lists of; each shelf against the first."""
    one, two = (lfw.view1(folder, limit), lfw.view2(folder, limit)) if layout == "lfw" else (None, None)
    protocols = []
    if one is not None:
        protocols.append(partial(verify_view1, one))
    if two is not None:
        protocols.append(partial(verify_view2, two))
    judged: list[tuple[Verification, Scores]] = []
    for protocol in protocols or [partial(verify_set, options.open_data_set(layout, folder, limit))]:
        reference = None
        for each in networks:
            judged.append(protocol(each, cache, reference))
            reference = reference or judged[-1][1]
    return judged


def _print_origin(results: Sequence[Any], networks: Sequence[Networks]) -> None:
    report.print_origin(results)
    if all(each.variant != REFERENCE for each in networks) and not (FP32 / "manifest.toml").is_file():
        report.dim(FP32_ABSENT)


def main() -> None:
    """Run the command; a FacelatchError becomes its message on standard error and its exit code."""
    try:
        evaluate(prog_name="python -m tools.evaluate")
    except FacelatchError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
