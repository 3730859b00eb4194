"""Faces found against faces boxed: the counting by hand, and the real detector on real photographs."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from edge.errors import InputError
from edge.types import Box, Face
from tools.evaluate import detection, wider
from tools.evaluate.networks import open_networks
from tools.evaluate.yunet import YuNet

ASTRONAUT = "170 65 105 135 0 0 0 0 0 0"
"""x y w h of the face in astronaut.png, measured by eye."""


def face(x0: float, y0: float, x1: float, y1: float, probability: float = 0.9) -> Face:
    return Face(Box(x0, y0, x1, y1), np.zeros((5, 2), dtype=np.float32), probability)


def boxes(*rows: tuple[float, float, float, float]) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    return np.array(rows, dtype=np.float32).reshape(-1, 4)


def ious(tally: detection.Tally) -> dict[int, float]:
    return {place: iou for place, (_, iou) in tally.found.items()}


def test_a_face_is_found_by_half_overlap_and_only_once() -> None:
    wanted = boxes((0, 0, 100, 90))
    found = detection.tally(wanted, [False], [face(0, 0, 100, 80, 0.8), face(0, 0, 100, 90, 0.9)])
    assert (found.sizes_px, ious(found), found.false) == ({0: 100}, {0: 1.0}, 1)
    missed = detection.tally(wanted, [False], [face(0, 0, 100, 44)])
    assert (missed.sizes_px, ious(missed), missed.false) == ({0: 100}, {}, 1)
    assert not detection.tally(wanted, [False], []).found


def test_each_detection_takes_the_face_that_it_overlaps_most() -> None:
    wanted = boxes((0, 0, 100, 100), (30, 0, 130, 100))
    found = detection.tally(wanted, [False, False], [face(28, 0, 128, 100), face(0, 0, 100, 100, 0.7)])
    assert ious(found) == pytest.approx({1: 98 / 102, 0: 1.0})
    assert found.false == 0


def test_a_face_that_may_be_missed_is_neither_found_nor_false() -> None:
    wanted = boxes((0, 0, 40, 40))
    for faces in ([face(0, 0, 40, 40)], []):
        found = detection.tally(wanted, [True], faces)
        assert (found.sizes_px, found.found, found.false) == ({}, {}, 0)


def test_a_detection_of_nothing_is_false() -> None:
    assert detection.tally(boxes(), [], [face(0, 0, 50, 50)]).false == 1


def looked(*faces: tuple[float, float, bool]) -> detection.Tally:
    """A picture of faces in a row: side, how far to the right the landmarks lie, and whether it is found."""
    wanted = boxes(*((300 * i, 0, 300 * i + side, side) for i, (side, _, _) in enumerate(faces)))
    found = [
        Face(
            Box(300 * i, 0, 300 * i + side, side),
            np.array([[0, 0], [50, 0], [25, 20], [5, 40], [45, 40]], dtype=np.float32)
            + np.array([300 * i + shift, 0], dtype=np.float32),
            0.9,
        )
        for i, (side, shift, seen) in enumerate(faces)
        if seen
    ]
    return detection.tally(wanted, [False] * len(faces), found)


def test_networks_are_compared_with_the_reference_face_by_face() -> None:
    reference = [looked((50, 0, True), (96, 0, True)), looked((200, 0, True), (64, 0, False))]
    other = [looked((50, 1, True), (96, 0, False)), looked((200, 2, True), (64, 9, True))]
    networks = open_networks([], ["cpu"])[0]
    result = detection.summed("faces", networks, other, reference)

    # Landmarks 1 and 2 px off, with eyes 50 px apart; the others are found by one of the two only.
    assert result.landmarks_moved == pytest.approx(3.0)
    assert result.landmark_faces == 2
    assert result.recall == 0.75
    assert result.recall_difference == 0
    assert result.recall_difference_interval == pytest.approx((-0.5, 0.5))
    assert [(size.from_px, size.faces, size.recall, size.landmarks_moved) for size in result.by_size] == [
        (48, 1, 1.0, pytest.approx(2.0)),
        (64, 1, 1.0, None),
        (96, 1, 0.0, None),
        (160, 1, 1.0, pytest.approx(4.0)),
    ]
    same = detection.summed("faces", networks, reference, reference)
    assert (same.recall_difference, same.recall_difference_interval, same.landmarks_moved) == (0, (0, 0), 0)


def test_landmarks_are_held_against_a_witness_on_faces_that_all_three_find() -> None:
    """The witness's eyes are 50 px apart: in a face of 250 px they are those of a face turned away."""
    witness = [looked((50, 0, True), (96, 0, True)), looked((250, 0, True), (64, 0, True))]
    reference = [looked((50, 1, True), (96, 1, True)), looked((250, 20, True), (64, 0, False))]
    other = [looked((50, 2, True), (96, 0, False)), looked((250, 9, True), (64, 4, True))]
    networks = open_networks([], ["cpu"])[0]
    result = detection.summed("faces", networks, other, reference, witness)

    assert result.landmark_error == pytest.approx(100 * (2 + 4) / 2 / 50)
    assert result.witness_faces == 2
    assert result.landmark_error_difference == pytest.approx(100 * (2 - 1) / 50)  # only the first is found by all
    assert [size.landmark_error for size in result.by_size] == [pytest.approx(4.0), pytest.approx(8.0), None, None]
    alone = detection.summed("faces", networks, reference, witness=witness)
    assert alone.landmark_error == pytest.approx(2.0)
    assert alone.landmark_error_difference is None


def test_a_witness_that_is_no_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "yunet.onnx").write_bytes(b"rubbish")
    with pytest.raises(InputError, match=r"yunet\.onnx"):
        YuNet(tmp_path / "yunet.onnx")


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
    result, tallies = detection.detect("space", pictures, open_networks([], ["cpu"])[0])

    # Mirrored too: twice the faces.
    assert (result.data_set, result.pictures, result.faces, result.found, result.false) == ("space", 2, 4, 2, 0)
    assert result.recall == 0.5
    assert result.mean_iou is not None
    assert 0.6 < result.mean_iou < 1
    assert (result.variant, result.networks) == ("cpu", "models_tflite")
    assert (result.recall_difference, result.landmark_error, result.landmarks_moved) == (None, None, None)
    assert [len(each.found) for each in tallies] == [2, 0]


def test_a_set_without_a_face_that_counts_is_refused(tmp_path: Path, photos: dict[str, Path]) -> None:
    pictures = wider.open_pictures(make_wider(tmp_path, photos))
    with pytest.raises(InputError, match="No face of 48 px"):
        detection.detect("space", pictures, open_networks([], ["cpu"])[0])
