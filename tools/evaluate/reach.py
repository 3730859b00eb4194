"""How far away and how far turned a face may be: similarity to one's own templates by size in pixels and by yaw.

By size: pictures of London (enrolled neutral, seen smiling) and frames of NUAA (enrolled on another day), scaled down
to a face of so many pixels. By yaw: pairs of one person in LFW View 1 by the yaw of the one that is turned farther, and
recordings of one turning head (the GIFs of ``clips``), each look held against those that face the camera.

Centimetres follow from the lens: a face whose eyes are ``EYES_CM`` apart, in a picture ``WIDTH_PX`` wide that spans the
lens's whole horizontal field.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from PIL import Image

from edge.core.centre import centres
from edge.core.quality import measure
from edge.errors import FaceError, InputError
from edge.images import read_rgb
from edge.models.mobilefacenet import MobileFaceNet
from edge.models.mtcnn import Mtcnn
from edge.ports import Detector
from edge.settings import CameraConfig
from edge.types import Embedding, FloatArray, Quality, Rgb
from tools.evaluate import lfw
from tools.evaluate.approaches import LFW, LONDON
from tools.evaluate.describe import describe, subject
from tools.evaluate.networks import THREADS, Networks
from tools.evaluate.nuaa import open_nuaa
from tools.evaluate.progress import tracked
from tools.evaluate.sequences import CLIPS, NUAA, video
from tools.evaluate.sessions import open_sessions
from tools.evaluate.sets import DataSet

SIZES_PX = (160, 120, 80, 60, 50, 40, 30)
YAWS_DEG = (0, 5, 10, 15, 20, 25, 30, 35, 45)
SMALLEST_PX = 20
"""What the detector is told to look for, here: the least that it can."""

EYES_CM = 6.3
"""Between the pupils of an adult: 63 mm in the mean (Dodgson 2004, "Variation and extrema of human interpupillary
distance")."""

EYES_SHARE = 0.354
"""The eyes' distance as a share of the longer side of the detector's box: the median of the looks of 12 people."""

LENSES_DEG = {"Camera Module 2": 62.2, "Camera Module 3": 66.0, "Camera Module 3 Wide": 102.0}
"""Horizontal field of view, as Raspberry Pi publishes it."""

WIDTH_PX = CameraConfig().width
EVERY = 6
"""Of NUAA's frames one in so many: the others are nearly the same picture."""


class BySize(msgspec.Struct, frozen=True):
    """Faces of about ``face_px``. ``quantiles``: the similarity that 5 %, 10 % and half of those found stay below;
    ``distance_cm``: by lens."""

    source: str
    face_px: int
    people: int
    pictures: int
    found: int
    quantiles: tuple[float, float, float]
    distance_cm: dict[str, float]


class ByYaw(msgspec.Struct, frozen=True):
    """Looks turned by ``from_deg`` and more, up to the next line. ``quantiles``: as by size."""

    source: str
    from_deg: int
    looks: int
    quantiles: tuple[float, float, float]


class Reach(msgspec.Struct, frozen=True):
    """One shelf of networks."""

    networks: str
    variant: str
    digest: str
    by_size: list[BySize]
    by_yaw: list[ByYaw]


@dataclass(frozen=True, slots=True)
class _Subject:
    person: str
    enrolled: Embedding
    rgb: Rgb


def distance_cm(face_px: float, field_deg: float) -> float:
    """How far away a face of so many pixels is (a pinhole's similar triangles)."""
    focal_px = WIDTH_PX / 2 / math.tan(math.radians(field_deg / 2))
    return focal_px * EYES_CM / (EYES_SHARE * face_px)


def reach(folder: Path, networks: Networks) -> Reach:
    """Judge one shelf with what the folder has. Raises ImageError, ModelError, InputError."""
    detector = Mtcnn(networks.shelf, min_face_px=SMALLEST_PX, threads=THREADS)
    embedder = networks.embedder()
    by_size: list[BySize] = []
    for source, found in (
        (LONDON, open_sessions(folder / LONDON) if (folder / LONDON).is_dir() else None),
        (NUAA, open_nuaa(folder / NUAA) if (folder / NUAA).is_dir() else None),
    ):
        if found is not None:
            subjects = list(_subjects(found, networks.detector(), embedder, EVERY if source == NUAA else 1))
            bar = tracked(SIZES_PX, f"{source} by size, {networks.variant}")
            by_size += [_by_size(source, size, subjects, detector, embedder) for size in bar]
    by_yaw = list(_by_yaw(folder, networks.detector(), embedder))
    if not by_size and not by_yaw:
        raise InputError(f"The folder has none of {LONDON}, {NUAA}, {LFW} and {CLIPS}. Name another with --faces.")
    return Reach(networks.label, networks.variant, networks.digest, by_size, by_yaw)


def _subjects(data_set: DataSet, detector: Detector, embedder: MobileFaceNet, every: int) -> Iterator[_Subject]:
    """Pictures of everybody's last session, and what the person is enrolled with from the first."""
    for person in data_set.people:
        own = [picture for picture in data_set.pictures if picture.person == person]
        first, last = own[0].session, own[-1].session
        if first == last:
            continue
        templates = [describe(data_set.folder / each.name, detector, embedder) for each in own if each.session == first]
        known = np.stack([each for each in templates if not np.isnan(each).any()])[:: max(len(templates) // 5, 1)]
        enrolled = centres(known, np.zeros(len(known), np.intp), 1)[0]
        for each in [each for each in own if each.session == last][::every]:
            yield _Subject(person, enrolled, read_rgb(data_set.folder / each.name))


def _by_size(source: str, size: int, subjects: Sequence[_Subject], detector: Mtcnn, embedder: MobileFaceNet) -> BySize:
    similarities = []
    for each in subjects:
        rgb = each.rgb
        face = subject(rgb, detector.detect(rgb))
        if face is None:
            continue
        share = min(size / face.size_px, 1.0)
        small = np.asarray(
            Image.fromarray(rgb).resize(
                (round(rgb.shape[1] * share), round(rgb.shape[0] * share)), Image.Resampling.BOX
            ),
            np.uint8,
        )
        look = _look(small, detector, embedder)
        if look is not None:
            similarities.append(float(look[0] @ each.enrolled))
    people = len({each.person for each in subjects})
    lenses = {lens: float(round(distance_cm(size, field))) for lens, field in LENSES_DEG.items()}
    return BySize(source, size, people, len(subjects), len(similarities), _quantiles(similarities), lenses)


def _by_yaw(folder: Path, detector: Detector, embedder: MobileFaceNet) -> Iterator[ByYaw]:
    if (folder / LFW).is_dir():
        yield from _binned("LFW pairs", _pairs(folder / LFW, detector, embedder))
    for path in sorted((folder / CLIPS).glob("*.gif")):
        looks = [look for frame in video(path, math.inf) if (look := _look(frame.rgb, detector, embedder)) is not None]
        frontal = [embedding for embedding, quality in looks if abs(quality.yaw_deg) < YAWS_DEG[2]]
        turns = max((abs(quality.yaw_deg) for _, quality in looks), default=0.0) > YAWS_DEG[4]
        if frontal and turns:
            ahead: FloatArray = np.mean(frontal, axis=0)
            ahead = ahead / np.linalg.norm(ahead)
            yield from _binned(path.name, [(abs(q.yaw_deg), float(embedding @ ahead)) for embedding, q in looks])


def _pairs(folder: Path, detector: Detector, embedder: MobileFaceNet) -> list[tuple[float, float]]:
    """Yaw of the picture that is turned farther, and similarity, of every genuine pair of View 1."""
    view = lfw.open_view1(folder)
    pairs = [pair for part in view.lists for pair in part.genuine]
    names = sorted({picture.name for pair in pairs for picture in pair})
    looks = {name: _look(read_rgb(folder / name), detector, embedder) for name in tracked(names, "LFW by yaw")}
    found = []
    for pair in pairs:
        one, other = (looks[picture.name] for picture in pair)
        if one is not None and other is not None:
            yaw_deg = max(abs(one[1].yaw_deg), abs(other[1].yaw_deg))
            found.append((yaw_deg, float(one[0] @ other[0])))
    return found


def _look(rgb: Rgb, detector: Detector, embedder: MobileFaceNet) -> tuple[Embedding, Quality] | None:
    face = subject(rgb, detector.detect(rgb))
    if face is None:
        return None
    try:
        aligned = embedder.align(rgb, face.landmarks)
        return embedder.embed(aligned), measure(face, aligned)
    except FaceError:
        return None


def _binned(source: str, found: Sequence[tuple[float, float]]) -> Iterator[ByYaw]:
    for low, high in zip(YAWS_DEG, (*YAWS_DEG[1:], 180), strict=True):
        similarities = [similarity for yaw_deg, similarity in found if low <= yaw_deg < high]
        if similarities:
            yield ByYaw(source, low, len(similarities), _quantiles(similarities))


def _quantiles(similarities: Sequence[float]) -> tuple[float, float, float]:
    if not similarities:
        return float("nan"), float("nan"), float("nan")
    low, tenth, middle = np.quantile(similarities, (0.05, 0.1, 0.5))
    return float(low), float(tenth), float(middle)
