"""Trains a liveness network on everything there is, and puts it on a shelf of its own.

It is not the one that is shipped: how good it is on what it never saw, ``tools.study.liveness`` says (the same training
without one collection at a time), and there the published one is better (models_tflite/README.md).
"""

import hashlib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.errors import ModelError
from edge.models.interpreter import Net
from edge.models.manifest import LIVENESS, Shelf
from tools.models import build, check, convert, quantise
from tools.models.fetch import sha256_of
from tools.models.manifest_writer import Entry, file_name
from tools.models.pixels import Pixels
from tools.train import learn, net
from tools.train.crops import Cache
from tools.train.judges import TEACHERS
from tools.train.material import sources

ROLE = "liveness: how probable a live face is, from 96 px of the face and what is around it"

LICENCE = "Apache-2.0"

CALIBRATION, CHECK = 500, 500
"""Squares, live and not, that set the ranges of the activations; and other squares to compare int8 with fp32 on."""

AT_MOST = {"probability_error_mean": 0.02}
AT_LEAST = {"decision_agreement": 0.98}
"""What int8 may cost; anything worse is a mistake of conversion."""

Files = Mapping[str, bytes]


def make(
    cache: Cache, data: Path, teachers: Path, out: Path, work: Path, report: Callable[[int, float], None]
) -> dict[str, dict[str, float]]:
    """Train, quantise, check and write; the figures of each variant. ``out`` is not touched unless every check has
    passed. Raises ModelError."""
    trained = learn.train(cache, learn.lesson(cache, ()), report)
    files = quantised(net.network(trained.folded()), cache, ())
    figures = compared(files, cache, work)
    for variant, found in figures.items():
        refuse_poor(variant, found)
    check.refuse_rules(LIVENESS, files["edgetpu"])
    shelved = {variant: file for variant, file in files.items() if variant in build.VARIANTS}
    source = origin(data, teachers)
    build.put([Entry(LIVENESS, ROLE, LICENCE, source, shelved, figures)], out)
    return figures


def quantised(network: convert.Network, cache: Cache, without: Collection[str]) -> dict[str, bytes]:
    """``fp32`` and both int8 variants, calibrated on collections that are not in ``without``."""
    samples = squares(cache, CALIBRATION, without, first=0)
    fp32 = convert.to_tflite(network, net.INPUT_SHAPE)
    return {
        "fp32": fp32,
        "cpu": quantise.quantise(fp32, samples, quantise.How(in_float=quantise.OUTPUTS)),
        "edgetpu": convert.to_full_int8(network, net.INPUT_SHAPE, samples),
    }


def compared(files: Files, cache: Cache, work: Path) -> dict[str, dict[str, float]]:
    """How near each int8 variant is to fp32, over squares that were not calibrated with."""
    samples = squares(cache, CHECK, (), first=1)
    expected = probabilities(opened(files, "fp32", work), samples)
    figures = {}
    for variant in build.VARIANTS:
        found = probabilities(opened(files, variant, work), samples)
        figures[variant] = {
            "calibration_samples": CALIBRATION,
            "check_samples": len(samples),
            "probability_error_mean": float(f"{np.abs(found - expected).mean():.5g}"),
            "decision_agreement": float(f"{((found >= 0.5) == (expected >= 0.5)).mean():.5g}"),
        }
    return figures


def opened(files: Files, variant: str, work: Path) -> Net:
    """One variant as the product runs it, by way of a shelf in the work folder."""
    folder = work / variant
    build.put([Entry(LIVENESS, ROLE, "", {"trained_by": ""}, {variant: files[variant]})], folder)
    return Net(Shelf.open(folder, variant), LIVENESS)


def probabilities(network: Net, pixels: Pixels) -> npt.NDArray[np.float64]:
    """(N,) 0..1 of (N, SIDE_PX, SIDE_PX, 3) squares."""
    logits = network.run_many(pixels)["logit"][:, 0].astype(np.float64)
    return 1 / (1 + np.exp(-logits))


def squares(cache: Cache, count: int, without: Collection[str], first: int) -> Pixels:
    """Every n-th square of the cache as the product cuts it, from the ``first`` of two halves."""
    usable = [
        number
        for number, row in enumerate(cache.rows)
        if row["kind"] != "no face" and row["collection"] not in without and number % 2 == first
    ]
    chosen = np.random.default_rng(learn.SEED).permutation(len(usable))[:count]
    return np.stack([cache.squares[usable[place], 0] for place in np.sort(chosen)])


def refuse_poor(variant: str, figures: Mapping[str, float]) -> None:
    """Raises ModelError when int8 differs too much from fp32."""
    for key, value in figures.items():
        if not (value >= AT_LEAST.get(key, -np.inf) and value <= AT_MOST.get(key, np.inf)):
            limit = AT_LEAST.get(key, AT_MOST.get(key))
            raise ModelError(
                f"{file_name(LIVENESS, variant)} was quantised badly: {key} is {value:.6g}, the limit is {limit}. "
                "Nothing was written; look at what changed in tools/train."
            )


def origin(data: Path, teachers: Path) -> dict[str, Any]:
    """Of the manifest: what the network was trained by and on. A collection's digest is of its files' digests."""
    return {
        "trained_by": "tools/train/liveness.py",
        "seed": learn.SEED,
        "steps": learn.STEPS,
        "collections": {name: _digest(paths) for name, paths in sources(data).items()},
        "teachers": {Path(name).stem.replace(".", "_"): sha256_of(teachers / name) for name in TEACHERS},
    }


def _digest(paths: list[Path]) -> str:
    return hashlib.sha256("".join(sorted(sha256_of(path) for path in paths)).encode()).hexdigest()
