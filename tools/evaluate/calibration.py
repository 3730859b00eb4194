"""What the lock's odds are made of (``edge.core.risk``), measured: ``python -m tools.evaluate calibrate``.

Everything is in cosine, and with 95 % by bootstrap over people:

- the tail: the similarity that one comparison of two people in 10 ... 1,000,000 exceeds (LFW View 1);
- templates: by how much more the mean of K templates exceeds than one of them, over 1 - 1 / K: the worst of K = 3 and 5
  and of the shares 1e-2 and 1e-3 (people of LFW View 1 with so many pictures);
- the crowd: how much more alike people before one camera are, at the share 1e-2, of which London has 206 comparisons;
  the same of a crowd of one kind (NUAA: nine students of one university in one room);
- rho: the intra-class correlation of a stranger's similarities to one person over the looks of one sequence (one-way
  analysis of variance; Shrout and Fleiss 1979, "Intraclass correlations", ICC(1,1)); and the mean cosine of two of its
  looks (NUAA, the enrolled from LFW);
- owners: enrolled on one day with five templates, as they come on another, fifteen looks an approach (NUAA).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.core.centre import centres
from edge.core.risk import Calibration, Measure
from edge.errors import InputError
from edge.types import FloatArray
from tools.evaluate import statistics
from tools.evaluate.comparing import Impostors, Indices, impostors_of
from tools.evaluate.describe import describe_all, faces
from tools.evaluate.lfw import open_view1
from tools.evaluate.networks import Networks
from tools.evaluate.nuaa import open_nuaa
from tools.evaluate.progress import tracked
from tools.evaluate.sessions import open_sessions
from tools.evaluate.sets import DataSet
from tools.evaluate.statistics import Floats
from tools.evaluate.templates import chosen, turn_of

SHARES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
CROWD_SHARE = 1e-2
COUNTS = (3, 5)
LIFT_SHARES = (1e-2, 1e-3)
BINS = np.linspace(-1, 1, 4001)
LOOKS = 15
"""Of an approach: two fit into a sequence of NUAA."""

TEMPLATES = 5

Ends = Callable[[Floats], float]


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """A set of people and the embeddings in which a face was found."""

    data_set: DataSet
    embeddings: FloatArray
    owners: Indices
    names: list[str]

    @property
    def people(self) -> int:
        return len(np.unique(self.owners))

    def only(self, people: Indices) -> "Described":
        """Those of some people, numbered anew."""
        rows = np.flatnonzero(np.isin(self.owners, people))
        number = np.searchsorted(np.sort(people), self.owners[rows])
        return Described(self.data_set, self.embeddings[rows], number, [self.names[row] for row in rows])


@dataclass(frozen=True, slots=True, eq=False)
class Sets:
    """``wide``: many people in pictures from everywhere; ``crowd``: people before one camera; ``sequences``: a crowd of
    one kind, in sequences and on several days."""

    wide: Described
    crowd: Described
    sequences: Described

    @classmethod
    def open(cls, folder: Path, networks: Networks, cache: Path | None) -> "Sets":
        """LFW View 1, London and NUAA in ``folder``. Raises InputError, ImageError, ModelError."""
        wide, crowd = open_view1(folder / "lfw_view1").data_set, open_sessions(folder / "london")
        sequences = open_nuaa(folder / "print_attack" / "live")
        return cls(*(described(each, networks, cache) for each in (wide, crowd, sequences)))


def calibrate(sets: Sets) -> Calibration:
    """All of it, as the lock takes it. Raises InputError where there are too few people or pictures."""
    similarities, lows, highs = tail(impostors(sets.wide))
    if len(similarities) <= SHARES.index(CROWD_SHARE) or np.bincount(sets.wide.owners).max() < max(COUNTS):
        raise InputError(
            f"{sets.wide.data_set.name} is too little: 1 / {CROWD_SHARE:g} comparisons of two people and a person with "
            f"{max(COUNTS)} pictures are needed. Use LFW View 1."
        )
    at = similarities[SHARES.index(CROWD_SHARE)]
    rho, agreement = looks_alike(sets.sequences, sets.wide)
    known = owners(sets.sequences)
    return Calibration(
        source=_source(sets.wide),
        shares=SHARES[: len(similarities)],
        similarities=similarities,
        lows=lows,
        highs=highs,
        crowd=crowd_lift(sets.crowd, at),
        alike=crowd_lift(sets.sequences, at),
        templates=template_lift(sets.wide),
        rho=rho,
        agreement=agreement,
        owners=tuple(means for _, means in known),
        owners_source=f"{sets.sequences.data_set.name}, {len({person for person, _ in known})} people",
    )


def impostors(described: Described) -> Impostors:
    return impostors_of(described.embeddings, described.owners, described.people, 0.12, 20_000)


def tail(singles: Impostors) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    """The similarity at each of ``SHARES``, and both ends of its interval; fewer where the comparisons are too few."""
    people = len(singles.pictures)
    drawn = [np.ones(people, dtype=np.float32), *statistics.draws(people)]
    rows = np.array([_quantiles(singles, each) for each in tracked(drawn, "Tail")])
    known = [place for place in range(len(SHARES)) if not np.isnan(rows[0, place])]
    intervals = [statistics.ends(rows[:, place]) for place in known]
    values = [float(rows[0, place]) for place in known]
    return tuple(values), tuple(low for low, _ in intervals), tuple(high for _, high in intervals)


def crowd_lift(described: Described, at: float) -> Measure:
    """By how much this crowd's quantile at ``CROWD_SHARE`` is above ``at``."""
    singles = impostors_of(described.embeddings, described.owners, described.people, 1.0)
    rows = [
        statistics.exceeded_by(singles.falling, singles.reached(each), CROWD_SHARE, singles.total(each)) - at
        for each in [np.ones(described.people, dtype=np.float32), *statistics.draws(described.people)]
    ]
    return _measure(np.array(rows), _source(described))


