"""A second opinion on where the eyes, the nose and the mouth are: OpenCV's YuNet, which facelatch does not ship.

W. Wu et al., "YuNet: A Tiny Millisecond-level Face Detector" (2023).
"""

from pathlib import Path

import cv2
import numpy as np

from edge.errors import InputError
from edge.types import Box, Face, Rgb

PROBABILITY_MIN = 0.7
"""Below this it takes other things for faces; here it has to be right, not to find all."""


class YuNet:
    """The detector port."""

    def __init__(self, model: Path) -> None:
        """``model``: YuNet's .onnx file. Raises InputError when OpenCV cannot read it."""
        self.timings_ms: dict[str, float] = {}
        try:
            self._net = cv2.FaceDetectorYN.create(str(model), "", (320, 320), PROBABILITY_MIN)
        except cv2.error as error:
            raise InputError(
                f"OpenCV cannot read the model {model!s:.200} ({error.err}). Give YuNet's .onnx file."
            ) from error

    def detect(self, rgb: Rgb) -> list[Face]:
        """See the port."""
        height, width = rgb.shape[:2]
        self._net.setInputSize((width, height))
        _, rows = self._net.detect(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        faces = [] if rows is None else [_face(row) for row in np.asarray(rows, dtype=np.float32)]
        return sorted(faces, key=lambda face: -max(face.box.x1 - face.box.x0, face.box.y1 - face.box.y0))


def _face(row: "np.ndarray[tuple[int], np.dtype[np.float32]]") -> Face:
    """x, y, width, height; five landmarks, the eye at the picture's left first, as MTCNN's; a score."""
    x, y, width, height = (float(value) for value in row[:4])
    return Face(Box(x, y, x + width, y + height), row[4:14].reshape(5, 2).copy(), float(row[14]))
