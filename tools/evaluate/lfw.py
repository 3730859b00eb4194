"""View 1 of Labeled Faces in the Wild (Huang et al. 2007): pairs to choose a threshold on, and pairs to measure with.

The folder holds ``pairsDevTrain.txt``, ``pairsDevTest.txt`` and ``images/<Person>/<Person>_0001.jpg``.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edge.core.names import shown
from edge.errors import InputError
from tools.evaluate.statistics import SEED

LAYOUT = "Give a folder with pairsDevTrain.txt, pairsDevTest.txt and images/<Person>/<Person>_0001.jpg."
FILE_MAX_BYTES = 10_000_000
PICTURES_MAX = 9999
"""Of one person: the names have four digits."""


class Picture(NamedTuple):
    """One photograph: the person's folder, and the number in its name from 1."""

    person: str
    number: int

    def path(self, folder: Path) -> Path:
        return folder / "images" / self.person / f"{self.person}_{self.number:04d}.jpg"


Pair = tuple[Picture, Picture]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of one person's pictures (``genuine``), and of two people's (``impostor``)."""

    genuine: tuple[Pair, ...]
    impostor: tuple[Pair, ...]

    @property
    def pictures(self) -> list[Picture]:
        """Every picture once, in order."""
        return sorted({picture for pair in (*self.genuine, *self.impostor) for picture in pair})

    @property
    def people(self) -> list[str]:
        return sorted({picture.person for picture in self.pictures})

    def sample(self, count: int) -> "Pairs":
        """``count`` of them, half of each kind (as far as there are), always the same ones."""
        generator = np.random.default_rng(SEED)

        def some(pairs: tuple[Pair, ...], wanted: int) -> tuple[Pair, ...]:
            chosen = generator.permutation(len(pairs))[:wanted]
            return tuple(pairs[i] for i in sorted(chosen.tolist()))

        return Pairs(some(self.genuine, count // 2), some(self.impostor, count - count // 2))


@dataclass(frozen=True, slots=True)
class View1:
    """The two sets of pairs; nobody is in both."""

    folder: Path
    train: Pairs
    test: Pairs

    @property
    def pictures(self) -> list[Picture]:
        return sorted({*self.train.pictures, *self.test.pictures})

    def sample(self, count: int) -> "View1":
        """``count`` pairs of each set."""
        return View1(self.folder, self.train.sample(count), self.test.sample(count))


def open_view1(folder: Path) -> View1:
    """Read both lists. Raises InputError when the folder has another layout, or a person is in both lists."""
    if not (folder / "images").is_dir():
        raise InputError(f"{shown(str(folder), 120)} has no folder images. {LAYOUT}")
    view = View1(folder, _read(folder / "pairsDevTrain.txt"), _read(folder / "pairsDevTest.txt"))
    shared = set(view.train.people) & set(view.test.people)
    if shared:
        raise InputError(
            f"{len(shared)} people are in both lists, {shown(min(shared))} for one: a threshold chosen on them proves "
            "nothing about them. Use the published lists of View 1."
        )
    return view


def _read(path: Path) -> Pairs:
    """The published form: a count, so many lines ``person i j``, so many lines ``person i other j``."""
    where = shown(str(path), 120)
    try:
        with path.open("rb") as file:
            lines = file.read(FILE_MAX_BYTES).decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{where} cannot be read as text ({type(error).__name__}). {LAYOUT}") from error
    try:
        count = int(lines[0])
        if count < 1 or len(lines) != 2 * count + 1:
            raise ValueError(f"{len(lines) - 1} pairs instead of twice {count}")
        genuine = tuple(_pair(line.split("\t"), genuine=True) for line in lines[1 : count + 1])
        return Pairs(genuine, tuple(_pair(line.split("\t"), genuine=False) for line in lines[count + 1 :]))
    except (ValueError, IndexError) as error:
        raise InputError(f"{where} is not a list of pairs ({error}). Use the published lists of View 1.") from error


def _pair(fields: list[str], *, genuine: bool) -> Pair:
    person, number, *rest = fields
    other = person if genuine else rest.pop(0)
    (other_number,) = rest
    if genuine == (person == other) and all(_is_folder(name) for name in (person, other)):
        pair = Picture(person, int(number)), Picture(other, int(other_number))
        if pair[0] != pair[1] and all(1 <= picture.number <= PICTURES_MAX for picture in pair):
            return pair
    raise ValueError(f"not a pair: {shown(' '.join(fields))}")


def _is_folder(name: str) -> bool:
    """One folder's name, and no way out of the data set."""
    return bool(name) and not name.startswith(".") and "/" not in name and "\0" not in name
