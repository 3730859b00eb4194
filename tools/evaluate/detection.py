"""Detection: which of the faces that people have boxed are found, how exactly, and what else is taken for one.

A picture is first scaled down to fit ``FIT_PX``, a door camera's frame. Faces of at least ``COUNTED_PX`` must be found;
smaller ones, and those that the annotators gave up, may be. A detection finds the face that it overlaps most, with an
intersection over union of at least ``IOU_MIN`` (PASCAL VOC), the most probable detection first and each face once.

Nobody has marked landmarks in these pictures. Two things are told instead, in % of the inter-ocular distance: how far a
network's five landmarks lie from those of a witness, another detector (``yunet``), which is its landmark error; and how
far they lie from those of the reference (fp32), which is how far quantising moved them.
"""

from collections.abc import Callable, Mapping, Sequence
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
from tools.evaluate.statistics import Floats, Interval
from tools.evaluate.wider import Picture

FIT_PX = (640, 480)
COUNTED_PX = 48
"""The longer side: with ``MIN_FACE_PX`` of 40 such a face fills a window of P-Net."""

SIZES_PX = (COUNTED_PX, 64, 96, 160)
"""Where the classes of face size begin, by the longer side of the box that people drew."""

IOU_MIN = 0.5

VIEWS = 2
"""Each picture is searched as it is and mirrored: twice as many faces, for figures that depend less on chance."""

SIDEWAYS = 0.25
"""Eyes nearer to each other than this share of the face's side are those of a face turned away."""


class BySize(msgspec.Struct, frozen=True):
    """Faces of ``from_px`` up to the next class. The others: see ``Detection``."""

    from_px: int
    faces: int
    recall: float | None
    landmark_error: float | None
    landmarks_moved: float | None


class Detection(msgspec.Struct, frozen=True):
    """The figures of one shelf of networks. Intervals are 95 % by bootstrap over pictures, each with its mirror image;
    ``faces``, ``found`` and ``false`` count both, ``false_per_picture`` is the mean of both.

    ``recall_difference``: to the reference, on the same draws of pictures. ``landmark_error``: mean, in % of the
    witness's inter-ocular distance, over the ``witness_faces`` that both find and that look at the camera; its
    difference to the reference's on the faces that all three find. ``landmarks_moved``: mean and median over the
    ``landmark_faces`` that network and reference find, in profile too, where the eyes are near each other and the share
    is large. None where there is no witness, or for the reference itself.
    """

    networks: str
    variant: str
    digest: str
    data_set: str
    pictures: int
    faces: int
    found: int
    false: int
    recall: float
    recall_interval: Interval
    false_per_picture: float
    false_per_picture_interval: Interval
    mean_iou: float | None
    by_size: list[BySize]
    recall_difference: float | None = None
    recall_difference_interval: Interval | None = None
    landmark_error: float | None = None
    landmark_error_interval: Interval | None = None
    landmark_error_difference: float | None = None
    landmark_error_difference_interval: Interval | None = None
    witness_faces: int = 0
    landmarks_moved: float | None = None
    landmarks_moved_interval: Interval | None = None
    landmarks_moved_median: float | None = None
    landmark_faces: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """One picture. ``sizes_px``: the longer sides of the boxes that count, by their place in the list of boxes;
    ``found``: the detections of these, with how tightly; ``false``: detections of nothing."""

    sizes_px: Mapping[int, float]
    found: Mapping[int, tuple[Face, float]]
    false: int


def tally(boxes: FloatArray, may_be_missed: Sequence[bool], faces: Sequence[Face]) -> Tally:
    """Hold detections against (N, 4) boxes of people; those that may be missed are neither found nor false."""
    free = np.ones(len(boxes), dtype=np.bool_)
    sides = np.max(boxes[:, 2:] - boxes[:, :2], axis=1, initial=0)
    found: dict[int, tuple[Face, float]] = {}
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
            found[best] = face, float(shared[best])
    return Tally({i: float(sides[i]) for i, may in enumerate(may_be_missed) if not may}, found, false)


