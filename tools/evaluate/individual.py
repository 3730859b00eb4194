"""Would a threshold for each person help? Those who resemble the rest of the gallery are asked for more.

People with three pictures and more are enrolled with two, in galleries drawn at random; their other pictures are the
owners' looks, everybody else's the strangers'. The threshold of a person is the common one and ``STRENGTHS`` times the
mean cosine to the rest of the gallery, less the gallery's mean. The common one is set so that ``REFUSED`` of the
owners' looks are refused, whatever the strength: what is left to compare is how many strangers get in, in the mean and
as the person who is imitated most easily.
"""

import msgspec
import numpy as np

from edge.core.centre import centres
from edge.output import table
from tools.evaluate import report, statistics
from tools.evaluate.calibration import Described

SIZES = (5, 20, 50, 100)
STRENGTHS = (0.0, 0.25, 0.5, 1.0)
REFUSED = 0.02
TEMPLATES = 2
GALLERIES = 100
EASY_SHARE = 1e-3
"""Of strangers' looks: the similarity that they exceed says how easily a person is imitated."""


class Line(msgspec.Struct, frozen=True):
    """``let_in``: the share of strangers' looks that pass for a person, in the mean of persons and galleries;
    ``worst``: for the person of each gallery with the largest. ``told``: the correlation of a person's mean cosine to
    the rest of the gallery with how easily that person is imitated."""

    enrolled: int
    strength: float
    let_in: float
    worst: float
    told: float
    people: int
    strangers: int


def individual(described: Described) -> list[Line]:
    """All sizes and strengths."""
    people = np.flatnonzero(np.bincount(described.owners) > TEMPLATES)
    rows = [np.flatnonzero(described.owners == person) for person in people]
    own = np.concatenate(
        [centres(described.embeddings[each[:TEMPLATES]], np.zeros(TEMPLATES, np.intp), 1) for each in rows]
    )
    genuine = [described.embeddings[each[TEMPLATES:]] @ centre for each, centre in zip(rows, own, strict=True)]
    strangers = described.embeddings[~np.isin(described.owners, people)] @ own.T
    easy = np.quantile(strangers, 1 - EASY_SHARE, axis=0)
    cosines = own @ own.T
    generator = np.random.default_rng(statistics.SEED)
    found = []
    for size in SIZES:
        drawn = [generator.choice(len(people), size, replace=False) for _ in range(GALLERIES)]
        near = [(cosines[np.ix_(each, each)].sum(axis=1) - 1) / (size - 1) for each in drawn]
        told = [np.corrcoef(each, easy[gallery])[0, 1] for each, gallery in zip(near, drawn, strict=True)]
        for strength in STRENGTHS:
            shares = []
            for gallery, each in zip(drawn, near, strict=True):
                more = strength * (each - each.mean())
                looks = np.concatenate([genuine[person] - extra for person, extra in zip(gallery, more, strict=True)])
                shares.append((strangers[:, gallery] - more >= np.quantile(looks, REFUSED)).mean(axis=0))
            rates = np.array(shares)
            found.append(
                Line(
                    *(size, strength, float(rates.mean()), float(rates.max(axis=1).mean()), float(np.mean(told))),
                    *(len(people), len(strangers)),
                )
            )
    return found


def print_individual(lines: list[Line]) -> None:
    rows = [
        (each.enrolled, each.strength, f"{1e5 * each.let_in:.1f}", f"{1e5 * each.worst:.0f}", f"{each.told:.2f}")
        for each in lines
    ]
    heads = ("enrolled", "strength", "of 100,000 looks", "the worst person", "told by the gallery")
    table(f"Strangers let in, {100 * REFUSED:.0f} % of owners' looks refused", heads, rows)
    report.dim(
        f"{lines[0].people} people enrolled in turn, {lines[0].strangers:,} strangers' looks, {GALLERIES} galleries of "
        "each size. Strength 0: one threshold for all."
    )
