"""The exact interval of a share, for figures of few trials."""

import math
from collections.abc import Callable

Interval = tuple[float, float]


def clopper_pearson(hits: int, trials: int, confidence: float = 0.95) -> Interval:
    """The exact interval of a share: ``hits`` of ``trials``, at least one (Clopper and Pearson 1934)."""
    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else _solve(lambda p: 1 - _at_most(hits - 1, trials, p), tail)
    high = 1.0 if hits == trials else _solve(lambda p: -_at_most(hits, trials, p), -tail)
    return low, high


def _at_most(hits: int, trials: int, p: float) -> float:
    """The probability of at most so many hits, 0..``trials`` - 1 of them. By logarithms: the binomial coefficients of
    some thousand trials are no floats any more."""
    if p >= 1:
        return 0.0
    whole, yes, no = math.lgamma(trials + 1), math.log(p), math.log1p(-p)
    ways = (whole - math.lgamma(k + 1) - math.lgamma(trials - k + 1) for k in range(hits + 1))
    return sum(math.exp(way + k * yes + (trials - k) * no) for k, way in enumerate(ways))


def _solve(rising: Callable[[float], float], wanted: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > wanted else (middle, high)
    return (low + high) / 2
