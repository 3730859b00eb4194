"""The face and what is around it as a small grey picture of one size, whatever the size of the face."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.types import FloatArray, Rgb

SIDE_PX = 96
"""Side of the view. The face is then 42 px high: paper, hand and device are large beside it."""

FACE_PER_SPREAD = 4.42
"""The longer side of the detector's box in root mean square distances of the landmarks from their mean (median of
1,500 webcam looks; 5 to 95 %: 4.0 to 4.7). The landmarks shake less from frame to frame than the box does."""

FACES_ACROSS = 2.3
"""Side of the view in faces. Wider ones (2.8, 3.4) see more of the room behind a person, and tell prints apart less
well (AUC 0.985 after 0.97, NUAA, one look)."""

FACE_PX = SIDE_PX / FACES_ACROSS


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """``grey``: (96, 96) float32, 0..255, the green channel. ``inside``: (96, 96) bool, what lies in the frame; beyond
    it the frame's edge is repeated. ``columns``, ``rows``: (192,) int64, the frame's pixels behind it, two a side.
    """

    grey: FloatArray
    inside: npt.NDArray[np.bool_]
    columns: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]


def view(rgb: Rgb, landmarks: FloatArray) -> View | None:
    """The view of the face with these (5, 2) landmarks, upright as the frame is.

    None where the landmarks coincide, are no numbers or lie outside the frame.
    """
    points = landmarks.astype(np.float64)
    x, y = points.mean(axis=0)
    side = float(np.sqrt(((points - (x, y)) ** 2).sum(axis=1).mean())) * FACE_PER_SPREAD * FACES_ACROSS
    height, width = rgb.shape[:2]
    if not (np.isfinite(side) and 1 <= side <= 64 * max(height, width) and 0 <= x < width and 0 <= y < height):
        return None
    steps = (np.arange(2 * SIDE_PX) + 0.5) / (2 * SIDE_PX) - 0.5
    columns, rows = np.rint(x + side * steps).astype(np.int64), np.rint(y + side * steps).astype(np.int64)
    in_frame = (rows >= 0) & (rows < height), (columns >= 0) & (columns < width)
    inside = in_frame[0][::2, None] & in_frame[1][None, ::2]
    return View(sample(rgb, columns, rows), inside, columns, rows)


def sample(rgb: Rgb, columns: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]) -> FloatArray:
    """(96, 96) float32: the green channel of a frame at a view's pixels, means of four."""
    height, width = rgb.shape[:2]
    places = rows.clip(0, height - 1)[:, None] * (3 * width) + (columns.clip(0, width - 1) * 3 + 1)
    green = np.ascontiguousarray(rgb).reshape(-1).take(places)
    pairs = green[::2].astype(np.uint16) + green[1::2]
    quads: FloatArray = (pairs[:, ::2] + pairs[:, 1::2]).astype(np.float32)
    return quads / np.float32(4)
