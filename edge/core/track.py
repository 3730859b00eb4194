"""The same face over frames: evidence is gathered on one track and never crosses to another."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.core.boxes import overlaps
from edge.types import Box, Face, FloatArray

OVERLAP_MIN = 0.3
"""Intersection over union that continues a track: two equal boxes half a width apart share 0.33."""

GAP_MAX_S = 1.0
"""A face unseen for longer is a new approach."""


@dataclass(frozen=True, slots=True)
class _Track:
    id: int
    box: Box
    seen_s: float


class Tracker:
    """Gives each face of each frame its track id. Ids count from 1 and are never used again."""

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._next_id = 1

    def update(self, faces: Sequence[Face], captured_s: float) -> list[int]:
        """The track id of each face, in order; the largest face chooses first."""
        free = [track for track in self._tracks if 0 <= captured_s - track.seen_s <= GAP_MAX_S]
        followed: dict[int, _Track] = {}
        for index in sorted(range(len(faces)), key=lambda i: -faces[i].size_px):
            box = faces[index].box
            shares = [float(overlaps(_edges(box), _edges(track.box))[0, 0]) for track in free]
            best = int(np.argmax(shares)) if shares else -1
            if best >= 0 and shares[best] >= OVERLAP_MIN:
                track_id = free.pop(best).id
            else:
                track_id, self._next_id = self._next_id, self._next_id + 1
            followed[index] = _Track(track_id, box, captured_s)
        self._tracks = [*followed.values(), *free]
        return [followed[index].id for index in range(len(faces))]


def _edges(box: Box) -> FloatArray:
    return np.array([[box.x0, box.y0, box.x1, box.y1]], dtype=np.float32)
