"""The pictures that the liveness network learns from and is judged by: frames of people and of attacks, with the
product's own detector's face in each."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edge.errors import ImageError, InputError
from edge.images import pictures_in, read_rgb
from edge.types import Rgb

ATTACKED = ("nuaa", "tran", "lestari", "crops")
"""Collections that hold live people and attacks: what is left out, one after the other, to judge by. The three
collections of ``attack_crops`` count as one, because one man is in all of them."""

STILLS = ("lfw", "london", "clips")
"""Collections of live people only."""

FRAMES = {"replay_attack": 100, "clips": 12}
"""Frames of a video, spread evenly."""

LFW_PEOPLE = 1200
"""One picture of each; more would outweigh the frames of real cameras."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture. ``kind``: "live", "print", "replay"; ``person``: whoever is seen, within the collection.

    ``sequence``: one approach to a camera; its frames are nearly one picture.
    """

    collection: str
    person: str
    sequence: str
    kind: str
    rgb: Rgb


def samples(data: Path) -> Iterator[Sample]:
    """Everything below the folder of data sets, in a fixed order. Raises InputError where a set is missing."""
    yield from _lfw(data / "lfw_view1" / "images")
    yield from _london(data / "london")
    yield from _clips(data / "clips")
    yield from _nuaa(data / "print_attack")
    yield from _replays(data / "replay_attack")
    yield from _crops(data / "attack_crops")


def sources(data: Path) -> dict[str, list[Path]]:
    """The files that ``samples`` reads, by collection."""
    replays = data / "replay_attack"
    return {
        "lfw": [pictures_in(inner)[0] for inner in _folders(data / "lfw_view1" / "images")[:LFW_PEOPLE]],
        "london": [path for inner in _folders(data / "london") for path in pictures_in(inner)],
        "clips": sorted((data / "clips").glob("*.mkv")),
        "nuaa": [
            path
            for kind in ("live", "photo")
            for inner in _folders(data / "print_attack" / kind)
            for path in pictures_in(inner)
        ],
        **{person: sorted(replays.glob(f"{person}_*.mp4")) for person in ("tran", "lestari")},
        "crops": [path for kind in ("live", "attack") for path in pictures_in(_folder(data / "attack_crops" / kind))],
    }


def _nuaa(folder: Path) -> Iterator[Sample]:
    for kind, name in (("live", "live"), ("print", "photo")):
        for inner in _folders(folder / name):
            for path in pictures_in(inner):
                sequence = f"{kind}-{path.stem.rpartition('_')[0]}"
                yield from _read(path, "nuaa", inner.name, sequence, kind)


def _replays(folder: Path) -> Iterator[Sample]:
    for person in ("tran", "lestari"):
        for kind, name in (("live", "real"), ("replay", "fake")):
            path = folder / f"{person}_{name}.mp4"
            # One clip of each is all there is; its quarters stand for approaches.
            for number, rgb in enumerate(_frames(path, FRAMES["replay_attack"])):
                quarter = number * 4 // FRAMES["replay_attack"]
                yield Sample(person, person, f"{path.stem}-{quarter}", kind, rgb)


def _crops(folder: Path) -> Iterator[Sample]:
    for kind, name in (("live", "live"), ("replay", "attack")):
        for path in pictures_in(_folder(folder / name)):
            source = path.stem.split("_")[0]
            yield from _read(path, "crops", source, f"{kind}-{source}", kind)


def _clips(folder: Path) -> Iterator[Sample]:
    table = _folder(folder) / "identities.csv"
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for rgb in _frames(folder / row["clip"], FRAMES["clips"]):
                yield Sample("clips", row["person"], row["clip"], "live", rgb)


def _london(folder: Path) -> Iterator[Sample]:
    for inner in _folders(folder):
        for path in pictures_in(inner):
            yield from _read(path, "london", path.stem.split("_")[0], path.stem, "live")


def _lfw(folder: Path) -> Iterator[Sample]:
    for inner in _folders(folder)[:LFW_PEOPLE]:
        yield from _read(pictures_in(inner)[0], "lfw", inner.name, inner.name, "live")


def _read(path: Path, collection: str, person: str, sequence: str, kind: str) -> Iterator[Sample]:
    try:
        yield Sample(collection, person, sequence, kind, read_rgb(path))
    except ImageError:
        return  # a few of the crops are damaged files


def _frames(path: Path, count: int) -> Iterator[Rgb]:
    """So many frames of a video, spread evenly over it."""
    video = cv2.VideoCapture(str(path))
    try:
        total = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
        if not video.isOpened() or total < 1:
            raise InputError(f"{path} is no video that can be read. Give the folder of the data sets.")
        wanted = set(np.linspace(0, total - 1, min(count, total)).round().astype(int).tolist())
        for number in range(total):
            good, bgr = video.read()
            if not good:
                return  # containers promise a frame or two more than there are
            if number in wanted:
                yield np.ascontiguousarray(bgr[..., ::-1])
    finally:
        video.release()


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in _folder(folder).iterdir() if path.is_dir() and not path.name.startswith("."))


def _folder(folder: Path) -> Path:
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}. Give the folder of the data sets.")
    return folder
