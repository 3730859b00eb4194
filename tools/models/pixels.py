"""A camera's bytes as the networks and the quantisers want them."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Pixels: TypeAlias = npt.NDArray[np.uint8]


def with_extremes(pixels: Pixels) -> Pixels:
    """A copy of (N, H, W, 3) samples with one black and one white pixel in each.

    The input's range is then exactly (0 - 127.5) / 128 to (255 - 127.5) / 128 and its scale exactly 1/128: quantising a
    camera's pixel becomes turning over its top bit.
    """
    marked = pixels.copy()
    marked[:, 0, 0] = 0
    marked[:, -1, -1] = 255
    return marked


def normalised(pixels: Pixels) -> npt.NDArray[np.float32]:
    """What all four networks expect: (pixel - 127.5) / 128."""
    return (pixels.astype(np.float32) - np.float32(127.5)) * np.float32(1 / 128)
