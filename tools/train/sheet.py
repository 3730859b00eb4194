"""The contact sheet: ten generated attacks, made from photographs in the public domain."""

from pathlib import Path

import cv2
import numpy as np

from edge.images import read_rgb
from edge.models.liveness import surroundings
from edge.models.manifest import Shelf
from edge.models.mtcnn import Mtcnn
from edge.types import Rgb
from tools import photos
from tools.train.attacks import KINDS, attack
from tools.train.scene import Shown

PEOPLE = ("obama.jpg", "biden.jpg", "astronaut.png", "obama2.jpg", "obama3.jpg")
COUNT, COLUMNS, SIDE_PX = 10, 5, 220


def draw(path: Path) -> None:
    """Write the sheet as PNG or JPEG, by the path's ending."""
    shown = _photographs()
    pictures: list[Rgb] = []
    for number in range(COUNT):
        kind = KINDS[number % len(KINDS)]
        made = attack(kind, shown[number % len(shown)], shown[(number + 2) % len(shown)], number)
        pictures.append(_named(surroundings(made.rgb, made.box, SIDE_PX), kind))
    rows = [np.hstack(pictures[start : start + COLUMNS]) for start in range(0, COUNT, COLUMNS)]
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.vstack(rows)[..., ::-1])


def _photographs() -> list[Shown]:
    detector = Mtcnn(Shelf.open())
    fetched = photos.fetch()
    pictures = [read_rgb(fetched[name]) for name in PEOPLE]
    return [Shown(rgb, detector.detect(rgb)[0].box) for rgb in pictures]


def _named(rgb: Rgb, kind: str) -> Rgb:
    strip = np.full((20, SIDE_PX, 3), 255, np.uint8)
    cv2.putText(strip, kind, (6, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    framed = cv2.copyMakeBorder(np.vstack([rgb, strip]), 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    return np.asarray(framed, np.uint8)
