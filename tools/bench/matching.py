"""Matching one probe, for galleries of several sizes: ``python -m tools.bench.matching PEOPLE TEMPLATES_EACH REPEATS``.

Each size is measured in a process of its own, with one thread for numpy, so that memory is what this gallery took.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from edge.core.match import Index
from edge.types import FloatArray, Gallery

SIZES = ((2, 5), (200, 5), (2_000, 5), (10_000, 5))
"""People and the templates of each: 10, 1,000, 10,000 and 50,000 templates."""

DIMENSION = 192


class Timing(msgspec.Struct):
    """Medians of a match and of one float32 product of all templates with a probe, in turn. ``peak_mb``: the most
    memory that gallery and index took together; ``kept_mb``: what the index alone still takes."""

    people: int
    templates: int
    match_ms: float
    product_ms: float
    ratio: float
    build_ms: float
    peak_mb: float
    kept_mb: float


def measure(repeats: int, done: Callable[[], None]) -> list[Timing]:
    """Every size."""
    found = []
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    for people, each in SIZES:
        command = [sys.executable, "-m", "tools.bench.matching", str(people), str(each), str(repeats)]
        printed = subprocess.run(command, check=True, capture_output=True, env=environment).stdout
        found.append(msgspec.json.decode(printed, type=Timing))
        done()
    return found


def time_one(people: int, each: int, repeats: int) -> Timing:
    """One size, in this process."""
    generator = np.random.default_rng(1)
    probes = _units(generator, repeats, DIMENSION)
    _units(generator, 1000, DIMENSION) @ probes[0]  # numpy's own memory is there before it counts
    before_mb = _memory_mb("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the highest resident memory is counted from here
    ids = np.repeat(np.arange(people), each)
    gallery = Gallery(
        _units(generator, len(ids), DIMENSION), ids, {person: f"person {person}" for person in range(people)}
    )
    start = time.perf_counter()
    index = Index(gallery)
    build_ms = (time.perf_counter() - start) * 1000
    peak_mb = _memory_mb("VmHWM") - before_mb
    match_ms, product_ms = [], []
    for probe in probes:
        start = time.perf_counter()
        index.best(probe)
        middle = time.perf_counter()
        gallery.templates @ probe
        product_ms.append((time.perf_counter() - middle) * 1000)
        match_ms.append((middle - start) * 1000)
    templates = len(gallery.templates)
    del gallery, ids
    kept_mb = _memory_mb("VmRSS") - before_mb
    match, product = float(np.median(match_ms)), float(np.median(product_ms))
    return Timing(people, templates, match, product, match / product, build_ms, peak_mb, kept_mb)


def _units(generator: np.random.Generator, count: int, dimension: int) -> FloatArray:
    """(count, dimension) float32 of unit norm, a thousand at a time: float64 would cost twice the memory."""
    rows = np.empty((count, dimension), np.float32)
    for start in range(0, count, 1000):
        part = rows[start : start + 1000]
        part[:] = generator.standard_normal(part.shape, np.float32)
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return rows


def _memory_mb(field: str) -> float:
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status[field].split()[0]) / 1024


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(time_one(*map(int, sys.argv[1:]))))
