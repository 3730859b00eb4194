"""How alike the looks of one approach are: what a second look tells about a stranger beyond the first."""

from collections import defaultdict
from collections.abc import Sequence

import msgspec
import numpy as np

from edge.types import FloatArray
from tools.evaluate.statistics import Interval, interval


class Correlation(msgspec.Struct, frozen=True):
    """The intra-class correlation of impostors' similarities over the looks of one sequence, and 95 % by bootstrap over
    people. ``by_person``: of each one's sequences alone."""

    people: int
    sequences: int
    targets: int
    correlation: float
    interval: Interval
    by_person: dict[str, float]


def correlation(people: Sequence[str], looks: Sequence[FloatArray], targets: FloatArray) -> Correlation:
    """By one-way analysis of variance (Shrout and Fleiss 1979, ICC(1,1)); a class is one sequence held against one
    enrolled person, its members are the looks.

    ``people``: whose each sequence is; ``looks``: (M, D) unit rows of each, two at least; ``targets``: (T, D), none of
    them one of these people.
    """
    moments: dict[str, list[tuple[float, float, float, float, int]]] = defaultdict(list)
    for person, embeddings in zip(people, looks, strict=True):
        similarities = embeddings @ targets.T
        means = similarities.mean(0, dtype=np.float64)
        within = float(similarities.var(0, ddof=1, dtype=np.float64).mean())
        moments[person].append(
            (within, float(means.mean()), float((means**2).mean()), within / len(embeddings), len(embeddings))
        )
    names = sorted(moments)

    def of(drawn: FloatArray) -> float:
        found = [(each, float(times)) for name, times in zip(names, drawn, strict=True) for each in moments[name]]
        weights = np.array([times for _, times in found])
        within, mean, square, noise, _ = np.average([each for each, _ in found], axis=0, weights=weights)
        between = square - mean**2 - noise
        return float(between / (between + within))

    alone = {name: of((np.arange(len(names)) == place).astype(np.float32)) for place, name in enumerate(names)}
    everybody = np.ones(len(names), np.float32)
    return Correlation(len(names), len(looks), len(targets), of(everybody), interval(of, len(names)), alone)
