"""One value for every set of photographs of known people, however its folder is laid out."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge.core.names import shown
from edge.errors import InputError
from edge.images import pictures_in
from tools.evaluate.statistics import SEED


class Picture(NamedTuple):
    """Whose photograph, on which occasion, and its path below the set's folder.

    Two pictures of one person are a genuine pair when they are of different sessions. Without a session every picture
    is an occasion of its own.
    """

    person: str
    session: str | None
    name: str


@dataclass(frozen=True, slots=True)
class DataSet:
    """Photographs of known people. ``name`` is shown; ``note`` says what the set cannot show."""

    name: str
    folder: Path
    pictures: tuple[Picture, ...]
    note: str = ""

    @property
    def names(self) -> list[str]:
        return [picture.name for picture in self.pictures]

    @property
    def people(self) -> list[str]:
        return sorted({picture.person for picture in self.pictures})

    @property
    def owners(self) -> npt.NDArray[np.intp]:
        """(N,) the index into ``people`` of each picture."""
        number = {person: i for i, person in enumerate(self.people)}
        return np.array([number[picture.person] for picture in self.pictures], dtype=np.intp)

    def sample(self, count: int) -> "DataSet":
        """So many people that they have ``count`` pictures, two people at least; always the same ones."""
        people, left = self.people, count
        pictures = np.bincount(self.owners)
        chosen: set[str] = set()
        for i in np.random.default_rng(SEED).permutation(len(people)).tolist():
            if len(chosen) >= 2 and left <= 0:
                break
            chosen.add(people[i])
            left -= int(pictures[i])
        kept = tuple(picture for picture in self.pictures if picture.person in chosen)
        return DataSet(f"{self.name}, {len(chosen)} people", self.folder, kept, self.note)


def checked(name: str, folder: Path, pictures: Iterable[Picture], layout: str, note: str = "") -> DataSet:
    """The set, when people can be compared in it. Raises InputError with the ``layout`` that is expected."""
    found = DataSet(name, folder, tuple(sorted(pictures)), note)
    where = shown(str(folder), 120)
    if not found.pictures:
        raise InputError(f"There is no picture in {where}. {layout}")
    if len(found.people) < 2:
        raise InputError(f"There is only one person in {where}, {shown(found.people[0])}. {layout}")
    return found


def subfolders(folder: Path, layout: str) -> list[Path]:
    """The folders directly in ``folder``, hidden ones left out. Raises InputError when there is none."""
    try:
        found = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise InputError(f"{shown(str(folder), 120)} cannot be read ({error.strerror}). {layout}") from error
    if not found:
        raise InputError(f"There is no folder in {shown(str(folder), 120)}. {layout}")
    return found


def pictures_below(folder: Path, layout: str) -> list[tuple[Path, str]]:
    """Every picture in the folders of ``folder``: its path, and that path below ``folder``."""
    return [(path, f"{inner.name}/{path.name}") for inner in subfolders(folder, layout) for path in pictures_in(inner)]
