"""The squares that are learned from, and what is wanted of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.errors import ModelError
from edge.images import read_rgb
from edge.models.liveness import surroundings
from edge.models.mtcnn import Mtcnn
from edge.types import Rgb
from tools.train import camera, crops, judges, learn
from tools.train.scene import Shown


@pytest.fixture(scope="module")
def face(photos: dict[str, Path], detector: Mtcnn) -> Shown:
    rgb = read_rgb(photos["astronaut.png"])
    return Shown(rgb, detector.detect(rgb)[0].box)


def row(collection: str, kind: str, *, made: bool = False, taught: float = 0.8) -> dict[str, Any]:
    return {
        "collection": collection,
        "kind": kind,
        "made": made,
        "judged": {name: [taught] for name in judges.TEACHERS},
    }


def cache(rows: list[dict[str, Any]]) -> crops.Cache:
    side = crops.SIDE_PX
    squares = np.zeros((len(rows), crops.VARIANTS, side, side, 3), np.uint8)
    squares[:] = np.arange(len(rows), dtype=np.uint8)[:, None, None, None, None]
    bank = np.zeros((len(rows), crops.AUGMENTED, side, side, 3), np.uint8)
    bank[:] = np.arange(len(rows), dtype=np.uint8)[:, None, None, None, None]
    return crops.Cache(squares, rows, bank)


def test_the_first_square_is_the_products_own(face: Shown) -> None:
    squares = crops.variants(face, 1)
    assert squares.shape == (crops.VARIANTS, crops.SIDE_PX, crops.SIDE_PX, 3)
    np.testing.assert_array_equal(squares[0], surroundings(face.rgb, face.box, crops.SIDE_PX))
    assert len({square.tobytes() for square in squares}) == crops.VARIANTS
    np.testing.assert_array_equal(squares, crops.variants(face, 1))


def test_each_condition_is_the_same_picture_in_other_light(face: Shown) -> None:
    square = crops.variants(face, 1)[0]
    recorded, grey, dark = crops.conditions(square, 3)
    np.testing.assert_array_equal(recorded, square)
    assert np.ptp(grey.astype(int), axis=2).max() == 0
    assert dark.mean() < square.mean()
    assert len(crops.conditions(square, 3, 1)) == 1


def test_the_bank_is_made_of_the_squares_and_can_be_had_again(face: Shown) -> None:
    squares = np.stack([crops.variants(face, seed) for seed in range(4)])
    bank = crops.augmented(squares)
    assert bank.shape == (4, crops.AUGMENTED, crops.SIDE_PX, crops.SIDE_PX, 3)
    np.testing.assert_array_equal(bank, crops.augmented(squares))
    assert len({square.tobytes() for row in bank for square in row}) == 4 * crops.AUGMENTED


def test_a_picture_of_a_collection_left_out_is_never_learned() -> None:
    rows = [row("nuaa", "live"), row("nuaa", "print"), row("nuaa", "mask", made=True), row("lfw", "live")]
    rows += [row("tran", "replay"), {"collection": "tran", "kind": "no face", "made": False}]
    groups = learn.lesson(cache(rows), {"nuaa"}).groups
    assert {name: numbers.tolist() for name, numbers in groups.items()} == {
        "live": [],
        "still": [3],
        "attack": [4],
        "made": [],
    }


def test_what_is_wanted_lies_between_label_and_teachers() -> None:
    assert learn.answer(row("nuaa", "live", taught=0.6)) == pytest.approx(0.8)
    assert learn.answer(row("nuaa", "print", taught=0.6)) == pytest.approx(0.3)
    assert learn.answer(row("lfw", "mask", made=True, taught=1.0)) < 0.5


def test_a_batch_holds_its_share_of_each_group_with_the_right_answers() -> None:
    rows = [row("tran", "live"), row("lfw", "live", taught=0.2), row("tran", "replay"), row("lfw", "print", made=True)]
    kept = cache(rows)
    lesson = learn.lesson(kept, ())
    images, wanted = learn._Batches(kept, lesson, np.random.default_rng(1)).next()
    assert images.shape[1:] == (crops.SIDE_PX, crops.SIDE_PX, 3)
    numbers = np.rint(images[:, 0, 0, 0] * 128 + 127.5).astype(int)  # every pixel says which picture it is of
    shares = np.bincount(numbers, minlength=4) / len(numbers)
    assert shares == pytest.approx(list(learn.SHARES.values()), abs=0.02)
    np.testing.assert_array_equal(wanted, lesson.answers[numbers])


def test_the_teachers_may_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="teacher"):
        judges.Teacher(tmp_path / "none.tflite")


def test_a_live_face_and_an_attack_are_varied_alike(face: Shown) -> None:
    """The effects know nothing of what they are applied to."""
    square: Rgb = crops.variants(face, 1)[0]
    np.testing.assert_array_equal(camera.varied(square, 5), camera.varied(square.copy(), 5))
    assert any(not np.array_equal(camera.varied(square, seed), square) for seed in range(5))
