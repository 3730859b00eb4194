"""Which pictures of a set of people are enrolled, and which are looks of the same people later."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.core.centre import centres
from edge.types import FloatArray
from tools.evaluate.comparing import Indices
from tools.evaluate.describe import faces
from tools.evaluate.sets import DataSet


@dataclass(frozen=True, slots=True, eq=False)
class Enrolment:
    """``templates``: (P, D) unit rows, NaN for people in whose pictures no face is found. ``enrolled``: how many looks
    each is the mean of. ``mated``: rows of the pictures that are looks of the same people on another occasion."""

    templates: FloatArray
    enrolled: npt.NDArray[np.int64]
    mated: Indices


def enrol(data_set: DataSet, embeddings: FloatArray, looks: int) -> Enrolment:
    """Up to ``looks`` pictures of each person, evenly spread over the first session that shows a face.

    Without sessions at most half of a person's pictures are enrolled, and at least one. A template is their
    robust mean, as in ``edge.core.match``.
    """
    people = data_set.people
    owners, found = data_set.owners, faces(embeddings)
    sessions = np.array([picture.session or "" for picture in data_set.pictures])
    templates = np.full((len(people), embeddings.shape[1]), np.nan, dtype=np.float32)
    enrolled = np.zeros(len(people), dtype=np.int64)
    mated: list[int] = []
    order = np.argsort(owners, kind="stable")
    for person, rows in enumerate(np.split(order, np.cumsum(np.bincount(owners, minlength=len(people)))[:-1])):
        usable = rows[found[rows]]
        if not len(usable):
            continue
        if sessions[usable[0]]:
            first = usable[sessions[usable] == sessions[usable[0]]]
            chosen = first[_spread(len(first), looks)]
            mated += usable[len(first) :].tolist()
        else:
            chosen = usable[: max(min(looks, len(usable) // 2), 1)]
            mated += usable[len(chosen) :].tolist()
        templates[person] = centres(embeddings[chosen], np.zeros(len(chosen), np.intp), 1)[0]
        enrolled[person] = len(chosen)
    return Enrolment(templates, enrolled, np.array(mated, dtype=np.intp))


def _spread(count: int, wanted: int) -> Indices:
    """``wanted`` places among ``count``, or all, as far from each other as can be."""
    return np.unique(np.linspace(0, count - 1, min(wanted, count)).round().astype(np.intp))
