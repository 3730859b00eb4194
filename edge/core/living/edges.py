"""Straight edges around the face: the rim of a sheet, a phone, a screen.

A line that runs beside, above or below the face over its whole length is found as the mean, along straight lines of a
few tilts, of the brightness step across them. A rim has more than one side: the second strongest of the four counts.
"""

import numpy as np
import numpy.typing as npt

from edge.core.living.view import FACE_PX, SIDE_PX, View
from edge.types import FloatArray

STEP_MAX = 12.0
"""A step of brightness (0..255) counts at most so much: a line is long, not strong."""

TILT_MAX, TILTS = 0.3, 13
"""Tilts that are tried, as the tangent: a sheet in a hand leans by up to 17 degrees."""

_REACH = 0.47
"""Half the length of a line, in faces."""

_NEAR = 0.4
"""How far from the landmarks' middle lines begin, in faces: beyond the cheeks."""


def edges(seen: View) -> float:
    """0 to ``STEP_MAX``: how much of a straight edge there is on two sides at least. What lies outside the frame has
    none."""
    found = [_line(side) for side in (seen.grey, seen.grey[:, ::-1], seen.grey.T, seen.grey.T[:, ::-1])]
    return sorted(found)[-2]


def _line(grey: FloatArray) -> float:
    """The strongest upright line at the left of the face."""
    steps = np.diff(grey, axis=1).clip(-STEP_MAX, STEP_MAX)
    return float(np.abs(steps.take(_PLACES).mean(axis=1)).max())


def _lines() -> npt.NDArray[np.intp]:
    """(tilts, rows, lines): where each line of each tilt runs in the left part of a view's steps, every other row."""
    middle = (SIDE_PX - 1) / 2
    rows = np.arange(round(middle - _REACH * FACE_PX), round(middle + _REACH * FACE_PX) + 1, 2)
    lean = np.outer(np.linspace(-TILT_MAX, TILT_MAX, TILTS), rows - middle)[:, :, None]
    starts = np.arange(0, int(middle - _NEAR * FACE_PX))[None, None, :]
    columns = np.rint(starts + lean).astype(np.intp).clip(0, SIDE_PX - 2)
    places: npt.NDArray[np.intp] = rows[None, :, None] * (SIDE_PX - 1) + columns
    return places


_PLACES = _lines()
