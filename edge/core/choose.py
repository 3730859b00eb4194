"""Which of the faces in one frame is asking to come in, or why none is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from edge.core.quality import flaw
from edge.types import Face, Look

SeveralFaces = Literal["refuse", "nearest"]

SHARE_MIN = 0.4
"""In a photograph of somebody a face this much smaller than the largest is background: a passer-by, a poster, a pattern
that the detector takes for a face. At the door every face counts."""

SEVERAL = "several faces in view: one person at a time"


@dataclass(frozen=True, slots=True)
class Unusable:
    """No face of this frame may be judged. ``look`` is the one that asked, None when several people are in view."""

    reason: str
    look: Look | None


def present(faces: Sequence[Face]) -> list[Face]:
    """The people whom a photograph is of, largest face first."""
    ordered = sorted(faces, key=lambda face: -face.size_px)
    return [face for face in ordered if face.size_px >= SHARE_MIN * ordered[0].size_px]


def choose(
    looks: Sequence[Look], faces_in_frame: int, several: SeveralFaces, min_face_px: float
) -> Look | Unusable | None:
    """The look to judge, why none can be, or None when nobody is there.

    With ``refuse`` a second face in view stops everything: ``faces_in_frame`` counts every face, also those that the
    eyes send no look of. With ``nearest`` the largest face asks, and the others are passed over.
    """
    if several == "refuse" and max(len(looks), faces_in_frame) > 1:
        return Unusable(SEVERAL, None)
    if not looks:
        return None
    nearest = max(looks, key=lambda look: look.quality.face_px)
    reason = flaw(nearest.quality, min_face_px)
    return Unusable(reason, nearest) if reason else nearest
