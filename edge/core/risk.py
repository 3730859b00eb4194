"""The odds that a stranger's approach opens the door, and the threshold that keeps them within what the owner accepts.

The networks' manifest says how alike strangers' faces are: the similarity that one comparison in 10, 100 ... exceeds.
That is held as normal scores (the z that a standard normal variable exceeds as rarely), in which it is nearly a
straight line; between the measured points it is interpolated, and beyond the last it goes on as before: an
extrapolation. Three corrections, each measured, are added to the similarities:

- templates: the mean of K templates is nearer to everybody than one is, by ``templates * (1 - 1 / K)``;
- the crowd: the tail's people are celebrities in pictures from everywhere; people before one camera are more alike;
- pooling: the mean of several looks is nearer to everybody than one is, the more so the less the looks agree.

An approach is several looks, which are alike: a stranger's similarities to one person share the part ``rho`` of their
variance. The mean of m exchangeable normal scores has the variance v(m) = rho + (1 - rho) / m, and as the means of m
and of m + 1 looks have the covariance v(m + 1), their difference is independent of the latter. What is computed is
Hunter's upper bound for the union of "let in after m looks": the first, and of each further one only where the one
before it did not let in (D. Hunter 1976, "An upper bound for the probability of a union", J. Appl. Prob. 13, 597-603).
A gallery's odds are those of one person times its people, which nothing exceeds (Boole).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from edge.core.share import PRESETS, one_in
from edge.core.stopping import STANDARD, Stopping
from edge.errors import ModelError

LOWEST, HIGHEST, STEP = 0.5, 0.95, 0.001
"""Thresholds that are ever derived. No owner gains by a lower one: of 39 approaches of six people on another day none
was below 0.68 (NUAA). Above, nobody would come in."""

AGREEMENT_MIN = 0.1
"""Looks that agree less are not of one face."""

Floats = npt.NDArray[np.float64]

_NORMAL = NormalDist()
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)  # type: ignore[no-untyped-call]  # numpy has no types for it
_REACH = 7.0
"""Standard deviations beyond which a normal variable is not looked for: 1e-12."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure with its 95 % interval, and on what it was measured."""

    value: float
    low: float
    high: float
    source: str = ""

    def __post_init__(self) -> None:
        if not -1 <= self.low <= self.value <= self.high <= 1:  # written so that a NaN is refused
            raise _unusable(f"{self.value!r:.20} is not within its interval, or that not within -1..1")

    def more(self, by: float) -> "Measure":
        """The same, so much higher."""
        return Measure(self.value + by, self.low + by, self.high + by, self.source)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was measured of one variant of the networks.

    ``shares``: of comparisons of two people, falling, within 0..0.5; ``similarities``, ``lows``, ``highs``: the cosine
    that each share exceeds and its 95 % interval, rising. In cosine too, ``crowd``: how much more alike people before
    one camera are; ``alike``: the same of a crowd of one kind; ``templates``: the lift by very many templates.
    ``rho``: the intra-class correlation of looks; ``agreement``: the cosine of two looks of one approach. ``owners``:
    of each approach of an owner on another day than enrolled, the similarity of the mean of the first 1, 2, 3 ...
    looks. Raises ModelError for what cannot be.
    """

    source: str
    shares: tuple[float, ...]
    similarities: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]
    crowd: Measure
    alike: Measure
    templates: Measure
    rho: Measure
    agreement: Measure
    owners: tuple[tuple[float, ...], ...] = ()
    owners_source: str = ""

    def __post_init__(self) -> None:
        rows = (self.similarities, self.lows, self.highs)
        if len(self.shares) < 2 or any(len(row) != len(self.shares) for row in rows):
            raise _unusable("shares and similarities are not as many")
        if not all(above > below for above, below in pairwise((0.5, *self.shares, 0.0))):
            raise _unusable("the shares do not fall from below 0.5 to above 0")
        for low, value, high in zip(self.lows, self.similarities, self.highs, strict=True):
            Measure(value, low, high)
        if not all(below < above for below, above in pairwise(self.similarities)):
            raise _unusable("the similarities do not rise")
        parts = self.rho.low, self.templates.low, self.crowd.value, self.agreement.low - AGREEMENT_MIN
        if not min(parts) >= 0:
            raise _unusable("rho, templates or crowd are negative, or the looks of one approach do not agree")
        if any(not -1 <= each <= 1 for approach in self.owners for each in approach):
            raise _unusable("an owner's similarity is not within -1..1")


@dataclass(frozen=True, slots=True)
class Odds:
    """The share of strangers' approaches that are let in, 0..1, with its 95 % interval.

    ``alike``: up to so many in a crowd of one kind: the upper end of a hint. ``extrapolated``: rarer than anything that
    was compared.
    """

    admitted: float
    low: float
    high: float
    alike: float
    extrapolated: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """The threshold in force and what comes of it. ``odds`` None: nothing was measured of these networks.

    ``derived``: not set by hand. ``met``: the upper end of the odds is within ``admitted_max``.
    """

    similarity_min: float
    derived: bool
    people: int
    templates_max: int
    admitted_max: float
    odds: Odds | None

    @property
    def met(self) -> bool:
        return self.odds is not None and self.odds.high <= self.admitted_max

    @property
    def reason(self) -> str:
        """In words, for status and log."""
        asked = one_in(self.admitted_max)
        if self.odds is None:
            return "set by hand; the odds of these networks are not known"
        told = f"a stranger about {one_in(self.odds.admitted)}, at most {one_in(self.odds.high)}"
        if not self.people:
            return "nobody is enrolled"
        if not self.derived:
            return f"set by hand: {told}" + ("" if self.met else f", more than the {asked} accepted")
        return f"derived for {asked}: {told}" + ("" if self.met else f", more than accepted: {HIGHEST} is the highest")


@dataclass(frozen=True, slots=True)
class Limits:
    """What the owner asks for: a ``similarity_min`` set by hand, or 0 and the share of strangers' approaches that is
    accepted; and what was measured of the networks."""

    similarity_min: float
    admitted_max: float = PRESETS["standard"]
    calibration: Calibration | None = None
    stopping: Stopping = STANDARD

    def decide(self, templates: Sequence[int]) -> Decision:
        """For a gallery of people with so many templates each. Raises ModelError where a threshold is to be derived,
        and nothing was measured to derive it from."""
        facts = len(templates), max(templates, default=0), self.admitted_max
        if self.calibration is None:
            if not self.similarity_min:
                raise ModelError(
                    "How alike strangers are to these networks was not measured, so no threshold can be derived. "
                    "Measure it with `python -m tools.evaluate calibrate`, or set match.similarity_min by hand."
                )
            return Decision(self.similarity_min, False, *facts, None)
        chosen = self.similarity_min or threshold(self.calibration, templates, self.admitted_max, self.stopping)
        found = odds(self.calibration, templates, chosen, self.stopping)
        return Decision(chosen, not self.similarity_min, *facts, found)


def odds(
    calibration: Calibration, templates: Sequence[int], similarity_min: float, stopping: Stopping = STANDARD
) -> Odds:
    """The share of strangers' approaches that open a door with people of so many templates each."""
    likely, least, most = (
        _gallery(calibration, templates, similarity_min, stopping, end) for end in ("value", "low", "high")
    )
    alike = _gallery(calibration, templates, similarity_min, stopping, "alike")
    rarest = min(calibration.shares)
    extrapolated = any(share(calibration, similarity_min, count) < rarest for count in set(templates))
    return Odds(likely, min(least, likely), max(most, likely), max(alike, likely), extrapolated)


