"""A second opinion on where the eyes, the nose and the mouth are: OpenCV's YuNet, which facelatch does not ship.

W. Wu et al., "YuNet: A Tiny Millisecond-level Face Detector" (2023).
"""

from pathlib import Path

import cv2
import numpy as np

from edge.errors import InputError
from edge.types import Box, Face, FloatArray, Rgb

PROBABILITY_MIN = 0.7
"""Below this it takes other things for faces; here it has to be right, not to find all."""


def open_yunet(model: Path, size_px: tuple[int, int], probability_min: float = 0.9) -> cv2.FaceDetectorYN:
    """OpenCV's detector for frames of ``size_px`` (width, height), with OpenCV's own default for the rest.

    ``model``: YuNet's .onnx file. Raises InputError when OpenCV cannot read it.
    """
    try:
        return cv2.FaceDetectorYN.create(str(model), "", size_px, probability_min)
    except cv2.error as error:
        raise InputError(
            f"OpenCV cannot read the model {model!s:.200} ({error.err}). Give YuNet's .onnx file."
        ) from error


class YuNet:
    """The detector port."""

    def __init__(self, model: Path) -> None:
        """See ``open_yunet``."""
        self.timings_ms: dict[str, float] = {}
        self._net = open_yunet(model, (320, 320), PROBABILITY_MIN)

    def detect(self, rgb: Rgb) -> list[Face]:
        """See the port."""
        height, width = rgb.shape[:2]
        self._net.setInputSize((width, height))
        _, rows = self._net.detect(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        faces = [] if rows is None else [_face(row) for row in np.asarray(rows, dtype=np.float32)]
        return sorted(faces, key=lambda face: -max(face.box.x1 - face.box.x0, face.box.y1 - face.box.y0))


def _face(row: FloatArray) -> Face:
    """``row``: x, y, width, height; five landmarks, the eye at the picture's left first, as MTCNN's; a probability."""
    x, y, width, height = (float(value) for value in row[:4])
    return Face(Box(x, y, x + width, y + height), row[4:14].reshape(5, 2).copy(), float(row[14]))
