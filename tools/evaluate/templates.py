"""How many templates a person needs, and how they are best matched: enrolled on one occasion, recognised on another.

Everybody is enrolled from the first session, then once more from the last, with pictures chosen as an enrolment chooses
them (``edge.enroll.selection``; its quality gate is left out). Looks are the pictures of a person's other sessions;
they are judged by a threshold of 0.60 and the margin that the lock has by default, before a gallery of everybody. Who
has one session is in the gallery and gives no looks. What becomes of whole approaches says
``tools.evaluate.approaches``.

With a wrong template: one of a person's templates is replaced by a picture of each other person in turn. That person's
looks on another occasion then come to a gallery in which nobody else has that face.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from edge.core.centre import VOTES_MIN, centres
from edge.enroll.selection import most_different, outliers
from edge.errors import InputError
from edge.settings import MatchConfig
from edge.types import FloatArray
from tools.evaluate.comparing import Indices
from tools.evaluate.describe import describe_all, faces
from tools.evaluate.networks import Networks
from tools.evaluate.progress import tracked
from tools.evaluate.sets import DataSet

COUNTS = (1, 3, 5)
"""Templates of a person, or as many as there are usable pictures."""

LIMITS = MatchConfig(similarity_min=0.60)

Flags = npt.NDArray[np.bool_]


class Line(msgspec.Struct):
    """What came of one number of templates and one way of matching, over all people, sessions and wrong templates.

    Of ``looks``: ``nearest`` had the right person nearest, ``let_in`` also reached threshold and margin, ``mistaken``
    were let in as somebody else. Of ``wrong_looks``, looks of
    the person whose template is among the others', ``wrong_let_in`` were let in.
    """

    templates: int
    wrong: int
    matched_by: str
    looks: int = 0
    nearest: int = 0
    let_in: int = 0
    mistaken: int = 0
    wrong_looks: int = 0
    wrong_let_in: int = 0


class Several(msgspec.Struct, frozen=True):
    """The figures of one shelf of networks. ``people`` are those with looks, of ``enrolled``."""

    networks: str
    variant: str
    digest: str
    data_set: str
    people: int
    enrolled: int
    pictures_without_face: int
    lines: list[Line]


def plain(templates: FloatArray, probes: FloatArray) -> FloatArray:
    """(N,) cosines of (N, D) probes to the mean of (K, D) templates."""
    mean = templates.mean(axis=0)
    return np.asarray(probes @ (mean / max(float(np.linalg.norm(mean)), 1e-5)), np.float32)


def robust(templates: FloatArray, probes: FloatArray) -> FloatArray:
    """The same to their robust mean, as the lock matches."""
    return np.asarray(probes @ centres(templates, np.zeros(len(templates), np.intp), 1)[0], np.float32)


def best(templates: FloatArray, probes: FloatArray) -> FloatArray:
    """The same to the nearest template."""
    return np.asarray((probes @ templates.T).max(axis=1), np.float32)


WAYS: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "plain mean": plain,
    "robust mean": robust,
    "best template": best,
}


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """One session of everybody is enrolled: the rows of each person's usable pictures in it, and of the looks in the
    person's other sessions, in the order of their names."""

    enrolled: list[Indices]
    looks: list[Indices]


def several(data_set: DataSet, networks: Networks, cache: Path | None = None) -> Several:
    """Judge one shelf of networks. Raises ImageError, ModelError; InputError when nobody has two sessions."""
    if not any(len(set(sessions)) > 1 for sessions in _sessions(data_set).values()):
        raise InputError(
            f"Nobody in {data_set.name} was there on two occasions. Use a data set with sessions (--nuaa, --sessions)."
        )
    embeddings = describe_all(data_set, networks, cache)
    found = faces(embeddings)
    lines = [
        Line(count, wrong, way)
        for count in COUNTS
        for wrong in (0, 1)
        if count >= VOTES_MIN or not wrong
        for way in WAYS
    ]
    both = [turn_of(data_set, found, last=last) for last in (False, True)]
    for line in tracked(lines, f"Enrolling and recognising, {networks.variant}"):
        for turn in both:
            (judge_wrong if line.wrong else judge_right)(line, turn, embeddings)
    return Several(
        networks.label,
        networks.variant,
        networks.digest,
        data_set.name,
        sum(len(looks) > 0 for looks in both[0].looks),
        sum(len(rows) > 0 for rows in both[0].enrolled),
        int((~found).sum()),
        lines,
    )


