"""Boxes as (N, 4) float32 arrays of xyxy edges in frame pixels: overlap, suppression, regression, squaring."""

import numpy as np
import numpy.typing as npt

from edge.types import FloatArray


def _areas(boxes: FloatArray) -> FloatArray:
    areas: FloatArray = np.maximum(boxes[:, 2] - boxes[:, 0], 0) * np.maximum(boxes[:, 3] - boxes[:, 1], 0)
    return areas


def overlaps(boxes: FloatArray, others: FloatArray, *, of_smaller: bool = False) -> FloatArray:
    """How much each of (N, 4) boxes shares with each of (M, 4) others: (N, M) float32, 0..1.

    Intersection over union, or with ``of_smaller`` over the smaller of the two areas (MTCNN's last stage). An empty
    box shares nothing.
    """
    x0, y0, x1, y1 = boxes.T[:, :, None]
    u0, v0, u1, v1 = others.T[:, None, :]
    shared = np.maximum(np.minimum(x1, u1) - np.maximum(x0, u0), 0)
    shared *= np.maximum(np.minimum(y1, v1) - np.maximum(y0, v0), 0)
    areas, their_areas = _areas(boxes)[:, None], _areas(others)[None]
    whole = np.minimum(areas, their_areas) if of_smaller else areas + their_areas - shared
    result: FloatArray = np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0)
    return result


def suppress(
    boxes: FloatArray,
    probabilities: FloatArray,
    limit: float,
    *,
    of_smaller: bool = False,
    groups: npt.NDArray[np.intp] | None = None,
) -> npt.NDArray[np.intp]:
    """Greedy non-maximum suppression: indices of the boxes kept, most probable first.

    A box that shares more than ``limit`` (0..1) with a more probable one that was kept is dropped; with ``groups``,
    (N,) int, only by one of its own group. Ties keep their order. Time and memory grow with the square of N.
    """
    order = np.argsort(-probabilities, kind="stable")
    ordered = boxes[order]
    rivals = overlaps(ordered, ordered, of_smaller=of_smaller) > limit
    if groups is not None:
        rivals &= groups[order][:, None] == groups[order]
    waiting = np.ones(len(order), dtype=np.bool_)
    kept: list[int] = []
    for place in range(len(order)):
        if waiting[place]:
            kept.append(place)
            waiting &= ~rivals[place]
    return order[kept]


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
