"""Everything that training and measuring need of the pictures, computed once: squares around faces, what the teachers
and the baseline say of them, and attacks made from the live ones."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.errors import FaceError
from edge.models.liveness import SCALE, surroundings
from edge.models.manifest import Shelf
from edge.models.mtcnn import Mtcnn
from edge.types import Box, Rgb
from tools.train import attacks, camera
from tools.train.judges import BASELINE_PX, BASELINE_SCALE, TEACHER_PX, TEACHERS, Baseline, Shipped, Teacher
from tools.train.material import ATTACKED, Sample, samples, sources
from tools.train.scene import Shown

SIDE_PX = 96
"""What the network is given."""

VARIANTS = 5
"""Squares of each picture: the one that the product cuts, three a little moved, larger or smaller, and a tight one, as
of a face that fills the frame."""

CONDITIONS = ("as recorded", "grey", "dark")
"""In which each picture is judged."""

GENERATED = {"lfw": 2.0, "london": 2.0, "clips": 2.0, "nuaa": 2.0, "tran": 3.0, "lestari": 3.0, "crops": 0.25}
"""Attacks made from a live picture, on average."""

BEHIND = 300
"""So many photographs of LFW stand behind the attacks, and wear the masks."""

MIN_FACE_PX = 40.0

AUGMENTED = 4
"""Pictures in the bank of each picture."""

SEED = 1
"""Of the bank."""


@dataclass(frozen=True, slots=True)
class Cache:
    """``squares``: (N, VARIANTS, SIDE_PX, SIDE_PX, 3) uint8, mapped from disk. ``bank``: (N, AUGMENTED, SIDE_PX,
    SIDE_PX, 3) uint8, squares as other cameras might have seen them. ``rows``: N descriptions of one picture each:
    collection, person, sequence, kind, made (true for a generated attack), and what each judge says in each of the
    conditions, 0..1 (of stills and generated attacks: the teachers, as recorded).
    """

    squares: npt.NDArray[np.uint8]
    rows: list[dict[str, Any]]
    bank: npt.NDArray[np.uint8]

    @classmethod
    def open(cls, folder: Path) -> "Cache":
        return cls(
            np.load(folder / "squares.npy", mmap_mode="r"),
            json.loads((folder / "rows.json").read_text(encoding="utf-8")),
            np.load(folder / "bank.npy", mmap_mode="r"),
        )


def ready(data: Path, teachers: Path, folder: Path, report: Callable[[float], None]) -> Cache:
    """The cache in the folder, built where there is none. Raises InputError, ModelError."""
    if not (folder / "rows.json").exists():
        build(data, teachers, folder, report)
    return Cache.open(folder)


def build(data: Path, teachers: Path, folder: Path, report: Callable[[float], None]) -> None:
    """Look at every picture once, and write the cache. Raises InputError, ModelError."""
    builder = _Builder(teachers, folder)
    expected = sum(len(paths) for paths in sources(data).values())
    for number, sample in enumerate(samples(data)):
        builder.add(sample)
        report(min(number / expected, 1.0))  # a video is one file of many pictures
    builder.write(folder)


class _Builder:
    def __init__(self, teachers: Path, folder: Path) -> None:
        self._detector = Mtcnn(Shelf.open(), min_face_px=MIN_FACE_PX)
        self._teachers = {name: Teacher(teachers / name) for name in TEACHERS}
        self._others: dict[str, Baseline | Shipped] = {"fr_liveness": Baseline(folder / "packages")}
        self._others |= {f"shipped {variant}": Shipped(variant) for variant in ("cpu", "edgetpu")}
        self._behind: list[Shown] = []
        self._seed, self._due = 0, 0.0
        self.squares: list[npt.NDArray[np.uint8]] = []
        self.rows: list[dict[str, Any]] = []

    def add(self, sample: Sample) -> None:
        """The picture, and the attacks made from it; nothing where the detector sees no face."""
        faces = self._detector.detect(sample.rgb)
        row = {
            "collection": sample.collection,
            "person": sample.person,
            "sequence": sample.sequence,
            "kind": sample.kind,
            "made": False,
        }
        if not faces:
            self.rows.append({**row, "kind": "no face", "of": sample.kind})
            self.squares.append(np.zeros((VARIANTS, SIDE_PX, SIDE_PX, 3), np.uint8))
            return
        shown = Shown(sample.rgb, faces[0].box)
        self._keep(shown, {**row, "judged": self._judged(shown, sample.collection in ATTACKED)})
        if sample.kind != "live":
            return
        if len(self._behind) < BEHIND:
            self._behind.append(shown)
        self._due += GENERATED[sample.collection]
        while self._due >= 1:
            self._due -= 1
            self._seed += 1
            kind = attacks.KINDS[self._seed % len(attacks.KINDS)]
            behind = self._behind[self._seed * 7 % len(self._behind)]
            made = attacks.attack(kind, shown, behind, self._seed)
            self._keep(made, {**row, "kind": kind, "made": True, "judged": self._judged(made, False)})

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        squares = np.stack(self.squares)
        np.save(folder / "squares.npy", squares)
        np.save(folder / "bank.npy", augmented(squares))
        (folder / "rows.json").write_text(json.dumps(self.rows), encoding="utf-8")

    def _keep(self, shown: Shown, row: dict[str, Any]) -> None:
        try:
            squares = variants(shown, len(self.rows))
        except FaceError:
            return
        self.squares.append(squares)
        self.rows.append(row)

    def _judged(self, shown: Shown, thoroughly: bool) -> dict[str, list[float]]:
        """By the teachers as recorded; ``thoroughly``: by all, in all conditions."""
        said = {}
        kinds = len(CONDITIONS) if thoroughly else 1
        for name, teacher in self._teachers.items():
            square = self._square(shown, TEACHER_PX, TEACHERS[name])
            said[name] = [teacher.probability(each) for each in conditions(square, len(self.rows), kinds)]
        if thoroughly:
            square = self._square(shown, BASELINE_PX, BASELINE_SCALE)
            for name, judge in self._others.items():
                said[name] = [judge.probability(each) for each in conditions(square, len(self.rows), kinds)]
        return said

    @staticmethod
    def _square(shown: Shown, side: int, scale: float) -> Rgb:
        return surroundings(shown.rgb, shown.box, side, scale)


def variants(shown: Shown, seed: int) -> npt.NDArray[np.uint8]:
    """(VARIANTS, SIDE_PX, SIDE_PX, 3) uint8, the product's own square first. Raises FaceError."""
    rng = np.random.default_rng(seed)
    cut = [surroundings(shown.rgb, shown.box, SIDE_PX, SCALE)]
    for low, high in ((2.1, 2.7), (2.4, 3.0), (2.7, 3.3), (1.15, 1.8)):
        box, side = shown.box, shown.box.height_px
        x, y = rng.normal(0, 0.06, 2) * side
        moved = Box(box.x0 + x, box.y0 + y, box.x1 + x, box.y1 + y)
        cut.append(surroundings(shown.rgb, moved, SIDE_PX, float(rng.uniform(low, high))))
    return np.stack(cut)


def augmented(squares: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The bank of (N, VARIANTS, ...) squares: of each picture some of its squares, varied."""
    rng = np.random.default_rng(SEED)
    bank = np.empty((len(squares), AUGMENTED, *squares.shape[2:]), np.uint8)
    for number, row in enumerate(squares):
        for place, variant in enumerate(rng.permutation(VARIANTS)[:AUGMENTED].tolist()):
            bank[number, place] = camera.varied(row[variant], int(rng.integers(2**31)))
    return bank


def conditions(square: Rgb, seed: int, count: int = len(CONDITIONS)) -> list[Rgb]:
    """The square in the first ``count`` of ``CONDITIONS``."""
    made: tuple[Callable[[Rgb, int], Rgb], ...] = (lambda rgb, _: rgb, camera.grey, camera.dark)
    return [make(square, seed) for make in made[:count]]