def turn_of(data_set: DataSet, found: Flags, *, last: bool) -> Turn:
    """The first (or last) session of each person that shows a face, and the looks of the others."""
    enrolled, looks = [], []
    order = np.array(sorted(range(len(found)), key=lambda row: (len(data_set.names[row]), data_set.names[row])))
    owners, sessions = data_set.owners, np.array([picture.session or "" for picture in data_set.pictures])
    for person in range(len(data_set.people)):
        rows = order[(owners[order] == person) & found[order]]
        session = sorted(set(sessions[rows].tolist()))[-1 if last else 0] if len(rows) else ""
        enrolled.append(rows[sessions[rows] == session])
        looks.append(rows[sessions[rows] != session])
    return Turn(enrolled, looks)


def chosen(rows: Indices, embeddings: FloatArray, count: int) -> FloatArray:
    """(K, D) templates out of one session's pictures, as an enrolment would choose ``count`` of them."""
    usable = embeddings[rows]
    usable = usable[~outliers(usable)]
    return usable[most_different(usable, count)]


def judge_right(line: Line, turn: Turn, embeddings: FloatArray) -> None:
    """Everybody is enrolled with pictures of their own."""
    templates = _galleries(turn, embeddings, line.templates)
    for person, looks in enumerate(turn.looks):
        if len(looks):
            own = WAYS[line.matched_by](templates[person], embeddings[looks])
            _count(line, own, _others(line, templates, (person,), embeddings[looks]))


def judge_wrong(line: Line, turn: Turn, embeddings: FloatArray) -> None:
    """Each person with looks is enrolled with one template of each other person in turn, and everybody else rightly."""
    templates = _galleries(turn, embeddings, line.templates)
    way, typical = WAYS[line.matched_by], _galleries(turn, embeddings, 1)
    for person, looks in enumerate(turn.looks):
        if not len(looks):
            continue
        others = _others(line, templates, (person,), embeddings[looks])
        right = chosen(turn.enrolled[person], embeddings, line.templates - 1)
        for wrong in set(templates) - {person}:
            mixed = np.concatenate([right, typical[wrong]])
            _count(line, way(mixed, embeddings[looks]), others)
            theirs = embeddings[turn.looks[wrong]]
            if len(theirs):
                similarities, rivals = way(mixed, theirs), _others(line, templates, (person, wrong), theirs)
                line.wrong_looks += len(theirs)
                line.wrong_let_in += int(_accepted(similarities, rivals).sum())


def _sessions(data_set: DataSet) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for picture in data_set.pictures:
        if picture.session is not None:
            found.setdefault(picture.person, []).append(picture.session)
    return found


def _galleries(turn: Turn, embeddings: FloatArray, count: int) -> dict[int, FloatArray]:
    """The templates of everybody in whose session a face was found."""
    return {person: chosen(rows, embeddings, count) for person, rows in enumerate(turn.enrolled) if len(rows)}


def _others(line: Line, templates: dict[int, FloatArray], absent: Iterable[int], probes: FloatArray) -> FloatArray:
    """(N,) the highest similarity to anybody but those who are ``absent``; minus infinity where that is nobody."""
    found = [WAYS[line.matched_by](rows, probes) for person, rows in templates.items() if person not in absent]
    return np.max(np.stack(found), axis=0) if found else np.full(len(probes), -np.inf, np.float32)


def _accepted(own: FloatArray, others: FloatArray) -> Flags:
    return np.asarray((own >= LIMITS.similarity_min) & (own - others >= LIMITS.margin_min))


def _count(line: Line, own: FloatArray, others: FloatArray) -> None:
    let_in = _accepted(own, others)
    line.looks += len(own)
    line.nearest += int((own > others).sum())
    line.let_in += int(let_in.sum())
    line.mistaken += int(_accepted(others, own).sum())
