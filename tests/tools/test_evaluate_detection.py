"""Faces found against faces boxed: the counting by hand, and the real detector on real photographs."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from edge.errors import InputError
from edge.types import Box, Face
from tools.evaluate import detection, wider
from tools.evaluate.networks import open_networks

ASTRONAUT = "170 65 105 135 0 0 0 0 0 0"
"""x y w h of the face in astronaut.png, measured by eye."""


def face(x0: float, y0: float, x1: float, y1: float, probability: float = 0.9) -> Face:
    return Face(Box(x0, y0, x1, y1), np.zeros((5, 2), dtype=np.float32), probability)


def boxes(*rows: tuple[float, float, float, float]) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    return np.array(rows, dtype=np.float32).reshape(-1, 4)


def test_a_face_is_found_by_half_overlap_and_only_once() -> None:
    wanted = boxes((0, 0, 100, 100))
    found = detection.tally(wanted, [False], [face(0, 0, 100, 80, 0.8), face(0, 0, 100, 100, 0.9)])
    assert found == detection.Tally(faces=1, ious=(1.0,), false=1)
    assert detection.tally(wanted, [False], [face(0, 0, 100, 49)]) == detection.Tally(1, (), 1)
    assert detection.tally(wanted, [False], []) == detection.Tally(1, (), 0)


def test_each_detection_takes_the_face_that_it_overlaps_most() -> None:
    wanted = boxes((0, 0, 100, 100), (30, 0, 130, 100))
    found = detection.tally(wanted, [False, False], [face(28, 0, 128, 100), face(0, 0, 100, 100, 0.7)])
    assert found.ious == pytest.approx((98 / 102, 1.0))
    assert found.false == 0


def test_a_face_that_may_be_missed_is_neither_found_nor_false() -> None:
    wanted = boxes((0, 0, 40, 40))
    assert detection.tally(wanted, [True], [face(0, 0, 40, 40)]) == detection.Tally(0, (), 0)
    assert detection.tally(wanted, [True], []) == detection.Tally(0, (), 0)


def test_a_detection_of_nothing_is_false() -> None:
    assert detection.tally(boxes(), [], [face(0, 0, 50, 50)]) == detection.Tally(0, (), 1)


def test_pictures_are_scaled_down_to_fit_and_never_up() -> None:
    rgb, scale = detection.fitted(np.zeros((1000, 1000, 3), dtype=np.uint8))
    assert (rgb.shape, scale) == ((480, 480, 3), 0.48)
    rgb, scale = detection.fitted(np.zeros((100, 200, 3), dtype=np.uint8))
    assert (rgb.shape, scale) == ((100, 200, 3), 1)


def make_wider(folder: Path, photos: dict[str, Path], *faces: str) -> Path:
    """The astronaut with the given boxes, and a cup of coffee without."""
    for name in ("astronaut.png", "coffee.png"):
        shutil.copy(photos[name], folder / name)
    nothing = "0 0 0 0 0 0 0 0 0 0"
    lines = ["astronaut.png", str(len(faces)), *(faces or [nothing]), "coffee.png", "0", nothing]
    (folder / "boxes.txt").write_text("\n".join(lines))
    return folder


def test_the_committed_networks_find_the_face_and_nothing_else(tmp_path: Path, photos: dict[str, Path]) -> None:
    far_corner = "400 400 100 100 0 0 0 0 0 0"
    too_small = "10 400 40 40 0 0 0 0 0 0"
    pictures = wider.open_pictures(make_wider(tmp_path, photos, ASTRONAUT, far_corner, too_small))
    result = detection.detect(pictures, open_networks([])[0])

    assert (result.pictures, result.faces, result.found, result.false) == (2, 2, 1, 0)
    assert result.recall == 0.5
    assert 0.6 < result.mean_iou < 1
    assert (result.kind, result.networks) == ("int8", "models_tflite")


def test_a_set_without_a_face_that_counts_is_refused(tmp_path: Path, photos: dict[str, Path]) -> None:
    pictures = wider.open_pictures(make_wider(tmp_path, photos))
    with pytest.raises(InputError, match="No face of 48 px"):
        detection.detect(pictures, open_networks([])[0])