def threshold(
    calibration: Calibration, templates: Sequence[int], admitted_max: float, stopping: Stopping = STANDARD
) -> float:
    """The lowest similarity, in steps of 0.001 within 0.5..0.95, at which the upper end of the odds is within
    ``admitted_max``; 0.95 where even that does not do."""
    low, high = 0, round((HIGHEST - LOWEST) / STEP)
    while low < high:
        middle = (low + high) // 2
        if _gallery(calibration, templates, _step(middle), stopping, "high") <= admitted_max:
            high = middle
        else:
            low = middle + 1
    return _step(high)


def share(calibration: Calibration, similarity: float, templates: int = 1, end: str = "value") -> float:
    """The share of strangers' single looks that are at least so similar to one person."""
    return _exceeds(_score(calibration, similarity, templates, end))


def approach(
    calibration: Calibration, similarity_min: float, templates: int, stopping: Stopping = STANDARD, end: str = "value"
) -> float:
    """The share of strangers' approaches that are let in as one person of so many templates.

    ``end``: "value", or the "low" or "high" end of 95 %; "alike": up to so many in a crowd of one kind.
    """
    rho, agreement = calibration.rho, calibration.agreement
    known = {"high": ((rho.low, agreement.value), (rho.high, agreement.value)), "low": ((rho.low, agreement.high),)}
    needed = [stopping.needed(looks, similarity_min) for looks in range(stopping.looks_min, stopping.looks_max + 1)]
    scores = np.array([_score(calibration, each, templates, end) for each in needed])
    pairs = known.get(end, ((rho.value, agreement.value),))
    return max(_union(scores, stopping.looks_min, *pair) for pair in pairs)


