"""Labeled Faces in the Wild (Huang et al. 2007): published lists of pairs.

The folder holds ``images/<Person>/<Person>_0001.jpg`` and View 1, the development view (``pairsDevTrain.txt`` to choose
a threshold on, ``pairsDevTest.txt`` to measure with), View 2, the reporting view (``pairs.txt``: ten sets of pairs), or
both.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edge.core.names import shown
from edge.errors import InputError
from tools.evaluate import sets
from tools.evaluate.sets import DataSet
from tools.evaluate.statistics import SEED

LAYOUT = (
    "Give a folder with images/<Person>/<Person>_0001.jpg and pairsDevTrain.txt and pairsDevTest.txt, or pairs.txt."
)
VIEW1 = ("pairsDevTrain.txt", "pairsDevTest.txt")
VIEW2 = "pairs.txt"
FILE_MAX_BYTES = 10_000_000
PICTURES_MAX = 9999
"""Of one person: the names have four digits."""

SAME_PERSON = {
    "Andrew_Gilligan": "Andrew_Caldecott",
    "Choi_Sung-hong": "Sung_Hong_Choi",
    "Hasan_Wirayuda": "Hassan_Wirajuda",
    "Joseph_Blatter": "Sepp_Blatter",
}
"""Two names for one person: the same photograph twice, or a name spelt in two ways, and the pictures show it (looked
at; they were the most similar "impostors" of View 1, 0.72 to 0.97). Others may be left."""

WRONG_NAME = {("Recep_Tayyip_Erdogan", 4): "Abdullah_Gul"}
"""A picture of somebody else (looked at, for the same reason)."""


class Picture(NamedTuple):
    """One photograph: the person's folder, and the number in its name from 1."""

    person: str
    number: int

    @property
    def name(self) -> str:
        """The path below the data set's folder."""
        return f"images/{self.person}/{self.person}_{self.number:04d}.jpg"

    @property
    def shows(self) -> str:
        """Whom it shows, by one name. The published lists of pairs are used as they are; in the comparisons of
        everybody with everybody nobody is an impostor to himself."""
        return WRONG_NAME.get(self) or SAME_PERSON.get(self.person, self.person)


