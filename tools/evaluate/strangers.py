"""Strangers before a gallery: how alike is the nearest of N enrolled people, over all galleries of N at once?

A look is accepted when the nearest of the N is at least as similar as the threshold. When k of the M other people are,
a gallery of N drawn from the M holds none of them with probability C(M - k, N) / C(M, N) (hypergeometric), so that the
share of all galleries that accept the look is exact, without drawing a single gallery.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from edge.types import FloatArray
from tools.evaluate.comparing import Indices
from tools.evaluate.statistics import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Strangers:
    """Looks against the templates of all other people: the upper end, highest first.

    ``falling``: (E,) float32 similarities; ``look`` and ``person``: whose look met whose template. ``owners``: (Q,)
    whose each look is. ``enrolled``: (P,) bool, who has a template. ``grouped``: the order of the E by look, highest
    first within each; ``starts``: where each look's begin in it. ``comparisons``: how many there are in all.
    """

    falling: FloatArray
    look: npt.NDArray[np.int32]
    person: npt.NDArray[np.int32]
    owners: Indices
    enrolled: npt.NDArray[np.bool_]
    grouped: Indices
    starts: Indices
    comparisons: int

    def others(self, drawn: FloatArray) -> npt.NDArray[np.int64]:
        """(P,) how many templates of other people there are for each person, when people came as drawn."""
        templates = (drawn * self.enrolled).astype(np.int64)
        others: npt.NDArray[np.int64] = templates.sum() - templates
        return others

    def accepted(self, size: int, drawn: FloatArray) -> Floats:
        """(E,) the share of looks that are accepted at each of ``falling`` as the threshold, over all galleries of
        ``size`` other people; people came as often as ``drawn``. NaN where there are too few of them.

        A person who was drawn twice counts as two alike.
        """
        others = self.others(drawn)
        if not drawn[self.owners].any() or others[self.owners][drawn[self.owners] > 0].min() < size:
            return np.full(len(self.falling), np.nan)
        look, person = self.look[self.grouped], self.person[self.grouped]
        weights, owner = drawn[person].astype(np.int64), self.owners[look]
        reached = np.cumsum(weights)
        reached -= np.repeat(reached[self.starts] - weights[self.starts], np.diff(np.append(self.starts, len(look))))
        # One row of shares for each number of others: there are as many as times that one person was drawn.
        counts, row = np.unique(others, return_inverse=True)
        near = np.arange(int(reached.max(initial=0)) + 1)
        shares = np.stack([absent(np.full(len(near), count), np.minimum(near, count), size) for count in counts])
        start = row[owner] * len(near)
        more = shares.ravel()[start + reached - weights] - shares.ravel()[start + reached]
        mass = np.empty(len(look))
        mass[self.grouped] = more * drawn[owner]
        return np.cumsum(mass) / float(drawn[self.owners].sum(dtype=np.float64))

    def head(self, count: int) -> "Strangers":
        """The same with a shorter upper end."""
        return _strangers(
            self.falling[:count], self.look[:count], self.person[:count], self.owners, self.enrolled, self.comparisons
        )


def strangers_of(looks: FloatArray, owners: Indices, templates: FloatArray, floor: float) -> Strangers:
    """Every look against every other person's template, of which those of at least ``floor`` are kept.

    ``looks``: (Q, D) unit rows, ``owners``: (Q,) people; ``templates``: (P, D), NaN rows where there is none. Fifteen
    million comparisons take two seconds and 0.5 GB.
    """
    enrolled = ~np.isnan(templates).any(axis=1)
    similarities = looks @ np.where(enrolled[:, None], templates, np.float32(0)).T
    similarities[:, ~enrolled] = -np.inf
    similarities[np.arange(len(looks)), owners] = -np.inf
    comparisons = int(np.count_nonzero(np.isfinite(similarities)))
    look, person = np.nonzero(similarities >= max(floor, -2.0))
    falling = similarities[look, person]
    order = np.argsort(-falling, kind="stable")
    return _strangers(
        falling[order], look[order].astype(np.int32), person[order].astype(np.int32), owners, enrolled, comparisons
    )


def absent(others: npt.NDArray[np.int64], near: npt.NDArray[np.int64], size: int) -> Floats:
    """C(M - k, N) / C(M, N): the probability that a gallery of N = ``size`` out of M = ``others`` holds none of k =
    ``near``; M is at least N and k."""
    log = _log_factorials(int(others.max(initial=0)))
    left = others - near - size
    exponent = log[others - near] - log[np.maximum(left, 0)] + log[others - size] - log[others]
    return np.where(left >= 0, np.exp(np.minimum(exponent, 0)), 0.0)


@lru_cache
def _log_factorials(largest: int) -> Floats:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, largest + 1, dtype=np.float64)))])


def _strangers(
    falling: FloatArray,
    look: npt.NDArray[np.int32],
    person: npt.NDArray[np.int32],
    owners: Indices,
    enrolled: npt.NDArray[np.bool_],
    comparisons: int,
) -> Strangers:
    grouped = np.argsort(look, kind="stable")  # of the falling ones, each look's stay falling
    starts = np.flatnonzero(np.diff(look[grouped], prepend=-1))
    return Strangers(falling, look, person, owners, enrolled, grouped, starts, comparisons)