def refused(calibration: Calibration, similarity_min: float, stopping: Stopping = STANDARD) -> tuple[int, int, int]:
    """Of the owners' approaches that were measured: how many are refused at first glance (after the fewest looks), how
    many altogether, and how many there are."""
    first = last = 0
    for means in calibration.owners:
        looks = range(stopping.looks_min, min(stopping.looks_max, len(means)) + 1)
        in_time = [means[look - 1] >= stopping.needed(look, similarity_min) for look in looks]
        first += not (in_time and in_time[0])
        last += not any(in_time)
    return first, last, len(calibration.owners)


def _gallery(
    calibration: Calibration, templates: Sequence[int], similarity_min: float, stopping: Stopping, end: str
) -> float:
    """Everybody counts as if with the most templates: a threshold is derived while the door waits, and one centile of
    cosine is all that they matter."""
    if not templates:
        return 0.0
    return min(len(templates) * approach(calibration, similarity_min, max(templates), stopping, end), 1.0)


def _step(number: int) -> float:
    return round(LOWEST + number * STEP, 3)


def _score(calibration: Calibration, similarity: float, templates: int, end: str) -> float:
    """The normal score of a similarity among strangers' single looks at one person, linear beyond both ends."""
    scores, similarities = _line(calibration, max(templates, 1), end)
    place = min(max(int(np.searchsorted(similarities, similarity)) - 1, 0), len(scores) - 2)
    (left, right), (below, above) = similarities[place : place + 2], scores[place : place + 2]
    return float(below + (similarity - left) * (above - below) / (right - left))


@lru_cache(maxsize=256)
def _line(calibration: Calibration, templates: int, end: str) -> tuple[Floats, Floats]:
    """Normal scores and the similarities there. Uncertainties of different people are independent: their squares
    add."""
    crowd, lift = calibration.crowd, calibration.templates
    values = np.array(calibration.similarities)
    many = 1 - 1 / templates
    middle = values + (calibration.alike.high if end == "alike" else crowd.value) + lift.value * many
    if end == "high":
        parts = np.array(calibration.highs) - values, crowd.high - crowd.value, (lift.high - lift.value) * many
        middle = middle + np.sqrt(sum(part**2 for part in parts))
    elif end == "low":
        parts = values - np.array(calibration.lows), crowd.value - crowd.low, (lift.value - lift.low) * many
        middle = middle - np.sqrt(sum(part**2 for part in parts))
    rising = np.maximum.accumulate(middle + np.arange(len(middle)) * 1e-6)  # no two alike, or a score would be infinite
    return np.array([-_NORMAL.inv_cdf(each) for each in calibration.shares]), rising


def _union(scores: Floats, first: int, rho: float, agreement: float) -> float:
    """Hunter's bound for the mean of first, first + 1 ... looks to reach its score."""
    looks = np.arange(first, first + len(scores))
    variances = rho + (1 - rho) / looks
    # The pooled look is as long as its looks agree; made a unit vector, it is nearer to everybody.
    scores = scores * np.where(scores > 0, np.sqrt(agreement + (1 - agreement) / looks), 1.0)
    deviations = np.sqrt(variances)
    total = _exceeds(scores[0] / deviations[0])
    falls = np.sqrt(variances[:-1] - variances[1:])
    for number, fall in enumerate(falls):
        total += _newly(scores[number + 1], scores[number], deviations[number + 1], float(fall))
    return min(total, 1.0)


def _newly(needed: float, before: float, deviation: float, fall: float) -> float:
    """The probability that the mean of m + 1 looks reaches ``needed`` where that of m did not reach ``before``."""
    bottom, top = max(needed, -_REACH * deviation), min(before + _REACH * fall, _REACH * 2)
    if not top > bottom:
        return 0.0
    half = (top - bottom) / 2
    means = bottom + half * (_NODES + 1)
    density = np.exp(-((means / deviation) ** 2) / 2) / (deviation * math.sqrt(2 * math.pi))
    if fall > 0:
        below = np.array([_exceeds((mean - before) / fall) for mean in means])
    else:
        below = np.where(means < before, 1.0, 0.0)
    return float(half * (_WEIGHTS * density * below).sum())


def _exceeds(score: float) -> float:
    return math.erfc(score / math.sqrt(2)) / 2


def _unusable(what: str) -> ModelError:
    return ModelError(
        f"What the networks' manifest says of strangers cannot be used: {what}. Measure it anew with "
        "`python -m tools.evaluate calibrate`, or reinstall facelatch."
    )