def template_lift(described: Described) -> Measure:
    """See the module."""
    counts = np.bincount(described.owners)
    found = []
    for count in COUNTS:
        enrolled = np.flatnonzero(counts >= count)
        one, many = _histograms(described, enrolled, count)
        drawn = np.concatenate([np.ones((1, len(enrolled)), np.float32), statistics.draws(len(enrolled))])
        for share in LIFT_SHARES:
            more = _from_histogram(drawn @ many, share) - _from_histogram(drawn @ one, share)
            found.append(more / (1 - 1 / count))
    return _measure(np.max(found, axis=0), _source(described))


def looks_alike(sequences: Described, wide: Described) -> tuple[Measure, Measure]:
    """rho, and the agreement of looks."""
    enrolled = wide.embeddings[np.unique(wide.owners, return_index=True)[1]]
    parts = []
    for rows in _sequences(sequences):
        looks = sequences.embeddings[rows]
        similarities = looks @ enrolled.T
        within = similarities.var(axis=0, ddof=1)
        means = similarities.mean(axis=0)
        pairs = (looks @ looks.T)[np.triu_indices(len(looks), 1)]
        # The variance of a mean holds a part of that within.
        between = means.var(ddof=1) - (within / len(looks)).mean()
        parts.append((sequences.owners[rows[0]], between, within.mean(), pairs.mean()))
    table = np.array(parts)
    drawn = np.concatenate([np.ones((1, sequences.people)), statistics.draws(sequences.people)])
    weights = drawn[:, table[:, 0].astype(int)]
    between, within, agreement = (weights @ table[:, column] / weights.sum(axis=1) for column in (1, 2, 3))
    return _measure(between / (between + within), _source(sequences)), _measure(agreement, _source(sequences))


