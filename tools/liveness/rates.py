"""Errors in the terms of ISO/IEC 30107-3. APCER: the share of attacks taken for live. BPCER: the share of live people
refused. ACER: their mean. A score is taken for live when it is at least the threshold."""

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from edge.core.interval import clopper_pearson
from tools.evaluate.statistics import Interval, draws, ends

Floats = npt.NDArray[np.float64]


class Share(msgspec.Struct, frozen=True):
    """``share`` of ``count``; ``interval``: 95 %."""

    share: float
    interval: Interval
    count: int


def share(hits: npt.NDArray[np.bool_], people: Sequence[str], sequences: Sequence[str]) -> Share:
    """The share of hits with its interval: bootstrap over people, whose looks and approaches are alike.

    Where nothing or everything was hit, or one person is all there is, a bootstrap says nothing: then that of Clopper
    and Pearson (1934) over sequences, as if they were independent.
    """
    found = float(hits.mean()) if len(hits) else math.nan
    units, owner = np.unique(np.array(people), return_inverse=True)
    if len(units) > 1 and 0 < found < 1:
        drawn = draws(len(units))
        hit = np.bincount(owner, hits.astype(float), len(units))
        counted = np.bincount(owner, minlength=len(units))
        with np.errstate(invalid="ignore"):
            return Share(found, ends((drawn @ hit) / (drawn @ counted)), len(hits))
    trials = len(set(sequences))
    return Share(found, clopper_pearson(round(found * trials), trials) if trials else (math.nan, math.nan), len(hits))


def auc(live: Floats, attacks: Floats) -> float:
    """The probability that somebody live scores higher than an attack, ties counted half."""
    if not len(live) or not len(attacks):
        return math.nan
    rising = np.sort(attacks)
    below = np.searchsorted(rising, live, side="left") + np.searchsorted(rising, live, side="right")
    return float(below.sum() / (2 * len(live) * len(attacks)))


def threshold_for(attacks: Floats, apcer: float) -> float:
    """The lowest threshold at which at most the share ``apcer`` of attacks is taken for live."""
    allowed = int(apcer * len(attacks) + 1e-9)
    falling = np.sort(attacks)[::-1]
    return float(np.nextafter(falling[allowed], np.inf)) if allowed < len(attacks) else 0.0


def threshold_refusing(live: Floats, bpcer: float) -> float:
    """The highest threshold that refuses at most the share ``bpcer`` of live people."""
    return float(np.sort(live)[int(bpcer * len(live) + 1e-9)]) if len(live) else math.nan
