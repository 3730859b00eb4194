"""The liveness network on real photographs, and the squares that it is shown."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import FaceError, ModelError
from edge.images import read_rgb
from edge.models.interpreter import load_runtime
from edge.models.liveness import FACE_MIN_PX, LEVEL, LivenessNet, by_day, surroundings
from edge.models.manifest import LIVENESS, Shelf
from edge.models.mtcnn import Mtcnn
from edge.ports import Liveness
from edge.types import Box, Face, Rgb
from tests.models.runtimes import INSTALLED
from tests.models.shelves import copied, with_content

PORTRAITS = ("obama.jpg", "biden.jpg", "astronaut.png")


@pytest.fixture(scope="module")
def liveness(shelf: Shelf) -> Liveness:
    return LivenessNet(shelf)


@pytest.fixture(scope="module")
def seen(photos: dict[str, Path], detector: Mtcnn) -> dict[str, tuple[Rgb, Face]]:
    found = {}
    for name in PORTRAITS:
        rgb = read_rgb(photos[name])
        found[name] = (rgb, detector.detect(rgb)[0])
    return found


def at(x0: float, y0: float, x1: float, y1: float) -> Face:
    return Face(Box(x0, y0, x1, y1), np.zeros((5, 2), np.float32), 1.0)


# --- the network


def test_a_face_gets_a_probability_the_same_each_time(liveness: Liveness, seen: dict[str, tuple[Rgb, Face]]) -> None:
    for rgb, face in seen.values():
        before = rgb.copy()
        first = liveness.probability(rgb, face)
        assert isinstance(first, float)
        assert 0 <= first <= 1
        assert liveness.probability(rgb, face) == first
        np.testing.assert_array_equal(rgb, before)


def test_it_looks_around_the_face_it_is_given_and_nowhere_else(
    liveness: Liveness, seen: dict[str, tuple[Rgb, Face]]
) -> None:
    rgb, face = seen["astronaut.png"]
    canvas = np.full((1200, 1200, 3), 90, np.uint8)
    canvas[: rgb.shape[0], : rgb.shape[1]] = rgb
    alone = liveness.probability(canvas, face)
    canvas[700:, 700:] = np.random.default_rng(1).integers(0, 256, (500, 500, 3), dtype=np.uint8)
    assert liveness.probability(canvas, face) == alone


def test_colour_is_red_first(liveness: Liveness, seen: dict[str, tuple[Rgb, Face]]) -> None:
    assert any(
        abs(liveness.probability(rgb, face) - liveness.probability(np.ascontiguousarray(rgb[..., ::-1]), face)) > 1e-3
        for rgb, face in seen.values()
    )


def test_a_grey_frame_is_judged_as_well(liveness: Liveness, seen: dict[str, tuple[Rgb, Face]]) -> None:
    for rgb, face in seen.values():
        grey = np.repeat(rgb.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
        assert 0 <= liveness.probability(grey, face) <= 1


def test_a_face_at_the_border_of_the_frame_is_judged_from_what_the_frame_shows(
    liveness: Liveness, seen: dict[str, tuple[Rgb, Face]]
) -> None:
    rgb, face = seen["obama.jpg"]
    box = face.box
    middle_x, middle_y = round((box.x0 + box.x1) / 2), round((box.y0 + box.y1) / 2)
    for rows, columns in ((slice(middle_y, None), slice(None)), (slice(None), slice(None, middle_x))):
        cut = np.ascontiguousarray(rgb[rows, columns])
        top, left = rows.start or 0, columns.start or 0
        assert 0 <= liveness.probability(cut, at(box.x0 - left, box.y0 - top, box.x1 - left, box.y1 - top)) <= 1


@pytest.mark.parametrize(
    "face",
    [
        at(-200, 10, -20, 100), at(700, 10, 800, 100), at(10, 500, 100, 600), at(10, -90, 100, 0),
        at(10, 10, 12, 12), at(math.nan, 10, 100, 100), at(10, 10, math.inf, 100), at(50, 50, 50, 50),
    ],
)  # fmt: skip
def test_a_box_that_is_no_face_in_this_frame_is_an_error(liveness: Liveness, face: Face) -> None:
    with pytest.raises(FaceError):
        liveness.probability(np.zeros((480, 640, 3), np.uint8), face)


@pytest.mark.parametrize("runtime", INSTALLED)
def test_every_installed_runtime_says_the_same(
    runtime: str, shelf: Shelf, liveness: Liveness, seen: dict[str, tuple[Rgb, Face]]
) -> None:
    other = LivenessNet(shelf, runtime=load_runtime([runtime]))
    for rgb, face in seen.values():
        assert other.probability(rgb, face) == pytest.approx(liveness.probability(rgb, face), abs=0.03)


def test_the_form_for_accelerators_says_nearly_the_same(liveness: Liveness, seen: dict[str, tuple[Rgb, Face]]) -> None:
    other = LivenessNet(Shelf.open(None, "edgetpu"))
    for rgb, face in seen.values():
        assert other.probability(rgb, face) == pytest.approx(liveness.probability(rgb, face), abs=0.1)


def test_it_is_as_small_as_was_wanted() -> None:
    for variant in ("cpu", "edgetpu"):
        assert Shelf.open(None, variant).card(LIVENESS).size_bytes <= 700_000


def test_without_the_network_there_is_an_error(tmp_path: Path) -> None:
    folder = copied(tmp_path / "shelf", lambda models: models.pop(LIVENESS))
    with pytest.raises(ModelError, match=LIVENESS):
        LivenessNet(Shelf.open(folder))


def test_another_network_in_its_place_is_refused(tmp_path: Path, shelf: Shelf) -> None:
    folder = with_content(copied(tmp_path / "shelf"), LIVENESS, shelf.load("onet"))
    with pytest.raises(ModelError):
        LivenessNet(Shelf.open(folder))


def test_by_day_the_network_sees_the_square_as_it_is() -> None:
    square = np.random.default_rng(1).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    assert by_day(square) is square


@pytest.mark.parametrize("light", [0.0, 0.02, 0.2, 0.5])
def test_a_dark_square_is_brought_up_and_its_noise_is_not(light: float) -> None:
    generator = np.random.default_rng(1)
    dark = (np.full((128, 128, 3), 120 * light) + generator.normal(0, 6, (128, 128, 3))).clip(0, 255).astype(np.uint8)
    seen = by_day(dark)
    assert seen.dtype == np.uint8
    assert seen.mean() == pytest.approx(LEVEL if dark.mean() > 1 else dark.mean() * LEVEL, abs=3)
    assert seen.std() < 0.5 * dark.std() * LEVEL / max(dark.mean(), 1)


# --- the square


def ramp(height: int, width: int) -> Rgb:
    """Red is the column, green the row."""
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[..., 0], rgb[..., 1] = np.arange(width)[None, :], np.arange(height)[:, None]
    return rgb


def test_the_face_is_in_the_middle_of_its_surroundings() -> None:
    square = surroundings(ramp(200, 250), Box(80, 60, 120, 100), 54, scale=2.7)  # 108 px of the frame, 2 px a pixel
    assert square.shape == (54, 54, 3)
    assert square[0, 0].tolist() == pytest.approx([46.5, 26.5, 0], abs=1)
    assert square[-1, -1].tolist() == pytest.approx([152.5, 132.5, 0], abs=1)


@pytest.mark.parametrize(
    ("box", "first"),
    [(Box(0, 0, 40, 40), (0, 0)), (Box(205, 150, 245, 190), (142, 92)), (Box(-20, 60, 20, 100), (0, 26))],
)
def test_at_the_border_the_square_is_moved_inwards(box: Box, first: tuple[int, int]) -> None:
    square = surroundings(ramp(200, 250), box, 108, scale=2.7)
    assert tuple(square[0, 0, :2].tolist()) == first
    assert (np.diff(square[0, :, 0].astype(int)) == 1).all()  # nothing repeated, nothing black
    assert (np.diff(square[:, 0, 1].astype(int)) == 1).all()


def test_a_face_that_fills_the_frame_is_seen_with_the_whole_frame() -> None:
    square = surroundings(ramp(100, 140), Box(-10, -20, 150, 130), 100)
    assert square[0, :, 0].tolist() == list(range(20, 120))
    assert square[:, 0, 1].tolist() == list(range(100))


@given(
    st.integers(8, 90), st.integers(8, 90), st.floats(-50, 90), st.floats(-50, 90),
    st.floats(FACE_MIN_PX, 150), st.floats(FACE_MIN_PX, 150), st.integers(8, 64),
)  # fmt: skip
def test_any_box_that_touches_the_frame_gives_a_square_of_it(
    height: int, width: int, x: float, y: float, wide: float, high: float, size: int
) -> None:
    rgb = ramp(height, width)
    box = Box(x, y, x + wide, y + high)
    try:
        square = surroundings(rgb, box, size)
    except FaceError:
        assert box.x1 <= 0 or box.y1 <= 0 or box.x0 >= width or box.y0 >= height
        return
    assert square.shape == (size, size, 3)
    assert square.dtype == np.uint8
    assert square[..., 0].max() < width
    assert square[..., 1].max() < height
