"""The frame that every timing looks at."""

from pathlib import Path

import cv2
import numpy as np

from edge.images import read_rgb
from edge.types import Rgb
from tools import photos

WIDTH, HEIGHT = 640, 480


def visitor_frame(image: Path | None) -> Rgb:
    """(480, 640, 3) uint8: a picture fitted into the frame on a grey wall; by default a portrait, face 135 px high.

    Raises ImageError, and InputError when the default photograph cannot be fetched.
    """
    rgb = read_rgb(image) if image else read_rgb(photos.fetch()["astronaut.png"])[:320, 40:440]
    scale = min(WIDTH / rgb.shape[1], HEIGHT / rgb.shape[0], 1.2)
    shown = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    frame = np.full((HEIGHT, WIDTH, 3), 120, dtype=np.uint8)
    x, y = (WIDTH - shown.shape[1]) // 2, (HEIGHT - shown.shape[0]) // 2
    frame[y : y + shown.shape[0], x : x + shown.shape[1]] = shown
    return frame
