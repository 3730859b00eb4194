"""Results as pictures: DET curves and histograms, FPIR over the threshold, recall by face size."""

import importlib.util
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import InputError
from tools.evaluate.detection import Detection
from tools.evaluate.identification import CURVE, DEFAULT, Curves, Identification
from tools.evaluate.statistics import Floats
from tools.evaluate.verification import Scores, Verification

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FAR_MIN = 1e-5
FRR_MIN = 1e-3
FPIR_MIN = 1e-6
"""The lower ends of logarithmic axes: where everything is right there is no other."""

POINTS = 400
BARS = 80


def check(path: Path) -> None:
    """Raises InputError early, when a plot could not be drawn or kept."""
    if importlib.util.find_spec("matplotlib") is None:
        raise InputError("--plot needs matplotlib. Run `pip install matplotlib`.")
    if not path.parent.is_dir():
        raise InputError(f"The folder of {path!s:.120} does not exist. Make it, or name another file.")


def draw_verification(path: Path, judged: Sequence[tuple[Verification, Scores]]) -> None:
    """The DET curve of the first set of comparisons, and how similar people are to themselves and to others."""
    figure, (det, histogram) = _figure(2)
    for result, scores in judged:
        far, frr = det_points(scores)
        det.plot(far, frr, label=f"{result.variant}, {result.data_set}")
        for values, who in ((scores.impostor, "different people"), (scores.genuine, "one person")):
            seen = values[np.isfinite(values)]
            counts, edges = np.histogram(seen, bins=BARS, range=(-0.5, 1), density=True)
            histogram.stairs(counts, edges, label=f"{result.variant}, {who}")
    det.set(xscale="log", yscale="log", xlim=(FAR_MIN, 1), ylim=(FRR_MIN, 1))
    det.set(xlabel="FAR", ylabel="FRR (1 - TAR)", title=judged[0][0].compared[0].what)
    histogram.set(xlabel="similarity (cosine)", ylabel="density")
    _save(figure, path)


def draw_identification(path: Path, judged: Sequence[tuple[Identification, Curves]]) -> None:
    """FPIR over the threshold for each number of enrolled people, a panel for each shelf of networks."""
    figure, panels = _figure(len(judged))
    for axes, (result, curves) in zip(panels, judged, strict=True):
        for size, fpir in curves.fpir.items():
            axes.plot(CURVE, np.where(fpir > 0, fpir, np.nan), label=f"{size} enrolled")
        axes.axvline(DEFAULT, color="grey", linestyle=":", label="the product's threshold")
        title = f"{result.data_set}, {result.variant}"
        axes.set(yscale="log", ylim=(FPIR_MIN, 1), xlabel="threshold (cosine)", ylabel="FPIR", title=title)
    _save(figure, path)


def draw_detection(path: Path, results: Sequence[Detection]) -> None:
    """Recall by face size."""
    figure, (axes,) = _figure(1)
    for result in results:
        sizes = [f"{size.from_px} px+" for size in result.by_size]
        recall = [np.nan if size.recall is None else size.recall for size in result.by_size]
        axes.plot(sizes, recall, marker="o", label=result.variant)
    axes.set(xlabel="face size, longer side", ylabel="recall", title=results[0].data_set)
    _save(figure, path)


def det_points(scores: Scores) -> tuple[Floats, Floats]:
    """FAR and FRR over thresholds, FAR from ``FAR_MIN`` to 1."""
    rising, genuine = scores.impostor, scores.genuine
    ranks = np.unique((np.geomspace(FAR_MIN, 1, POINTS) * len(rising)).astype(np.int64).clip(1, len(rising)))
    thresholds = rising[len(rising) - ranks]
    return ranks / len(rising), np.searchsorted(genuine, thresholds, side="left") / len(genuine)


def _figure(panels: int) -> "tuple[Figure, list[Axes]]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5 * panels, 4.5), layout="constrained")
    return figure, list(figure.subplots(1, panels, squeeze=False)[0])


def _save(figure: "Figure", path: Path) -> None:
    """Write a PNG, whole or not at all."""
    for axes in figure.axes:
        axes.grid(alpha=0.3)
        axes.legend()
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".png", delete=False) as file:
        figure.savefig(file, format="png", dpi=120)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)
