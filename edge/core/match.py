"""Who in the gallery a probe resembles most."""

from collections.abc import Mapping
from copy import copy

import numpy as np
import numpy.typing as npt

from edge.core.centre import centres
from edge.types import Embedding, FloatArray, Gallery, Match

BLOCK = 500
"""People compared with all others at a time: 20 MB of similarities for 10,000 people."""


class Index:
    """A gallery made ready for matching: one unit vector a person, the direction of the templates' robust mean
    (``edge.core.centre``).

    The mean of several templates recognises more than each alone: TAR at FAR 1e-5 rises from 95.4 % with one to 99.7 %
    with the mean of five (measured with a comparable network, 70 people). And it is one vector: the best of several
    templates would give a stranger one chance more with each.
    """

    def __init__(self, gallery: Gallery) -> None:
        self._names: Mapping[int, str] = gallery.names
        self._ids: npt.NDArray[np.int64]
        self._ids, rows = np.unique(gallery.person_ids, return_inverse=True)
        self._centres: FloatArray = centres(gallery.templates, rows, len(self._ids))
        self._counts = np.bincount(rows, minlength=len(self._ids))

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def templates(self) -> list[int]:
        """How many each person has, in the order of their ids."""
        return [int(count) for count in self._counts]

    def replaced(self, person_id: int, gallery: Gallery) -> "Index":
        """This index after a change of one person, ``gallery`` holding that person's templates (none: the person is
        gone). Two milliseconds for 10,000 people, where making it anew takes 200."""
        kept = self._ids != person_id
        one = Index(gallery)
        ids = np.concatenate([self._ids[kept], one._ids])
        order = np.argsort(ids)
        changed = copy(self)
        changed._ids = ids[order]
        changed._counts = np.concatenate([self._counts[kept], one._counts])[order]
        changed._centres = np.concatenate([self._centres[kept], one._centres])[order]
        changed._names = {**{id_: name for id_, name in self._names.items() if id_ != person_id}, **gallery.names}
        return changed

    def similarity_to(self, person_id: int, probe: Embedding) -> float | None:
        """The cosine of a (D,) unit probe to one person, None for a number that nobody here has."""
        rows = np.flatnonzero(self._ids == person_id)
        return float(self._centres[rows[0]] @ probe) if len(rows) else None

    def alike(self, probe: Embedding, at_least: float) -> list[tuple[int, float]]:
        """Everybody whose cosine to a (D,) unit probe is at least so much: id and cosine, the most alike first."""
        similarities = self._centres @ probe
        rows = np.flatnonzero(similarities >= at_least)
        found = [(int(self._ids[row]), float(similarities[row])) for row in rows]
        return sorted(found, key=lambda each: -each[1])

    def pairs(self, at_least: float, limit: int) -> list[tuple[int, int, float]]:
        """Pairs of people at least so alike, two ids and their cosine, at most ``limit``, the most alike first."""
        found: list[tuple[int, int, float]] = []
        for start in range(0, len(self._ids), BLOCK):
            similarities = self._centres[start : start + BLOCK] @ self._centres.T
            for row, column in np.argwhere(similarities >= at_least).tolist():
                if column > start + row:
                    pair = int(self._ids[start + row]), int(self._ids[column])
                    found.append((*pair, float(similarities[row, column])))
            found = sorted(found, key=lambda each: -each[2])[:limit]
        return found

    def best(self, probe: Embedding) -> Match | None:
        """The person most alike a (D,) unit probe, however little; None when the gallery is empty."""
        if not len(self._ids):
            return None
        similarities = self._centres @ probe
        first = int(np.argmax(similarities))
        similarity = float(similarities[first])
        similarities[first] = -np.inf
        margin = similarity - float(similarities.max())  # infinite when there is nobody else
        person_id = int(self._ids[first])
        return Match(person_id, self._names[person_id], similarity, margin)


def acceptable(match: Match | None, similarity_min: float, margin_min: float) -> bool:
    """Whether the match names its person. Written so that a NaN is refused."""
    return match is not None and match.similarity >= similarity_min and match.margin >= margin_min


def rounded(similarity: float | None) -> float | None:
    """A similarity for notices and log."""
    return None if similarity is None else round(similarity, 3)
