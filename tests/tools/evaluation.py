"""Tiny data sets of every layout, made of real photographs, and the commands run on them."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from edge.models.manifest import MANIFEST, own_folder
from tools.evaluate import lfw
from tools.models.manifest_writer import dumps

ROOT = Path(__file__).parents[2]

PICTURES = {
    "Somebody": ("biden.jpg", "biden.jpg"),
    "Eileen_Collins": ("astronaut.png",),
    "Barack_Obama": ("obama.jpg", "obama2.jpg"),
    "Joe_Biden": ("biden.jpg",),
    "No_Face": ("coffee.png", "rocket.jpg"),
}
TRAIN = "1\nSomebody\t1\t2\nSomebody\t1\tEileen_Collins\t1\n"
TEST = "2\nBarack_Obama\t1\t2\nNo_Face\t1\t2\nBarack_Obama\t1\tJoe_Biden\t1\nNo_Face\t1\tJoe_Biden\t1\n"

NUAA = {
    "0001/0001_00_00_01_1.jpg": "obama.jpg",
    "0001/0001_00_00_02_1.jpg": "obama2.jpg",
    "0002/0002_00_00_01_1.jpg": "biden.jpg",
}
SESSIONS = {
    "neutral/1_03.jpg": "obama.jpg",
    "smiling/1_08.jpg": "obama3.jpg",
    "neutral/2_03.jpg": "biden.jpg",
    "smiling/3_08.png": "astronaut.png",
}
PEOPLE = {
    "Barack Obama/a.jpg": "obama.jpg",
    "Barack Obama/b.jpg": "obama2.jpg",
    "Joe Biden/a.jpg": "biden.jpg",
    "Eileen/a.png": "astronaut.png",
}
BOXES = "astronaut.png\n1\n170 65 105 135 0 0 0 0 0 0\ncoffee.png\n0\n0 0 0 0 0 0 0 0 0 0\n"
"""x y w h of the face in astronaut.png, measured by eye; and a cup of coffee."""


def put(folder: Path, photos: dict[str, Path], names: dict[str, str]) -> Path:
    for name, photo in names.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(photos[photo], folder / name)
    return folder


def make_lfw(folder: Path, photos: dict[str, Path]) -> Path:
    for person, names in PICTURES.items():
        put(folder, photos, {lfw.Picture(person, i).name: name for i, name in enumerate(names, start=1)})
    (folder / "pairsDevTrain.txt").write_text(TRAIN)
    (folder / "pairsDevTest.txt").write_text(TEST)
    return folder


def make_wider(folder: Path, photos: dict[str, Path]) -> Path:
    put(folder, photos, {"astronaut.png": "astronaut.png", "coffee.png": "coffee.png"})
    (folder / "boxes.txt").write_text(BOXES)
    return folder


def make_data(folder: Path, photos: dict[str, Path]) -> Path:
    """What ``record`` wants."""
    make_lfw(folder / "lfw_view1", photos)
    make_wider(folder / "group_photos", photos)
    put(folder / "print_attack" / "live", photos, NUAA)
    put(folder / "london", photos, SESSIONS)
    return folder


def shelf_of(folder: Path, variant: str) -> Path:
    """The committed ``cpu`` networks as a shelf of their own, called ``variant`` there."""
    shutil.copytree(own_folder(), folder)
    document = tomllib.loads((folder / MANIFEST).read_text())
    for model in document["models"].values():
        model["variants"] = {variant: model["variants"]["cpu"]}
    (folder / MANIFEST).write_text(dumps(document))
    return folder


def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tools.evaluate", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