def fitted(rgb: Rgb) -> tuple[Rgb, float]:
    """The picture scaled down (never up) to fit ``FIT_PX``, and by how much."""
    scale = min(1.0, FIT_PX[0] / rgb.shape[1], FIT_PX[1] / rgb.shape[0])
    if scale == 1:
        return rgb, scale
    size = (max(round(rgb.shape[1] * scale), 1), max(round(rgb.shape[0] * scale), 1))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8), scale


def look(picture: Picture, detector: Detector) -> Tally:
    """Search one picture and its mirror image. Raises ImageError."""
    rgb, scale = fitted(read_rgb(picture.path))
    boxes = picture.boxes * np.float32(scale)
    sizes = np.max(boxes[:, 2:] - boxes[:, :2], axis=1, initial=0)
    may_be_missed = (picture.invalid | (sizes < COUNTED_PX)).tolist()
    mirrored = boxes.copy()
    mirrored[:, [0, 2]] = rgb.shape[1] - boxes[:, [2, 0]]
    one = tally(boxes, may_be_missed, detector.detect(rgb))
    other = tally(mirrored, may_be_missed, detector.detect(np.ascontiguousarray(rgb[:, ::-1])))
    return joined(one, other, len(boxes))


def joined(one: Tally, other: Tally, count: int) -> Tally:
    """Two views of one picture, of which ``count`` boxes are known: the other's come after the one's."""
    sizes = {**one.sizes_px, **{count + place: side for place, side in other.sizes_px.items()}}
    found = {**one.found, **{count + place: seen for place, seen in other.found.items()}}
    return Tally(sizes, found, one.false + other.false)


def detect(
    name: str,
    pictures: Sequence[Picture],
    networks: Networks,
    reference: Sequence[Tally] | None = None,
    witness: Sequence[Tally] | None = None,
) -> tuple[Detection, list[Tally]]:
    """Judge one shelf of networks. Raises ImageError, ModelError; InputError when no face counts."""
    tallies = look_at(pictures, networks.detector(), f"Detecting, {networks.variant}")
    return summed(name, networks, tallies, reference, witness), tallies


def look_at(pictures: Sequence[Picture], detector: Detector, what: str) -> list[Tally]:
    """Search all pictures. Raises ImageError."""
    return [look(picture, detector) for picture in tracked(pictures, what)]


def summed(
    name: str,
    networks: Networks,
    tallies: Sequence[Tally],
    reference: Sequence[Tally] | None = None,
    witness: Sequence[Tally] | None = None,
) -> Detection:
    """The figures over all pictures. Raises InputError when no face counts."""
    faces, found, false = (
        np.array(counts, dtype=np.float64)
        for counts in zip(*((len(one.sizes_px), len(one.found), one.false) for one in tallies), strict=True)
    )
    if not faces.any():
        raise InputError(f"No face of {COUNTED_PX} px or more is boxed in {name}. Use another data set.")
    units, once = len(tallies), np.ones(len(tallies), dtype=np.float32)
    recall, false_per_picture = ratio(found, faces), ratio(false, np.full(units, float(VIEWS)))
    ious = [iou for one in tallies for _, iou in one.found.values()]
    result = Detection(
        networks=networks.label,
        variant=networks.variant,
        digest=networks.digest,
        data_set=name,
        pictures=units,
        faces=int(faces.sum()),
        found=int(found.sum()),
        false=int(false.sum()),
        recall=recall(once),
        recall_interval=statistics.interval(recall, units),
        false_per_picture=false_per_picture(once),
        false_per_picture_interval=statistics.interval(false_per_picture, units),
        mean_iou=float(np.mean(ious)) if ious else None,
        by_size=_by_size(tallies, reference, witness),
    )
    if witness is not None:
        result = _with_errors(result, tallies, reference, witness)
    if reference is None:
        return result
    found_before = np.array([len(one.found) for one in reference], dtype=np.float64)
    moved = [list(landmark_errors(*pair).values()) for pair in zip(tallies, reference, strict=True)]
    difference, mean_moved = ratio(found - found_before, faces), _mean_of(moved)
    return msgspec.structs.replace(
        result,
        recall_difference=difference(once),
        recall_difference_interval=statistics.interval(difference, units),
        landmarks_moved=mean_moved(once),
        landmarks_moved_interval=statistics.interval(mean_moved, units),
        landmarks_moved_median=float(np.median(np.concatenate(moved))) if any(moved) else None,
        landmark_faces=sum(map(len, moved)),
    )


