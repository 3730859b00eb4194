"""Faces to put before a replayed camera."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.images import read_rgb
from edge.models.mtcnn import Mtcnn
from edge.types import Rgb


@pytest.fixture(scope="session")
def cut_out(photos: dict[str, Path], detector: Mtcnn) -> Callable[[str], Rgb]:
    """A photograph's face with its surroundings, 150 px high."""

    def cut(name: str) -> Rgb:
        rgb = read_rgb(photos[name])
        box = detector.detect(rgb)[0].box
        half, x, y = 0.75 * box.height_px, (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
        square = rgb[max(int(y - half), 0) : int(y + half), max(int(x - half), 0) : int(x + half)]
        return np.asarray(cv2.resize(square, (200, 200), interpolation=cv2.INTER_AREA), dtype=np.uint8)

    return cut
