"""A challenge to whoever may be a picture: turn the head to a side, or come closer, now.

The side is drawn at random when it is asked, so that no recording knows it; there is a time to react, neither too
short nor too long, and at most two tasks a minute, whoever comes. A turn is read from where the nose stands between
the eyes, which no flat picture changes however it is held: of 45 prints held, bent and moved before a webcam (NUAA)
none reached half of ``TURN_DEG``. A recording that happens to turn so passes one turn in two, and a wrong turn ends
the asking. Coming closer gives the judge a better look and proves nothing: a picture comes closer, too. A face that is
taken for a picture is asked nothing, and a passed task makes it no less one. Not asked: a nod, as the height of the
nose differs more from face to face than with a nod. Glasses, beards and hats were not tested.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from edge.core.living.judge import GAP_MAX_S, UNDECIDED
from edge.types import SAME_PERSON_MIN, Look

When = Literal["when unsure", "always", "never"]

UNSURE_S = 1.5
"""Undecided for so long, a face is asked: what the judge needs for its ten looks at a slow rate."""

TURN_DEG = 15.0
"""From where the face stood when it was asked: one and a half residuals of the estimate of yaw. No print turned by more
than 6 degrees in two seconds, live heads that were not asked to by up to 7 (NUAA)."""

NEARER = 1.3
"""Times the size at the asking: from 70 cm to 54."""

REACT_MIN_S, REACT_MAX_S = 0.4, 4.0
"""People need 0.2 s to see a light and longer to move; what happens earlier was no answer."""

LOOKS_NEEDED = 2
"""Looks in a row that show it: one alone may be a landmark that slipped."""

TASKS_MAX, TASKS_S = 2, 60.0
"""So many tasks in so many seconds, over all approaches: whoever comes anew has not another chance."""

PASSED_S = 5.0
"""So long a passed task counts."""


class Ask(Enum):
    """What is asked, as the picture shows it: the camera's left is the person's right."""

    PICTURE_LEFT = "turn to the picture's left"
    PICTURE_RIGHT = "turn to the picture's right"
    NEARER = "come closer"


TURNS = (Ask.PICTURE_LEFT, Ask.PICTURE_RIGHT)


@dataclass(frozen=True, slots=True)
class Examined:
    """``liveness``: in place of the look's. ``ask``: what is asked now; ``passed``: just done."""

    liveness: float | None
    ask: Ask | None = None
    passed: bool = False


@dataclass(slots=True)
class _Approach:
    track: int
    seen_s: float
    unsure_s: float | None = None
    closer: bool = False
    ask: Ask | None = None
    asked: Look | None = None
    shown: int = 0
    passed_s: float | None = None


class Examiner:
    """The challenge of one door. Time is the looks' own."""

    def __init__(self, when: When, live_min: float, attack_max: float, below: Callable[[int], int]) -> None:
        """``below`` draws a number from 0 to one less than it is given, which nobody can foresee."""
        self._when, self._live_min, self._attack_max, self._below = when, live_min, attack_max, below
        self._approach: _Approach | None = None
        self._asked_s: deque[float] = deque(maxlen=TASKS_MAX)

    def forget(self) -> None:
        """The eyes start anew: track ids begin again."""
        self._approach = None

    def weigh(self, look: Look, named: bool) -> Examined:
        """One look of the face that is judged; ``named``: it resembles somebody enrolled enough."""
        alive = look.liveness
        if self._when == "never" or alive is None or not alive >= self._attack_max:
            self._approach = None
            return Examined(alive)
        approach = self._followed(look)
        passed = self._answered(approach, look)
        if approach.passed_s is not None and look.captured_s - approach.passed_s <= PASSED_S:
            return Examined(max(alive, self._live_min), passed=passed)
        sure = alive >= self._live_min
        if sure and self._when == "when unsure":
            approach.unsure_s, approach.ask = None, None
            return Examined(alive)
        self._put(approach, look, named)
        return Examined(min(alive, UNDECIDED) if self._when == "always" else alive, approach.ask)

    def _followed(self, look: Look) -> _Approach:
        approach = self._approach
        if (
            approach is None
            or approach.track != look.track
            or not 0 < look.captured_s - approach.seen_s <= GAP_MAX_S
            or (approach.asked is not None and not _like(approach.asked, look))
        ):
            approach = self._approach = _Approach(look.track, look.captured_s)
        approach.seen_s = look.captured_s
        return approach

    def _put(self, approach: _Approach, look: Look, named: bool) -> None:
        """Ask, where it is time to."""
        asked_s = self._asked_s
        spent = len(asked_s) == TASKS_MAX and look.captured_s - asked_s[0] < TASKS_S
        if approach.ask is not None or not named or spent:
            return
        if approach.unsure_s is None:
            approach.unsure_s = look.captured_s
        if self._when == "always" or look.captured_s - approach.unsure_s >= UNSURE_S:
            asks = TURNS if approach.closer else tuple(Ask)
            approach.ask = asks[self._below(len(asks))]
            approach.asked, approach.shown, approach.closer = look, 0, approach.ask is Ask.NEARER
            asked_s.append(look.captured_s)

    def _answered(self, approach: _Approach, look: Look) -> bool:
        """Hold a look against what was asked; True when that is done."""
        ask, asked = approach.ask, approach.asked
        if ask is None or asked is None:
            return False
        after_s = look.captured_s - asked.captured_s
        turned = look.quality.yaw_deg - asked.quality.yaw_deg
        wrong = {Ask.PICTURE_LEFT: turned >= TURN_DEG, Ask.PICTURE_RIGHT: turned <= -TURN_DEG}
        done = {
            Ask.PICTURE_LEFT: turned <= -TURN_DEG,
            Ask.PICTURE_RIGHT: turned >= TURN_DEG,
            Ask.NEARER: look.quality.face_px >= NEARER * asked.quality.face_px,
        }
        if wrong.get(ask, False) or (done[ask] and after_s < REACT_MIN_S):
            self._asked_s.extend([look.captured_s] * TASKS_MAX)  # that was a guess: there is no other
            approach.ask = None
            return False
        if after_s > REACT_MAX_S:
            approach.ask = None  # failed; another task may follow
            return False
        approach.shown = approach.shown + 1 if done[ask] else 0
        if approach.shown < LOOKS_NEEDED:
            return False
        approach.ask = None
        if ask is Ask.NEARER:
            return False
        approach.passed_s = look.captured_s
        return True


def _like(one: Look, other: Look) -> bool:
    """Written so that a NaN is nobody."""
    return float(one.embedding @ other.embedding) >= SAME_PERSON_MIN
