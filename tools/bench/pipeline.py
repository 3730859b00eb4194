"""A full look, step by step, beside OpenCV's YuNet finding faces only."""

import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import cv2
import msgspec
import numpy as np

from edge.core.living.judge import LOOKS_MAX
from edge.core.match import Index
from edge.errors import FaceError
from edge.models.judging import judge_weights
from edge.models.liveness import LivenessNet
from edge.models.manifest import Shelf
from edge.models.mobilefacenet import MobileFaceNet
from edge.models.mtcnn import Mtcnn
from edge.types import Frame, Gallery, Rgb
from edge.vigil import Vigil
from tools.evaluate.yunet import open_yunet

T = TypeVar("T")

STEP_S = 0.1
"""Between two looks, as their liveness takes them."""

PEOPLE = 20
"""Enrolled in the gallery that is matched against: a household and its friends."""


class Timing(msgspec.Struct):
    """Medians over all repeats, but for ``liveness``, which not every look costs: the mean of the medians of the looks
    of an approach of ``LOOKS_MAX``. ``liveness_ratio``: to the embedder. ``yunet_ms`` and ``ratio`` (full look / YuNet)
    only where YuNet was given."""

    threads: int
    min_face_px: float
    full_look_ms: float
    stages_ms: dict[str, float]
    liveness_ratio: float
    yunet_ms: float | None = None
    ratio: float | None = None


class Look:
    """One full look: detect, align, embed, judge liveness, match."""

    def __init__(self, shelf: Shelf, min_face_px: float, threads: int) -> None:
        self._detector = Mtcnn(shelf, min_face_px=min_face_px, threads=threads)
        self._vigil = Vigil(LivenessNet(shelf, threads=threads), judge_weights(shelf))
        self._looks = 0
        self._embedder = MobileFaceNet(shelf, threads=threads)
        templates = np.random.default_rng(1).normal(size=(PEOPLE, self._embedder.dimension)).astype(np.float32)
        templates /= np.linalg.norm(templates, axis=1, keepdims=True)
        names = {person: f"person {person}" for person in range(PEOPLE)}
        self._index = Index(Gallery(templates, np.arange(PEOPLE), names))

    def __call__(self, rgb: Rgb) -> dict[str, float]:
        """Milliseconds of each stage. Raises FaceError when there is no face to time."""
        faces = self._detector.detect(rgb)
        if not faces:
            raise FaceError("There is no face in the picture to time. Give another one with --image.")
        stages = dict(self._detector.timings_ms)
        aligned = timed(stages, "align", lambda: self._embedder.align(rgb, faces[0].landmarks))
        embedding = timed(stages, "embed", lambda: self._embedder.embed(aligned))
        frame = Frame(rgb, self._looks * STEP_S, self._looks)
        approach = {1 + self._looks // LOOKS_MAX: (faces[0], embedding)}
        timed(stages, "liveness", lambda: self._vigil.see(frame, approach))
        self._looks += 1
        timed(stages, "match", lambda: self._index.best(embedding))
        return stages


def timed(stages: dict[str, float], stage: str, work: Callable[[], T]) -> T:
    """Do the work and note its milliseconds."""
    start = time.perf_counter()
    result = work()
    stages[stage] = (time.perf_counter() - start) * 1000
    return result


def yunet(model: Path, rgb: Rgb) -> Callable[[], object]:
    """YuNet's detection of one frame. Raises InputError when OpenCV cannot read the model."""
    detector = open_yunet(model, (rgb.shape[1], rgb.shape[0]))
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    return lambda: detector.detect(bgr)


def measure(
    rgb: Rgb, repeats: int, min_face_px: float, threads: int, yunet_model: Path | None, done: Callable[[], None]
) -> Timing:
    """Time looks and YuNet in turn, so that a slower moment of the machine strikes both."""
    cv2.setNumThreads(threads)
    look = Look(Shelf.open(), min_face_px, threads)
    other = yunet(yunet_model, rgb) if yunet_model else None
    looks: list[Mapping[str, float]] = []
    totals: list[float] = []
    others: list[float] = []
    for number in range(repeats + 2):
        start = time.perf_counter()
        stages = look(rgb)
        middle = time.perf_counter()
        if other is not None:
            other()
        end = time.perf_counter()
        if number >= 2:  # the first two rounds warm caches and allocate
            looks.append(stages)
            totals.append((middle - start) * 1000)
            others.append((end - middle) * 1000)
            done()
    stages_ms = {stage: statistics.median(stages[stage] for stages in looks) for stage in looks[0]}
    places = [[stages["liveness"] for stages in looks[place::LOOKS_MAX]] for place in range(min(LOOKS_MAX, repeats))]
    stages_ms["liveness"] = statistics.fmean(statistics.median(found) for found in places)
    ratio = stages_ms["liveness"] / stages_ms["embed"]
    timing = Timing(threads, min_face_px, statistics.median(totals), stages_ms, ratio)
    if other is not None:
        timing.yunet_ms = statistics.median(others)
        timing.ratio = statistics.median(a / b for a, b in zip(totals, others, strict=True))
    return timing
