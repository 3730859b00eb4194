"""Open-set identification: N people are enrolled, and looks come of them and of strangers (ISO/IEC 19795-1).

FPIR is the share of strangers' looks that are accepted as anybody, FNIR that of enrolled people's looks that are not
named rightly: another is nearer, or nobody is near enough. Both over all galleries of N at once, see ``strangers``.
The margin over the next person, which the product asks for as well, is left out: with it FPIR is lower and FNIR higher.
Pictures without a face are no looks: the lock sees nobody in them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from edge.errors import InputError
from edge.types import FloatArray
from tools.evaluate import statistics
from tools.evaluate.comparing import Indices
from tools.evaluate.describe import describe_all, faces
from tools.evaluate.enrolment import Enrolment, enrol
from tools.evaluate.networks import Networks
from tools.evaluate.progress import tracked
from tools.evaluate.sets import DataSet
from tools.evaluate.statistics import Floats, Interval
from tools.evaluate.strangers import Strangers, absent, strangers_of

SIZES = (5, 20, 50)
LOOKS = 5
"""Enrolled looks of a person: what an enrolment from photographs or at the door readily gives."""

DEFAULT = 0.60
"""What the lock asks for with one or two people enrolled, about; and what the README tells figures at."""

THRESHOLDS = tuple(sorted({0.30, 0.40, 0.45, 0.50, 0.55, 0.65, 0.70, DEFAULT}))
CURVE = np.linspace(THRESHOLDS[0], 0.9, 121)
"""Thresholds of a plot."""


class Rate(msgspec.Struct, frozen=True):
    """FPIR and FNIR, 0..1, at one number of enrolled people and one threshold, with 95 % by bootstrap over people.
    FNIR is None where nobody has a look on another occasion than the enrolled ones."""

    enrolled: int
    threshold: float
    fpir: float
    fpir_interval: Interval
    fnir: float | None = None
    fnir_interval: Interval | None = None


class Identification(msgspec.Struct, frozen=True):
    """The figures of one shelf of networks. ``looks`` are those of strangers (every picture with a face),
    ``mated_looks`` those of the enrolled, ``looks_per_template`` the mean number of enrolled looks of a person."""

    networks: str
    variant: str
    digest: str
    data_set: str
    note: str
    people: int
    looks_per_template: float
    looks: int
    mated_looks: int
    comparisons: int
    pictures_without_face: int
    rates: list[Rate]


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """FPIR at each of ``CURVE``, by the number of people enrolled."""

    fpir: dict[int, Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Mated:
    """Looks of enrolled people: ``own`` similarity, ``owners``, and the other people who are at least as near:
    ``rival`` people, each with the ``look`` that it is a rival in."""

    own: FloatArray
    owners: Indices
    look: Indices
    rival: Indices

    def named(self, size: int, strangers: Strangers, drawn: FloatArray) -> Floats:
        """(Q,) the share of galleries of ``size`` with the right person in it in which nobody else is as near."""
        near = np.bincount(self.look, weights=drawn[self.rival], minlength=len(self.own)).astype(np.int64)
        others = strangers.others(drawn)[self.owners]
        present = drawn[self.owners] > 0
        shares = np.zeros(len(self.own))
        shares[present] = absent(others[present], near[present], size - 1)
        return shares


def identify(
    data_set: DataSet, networks: Networks, cache: Path | None = None, sizes: Sequence[int] = SIZES, looks: int = LOOKS
) -> tuple[Identification, Curves]:
    """Judge one shelf of networks, with those of ``sizes`` that the set allows. Raises ImageError, ModelError;
    InputError when it allows none."""
    embeddings = describe_all(data_set, networks, cache)
    enrolment = enrol(data_set, embeddings, looks)
    seen = np.flatnonzero(faces(embeddings))
    strangers = strangers_of(embeddings[seen], data_set.owners[seen], enrolment.templates, THRESHOLDS[0])
    mated = mated_of(data_set, embeddings, enrolment, strangers, seen)
    possible = [size for size in sizes if size < int(strangers.enrolled.sum())]
    if not possible:
        raise InputError(
            f"{data_set.name} shows {int(strangers.enrolled.sum())} people: too few to enrol {min(sizes)} and have a "
            "stranger come. Enrol fewer, or use a larger data set."
        )
    drawn = [np.ones(len(data_set.people), dtype=np.float32), *statistics.draws(len(data_set.people))]
    rates: list[Rate] = []
    curves: dict[int, Floats] = {}
    for size in possible:
        bar = tracked(drawn, f"Bootstrap, {data_set.name}, {size} enrolled")
        fpir, fnir = (np.array(each) for each in zip(*(rates_at(strangers, mated, size, w) for w in bar), strict=True))
        rates += [_rate(size, place, fpir[:, place], fnir[:, place]) for place in range(len(THRESHOLDS))]
        curves[size] = false_positives(strangers, size, drawn[0], CURVE)
    result = Identification(
        networks=networks.label,
        variant=networks.variant,
        digest=networks.digest,
        data_set=data_set.name,
        note=data_set.note,
        people=int(strangers.enrolled.sum()),
        looks_per_template=float(enrolment.enrolled[strangers.enrolled].mean()),
        looks=len(seen),
        mated_looks=len(mated.own),
        comparisons=strangers.comparisons,
        pictures_without_face=len(embeddings) - len(seen),
        rates=rates,
    )
    return result, Curves(curves)


def mated_of(
    data_set: DataSet, embeddings: FloatArray, enrolment: Enrolment, strangers: Strangers, seen: Indices
) -> Mated:
    """The looks of enrolled people, with their rivals. ``seen``: the rows that the looks of ``strangers`` are.

    Rivals below the lowest threshold are not known and make no difference: such a look is refused anyway.
    """
    owners = data_set.owners[enrolment.mated]
    own: FloatArray = np.einsum("ij,ij->i", embeddings[enrolment.mated], enrolment.templates[owners])
    place = np.full(len(embeddings), -1, dtype=np.intp)
    place[enrolment.mated] = np.arange(len(enrolment.mated))
    look = place[seen[strangers.look]]
    rivals = look >= 0
    rivals[rivals] = strangers.falling[rivals] >= own[look[rivals]]
    return Mated(own, owners, look[rivals], strangers.person[rivals].astype(np.intp))


def rates_at(strangers: Strangers, mated: Mated, size: int, drawn: FloatArray) -> tuple[Floats, Floats]:
    """FPIR and FNIR at each of ``THRESHOLDS`` when people came as often as drawn."""
    fpir = false_positives(strangers, size, drawn, np.array(THRESHOLDS))
    weights = drawn[mated.owners].astype(np.float64)
    if not weights.any() or np.isnan(fpir).all():
        return fpir, np.full(len(THRESHOLDS), np.nan)
    right = mated.named(size, strangers, drawn) * weights
    named = np.array([right[mated.own >= threshold].sum() for threshold in THRESHOLDS])
    return fpir, 1 - named / weights.sum()


def false_positives(strangers: Strangers, size: int, drawn: FloatArray, thresholds: Floats) -> Floats:
    """FPIR at each threshold when people came as often as drawn; NaN where too few did."""
    accepted = strangers.accepted(size, drawn)
    counts: npt.NDArray[np.intp] = np.searchsorted(-strangers.falling, -thresholds.astype(np.float32), side="right")
    return np.concatenate([accepted[:1] * 0, accepted])[counts] if len(accepted) else np.zeros(len(thresholds))


def _rate(size: int, place: int, fpir: Floats, fnir: Floats) -> Rate:
    rate = Rate(size, THRESHOLDS[place], float(fpir[0]), statistics.ends(fpir[1:]))
    if np.isnan(fnir[0]):
        return rate
    return msgspec.structs.replace(rate, fnir=float(fnir[0]), fnir_interval=statistics.ends(fnir[1:]))
