"""What a verification looks like: the DET curve, and how similar people are to themselves and to others."""

import importlib.util
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edge.errors import InputError
from tools.evaluate.verification import Scores, Verification

FAR_MIN = 1e-5
POINTS = 400


def check(path: Path) -> None:
    """Raises InputError early, when a plot could not be drawn or kept."""
    if importlib.util.find_spec("matplotlib") is None:
        raise InputError("--plot needs matplotlib. Run `pip install matplotlib`.")
    if not path.parent.is_dir():
        raise InputError(f"The folder of {path!s:.120} does not exist. Make it, or name another file.")


def draw(path: Path, judged: Sequence[tuple[Verification, Scores]]) -> None:
    """Write a PNG, whole or not at all."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.5), layout="constrained")
    det, histogram = figure.subplots(1, 2)
    for result, scores in judged:
        far, frr = det_points(scores)
        det.plot(far, frr, label=f"{result.kind} ({result.networks})")
        for values, kind in ((scores.impostor, "different people"), (scores.genuine, "one person")):
            seen = values[np.isfinite(values)]
            histogram.hist(
                seen, bins=80, range=(-0.5, 1), density=True, histtype="step", label=f"{result.kind}, {kind}"
            )
    det.set(xscale="log", yscale="log", xlabel="FAR", ylabel="FRR (1 - TAR)", title="LFW View 1, pairsDevTest")
    histogram.set(xlabel="similarity (cosine)", ylabel="density")
    for axes in (det, histogram):
        axes.grid(alpha=0.3)
        axes.legend()
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".png", delete=False) as file:
        figure.savefig(file, format="png", dpi=120)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def det_points(scores: Scores) -> "tuple[np.ndarray[tuple[int], np.dtype[np.float64]], ...]":
    """FAR and FRR over thresholds, FAR from ``FAR_MIN`` to 1."""
    rising, genuine = scores.impostor[::-1], np.sort(scores.genuine)
    ranks = np.unique((np.geomspace(FAR_MIN, 1, POINTS) * len(rising)).astype(np.int64).clip(1, len(rising)))
    thresholds = rising[len(rising) - ranks]
    return ranks / len(rising), np.searchsorted(genuine, thresholds, side="left") / len(genuine)
