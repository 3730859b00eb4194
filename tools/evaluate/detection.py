"""Detection: which of the faces that people have boxed are found, and what else is taken for one.

A picture is first scaled down to fit ``FIT_PX``, a door camera's frame. Faces of at least ``COUNTED_PX`` must be found;
smaller ones, and those that the annotators gave up, may be. A detection finds the face that it overlaps most, with an
intersection over union of at least ``IOU_MIN`` (PASCAL VOC), the most probable detection first and each face once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import msgspec
import numpy as np

from edge.core.boxes import overlaps
from edge.errors import InputError
from edge.images import read_rgb
from edge.ports import Detector
from edge.types import Face, FloatArray, Rgb
from tools.evaluate import statistics
from tools.evaluate.networks import Networks
from tools.evaluate.progress import tracked
from tools.evaluate.statistics import Floats
from tools.evaluate.wider import Picture

FIT_PX = (640, 480)
COUNTED_PX = 48
"""The longer side: with ``MIN_FACE_PX`` of 40 such a face fills a window of P-Net."""

IOU_MIN = 0.5


class Detection(msgspec.Struct, frozen=True):
    """The figures of one shelf of networks. Intervals are 95 % by bootstrap over pictures."""

    networks: str
    kind: str
    digest: str
    recall: float
    recall_interval: tuple[float, float]
    false_per_picture: float
    false_per_picture_interval: tuple[float, float]
    mean_iou: float
    pictures: int
    faces: int
    found: int
    false: int


@dataclass(frozen=True, slots=True)
class Tally:
    """One picture: faces that count, how many of them were found and how tightly, and detections of nothing."""

    faces: int
    ious: tuple[float, ...]
    false: int


def tally(boxes: FloatArray, may_be_missed: Sequence[bool], faces: Sequence[Face]) -> Tally:
    """Hold detections against (N, 4) boxes of people; those that may be missed are neither found nor false."""
    free = np.ones(len(boxes), dtype=np.bool_)
    ious: list[float] = []
    false = 0
    for face in sorted(faces, key=lambda face: -face.probability):
        box = face.box
        shared = overlaps(np.array([[box.x0, box.y0, box.x1, box.y1]], dtype=np.float32), boxes)[0]
        shared = np.where(free & (shared >= IOU_MIN), shared, 0)
        if not shared.any():
            false += 1
            continue
        best = int(np.argmax(shared))
        free[best] = False
        if not may_be_missed[best]:
            ious.append(float(shared[best]))
    return Tally(sum(not may for may in may_be_missed), tuple(ious), false)


def fitted(rgb: Rgb) -> tuple[Rgb, float]:
    """The picture scaled down (never up) to fit ``FIT_PX``, and by how much."""
    scale = min(1.0, FIT_PX[0] / rgb.shape[1], FIT_PX[1] / rgb.shape[0])
    if scale == 1:
        return rgb, scale
    size = (max(round(rgb.shape[1] * scale), 1), max(round(rgb.shape[0] * scale), 1))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8), scale


def look(picture: Picture, detector: Detector) -> Tally:
    """Search one picture. Raises ImageError."""
    rgb, scale = fitted(read_rgb(picture.path))
    boxes = picture.boxes * np.float32(scale)
    sizes = np.max(boxes[:, 2:] - boxes[:, :2], axis=1, initial=0)
    return tally(boxes, (picture.invalid | (sizes < COUNTED_PX)).tolist(), detector.detect(rgb))


def detect(pictures: Sequence[Picture], networks: Networks) -> Detection:
    """Judge one shelf of networks. Raises ImageError, ModelError; InputError when no face counts."""
    detector = networks.detector()
    return summed(networks, [look(picture, detector) for picture in tracked(pictures, f"Detecting, {networks.label}")])


def summed(networks: Networks, tallies: Sequence[Tally]) -> Detection:
    """The figures over all pictures. Raises InputError when no face counts."""
    faces = np.array([one.faces for one in tallies], dtype=np.float64)
    found = np.array([len(one.ious) for one in tallies], dtype=np.float64)
    false = np.array([one.false for one in tallies], dtype=np.float64)
    if not faces.any():
        raise InputError(f"No face of {COUNTED_PX} px or more is boxed. Use another data set.")

    def recall(drawn: Floats) -> float:
        return float(drawn @ found / (drawn @ faces)) if drawn @ faces else float("nan")

    def false_per_picture(drawn: Floats) -> float:
        return float(drawn @ false / drawn.sum())

    once = np.ones(len(tallies))
    ious = [iou for one in tallies for iou in one.ious]
    return Detection(
        networks=networks.label,
        kind=networks.kind,
        digest=networks.digest,
        recall=recall(once),
        recall_interval=statistics.interval(recall, len(tallies)),
        false_per_picture=false_per_picture(once),
        false_per_picture_interval=statistics.interval(false_per_picture, len(tallies)),
        mean_iou=float(np.mean(ious)) if ious else float("nan"),
        pictures=len(tallies),
        faces=int(faces.sum()),
        found=int(found.sum()),
        false=int(false.sum()),
    )
