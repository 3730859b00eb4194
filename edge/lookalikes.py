"""Siblings, twins, a child and a parent, or one person under two names: people whom the lock could take for another.

From ``similarity_min`` on one could come in as the other, and from ``margin_min`` below that a poor look could still be
taken for the other's. Nobody is enrolled so without the owner's decision. Of the 5,151 pairs of 102 Londoners three
are so alike (0.56 to 0.58), of the 36 pairs of nine students (NUAA) one.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from edge import wire
from edge.core.centre import centres
from edge.core.match import Index
from edge.core.names import name_key
from edge.errors import FaceError
from edge.types import Embedding, Permission

Names = Mapping[int, str]
Permissions = Mapping[int, Permission]


def undecided(
    index: Index, names: Names, permissions: Permissions, name: str, templates: Sequence[Embedding], alike_min: float
) -> list[tuple[str, float]]:
    """Others who look like the new ``templates`` of ``name``, with the cosine; without those for whom, as for ``name``,
    the PIN is required already."""
    probe = centres(np.stack(templates), np.zeros(len(templates), np.intp), 1)[0]
    by_pin = {name_key(names[id_]) for id_, each in permissions.items() if each.pin_required and id_ in names}
    return [
        (names[id_], similarity)
        for id_, similarity in index.alike(probe, alike_min)
        if name_key(names[id_]) != name_key(name) and not {name_key(names[id_]), name_key(name)} <= by_pin
    ]


def refused(name: str, lookalikes: Sequence[tuple[str, float]], alike_min: float, similarity_min: float) -> FaceError:
    """Why nobody was enrolled, and what the owner can decide."""
    other, similarity = lookalikes[0]
    if similarity >= similarity_min:
        consequence = f"the lock could let {name} in as {other}, or neither of them"
    else:
        consequence = f"a poor look of {name} could be taken for {other}"
    return FaceError(
        f"{name} looks like {other} (similarity {similarity:.2f}; {alike_min:.2f} and more matters): {consequence}. "
        f"Is it the same person, add the pictures with `--same-as {other!r}`; are they two, let both in by PIN only: "
        "`--pin-required`."
    )


def pairs(index: Index, names: Names, permissions: Permissions, alike_min: float) -> wire.Alike:
    """Everybody compared with everybody."""

    def by_pin(id_: int) -> bool:
        return permissions.get(id_, Permission()).pin_required

    found = index.pairs(alike_min, wire.ALIKE_MAX)
    return wire.Alike(
        alike_min,
        [wire.AlikePair(names[a], names[b], similarity, by_pin(a) and by_pin(b)) for a, b, similarity in found],
    )
