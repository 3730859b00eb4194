"""The same face over frames: evidence is gathered on one track and never crosses to another.

A track is followed by place, as the detector finds it, and broken by its embedding: where another face is in the same
place, it gets a track of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.core.boxes import overlaps
from edge.core.pool import Pool
from edge.types import Box, Embedding, Face, FloatArray

OVERLAP_MIN = 0.3
"""Intersection over union that continues a track: two equal boxes half a width apart share 0.33."""

GAP_MAX_S = 1.0
"""A face that frames in between did not show is a new approach after so long ..."""

SLOW_GAP_MAX_S = 3.0
"""... and without any frame in between, as on a slow or busy board, after so long."""

SAME_FACE_MIN = 0.5
"""The cosine of a look to its track below which it shows another face. Of 622 looks of 12 people none is below 0.6 (31
sequences at 5 looks a second, hands before the face included), and 99 of 100 looks of somebody else are below 0.5."""


@dataclass(slots=True)
class _Track:
    id: int
    box: Box
    seen_s: float
    pool: Pool | None = None
    is_missed: bool = False


class Tracker:
    """Gives each face of each frame its track id. Ids count from 1 and are never used again."""

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._next_id = 1

    def update(self, faces: Sequence[Face], captured_s: float) -> list[int]:
        """The track id of each face, in order; the largest face chooses first."""
        free = [track for track in self._tracks if 0 <= captured_s - track.seen_s <= _gap_max_s(track)]
        followed: dict[int, _Track] = {}
        for index in sorted(range(len(faces)), key=lambda i: -faces[i].size_px):
            box = faces[index].box
            shares = [float(overlaps(_edges(box), _edges(track.box))[0, 0]) for track in free]
            best = int(np.argmax(shares)) if shares else -1
            if best >= 0 and shares[best] >= OVERLAP_MIN:
                track = free.pop(best)
                followed[index] = _Track(track.id, box, captured_s, track.pool)
            else:
                followed[index] = _Track(self._new_id(), box, captured_s)
        for track in free:
            track.is_missed = True
        self._tracks = [*followed.values(), *free]
        return [followed[index].id for index in range(len(faces))]

    def confirm(self, track_id: int, embedding: Embedding, weight: float) -> int:
        """Whether a usable look of the newest frame shows the face of its track: the id under which it goes, a new one
        when it does not. ``embedding``: (D,) of unit norm; ``weight``: as ``core.quality.weight``."""
        track = next(each for each in self._tracks if each.id == track_id)
        if track.pool is None:
            track.pool = Pool(embedding, weight)
        elif track.pool.agreement(embedding) >= SAME_FACE_MIN:
            track.pool.add(embedding, weight)
        else:
            track.id, track.pool = self._new_id(), Pool(embedding, weight)
        return track.id

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1


def _gap_max_s(track: _Track) -> float:
    return GAP_MAX_S if track.is_missed else SLOW_GAP_MAX_S


def _edges(box: Box) -> FloatArray:
    return np.array([[box.x0, box.y0, box.x1, box.y1]], dtype=np.float32)
