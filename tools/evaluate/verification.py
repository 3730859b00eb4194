"""One-to-one verification: is this pair one person? All genuine pairs of a set against all of its impostors."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from edge.errors import InputError
from edge.types import FloatArray
from tools.evaluate.comparing import (
    Compared,
    Genuine,
    Impostors,
    Indices,
    Replicates,
    genuine_of,
    impostors_of,
    judge,
)
from tools.evaluate.describe import describe_all, faces
from tools.evaluate.networks import Networks
from tools.evaluate.sets import DataSet
from tools.evaluate.statistics import Floats, Interval

FARS = (1e-3, 1e-4, 1e-5)


class Accuracy(msgspec.Struct, frozen=True):
    """The share of pairs decided rightly. View 1: ``interval`` is 95 % by bootstrap over people. View 2: the mean over
    the sets, with its ``standard_error``, and the mean of their thresholds."""

    accuracy: float
    threshold: float
    pairs: int
    pairs_without_face: int
    interval: Interval | None = None
    standard_error: float | None = None


class Verification(msgspec.Struct, frozen=True):
    """The figures of one shelf of networks. Shares are 0..1, intervals 95 % by bootstrap over people."""

    networks: str
    variant: str
    digest: str
    data_set: str
    note: str
    pictures: int
    pictures_without_face: int
    compared: list[Compared]
    accuracy: Accuracy | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Comparisons:
    """One set of genuine pairs and impostors, and what it is called."""

    what: str
    genuine: Genuine
    impostors: Impostors


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What is left of a verification: for plots, the similarities of its first set of comparisons, lowest first; for
    networks that are compared with these, the replicates of every set."""

    genuine: Floats
    impostor: FloatArray
    replicates: Sequence[Replicates]


def verify_set(
    data_set: DataSet, networks: Networks, cache: Path | None = None, reference: Scores | None = None
) -> tuple[Verification, Scores]:
    """All genuine pairs and all impostor comparisons of a set. Raises ImageError, ModelError, InputError."""
    first, second = genuine_pairs(data_set)
    embeddings = describe_all(data_set, networks, cache)
    whole = everybody(data_set, embeddings, first, second, data_set.name)
    return judged(data_set, networks, embeddings, [whole], reference)


def everybody(data_set: DataSet, embeddings: FloatArray, first: Indices, second: Indices, what: str) -> Comparisons:
    """The given genuine pairs of rows, and all impostor comparisons of the set."""
    owners = data_set.owners
    impostors = impostors_of(embeddings, owners, len(data_set.people))
    return Comparisons(what, genuine_of(embeddings, owners, first, second), impostors)


def judged(
    data_set: DataSet,
    networks: Networks,
    embeddings: FloatArray,
    sets: Sequence[Comparisons],
    reference: Scores | None,
    accuracy: Accuracy | None = None,
) -> tuple[Verification, Scores]:
    """Every set of comparisons, each against the same one of the reference. Raises InputError."""
    against = [None] * len(sets) if reference is None else reference.replicates
    results = [
        judge(each.what, each.genuine, each.impostors, FARS, other) for each, other in zip(sets, against, strict=True)
    ]
    result = Verification(
        networks=networks.label,
        variant=networks.variant,
        digest=networks.digest,
        data_set=data_set.name,
        note=data_set.note,
        pictures=len(embeddings),
        pictures_without_face=int((~faces(embeddings)).sum()),
        compared=[compared for compared, _ in results],
        accuracy=accuracy,
    )
    genuine = np.sort(sets[0].genuine.similarities)
    return result, Scores(genuine, sets[0].impostors.rising, [replicates for _, replicates in results])


def genuine_pairs(data_set: DataSet) -> tuple[Indices, Indices]:
    """Rows of two pictures of one person and of different sessions. Raises InputError when there are none."""
    sessions = [picture.session for picture in data_set.pictures]
    by_person: dict[str, list[int]] = {}
    for row, picture in enumerate(data_set.pictures):
        by_person.setdefault(picture.person, []).append(row)
    pairs = [
        (one, other)
        for rows in by_person.values()
        for place, one in enumerate(rows)
        for other in rows[place + 1 :]
        if sessions[one] is None or sessions[one] != sessions[other]
    ]
    if not pairs:
        raise InputError(
            f"Nobody in {data_set.name} has pictures of two occasions: there is no genuine pair. Use a data set that "
            "shows people twice."
        )
    first, second = np.array(pairs, dtype=np.intp).T
    return first, second
