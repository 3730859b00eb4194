"""From the signs of single looks to a probability that the face of a track is live.

The signs are pooled over the last looks of the track and weighed by a logistic regression, fitted by
``tools.liveness``. Nothing is certain early: until ``LOOKS_NEEDED`` looks agree the answer is at most ``UNDECIDED``. A
sign that is missing counts as the worst it could have been, and a look that could not be measured makes the track
begin again. The last looks must hold by themselves, too: whoever is live does not vouch for a picture held up later.

Measuring a look costs more than describing its face, and looks of one face are alike. So once there are enough and the
answer is clear, only every ``MEASURE_EVERY``-th look is measured, and the answer holds for those in between; that they
show the same face is the caller's to make sure of.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

LOOKS_NEEDED = 3
"""Looks before a face can be live: what ``evidence.looks_needed`` asks for by default, too."""

LOOKS_MAX = 10
"""Looks that are pooled: an approach of two seconds at the slowest useful rate."""

MEASURE_EVERY = 4
"""Of an approach of ten looks four are measured: the first three and the seventh."""

CLEAR = 0.3
"""An answer so near to 0 or 1 is clear; any other is asked for again with the next look."""

HOLDS_S = 0.7
"""No answer holds for longer: three looks at five a second. On a slower board more looks are measured."""

UNDECIDED = 0.4
"""Neither live nor an attack, whatever the thresholds are: they lie on either side."""

GAP_MAX_S = 1.0
"""A track that was not seen for longer begins again, as it does for the tracker."""

TRACKS_MAX = 16
"""Tracks remembered: a door sees two or three at a time."""

LOGIT_MAX = 6.0
"""The network's logit counts up to 1 in 400 either way: networks are surer than they are right."""

EDGES_WORST = 12.0
PARALLAX_MAX = 1.0
"""Beyond a factor of e "moved with the face" is as good as proved, either way."""


VERSION = 1
"""Of how signs are read, measured and weighed, here and in ``vigil.py``, and of the challenge: what a drill has shown
of one version holds for no other."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What one look showed. ``appearance``: the network's probability of a live face, 0..1. ``edges``: 0..12, see
    ``edges``. ``parallax``: see ``parallax``; None where there was nothing to compare."""

    appearance: float
    edges: float | None
    parallax: float | None


@dataclass(frozen=True, slots=True)
class Weights:
    """Of the pooled signs, in log odds: ``appearance`` of the clipped logit (-6..6), ``edges`` (0..12),
    ``parallax`` (-1..1)."""

    bias: float
    appearance: float
    edges: float
    parallax: float


def pooled(looks: Sequence[Signs]) -> tuple[float, float, float]:
    """Appearance (as a logit), edges and parallax of some looks: means over those that have the sign."""
    logits = [_logit(each.appearance) for each in looks]
    straight = [each.edges for each in looks if each.edges is not None]
    moved = [_clipped(each.parallax, PARALLAX_MAX) for each in looks if each.parallax is not None]
    return _mean(logits, -LOGIT_MAX), _mean(straight, EDGES_WORST), _mean(moved, PARALLAX_MAX)


def probability(looks: Sequence[Signs], weights: Weights) -> float:
    """That these looks of one track are of a live face, 0..1, without regard to how few they are."""
    appearance, edges, parallax = pooled(looks)
    log_odds = weights.bias + weights.appearance * appearance + weights.edges * edges + weights.parallax * parallax
    return 1 / (1 + math.exp(-_clipped(log_odds, 50.0)))


def is_measured(number: int) -> bool:
    """Whether a look is measured that is the ``number``-th, from 0, of a track which nothing interrupts, and of which
    every answer is clear."""
    return number < LOOKS_NEEDED or (number - LOOKS_NEEDED) % MEASURE_EVERY == MEASURE_EVERY - 1


@dataclass(slots=True)
class _Track:
    """``held``: looks since the last one that was measured."""

    seen_s: float
    measured_s: float = -math.inf
    answer: float = 0.0
    held: int = 0
    looks: deque[Signs] = field(default_factory=lambda: deque(maxlen=LOOKS_MAX))


class Judge:
    """The memory of the tracks in view. Time is an argument."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._tracks: dict[int, _Track] = {}

    def held(self, track: int, captured_s: float) -> float | None:
        """The last answer where it holds for this look of a track, too; None: measure the look and ``add`` it."""
        found = self._tracks.get(track)
        if (
            found is None
            or len(found.looks) < LOOKS_NEEDED
            or CLEAR < found.answer < 1 - CLEAR
            or found.held >= MEASURE_EVERY - 1
            or not 0 < captured_s - found.seen_s <= GAP_MAX_S
            or not captured_s - found.measured_s <= HOLDS_S
        ):
            return None
        found.held, found.seen_s = found.held + 1, captured_s
        return found.answer

    def add(self, track: int, signs: Signs | None, captured_s: float) -> float | None:
        """One measured look of a track, None when it could not be: the probability that its face is live, or None.

        ``UNDECIDED`` at most while there are too few looks.
        """
        if signs is None or not _usable(signs):
            self.forget(track)
            return None
        found = self._tracks.get(track)
        if found is None or not 0 < captured_s - found.seen_s <= GAP_MAX_S:
            self.forget(track)
            found = self._tracks[track] = _Track(captured_s)
        found.looks.append(signs)
        found.seen_s = found.measured_s = captured_s
        found.held = 0
        while len(self._tracks) > TRACKS_MAX:
            self.forget(next(iter(self._tracks)))
        found.answer = judged(list(found.looks), self._weights)
        return found.answer

    def forget(self, track: int) -> None:
        """Its next look is its first."""
        self._tracks.pop(track, None)


def judged(looks: Sequence[Signs], weights: Weights) -> float:
    """The answer after these looks of one track, at least one, the oldest first."""
    weakest = min(probability(looks[-LOOKS_MAX:], weights), probability(looks[-LOOKS_NEEDED:], weights))
    return weakest if len(looks) >= LOOKS_NEEDED else min(weakest, UNDECIDED)


def _usable(signs: Signs) -> bool:
    rest = [each for each in (signs.edges, signs.parallax) if each is not None]
    return 0 <= signs.appearance <= 1 and all(map(math.isfinite, rest))


def _logit(share: float) -> float:
    least = 1 / (1 + math.exp(LOGIT_MAX))
    inside = min(max(share, least), 1 - least)
    return math.log(inside / (1 - inside))


def _clipped(value: float, limit: float) -> float:
    return min(max(value, -limit), limit)


def _mean(values: Sequence[float], without: float) -> float:
    return sum(values) / len(values) if values else without
