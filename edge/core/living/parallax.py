"""Whether the surroundings move with the face. A person moves before a wall; a picture of a person has its wall on it.

Between two looks of one track: do the pixels around the face fit better where they were (the surroundings stand
still), or where the face has gone (they are one sheet)? A face that does not move says nothing.
"""

import numpy as np

from edge.core.living.view import FACE_PX, SIDE_PX, View, sample
from edge.types import Rgb

NOISE = 1.5
"""Mean difference (0..255) of two frames of one still scene: below that neither fits better."""

PIXELS_MIN = 400
"""Of some 4,000 around the face; with fewer the face fills the frame, and there are no surroundings to see."""


def parallax(before: View, now: View, rgb: Rgb) -> float | None:
    """The logarithm of how much better "moved with the face" fits than "stood still": above 0 for a sheet, below 0
    for a person, 0 when nothing moved. ``rgb``: the frame of ``now``.

    None when too little of the surroundings is in both frames.
    """
    around = _AROUND & before.inside & now.inside
    if np.count_nonzero(around) < PIXELS_MIN:
        return None
    still = np.abs(sample(rgb, before.columns, before.rows) - before.grey)[around].mean()
    moved = np.abs(now.grey - before.grey)[around].mean()
    return float(np.log((still + NOISE) / (moved + NOISE)))


def _ring() -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """(96, 96) bool: left, right and above, without the face, the neck and the shoulders below."""
    offsets = (np.arange(SIDE_PX) - (SIDE_PX - 1) / 2) / FACE_PX
    x, y = np.meshgrid(offsets, offsets)
    ring: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = (
        ((np.abs(x) > 0.42) | (y < -0.48)) & (y < 0.3) & (np.abs(x) < 0.84) & (y > -0.84)
    )
    return ring


_AROUND = _ring()
