"""The impostor tail: how alike strangers get, by how many people they are compared with.

For N = 1 these are quantiles of all single comparisons of two people. For N > 1 they are quantiles of the similarity of
the nearest of N other people, each with one enrolled picture, over all galleries of N at once (see ``strangers``). The
similarity at a share of 1e-3 is exceeded by one look of a thousand.
"""

from pathlib import Path

import msgspec
import numpy as np

from edge.types import FloatArray
from tools.evaluate import statistics
from tools.evaluate.comparing import impostors_of
from tools.evaluate.describe import describe_all, faces
from tools.evaluate.enrolment import enrol
from tools.evaluate.networks import Networks
from tools.evaluate.progress import tracked
from tools.evaluate.sets import DataSet
from tools.evaluate.statistics import Floats, Interval
from tools.evaluate.strangers import strangers_of

SHARES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
SIZES = (1, 5, 20, 50, 100)
UPPER_END = 0.2
"""Of all comparisons: beyond the quantile of the largest share, for every N."""

ROOM = 1.15
"""How far beyond that quantile a bootstrap looks: draws of people move it."""

ROOM_MIN = 20_000
"""And at least so many comparisons."""


class Quantile(msgspec.Struct, frozen=True):
    """The similarity that at most ``share`` of looks exceed, with 95 % by bootstrap over people; None when the
    comparisons make fewer than 1 / ``share`` galleries."""

    share: float
    similarity: float | None
    interval: Interval | None


class Tail(msgspec.Struct, frozen=True):
    """For one number of enrolled people: how many comparisons it was taken from, and the quantiles."""

    enrolled: int
    comparisons: int
    quantiles: list[Quantile]


class ImpostorTail(msgspec.Struct, frozen=True):
    """The tails of one shelf of networks on one set of people."""

    networks: str
    variant: str
    digest: str
    data_set: str
    people: int
    pictures: int
    pictures_without_face: int
    tails: list[Tail]


def impostor_tail(data_set: DataSet, networks: Networks, cache: Path | None = None) -> ImpostorTail:
    """Judge one shelf of networks, with those of ``SIZES`` that the set allows. Raises ImageError, ModelError,
    InputError."""
    embeddings = describe_all(data_set, networks, cache)
    seen = faces(embeddings)
    return ImpostorTail(
        networks=networks.label,
        variant=networks.variant,
        digest=networks.digest,
        data_set=data_set.name,
        people=len(np.unique(data_set.owners[seen])),
        pictures=len(embeddings),
        pictures_without_face=int((~seen).sum()),
        tails=tails(embeddings, data_set),
    )


def tails(embeddings: FloatArray, data_set: DataSet) -> list[Tail]:
    """The tail for every N of ``SIZES`` that the people are enough for."""
    owners, seen = data_set.owners, np.flatnonzero(faces(embeddings))
    drawn = [np.ones(len(data_set.people), dtype=np.float32), *statistics.draws(len(data_set.people))]
    singles = impostors_of(embeddings, owners, len(data_set.people), UPPER_END, ROOM_MIN)
    count = len(singles.rising)
    near = singles.head(_room(count * max(SHARES)))
    replicates = [
        _exceeded(near.falling, near.reached(each), near.total(each)) for each in tracked(drawn, "Tail, 1 enrolled")
    ]
    found = [Tail(1, count, _quantiles(replicates))]
    floor = float(singles.rising[int(count * (1 - UPPER_END))])
    strangers = strangers_of(embeddings[seen], owners[seen], enrol(data_set, embeddings, 1).templates, floor)
    for size in SIZES[1:]:
        if size >= int(strangers.enrolled.sum()):
            break
        # As many galleries could be had without comparing anybody twice: what a share can be told from.
        galleries = strangers.comparisons / size
        within = np.searchsorted(strangers.accepted(size, drawn[0]), max(SHARES), side="right")
        nearest = strangers.head(_room(int(within)))
        bar = tracked(drawn, f"Tail, {size} enrolled")
        replicates = [_exceeded(nearest.falling, nearest.accepted(size, each) * galleries, galleries) for each in bar]
        found.append(Tail(size, strangers.comparisons, _quantiles(replicates)))
    return found


def _room(count: float) -> int:
    return int(count * ROOM) + ROOM_MIN


def _exceeded(falling: FloatArray, reached: Floats, total: float) -> list[float]:
    if np.isnan(reached).any():
        return [float("nan")] * len(SHARES)
    return [statistics.exceeded_by(falling, reached, share, total) for share in SHARES]


def _quantiles(replicates: list[list[float]]) -> list[Quantile]:
    """From those with everybody once, which come first, and the draws of people."""
    values = np.array(replicates)
    return [
        Quantile(share, None, None)
        if np.isnan(values[0, place])
        else Quantile(share, float(values[0, place]), statistics.ends(values[1:, place]))
        for place, share in enumerate(SHARES)
    ]