def _with_errors(
    result: Detection, tallies: Sequence[Tally], reference: Sequence[Tally] | None, witness: Sequence[Tally]
) -> Detection:
    units, once = len(tallies), np.ones(len(tallies), dtype=np.float32)
    own = [landmark_errors(*pair, SIDEWAYS) for pair in zip(tallies, witness, strict=True)]
    error = _mean_of([list(each.values()) for each in own])
    result = msgspec.structs.replace(
        result,
        landmark_error=error(once),
        landmark_error_interval=statistics.interval(error, units),
        witness_faces=sum(map(len, own)),
    )
    if reference is None:
        return result
    before = [landmark_errors(*pair, SIDEWAYS) for pair in zip(reference, witness, strict=True)]
    more = _mean_of([[a[i] - b[i] for i in a.keys() & b.keys()] for a, b in zip(own, before, strict=True)])
    return msgspec.structs.replace(
        result,
        landmark_error_difference=more(once),
        landmark_error_difference_interval=statistics.interval(more, units),
    )


def _mean_of(values: Sequence[Sequence[float]]) -> Callable[[FloatArray], float]:
    """The mean over all faces, as a function of how often each picture was drawn."""
    return ratio(np.array([sum(each) for each in values]), np.array([float(len(each)) for each in values]))


def landmark_errors(one: Tally, reference: Tally, eyes_min: float = 0.0) -> dict[int, float]:
    """For each face that both find, by its place: the mean distance of the five landmarks, in % of the distance between
    the reference's eyes. That distance is at least the share ``eyes_min`` of the face's side, or the face is left out.
    """
    errors = {}
    for place in one.found.keys() & reference.found.keys():
        landmarks, true = (tally.found[place][0].landmarks.astype(np.float64) for tally in (one, reference))
        eyes = float(np.linalg.norm(true[0] - true[1]))
        if eyes < eyes_min * reference.sizes_px[place]:
            continue
        errors[place] = 100 * float(np.linalg.norm(landmarks - true, axis=1).mean()) / max(eyes, 1.0)
    return errors


def ratio(above: Floats, below: Floats) -> Callable[[FloatArray], float]:
    """The ratio of two sums over pictures, as a function of how often each was drawn; NaN where the lower is 0."""

    def drawn_ratio(drawn: FloatArray) -> float:
        return float(drawn @ above / (drawn @ below)) if drawn @ below else float("nan")

    return drawn_ratio


def _by_size(
    tallies: Sequence[Tally], reference: Sequence[Tally] | None, witness: Sequence[Tally] | None
) -> list[BySize]:
    def held_against(others: Sequence[Tally] | None, eyes_min: float) -> list[dict[int, float]]:
        if others is None:
            return [{}] * len(tallies)
        return [landmark_errors(*pair, eyes_min) for pair in zip(tallies, others, strict=True)]

    errors, moved = held_against(witness, SIDEWAYS), held_against(reference, 0.0)
    classes = []
    for low, high in zip(SIZES_PX, (*SIZES_PX[1:], float("inf")), strict=True):
        counted = [
            (i, place) for i, one in enumerate(tallies) for place, side in one.sizes_px.items() if low <= side < high
        ]
        found = sum(place in tallies[i].found for i, place in counted)
        means = [
            float(np.mean(seen)) if (seen := [kind[i][place] for i, place in counted if place in kind[i]]) else None
            for kind in (errors, moved)
        ]
        classes.append(BySize(low, len(counted), found / len(counted) if counted else None, *means))
    return classes
