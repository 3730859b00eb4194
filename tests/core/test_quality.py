import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as npst

from edge.core.align import TEMPLATE
from edge.core.quality import ENROL_MIN_EYES, ENROL_MIN_SHARPNESS, enrolment_flaw, flaw, measure
from edge.types import Box, Face, Look, Rgb
from tests.conftest import Describe
from tests.core.looks import look


def measured(landmarks: object, shade: int = 100) -> tuple[float, float, float]:
    aligned = np.full((112, 112, 3), shade, dtype=np.uint8)
    quality = measure(Face(Box(0, 0, 80, 112), np.array(landmarks, dtype=np.float32), 0.99), aligned)
    return quality.yaw_deg, quality.eye_distance_px, quality.brightness


def test_a_frontal_face_looks_straight_ahead() -> None:
    yaw_deg, eye_distance_px, brightness = measured(TEMPLATE)
    assert abs(yaw_deg) < 1
    assert eye_distance_px == pytest.approx(35.24, abs=0.01)
    assert brightness == pytest.approx(100, abs=0.1)


def test_yaw_grows_with_the_noses_way_to_the_side_and_ignores_roll() -> None:
    turned = TEMPLATE.copy()
    turned[2, 0] += 17.6  # half an inter-ocular distance
    assert measured(turned)[0] == pytest.approx(38, abs=1)
    rolled = turned @ np.array([[0, 1], [-1, 0]], dtype=np.float32)  # a quarter turn
    assert measured(rolled)[0] == pytest.approx(38, abs=1)


def test_eyes_in_one_place_are_no_look_at_the_camera() -> None:
    coincident = TEMPLATE.copy()
    coincident[1] = coincident[0]
    assert np.isfinite(measured(coincident)[0])


def sharpness(aligned: Rgb) -> float:
    return measure(Face(Box(0, 0, 80, 112), TEMPLATE, 0.99), aligned).sharpness


def blurred(picture: Rgb, along: tuple[int, int], steps: int) -> Rgb:
    """Moved along so many (x, y) pixels at a time while it was taken."""
    moved = [np.roll(picture, (along[1] * step, along[0] * step), (0, 1)) for step in range(steps)]
    return np.asarray(np.mean(moved, axis=0), dtype=np.uint8)


@pytest.mark.parametrize("along", [(1, 0), (0, 1), (1, 1), (1, -1)])
def test_whichever_way_it_moved_a_picture_loses_its_sharpness(along: tuple[int, int], describe: Describe) -> None:
    face = describe.aligned("obama.jpg")
    assert sharpness(face) >= 3 * ENROL_MIN_SHARPNESS
    assert sharpness(blurred(face, along, 13)) < ENROL_MIN_SHARPNESS


def test_less_contrast_and_a_small_face_are_not_blurred(describe: Describe) -> None:
    face = describe.aligned("obama.jpg")
    assert sharpness((face // 4 + 80).astype(np.uint8)) == pytest.approx(sharpness(face), rel=0.2)
    small = face.reshape(56, 2, 56, 2, 3).mean(axis=(1, 3)).repeat(2, axis=0).repeat(2, axis=1)
    assert sharpness(small.astype(np.uint8)) > 2 * ENROL_MIN_SHARPNESS


def test_dark_glasses_are_told_from_eyes(describe: Describe) -> None:
    face = describe.aligned("obama.jpg").copy()
    assert measure(Face(Box(0, 0, 80, 112), TEMPLATE, 0.99), face).eyes > 0.5
    face[44:60, 24:88] = 20
    assert measure(Face(Box(0, 0, 80, 112), TEMPLATE, 0.99), face).eyes < ENROL_MIN_EYES


@given(npst.arrays(np.uint8, (112, 112, 3)))
def test_whatever_the_picture_its_figures_are_finite(aligned: Rgb) -> None:
    quality = measure(Face(Box(0, 0, 80, 112), TEMPLATE, 0.99), aligned)
    assert np.isfinite([quality.sharpness, quality.eyes, quality.brightness]).all()
    assert quality.sharpness >= 0


@pytest.mark.parametrize(
    ("poor", "words"),
    [
        (look(probability=0.9), "hardly a face"),
        (look(face_px=79), "come closer"),
        (look(yaw_deg=26), "look at the camera"),
        (look(yaw_deg=-26), "look at the camera"),
        (look(brightness=59), "more light"),
        (look(brightness=236), "less light"),
        (look(eyes=0.3), "take off dark glasses"),
        (look(sharpness=0.04), "hold still"),
        (look(probability=math.nan), "hardly a face"),
        (look(face_px=math.nan), "come closer"),
        (look(yaw_deg=math.nan), "look at the camera"),
        (look(brightness=math.nan), "more light"),
        (look(eyes=math.nan), "take off dark glasses"),
        (look(sharpness=math.nan), "hold still"),
    ],
)
def test_a_template_asks_for_more_than_the_door_and_says_what_to_do(poor: Look, words: str) -> None:
    assert enrolment_flaw(look().quality, 60) is None
    said = enrolment_flaw(poor.quality, 60)
    assert said is not None
    assert words in said


def test_a_template_is_never_asked_for_less_than_the_door() -> None:
    assert enrolment_flaw(look(face_px=100).quality, 120) is not None
    assert flaw(look(face_px=79, yaw_deg=26, brightness=59, eyes=0, sharpness=0, probability=0).quality, 60) is None


@pytest.mark.parametrize("name", ["obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png"])
def test_good_photographs_make_templates(name: str, describe: Describe) -> None:
    assert enrolment_flaw(describe.quality(name), 60) is None
