"""Whom a visitor is held against: galleries of one to a hundred people, and what each is enrolled with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge.core.choose import SeveralFaces
from edge.core.match import Index
from edge.core.quality import ENROL_MIN_FACE_PX, enrolment_flaw
from edge.enroll.selection import most_different, outliers
from edge.types import FloatArray, Gallery
from tools.evaluate.describe import faces
from tools.evaluate.sets import DataSet
from tools.evaluate.visits import Visit

TEMPLATES = 5
"""Of one person at most, as `facelatch enroll --folder` keeps them."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Somebody who can be enrolled. ``templates``: (K, D) unit rows; ``example``: a picture or video to show."""

    source: str
    person: str
    templates: FloatArray
    example: Path


def from_visits(visits: Sequence[Visit], several: SeveralFaces) -> Neighbour:
    """Somebody enrolled from visits of one session, with pictures chosen as an enrolment chooses them.

    Their size is not asked for: the faces of some clips are smaller than an enrolment takes.
    """
    looks = [look for visit in visits for look in visit.usable(several)]
    good = [each for each in looks if enrolment_flaw(replace(each.quality, face_px=ENROL_MIN_FACE_PX), 0) is None]
    embeddings = np.stack([each.embedding for each in good or looks])
    first = visits[0]
    return Neighbour(first.source, first.person, _chosen(embeddings), first.picture)


def from_pictures(data_set: DataSet, embeddings: FloatArray) -> list[Neighbour]:
    """Everybody of a set of pictures in one of whose a face was found."""
    owners, found = data_set.owners, faces(embeddings)
    neighbours: list[Neighbour] = []
    for number, person in enumerate(data_set.people):
        rows = np.flatnonzero((owners == number) & found)
        if len(rows):
            example = data_set.folder / data_set.names[rows[0]]
            neighbours.append(Neighbour(data_set.name, person, _chosen(embeddings[rows]), example))
    return neighbours


def enrolled(people: Sequence[Neighbour]) -> Index:
    """The product's gallery of these people: their ids are their places."""
    ids = np.repeat(np.arange(len(people)), [len(each.templates) for each in people])
    names = {number: each.person for number, each in enumerate(people)}
    return Index(Gallery(np.concatenate([each.templates for each in people]), ids.astype(np.int64), names))


def household(
    owner: Neighbour | None,
    absent: str,
    size: int,
    fellows: Sequence[Neighbour],
    others: Sequence[Neighbour],
    rng: np.random.Generator,
) -> list[Neighbour]:
    """``size`` people: the owner, then fellows in a random order, then others drawn at random; never ``absent``.

    Fellows first, as people of one group and before one camera resemble each other more than strangers do.
    """
    chosen = [] if owner is None else [owner]
    for pool in ([each for each in fellows if each.person != absent], others):
        wanted = min(size - len(chosen), len(pool))
        chosen += [pool[place] for place in rng.choice(len(pool), wanted, replace=False).tolist()] if wanted else []
    return chosen


def _chosen(embeddings: FloatArray) -> FloatArray:
    usable = embeddings[~outliers(embeddings)]
    return usable[most_different(usable, TEMPLATES)]