Pair = tuple[Picture, Picture]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of one person's pictures (``genuine``), and of two people's (``impostor``)."""

    genuine: tuple[Pair, ...]
    impostor: tuple[Pair, ...]

    @property
    def pictures(self) -> set[Picture]:
        return {picture for pair in (*self.genuine, *self.impostor) for picture in pair}

    @property
    def people(self) -> set[str]:
        return {picture.person for picture in self.pictures}

    def sample(self, count: int) -> "Pairs":
        """``count`` of them, half of each kind (as far as there are), always the same ones."""
        generator = np.random.default_rng(SEED)

        def some(pairs: tuple[Pair, ...], wanted: int) -> tuple[Pair, ...]:
            chosen = generator.permutation(len(pairs))[:wanted]
            return tuple(pairs[i] for i in sorted(chosen.tolist()))

        return Pairs(some(self.genuine, count // 2), some(self.impostor, count - count // 2))


@dataclass(frozen=True, slots=True)
class View:
    """One protocol: its lists of pairs, and every picture in them once.

    ``spare``: people of pairsDevTrain of whom no two pictures are compared (View 1). The int8 networks that facelatch
    ships are calibrated with faces of these people only, so that all genuine pairs remain to measure with.
    """

    lists: tuple[Pairs, ...]
    data_set: DataSet
    spare: frozenset[str] = frozenset()


def view1(folder: Path, limit: int | None = None) -> View | None:
    """Two lists, to choose a threshold and to measure, with at most ``limit`` pairs each; None when neither is there.

    Raises InputError when the folder has another layout, or a person is in both lists.
    """
    if not any((folder / name).is_file() for name in VIEW1):
        return None
    train, test = (_one_list(folder / name) for name in VIEW1)
    shared = train.people & test.people
    if shared:
        raise InputError(
            f"{len(shared)} people are in both lists, {shown(min(shared))} for one: a threshold chosen on them proves "
            "nothing about them. Use the published lists of View 1."
        )
    spare = train.people - {picture.person for pair in train.genuine for picture in pair}
    return _view("LFW View 1", folder, (_sampled(train, limit), _sampled(test, limit)), limit, frozenset(spare))


def view2(folder: Path, limit: int | None = None) -> View | None:
    """The sets of ``pairs.txt`` (ten as published), with at most ``limit`` pairs each; None when it is not there.

    Raises InputError when the folder has another layout.
    """
    path = folder / VIEW2
    if not path.is_file():
        return None
    lines = _lines(path)
    try:
        count, each = (int(field) for field in lines[0].split())
        if count < 2 or len(lines) != 2 * each * count + 1:
            raise ValueError(f"{len(lines) - 1} pairs instead of {count} times twice {each}")
        folds = [_pairs(lines[1 + 2 * each * i : 1 + 2 * each * (i + 1)], each) for i in range(count)]
    except (ValueError, IndexError) as error:
        raise _not_pairs(path, error) from error
    return _view("LFW View 2", folder, tuple(_sampled(fold, limit) for fold in folds), limit)


def open_view1(folder: Path, limit: int | None = None) -> View:
    """View 1, for what needs it. Raises InputError."""
    found = view1(folder, limit)
    if found is None:
        raise InputError(f"There is no {VIEW1[0]} in {shown(str(folder), 120)}. {LAYOUT}")
    return found


def measured_with(view: View) -> set[str]:
    """The people whom nothing may be calibrated with: all but the spare ones."""
    return {person for pairs in view.lists for person in pairs.people} - view.spare


def _view(
    name: str, folder: Path, lists: tuple[Pairs, ...], limit: int | None, spare: frozenset[str] = frozenset()
) -> View:
    if not (folder / "images").is_dir():
        raise InputError(f"{shown(str(folder), 120)} has no folder images. {LAYOUT}")
    pictures = set().union(*(pairs.pictures for pairs in lists))
    listed = (sets.Picture(picture.shows, None, picture.name) for picture in pictures)
    name += "" if limit is None else f", {limit} pairs of each list"
    return View(lists, sets.checked(name, folder, listed, LAYOUT), spare)


def _sampled(pairs: Pairs, limit: int | None) -> Pairs:
    return pairs if limit is None else pairs.sample(limit)


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            return file.read(FILE_MAX_BYTES).decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        where = shown(str(path), 120)
        raise InputError(f"{where} cannot be read as text ({type(error).__name__}). {LAYOUT}") from error


def _one_list(path: Path) -> Pairs:
    """The published form: a count, so many lines ``person i j``, so many lines ``person i other j``."""
    lines = _lines(path)
    try:
        count = int(lines[0])
        if count < 1 or len(lines) != 2 * count + 1:
            raise ValueError(f"{len(lines) - 1} pairs instead of twice {count}")
        return _pairs(lines[1:], count)
    except (ValueError, IndexError) as error:
        raise _not_pairs(path, error) from error


def _pairs(lines: list[str], count: int) -> Pairs:
    """``count`` genuine pairs and then the impostor pairs. Raises ValueError."""
    genuine = tuple(_pair(line.split("\t"), genuine=True) for line in lines[:count])
    return Pairs(genuine, tuple(_pair(line.split("\t"), genuine=False) for line in lines[count:]))


def _pair(fields: list[str], *, genuine: bool) -> Pair:
    person, number, *rest = fields
    other = person if genuine else rest.pop(0)
    (other_number,) = rest
    if genuine == (person == other) and all(_is_folder(name) for name in (person, other)):
        pair = Picture(person, int(number)), Picture(other, int(other_number))
        if pair[0] != pair[1] and all(1 <= picture.number <= PICTURES_MAX for picture in pair):
            return pair
    raise ValueError(f"not a pair: {shown(' '.join(fields))}")


def _not_pairs(path: Path, error: Exception) -> InputError:
    return InputError(
        f"{shown(str(path), 120)} is not a list of pairs ({error}). Use the published lists of {path.name}."
    )


def _is_folder(name: str) -> bool:
    """One folder's name, and no way out of the data set."""
    return bool(name) and not name.startswith(".") and "/" not in name and "\0" not in name
