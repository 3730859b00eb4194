"""What verification and detection are judged by. Pure functions over similarities and weights.

A similarity is accepted when it is at least the threshold. FAR is the share of impostor comparisons that are accepted,
TAR the share of genuine ones, FRR is 1 - TAR (ISO/IEC 19795-1).
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

REPLICATES = 1000
"""Draws of a bootstrap: its 2.5 and 97.5 % quantiles then rest on 25 draws each."""

SEED = 1
"""Of the bootstrap and of samples, so that a figure can be had again."""


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


def threshold_at_far(falling: Floats, far: float, weights: Floats | None = None, total: float | None = None) -> float:
    """The lowest threshold at which at most the share ``far`` of impostors is accepted.

    ``falling``: impostors' similarities, highest first; ``weights``: how often each counts (once); ``total``: the sum
    of all weights, where ``falling`` is only the upper end of all. NaN when fewer than 1 / far impostors count, or when
    the upper end is too short.
    """
    counted = np.ones(len(falling)) if weights is None else weights
    allowed = far * (float(counted.sum()) if total is None else total)
    first_refused = int(np.searchsorted(np.cumsum(counted), allowed * (1 + 1e-12), side="right"))
    if allowed * (1 + 1e-12) < 1 or first_refused >= len(falling):
        return float("nan")
    return float(np.nextafter(falling[first_refused], np.inf))


def share_accepted(similarities: Floats, threshold: float, weights: Floats | None = None) -> float:
    """The weighted share of similarities that reach the threshold; NaN without any, or without a threshold."""
    counted = np.ones(len(similarities)) if weights is None else weights
    whole = float(counted.sum())
    if whole == 0 or np.isnan(threshold):
        return float("nan")
    return float(counted[similarities >= threshold].sum()) / whole


def equal_error_rate(genuine: Floats, impostor: Floats) -> float:
    """Where FAR and FRR are nearest each other, their mean, 0..1. Both sets have at least one similarity."""
    genuine, impostor = np.sort(genuine), np.sort(impostor)
    values = np.unique(np.concatenate([genuine, impostor]))
    thresholds = np.append(values, np.nextafter(values[-1], np.inf))
    frr = np.searchsorted(genuine, thresholds, side="left") / len(genuine)
    far = 1 - np.searchsorted(impostor, thresholds, side="left") / len(impostor)
    best = int(np.argmin(np.abs(far - frr)))
    return float(far[best] + frr[best]) / 2


def interval(estimate: Callable[[Floats], float], units: int) -> tuple[float, float]:
    """95 % bootstrap interval: ``units`` people (or pictures) are drawn with replacement ``REPLICATES`` times.

    ``estimate`` is given how often each was drawn, (units,); draws for which it is NaN are passed over. A comparison
    of two people counts as often as the product of their draws (Snijders and Borgatti 1999, "Non-parametric standard
    errors and tests for network statistics"): comparisons that share a person are not independent.
    """
    generator = np.random.default_rng(SEED)
    drawn = generator.multinomial(units, np.full(units, 1 / units), size=REPLICATES)
    values = np.array([estimate(weights.astype(np.float64)) for weights in drawn])
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