def owners(described: Described, looks: int = LOOKS) -> list[tuple[int, tuple[float, ...]]]:
    """Of each approach on another day, whose it is, and the similarity of the mean of its first 1, 2 ... looks."""
    data_set = described.data_set
    everything = dict(zip(described.names, described.embeddings, strict=True))
    width = described.embeddings.shape[1]
    rows = np.stack([everything.get(name, np.full(width, np.nan, np.float32)) for name in data_set.names])
    found = []
    for last in (False, True):
        turn = turn_of(data_set, faces(rows), last=last)
        for person, (enrolled, later) in enumerate(zip(turn.enrolled, turn.looks, strict=True)):
            if not len(later):
                continue
            templates = chosen(enrolled, rows, TEMPLATES)
            centre = centres(templates, np.zeros(len(templates), np.intp), 1)[0]
            for part in approaches([data_set.names[row] for row in later], looks):
                means = running(rows[later[part]]) @ centre
                found.append((person, tuple(round(float(each), 3) for each in means)))
    return found


def approaches(names: list[str], looks: int = LOOKS) -> list[Indices]:
    """Successive looks of one sequence, ``looks`` at a time; what is left over is left out."""
    sequence = np.array([name.rpartition("_")[0] for name in names])
    order = np.array(sorted(range(len(names)), key=lambda row: (len(names[row]), names[row])), dtype=np.intp)
    found = []
    for each in dict.fromkeys(sequence[order].tolist()):
        rows = order[sequence[order] == each]
        found += [rows[start : start + looks] for start in range(0, len(rows) - looks + 1, looks)]
    return found


def running(looks: FloatArray) -> FloatArray:
    """(M, D) the unit means of the first 1, 2 ... M looks."""
    means = np.cumsum(looks, axis=0)
    return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True), np.float32)


def _sequences(described: Described) -> list[Indices]:
    sequence = np.array([name.rpartition("_")[0] for name in described.names])
    found = [np.flatnonzero(sequence == each) for each in dict.fromkeys(sequence.tolist())]
    return [rows for rows in found if len(rows) > 1]


def _histograms(described: Described, enrolled: Indices, count: int) -> tuple[Floats, Floats]:
    """(P, bins): all other people's similarities to each of a person's templates, and to their mean."""
    one, many = [], []
    for person in enrolled:
        rows = np.flatnonzero(described.owners == person)[:count]
        others = described.embeddings[described.owners != person]
        centre = centres(described.embeddings[rows], np.zeros(count, np.intp), 1)
        one.append(np.histogram(others @ described.embeddings[rows].T, BINS)[0])
        many.append(np.histogram(others @ centre.T, BINS)[0])
    return np.array(one, np.float64), np.array(many, np.float64)


def _from_histogram(counts: Floats, share: float) -> Floats:
    """(R,) the similarity that ``share`` exceeds, of each of (R, bins)."""
    above = np.cumsum(counts[:, ::-1], axis=1)
    bins = np.argmax(above > share * above[:, -1:], axis=1)
    return np.asarray(BINS[len(BINS) - 1 - bins])


def _quantiles(singles: Impostors, drawn: FloatArray) -> list[float]:
    reached, total = singles.reached(drawn), singles.total(drawn)
    return [statistics.exceeded_by(singles.falling, reached, share, total) for share in SHARES]


def _measure(rows: Floats, source: str) -> Measure:
    """The figure of everybody once comes first, then the draws of people."""
    low, high = statistics.ends(rows[1:])
    value = float(rows[0])
    return Measure(value, min(low, value), max(high, value), source)


def described(data_set: DataSet, networks: Networks, cache: Path | None) -> Described:
    """Raises ImageError, ModelError, InputError."""
    embeddings = describe_all(data_set, networks, cache)
    rows = np.flatnonzero(faces(embeddings))
    owners = np.unique(data_set.owners[rows], return_inverse=True)[1]
    return Described(data_set, embeddings[rows], owners, [data_set.names[row] for row in rows])


def _source(described: Described) -> str:
    return f"{described.data_set.name}, {described.people:,} people"
