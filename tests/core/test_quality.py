import numpy as np
import pytest

from edge.core.align import TEMPLATE
from edge.core.quality import measure
from edge.types import Box, Face


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
