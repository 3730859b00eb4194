"""Boxes as (N, 4) float32 arrays of xyxy edges in frame pixels: overlap, suppression, regression, squaring."""

import numpy as np
import numpy.typing as npt

from edge.types import FloatArray


def _areas(boxes: FloatArray) -> FloatArray:
    areas: FloatArray = np.maximum(boxes[:, 2] - boxes[:, 0], 0) * np.maximum(boxes[:, 3] - boxes[:, 1], 0)
    return areas


def overlap(box: FloatArray, boxes: FloatArray, *, of_smaller: bool = False) -> FloatArray:
    """How much a (4,) box shares with each of (N, 4) boxes, 0..1.

    Intersection over union, or with ``of_smaller`` over the smaller of the two areas (MTCNN's last stage). An empty
    box shares nothing.
    """
    width = np.minimum(box[2], boxes[:, 2]) - np.maximum(box[0], boxes[:, 0])
    height = np.minimum(box[3], boxes[:, 3]) - np.maximum(box[1], boxes[:, 1])
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    own, others = _areas(box[None])[0], _areas(boxes)
    whole = np.minimum(own, others) if of_smaller else own + others - shared
    result: FloatArray = np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0)
    return result


def suppress(
    boxes: FloatArray, probabilities: FloatArray, limit: float, *, of_smaller: bool = False
) -> npt.NDArray[np.intp]:
    """Greedy non-maximum suppression: indices of the boxes kept, most probable first.

    A box that shares more than ``limit`` (0..1) with a more probable one that was kept is dropped. Ties keep their
    order.
    """
    waiting = np.argsort(-probabilities, kind="stable")
    kept: list[int] = []
    while waiting.size:
        first, waiting = int(waiting[0]), waiting[1:]
        kept.append(first)
        waiting = waiting[overlap(boxes[first], boxes[waiting], of_smaller=of_smaller) <= limit]
    return np.array(kept, dtype=np.intp)


def regress(boxes: FloatArray, offsets: FloatArray) -> FloatArray:
    """Move each edge by its (N, 4) offset, a fraction of the box's width (x edges) or height (y edges)."""
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    moved: FloatArray = boxes + offsets * np.stack([width, height, width, height], axis=1)
    return moved


def squared(boxes: FloatArray) -> FloatArray:
    """The square of the longer side about each box's centre, as the next stage of MTCNN wants its crop."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = np.max(boxes[:, 2:] - boxes[:, :2], axis=1, keepdims=True) / 2
    return np.concatenate([centre - half, centre + half], axis=1)
