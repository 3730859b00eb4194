"""Timings. These machines are noisy: read the ratios, not the milliseconds."""

import sys
from pathlib import Path

import click
from rich.progress import Progress

from edge.errors import FacelatchError
from edge.output import errors, json_option, print_json, table
from edge.settings import Config
from tools.bench import latency as latencies
from tools.bench import matching
from tools.bench import pipeline as steps
from tools.bench import runtimes as engines
from tools.bench.scene import visitor_frame

repeats_option = click.option("--repeats", type=click.IntRange(1, 10_000), default=60, show_default=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def bench() -> None:
    """How long each step takes on this machine."""


@bench.command()
@click.option("--yunet", type=click.Path(path_type=Path), help="YuNet's .onnx, to compare a full look with.")
@click.option("--image", type=click.Path(path_type=Path), help="A picture of a face instead of the default one.")
@repeats_option
@json_option
def pipeline(yunet: Path | None, image: Path | None, repeats: int, as_json: bool) -> None:
    """Milliseconds a stage on one and two threads, for the lock's smallest face and for 40 px."""
    rgb = visitor_frame(image)
    cases = [(threads, size) for size in (Config().faces.min_px, 40.0) for threads in (1, 2)]
    with Progress(console=errors, transient=True) as progress:
        task = progress.add_task("Looking", total=len(cases) * repeats)
        timings = [
            steps.measure(rgb, repeats, size, threads, yunet, lambda: progress.advance(task)) for threads, size in cases
        ]
    if as_json:
        print_json(timings)
        return
    columns = ("stage, ms", *(f"{t.threads} thread{'s' * (t.threads > 1)}, {t.min_face_px:.0f} px" for t in timings))
    rows: list[tuple[object, ...]] = [(s, *(t.stages_ms[s] for t in timings)) for s in timings[0].stages_ms]
    rows.append(("live / embed", *(t.liveness_ratio for t in timings)))
    rows.append(("full look", *(t.full_look_ms for t in timings)))
    if yunet:
        rows.append(("YuNet alone", *(t.yunet_ms for t in timings)))
        rows.append(("ratio", *(t.ratio for t in timings)))
    table("one look at 640x480, one face (medians; liveness: of ten looks' mean)", columns, rows)


@bench.command()
@click.option("--repeats", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Releases a scene.")
@json_option
def latency(repeats: int, as_json: bool) -> None:
    """From the deciding look to the relay, with and without somebody hostile who sends 10,000 times a second."""
    with Progress(console=errors, transient=True) as progress:
        task = progress.add_task("Opening", total=len(latencies.SCENES) * repeats)
        found = latencies.measure(repeats, lambda: progress.advance(task))
    if as_json:
        print_json(found)
        return
    rows = [
        (e.scene, e.releases, f"{e.p50_ms:.2f}", f"{e.p99_ms:.2f}", f"{e.worst_ms:.2f}", f"{e.ratio:.1f}", e.dropped)
        for e in found
    ]
    columns = ("who sends", "releases", "p50 ms", "p99 ms", "worst ms", "ratio", "dropped")
    table("from sending the deciding look to the relay's command; ratio of the p99", columns, rows)


@bench.command("match")
@click.option("--repeats", type=click.IntRange(1, 10_000), default=200, show_default=True)
@json_option
def match(repeats: int, as_json: bool) -> None:
    """Finding the most alike of up to 10,000 people, on one thread, beside one plain product of all templates."""
    with Progress(console=errors, transient=True) as progress:
        task = progress.add_task("Matching", total=len(matching.SIZES))
        found = matching.measure(repeats, lambda: progress.advance(task))
    if as_json:
        print_json(found)
        return
    columns = ("people", "templates", "match ms", "product ms", "ratio", "build ms", "peak MB", "kept MB")
    rows = [
        (
            *(t.people, t.templates, f"{t.match_ms:.3f}", f"{t.product_ms:.3f}", f"{t.ratio:.2f}"),
            *(f"{each:.0f}" for each in (t.build_ms, t.peak_mb, t.kept_mb)),
        )
        for t in found
    ]
    table("one probe, one thread (medians)", columns, rows)


@bench.command()
@repeats_option
@json_option
def runtimes(repeats: int, as_json: bool) -> None:
    """The same networks under every TFLite runtime that is installed, one thread."""
    with Progress(console=errors, transient=True) as progress:
        task = progress.add_task("Running", total=len(engines.INPUTS) * repeats)
        timings = engines.measure(repeats, lambda: progress.advance(task))
    if as_json:
        print_json(timings)
        return
    names = engines.installed()
    rows = [(t.network, *(t.ms[n] for n in names), t.ms[names[-1]] / t.ms[names[0]]) for t in timings]
    table("one call (medians)", ("network", *(f"{name}, ms" for name in names), "last / first"), rows)


if __name__ == "__main__":
    try:
        bench(prog_name="python -m tools.bench")
    except FacelatchError as error:
        click.echo(f"bench: {error}", err=True)
        sys.exit(error.exit_code)
