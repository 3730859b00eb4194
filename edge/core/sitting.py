"""Somebody sits for a portrait: which looks of one person before the camera become templates, and what to say next.

Looks are wished for one after the other: straight ahead, a little to either side, nearer, farther. A wish that is not
granted ``PATIENCE_S`` after the first usable look is given up, and any good look taken instead: who cannot turn the
head, or step back, is enrolled all the same. Time is the looks' own, and the same picture never counts twice.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from edge.core.choose import SHARE_MIN
from edge.core.quality import ENROL_MIN_FACE_PX, ENROL_MIN_PROBABILITY, enrolment_flaw
from edge.types import SAME_PERSON_MIN, SAME_PICTURE_SIMILARITY, Embedding, Look, Quality

LOOKS_DEFAULT, LOOKS_MIN = 5, 3
"""Templates wished for, and those that suffice where no more come: TAR at FAR 1e-5 rises from 95.4 % with one template
to 98.3 with three and 99.7 with the mean of five (measured, 70 people)."""

PATIENCE_S = 6.0
"""How long one wish is uttered: people take two or three seconds to follow."""

APART_S = 1.0
"""Between two looks that are kept, so that they differ: frames of one person a second apart stay below a cosine of 0.99
(NUAA)."""

TURN_MIN_DEG = 10.0
"""A little to the side, from where the first look was: one residual of the estimate of yaw."""

NEARER, FARTHER = 1.2, 0.85
"""Times the first look's size: a step of 10 to 15 cm at 70 cm."""

LIKE_MIN = 0.65
"""Cosine to the most similar of the looks kept, below which something covers the face: of nine looks with a hand before
the mouth eight lie there (signing people), turned heads at 0.76 and above (19 looks at a webcam, 8 of other people)."""

GOOD_BYE = "thank you, that is enough"


class Wish(Enum):
    """What the next look shall be, in words for the person in front of the camera; left and right are that person's."""

    AHEAD = "look at the camera"
    LEFT = "turn a little left"
    RIGHT = "turn a little right"
    NEAR = "come closer"
    FAR = "step back"


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A look that becomes a template. ``wish`` None: as the person gave it."""

    wish: Wish | None
    quality: Quality
    embedding: Embedding


class Sitting:
    """Collects the looks of one person. ``guidance`` is what to say now; ``refused`` counts looks by the reason."""

    def __init__(self, looks: int, min_face_px: float) -> None:
        """``looks``: how many are wished for. ``min_face_px``: the smallest face of use at the door."""
        self.wanted, self._min_face_px = looks, min_face_px
        self.kept: list[Kept] = []
        self.refused: Counter[str] = Counter()
        self.guidance = Wish.AHEAD.value
        self._kept_s = float("-inf")
        self._wished_s: float | None = None

    @property
    def complete(self) -> bool:
        return len(self.kept) >= self.wanted

    def add(self, looks: Sequence[Look], faces_in_frame: int) -> bool:
        """Weigh one frame: whether a look of it is kept. ``faces_in_frame`` counts those without a look, too."""
        people = _people(looks)
        if len(people) + max(faces_in_frame - len(looks), 0) > 1:
            self._refuse("several faces in view", "one person only")
            return False
        if not people:
            self.guidance = "come before the camera"
            return False
        return self._weigh(people[0])

    def _weigh(self, look: Look) -> bool:
        if self.complete:
            return False
        flaw = enrolment_flaw(look.quality, self._min_face_px)
        if flaw is not None:
            reason, _, advice = flaw.partition(": ")
            if reason.startswith("turned away") and self._wish() in (Wish.LEFT, Wish.RIGHT):
                advice = "turn back a little"
            self._refuse(reason.partition(" (")[0], advice)
            return False
        if self._is_somebody_else(look.embedding):
            return False
        return self._hold_against_wish(look)

    def _is_somebody_else(self, embedding: Embedding) -> bool:
        if not self.kept:
            return False
        similarities = np.stack([each.embedding for each in self.kept]) @ embedding
        if not similarities.min() >= SAME_PERSON_MIN:
            self._refuse("somebody else than in the looks kept", "one person only, from the first look to the last")
        elif not similarities.max() >= LIKE_MIN:
            self._refuse("hardly like the looks kept", "take off what covers your face, and look at the camera")
        elif similarities.max() > SAME_PICTURE_SIMILARITY:
            self._refuse("the same picture again", "move a little")
        else:
            return False
        return True

    def _hold_against_wish(self, look: Look) -> bool:
        wish = self._wish()
        if self._wished_s is None:
            self._wished_s = look.captured_s
        granted = wish is not None and self._is_granted(wish, look.quality)
        if not granted and wish is not None and look.captured_s - self._wished_s < PATIENCE_S:
            self.guidance = wish.value
            return False
        if look.captured_s - self._kept_s < APART_S:
            self.guidance = "hold still"
            return False
        self.kept.append(Kept(wish if granted else None, look.quality, look.embedding))
        self._kept_s, self._wished_s = look.captured_s, None
        following = self._wish()
        self.guidance = GOOD_BYE if self.complete else following.value if following else "hold still"
        return True

    def _wish(self) -> Wish | None:
        """What is wished for next; None: whatever comes."""
        wishes = list(Wish)
        wish = wishes[len(self.kept) % len(wishes)]
        if wish is Wish.FAR and self.kept[0].quality.face_px * FARTHER < max(self._min_face_px, ENROL_MIN_FACE_PX):
            return None
        return wish

    def _is_granted(self, wish: Wish, quality: Quality) -> bool:
        if not self.kept:
            return abs(quality.yaw_deg) <= TURN_MIN_DEG
        first = self.kept[0].quality
        turned_deg = quality.yaw_deg - first.yaw_deg
        match wish:
            case Wish.AHEAD:
                return abs(turned_deg) <= TURN_MIN_DEG
            case Wish.LEFT:  # the picture's right
                return turned_deg >= TURN_MIN_DEG
            case Wish.RIGHT:
                return turned_deg <= -TURN_MIN_DEG
            case Wish.NEAR:
                return quality.face_px >= NEARER * first.face_px
            case Wish.FAR:
                return quality.face_px <= FARTHER * first.face_px

    def _refuse(self, reason: str, advice: str) -> None:
        self.refused[reason] += 1
        self.guidance = advice


def _people(looks: Sequence[Look]) -> list[Look]:
    """Largest first, without what is no face, and without passers-by: as in a photograph. At the door every face
    counts."""
    ordered = sorted(looks, key=lambda look: -look.quality.face_px)
    faces = [look for look in ordered if look.quality.probability >= ENROL_MIN_PROBABILITY] or ordered[:1]
    return [look for look in faces if look.quality.face_px >= SHARE_MIN * faces[0].quality.face_px]
