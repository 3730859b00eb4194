"""How well live faces and attacks are told apart, in the terms of ISO/IEC 30107-3, a picture at a time.

APCER: the share of attacks that are taken for live; BPCER: the share of live faces that are refused. A picture is
taken for live when its score is at least the threshold.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tools.evaluate.statistics import Interval, draws, ends

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares 0..1, each with its 95 % interval over people (or sequences, where there is one person)."""

    live: int
    attacks: int
    auc: float
    auc_interval: Interval
    apcer: float
    apcer_interval: Interval
    bpcer: float
    bpcer_interval: Interval
    apcer_at_bpcer_5: float
    apcer_at_bpcer_3: float


def rates(live: Floats, attacks: Floats, owners: Sequence[str], attackers: Sequence[str], threshold: float) -> Rates:
    """Of scores 0..1. ``owners`` and ``attackers``: the unit of each score that is drawn with replacement: a person's
    live and attack pictures are drawn together."""
    units = sorted({*owners, *attackers})
    number = {unit: i for i, unit in enumerate(units)}
    of_live = np.array([number[owner] for owner in owners])
    of_attacks = np.array([number[owner] for owner in attackers])
    ones = np.ones(len(live)), np.ones(len(attacks))

    def found(weights: tuple[Floats, Floats]) -> tuple[float, float, float]:
        return (
            auc(live, attacks, *weights),
            _share(attacks >= threshold, weights[1]),
            _share(live < threshold, weights[0]),
        )

    drawn = [found((draw[of_live].astype(float), draw[of_attacks].astype(float))) for draw in draws(len(units))]
    replicates = np.array(drawn).T
    here = found(ones)
    intervals = [ends(values) for values in replicates]
    return Rates(
        len(live),
        len(attacks),
        here[0],
        intervals[0],
        here[1],
        intervals[1],
        here[2],
        intervals[2],
        apcer_at(live, attacks, 0.05),
        apcer_at(live, attacks, 0.03),
    )


def auc(live: Floats, attacks: Floats, live_weights: Floats, attack_weights: Floats) -> float:
    """The probability that a live picture scores higher than an attack, ties counted half."""
    values, place = np.unique(np.concatenate([live, attacks]), return_inverse=True)
    of_live = np.bincount(place[: len(live)], live_weights, len(values))
    of_attacks = np.bincount(place[len(live) :], attack_weights, len(values))
    whole = of_live.sum() * of_attacks.sum()
    if whole == 0:
        return float("nan")
    below = np.cumsum(of_attacks) - of_attacks
    return float((of_live * (below + of_attacks / 2)).sum() / whole)


def apcer_at(live: Floats, attacks: Floats, bpcer: float) -> float:
    """The share of attacks accepted at the highest threshold that refuses at most the share ``bpcer`` of the live."""
    refused = int(bpcer * len(live) + 1e-9)
    return float((attacks >= np.sort(live)[refused]).mean()) if len(live) and len(attacks) else float("nan")


def _share(hit: npt.NDArray[np.bool_], weights: Floats) -> float:
    whole = weights.sum()
    return float(weights[hit].sum() / whole) if whole else float("nan")
