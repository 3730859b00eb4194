"""Comparing people: similarities of pictures of one person and of two, and what is accepted at a FAR.

A genuine pair with a picture in which no face is found counts as refused. Such a picture is in no impostor comparison:
nobody can be recognised in it, and it would make FAR look better than it is.
"""

from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from edge.errors import InputError
from edge.types import FloatArray
from tools.evaluate import statistics
from tools.evaluate.describe import faces
from tools.evaluate.progress import tracked
from tools.evaluate.statistics import Floats, Interval

Indices = npt.NDArray[np.intp]

TAIL = 0.02
"""The upper end of the impostors that a bootstrap looks at: twenty times the largest FAR."""

TAIL_MIN = 150_000
"""Where there are few people a draw may move far: up to so many comparisons, a bootstrap looks at all."""


@dataclass(frozen=True, slots=True, eq=False)
class Genuine:
    """Pairs of one person: ``similarities`` (minus infinity where a face was not found), and ``owners``, whose."""

    similarities: Floats
    owners: Indices


@dataclass(frozen=True, slots=True, eq=False)
class Impostors:
    """All comparisons of two people.

    ``rising``: (C,) float32, every similarity. ``falling``: the upper end of it, highest first, and whose pictures
    (``first``, ``second``) each compares. ``pictures``: how many each person has.
    """

    rising: FloatArray
    falling: FloatArray
    first: npt.NDArray[np.int32]
    second: npt.NDArray[np.int32]
    pictures: npt.NDArray[np.int64]

    def total(self, drawn: FloatArray) -> float:
        """How many comparisons there are when each person came as often as drawn."""
        pictures = drawn.astype(np.float64) * self.pictures
        return float(pictures.sum() ** 2 - (pictures**2).sum()) / 2

    def reached(self, drawn: FloatArray) -> Floats:
        """How many comparisons are at least as similar as each of ``falling``, when people came as drawn."""
        return np.cumsum(drawn[self.first] * drawn[self.second], dtype=np.float64)

    def head(self, count: int) -> "Impostors":
        """The same with a shorter upper end."""
        return Impostors(self.rising, self.falling[:count], self.first[:count], self.second[:count], self.pictures)


class TarAtFar(msgspec.Struct, frozen=True):
    """``tar`` (0..1) with its 95 % interval and ``threshold``; None where there are fewer than 1 / ``far`` impostor
    comparisons. ``difference`` is that to the reference on the same draws of people, each network with its own
    threshold; None for the reference itself."""

    far: float
    tar: float | None = None
    interval: Interval | None = None
    threshold: float | None = None
    difference: float | None = None
    difference_interval: Interval | None = None


class Compared(msgspec.Struct, frozen=True):
    """What one shelf of networks makes of one set of comparisons."""

    what: str
    people: int
    genuine_pairs: int
    impostor_comparisons: int
    equal_error_rate: float
    tar_at_far: list[TarAtFar]


Replicates = npt.NDArray[np.float64]
"""(1 + R, K): the TAR at each of K FARs, with everybody once and then draw by draw."""


def genuine_of(embeddings: FloatArray, owners: Indices, first: Indices, second: Indices) -> Genuine:
    """The similarities of pairs of rows."""
    similarities = pair_similarities(embeddings, first, second)
    return Genuine(np.nan_to_num(similarities, nan=-np.inf), owners[first])


def pair_similarities(embeddings: FloatArray, first: Indices, second: Indices) -> Floats:
    """(P,) cosines of pairs of rows, NaN where a face was not found."""
    rows = embeddings.astype(np.float64)
    result: Floats = np.einsum("ij,ij->i", rows[first], rows[second])
    return result


def impostors_of(
    embeddings: FloatArray, owners: Indices, people: int, share: float = TAIL, least: int = TAIL_MIN
) -> Impostors:
    """Every comparison of two people, a person's pictures with those of all later people at a time.

    Twelve million comparisons take two seconds and 0.3 GB. ``share`` of them, and at least ``least``, are kept with
    whose they are.
    """
    order = np.argsort(owners, kind="stable")
    order = order[faces(embeddings)[order]]
    rows, whose = embeddings[order], owners[order]
    counts = np.bincount(whose, minlength=people)
    stops = np.cumsum(counts)
    starts = stops - counts
    offsets = np.concatenate([[0], np.cumsum(counts * (len(rows) - stops))])
    similarities = np.empty(int(offsets[-1]), dtype=np.float32)
    for person in np.flatnonzero(counts):
        block = rows[starts[person] : stops[person]] @ rows[stops[person] :].T
        similarities[offsets[person] : offsets[person + 1]] = block.ravel()
    kept = min(len(similarities), max(int(len(similarities) * share), least))
    top = np.argpartition(similarities, len(similarities) - kept)[len(similarities) - kept :] if kept else np.arange(0)
    top = top[np.argsort(-similarities[top], kind="stable")]
    first = np.searchsorted(offsets, top, side="right") - 1
    column = stops[first] + (top - offsets[first]) % np.maximum(len(rows) - stops[first], 1)
    falling = similarities[top]
    similarities.sort()
    return Impostors(similarities, falling, first.astype(np.int32), whose[column].astype(np.int32), counts)


def judge(
    what: str, genuine: Genuine, impostors: Impostors, fars: tuple[float, ...], reference: Replicates | None
) -> tuple[Compared, Replicates]:
    """The figures, and the replicates that others are compared with. Raises InputError where there are no pairs."""
    if not len(genuine.similarities) or not len(impostors.rising):
        raise InputError(f"There are no two pictures to compare in {what}. Use another data set.")
    people = len(impostors.pictures)
    drawn = [np.ones(people, dtype=np.float32), *statistics.draws(people)]
    replicates = np.array([tars(genuine, impostors, fars, each) for each in tracked(drawn, f"Bootstrap, {what}")])
    compared = Compared(
        what=what,
        people=people,
        genuine_pairs=len(genuine.similarities),
        impostor_comparisons=len(impostors.rising),
        equal_error_rate=statistics.equal_error_rate(np.sort(genuine.similarities), impostors.rising),
        tar_at_far=[
            _tar_at_far(impostors, far, replicates[:, k], None if reference is None else reference[:, k])
            for k, far in enumerate(fars)
        ],
    )
    return compared, replicates


def _tar_at_far(impostors: Impostors, far: float, tar: Floats, reference: Floats | None) -> TarAtFar:
    if np.isnan(tar[0]):
        return TarAtFar(far)
    threshold = statistics.threshold_at_far(impostors.falling, far, total=len(impostors.rising))
    figure = TarAtFar(far, float(tar[0]), statistics.ends(tar[1:]), threshold)
    if reference is None or np.isnan(reference[0]):
        return figure
    paired = tar - reference
    return msgspec.structs.replace(figure, difference=float(paired[0]), difference_interval=statistics.ends(paired[1:]))


def tars(genuine: Genuine, impostors: Impostors, fars: tuple[float, ...], drawn: FloatArray) -> Floats:
    """(K,) TAR at each FAR when people came as often as drawn; the thresholds move with the draw."""
    reached, total = impostors.reached(drawn), impostors.total(drawn)
    weights = drawn[genuine.owners].astype(np.float64)
    refused = [statistics.exceeded_by(impostors.falling, reached, far, total) for far in fars]
    return np.array([statistics.share_accepted(genuine.similarities, statistics.above(t), weights) for t in refused])
