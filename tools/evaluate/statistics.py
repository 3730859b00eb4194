"""What recognition and detection are judged by. Pure functions over similarities and weights.

A similarity is accepted when it is at least the threshold. FAR is the share of impostor comparisons that are accepted,
TAR the share of genuine ones, FRR is 1 - TAR (ISO/IEC 19795-1).
"""

import bisect
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.types import FloatArray

Floats = npt.NDArray[np.float64]
Falling = npt.NDArray[np.floating[Any]]
"""Similarities of either width, highest first."""

Rising = npt.NDArray[np.floating[Any]]
"""Similarities of either width, lowest first."""

Interval = tuple[float, float]

REPLICATES = 1000
"""Draws of a bootstrap: its 2.5 and 97.5 % quantiles then rest on 25 draws each."""

SEED = 1
"""Of the bootstrap and of samples, so that a figure can be had again."""

ROUNDING = 1 + 1e-12
"""What sums of weights may be off by."""


def best_threshold(genuine: Floats, impostor: Floats) -> float:
    """The similarity that separates two non-empty sets with the fewest errors; of equally good ones the highest.

    It lies half-way between the two neighbouring similarities that it separates.
    """
    values = np.unique(np.concatenate([genuine, impostor]))
    candidates = np.concatenate([[values[0]], (values[:-1] + values[1:]) / 2, [np.nextafter(values[-1], np.inf)]])
    rejected = np.searchsorted(np.sort(genuine), candidates, side="left")
    accepted = len(impostor) - np.searchsorted(np.sort(impostor), candidates, side="left")
    errors = rejected + accepted
    return float(candidates[np.flatnonzero(errors == errors.min())[-1]])


def exceeded_by(falling: Falling, reached: Floats, share: float, total: float) -> float:
    """The lowest of the similarities that at most ``share`` of all exceed: numpy's quantile of 1 - ``share`` by the
    inverted CDF.

    ``reached``: the sum of the weights down to each similarity; ``total``: the sum of all weights, where ``falling``
    is only the upper end. NaN when less than 1 / ``share`` counts, or when the upper end is too short.
    """
    allowed = share * total * ROUNDING
    first_within = int(np.searchsorted(reached, allowed, side="right"))
    if allowed < 1 or first_within >= len(falling):
        return float("nan")
    return float(falling[first_within])


def threshold_at_far(falling: Falling, far: float, total: int | None = None) -> float:
    """The lowest threshold at which at most the share ``far`` of impostors is accepted.

    ``falling``: impostors' similarities; ``total``: how many there are, where ``falling`` is only the upper end of
    them. NaN when there are fewer than 1 / far, or when the upper end is too short.
    """
    reached = np.arange(1.0, len(falling) + 1)
    return above(exceeded_by(falling, reached, far, len(falling) if total is None else total))


def above(similarity: float) -> float:
    """The lowest threshold that a (float32) similarity does not reach; NaN stays NaN."""
    return float(np.nextafter(np.float32(similarity), np.float32(np.inf)))


def share_accepted(similarities: Floats, threshold: float, weights: Floats | None = None) -> float:
    """The weighted share of similarities that reach the threshold; NaN without any, or without a threshold."""
    counted = np.ones(len(similarities)) if weights is None else weights
    whole = float(counted.sum())
    if whole == 0 or np.isnan(threshold):
        return float("nan")
    return float(counted[similarities >= threshold].sum()) / whole


def equal_error_rate(genuine: Rising, impostor: Rising) -> float:
    """Where FAR and FRR are nearest each other, their mean, 0..1.

    Both sets have at least one similarity and come lowest first. FAR falls and FRR rises with the threshold, so that
    the crossing is found by bisection: millions of impostors are no matter.
    """

    def share_below(rising: Rising, threshold: float) -> float:
        # The key in the array's own type, or numpy would convert the array at every call.
        return int(np.searchsorted(rising, rising.dtype.type(threshold), side="left")) / len(rising)

    def crossed(threshold: float) -> bool:
        return share_below(genuine, threshold) >= 1 - share_below(impostor, threshold)

    candidates = [float("inf")]
    for values in (genuine, impostor):
        place = bisect.bisect_left(values, True, key=crossed)
        candidates += [float(value) for value in values[max(place - 1, 0) : place + 1]]
    rates = [(share_below(genuine, threshold), 1 - share_below(impostor, threshold)) for threshold in candidates]
    return min((abs(frr - far), (frr + far) / 2) for frr, far in rates)[1]


def draws(units: int) -> FloatArray:
    """(``REPLICATES``, ``units``) float32: how often each of so many people (or pictures) is drawn with replacement.

    Always the same draws for as many units: the difference of two networks, taken draw by draw, is then a paired one.
    A comparison of two people counts as often as the product of their draws (Snijders and Borgatti 1999,
    "Non-parametric standard errors and tests for network statistics"): comparisons that share a person are not
    independent.
    """
    generator = np.random.default_rng(SEED)
    return generator.multinomial(units, np.full(units, 1 / units), size=REPLICATES).astype(np.float32)


def ends(values: Floats) -> Interval:
    """The 2.5 and 97.5 % quantiles of replicates; those that are NaN are passed over."""
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def interval(estimate: Callable[[FloatArray], float], units: int) -> Interval:
    """95 % bootstrap interval of ``estimate``, which is given how often each unit was drawn, (units,)."""
    return ends(np.array([estimate(drawn) for drawn in draws(units)]))
