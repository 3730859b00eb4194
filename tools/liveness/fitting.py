"""The judge's weights: a logistic regression over the pooled signs of stretches of looks.

Every collection counts as much as every other, and its attacks as much as its live people. Each stretch is taken once
as it was seen and once with the edges of another room: a door may look at a bookshelf, where the sets show five rooms,
and a screen that fills the view shows no rim, where those of the sets all do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.core.living.judge import LOOKS_MAX, LOOKS_NEEDED, Signs, Weights, is_measured, pooled
from tools.evaluate.statistics import SEED
from tools.liveness.seeing import SeenSequence

Floats = npt.NDArray[np.float64]

RIDGE = 0.01
"""Penalty on squared weights, of signs scaled to unit variance."""

STEPS = 50
"""Of Newton's method; it has converged after ten."""


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """``signs``: (N, 3) appearance, edges, parallax. ``live``, ``weights``: (N,)."""

    signs: Floats
    live: Floats
    weights: Floats


def stretches(seen: Sequence[SeenSequence], network: str, rooms: Sequence[float]) -> Stretches:
    """Stretches of ``LOOKS_NEEDED`` to ``LOOKS_MAX`` looks that the door measures, one from each on. ``rooms``: other
    rooms' edges."""
    generator = np.random.default_rng(SEED)
    signs, live, origins = [], [], []
    for each in seen:
        looks = measured(usable(each, network))
        for start in range(len(looks) - LOOKS_NEEDED + 1):
            length = int(generator.integers(LOOKS_NEEDED, LOOKS_MAX + 1))
            found = pooled(looks[start : start + length])
            is_live = each.kind == "live"
            variants = [found]
            if rooms:
                variants.append((found[0], float(generator.choice(rooms)), found[2]))
            for variant in variants:
                signs.append(variant)
                live.append(is_live)
                origins.append((each.collection, is_live))
    weights = np.zeros(len(signs))
    for origin in set(origins):
        rows = np.array([each == origin for each in origins])
        weights[rows] = 1 / rows.sum()
    kinds = np.array(live, dtype=np.float64)
    for kind in (0.0, 1.0):
        weights[kinds == kind] /= max(weights[kinds == kind].sum(), 1e-12)
    return Stretches(np.array(signs), kinds, weights / weights.sum())


def fit(found: Stretches) -> Weights:
    """The weights that make these stretches most likely. A sign whose weight has the wrong direction gets none."""
    columns = [0, 1, 2]
    while True:
        weights = _newton(found, columns)
        wrong = [c for c in columns if weights[1 + columns.index(c)] * (1, -1, -1)[c] < 0]
        if not wrong:
            break
        columns = [c for c in columns if c not in wrong]
    whole = [0.0, 0.0, 0.0]
    for place, column in enumerate(columns):
        whole[column] = float(weights[1 + place])
    return Weights(float(weights[0]), *whole)


def measured(looks: Sequence[Sequence[Signs]]) -> list[Signs]:
    """Those that the door measures of one approach of ``LOOKS_MAX`` looks after the other, where it is sure of each."""
    found = []
    last = 0
    for number, look in enumerate(looks):
        if is_measured(number % LOOKS_MAX):
            found.append(look[max(number - last, 1) - 1])
            last = number
    return found


def usable(seen: SeenSequence, network: str) -> list[list[Signs]]:
    """The looks of a sequence that the judge gets, each as ``Seen.signs``."""
    return [signs for look in seen.looks if look is not None and (signs := look.signs(network)) is not None]


def _newton(found: Stretches, columns: list[int]) -> Floats:
    rows = np.column_stack([np.ones(len(found.signs)), found.signs[:, columns]])
    penalty = np.diag([0.0, *(RIDGE * found.signs[:, columns].var(axis=0))])
    weights = np.zeros(rows.shape[1])
    for _ in range(STEPS):
        shares = 1 / (1 + np.exp(-rows @ weights))
        slope = rows.T @ (found.weights * (shares - found.live)) + penalty @ weights
        curvature = (rows * (found.weights * shares * (1 - shares))[:, None]).T @ rows + penalty
        weights = weights - np.linalg.solve(curvature + 1e-9 * np.eye(len(weights)), slope)
    return weights
