"""The appearance of a live face: paper, screens and masks have textures, edges and colours that skin has not.

One sign among several: alone it opens nothing. What the network was trained on, and how often it is wrong on
collections that it never saw, is in models_tflite/README.md.
"""

import math
from typing import Any

import cv2
import numpy as np

from edge.core.quality import LUMA
from edge.errors import FaceError
from edge.models.interpreter import Net
from edge.models.manifest import LIVENESS, Shelf
from edge.types import Box, Face, FloatArray, Rgb

SCALE = 2.7
"""Side of the square that is looked at, in sides of the face's box: the hand, the edge of the paper and the frame of
the screen are around the face (the scale of minivision's MiniFASNetV2, 2020)."""

FACE_MIN_PX = 8.0
"""Below that there is nothing to see; the detector's smallest face is 12 px."""


DIM, LEVEL = 70.0, 90.0
"""Mean luma (0..255) of the square below which it is brought up, and to where. By day the darkest of the data sets' has
74. The network reads noise, and a sensor's in the dark hides a print's or a screen's: of simulated nights (a third of
the light, noise of 6) the judge took 16 of 45 prints (NUAA) for live without this and 2 with it, of 14 replays 3 and
none, and none of 62 live approaches was refused."""

SMOOTH_PX = 0.8
"""Standard deviation of the smoothing that goes with it: without it the noise is brought up, too: 16 prints and 7
replays."""


class LivenessNet:
    """The liveness port."""

    def __init__(self, shelf: Shelf, *, threads: int = 1, runtime: Any = None, delegate: Any = None) -> None:
        """``delegate``: see ``Net``. Raises ModelError."""
        self._net = Net(shelf, LIVENESS, threads=threads, runtime=runtime, delegate=delegate)
        side = self._net.shape[1]
        self._net.require(image=(1, side, side, 3), logit=(1, None))
        self._side_px = side

    def probability(self, rgb: Rgb, face: Face) -> float:
        """See the port."""
        crop = by_day(surroundings(rgb, face.box, self._side_px))
        return probability(self._net.run(crop[None])["logit"].real(0))


def probability(logits: FloatArray) -> float:
    """Of a live face, 0..1. ``logits``: (N,) how much more it looks live than like each of N kinds of attack."""
    return float(1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -60, 60)).sum()))


def by_day(square: Rgb) -> Rgb:
    """A square as bright as the network knows it: a dark one smoothed and brought up to ``LEVEL``, any other itself."""
    level = float(np.dot(cv2.mean(square)[:3], LUMA))
    if level >= DIM:
        return square
    smooth = cv2.GaussianBlur(square.astype(np.float32), (0, 0), SMOOTH_PX)
    return (smooth * (LEVEL / max(level, 1.0))).clip(0, 255).astype(np.uint8)


def surroundings(rgb: Rgb, box: Box, size_px: int, scale: float = SCALE) -> Rgb:
    """(size_px, size_px, 3) uint8: the face in the middle of a square ``scale`` times as large as its box.

    Only what the camera saw: at the border of the frame the square is moved inwards, and where the frame is too small
    it becomes smaller. The network was trained with the same squares. Raises FaceError for a box that is no face in
    this frame.
    """
    height, width = rgb.shape[:2]
    edges = (box.x0, box.y0, box.x1, box.y1)
    face_px = max(box.width_px, box.height_px)
    if not all(map(math.isfinite, edges)) or face_px < FACE_MIN_PX or min(height, width) < FACE_MIN_PX:
        raise FaceError("The face is too small to tell whether it is live. Come closer, or use another picture.")
    if box.x1 <= 0 or box.y1 <= 0 or box.x0 >= width or box.y0 >= height:
        raise FaceError("The face lies outside the picture. Use another picture.")
    side = min(max(round(face_px * scale), 1), width, height)
    left = min(max(round((box.x0 + box.x1 - side) / 2), 0), width - side)
    top = min(max(round((box.y0 + box.y1 - side) / 2), 0), height - side)
    square = rgb[top : top + side, left : left + side]
    shrinks = side > size_px  # linear interpolation alone would skip pixels, and moiré would come from us
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square, (size_px, size_px), interpolation=method), dtype=np.uint8)
