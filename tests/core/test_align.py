import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.align import TEMPLATE, similarity_transform


@given(st.floats(-np.pi, np.pi), st.floats(0.05, 20), st.floats(-500, 500), st.floats(-500, 500))
def test_a_turned_scaled_and_shifted_template_is_brought_back_exactly(
    angle: float, scale: float, x: float, y: float
) -> None:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    landmarks = (TEMPLATE @ turn.T + [x, y]).astype(np.float32)
    matrix = similarity_transform(landmarks)
    assert np.allclose(landmarks @ matrix[:, :2].T + matrix[:, 2], TEMPLATE, atol=0.05)


def test_a_mirrored_face_is_turned_but_never_mirrored() -> None:
    matrix = similarity_transform(TEMPLATE * np.array([-1, 1], dtype=np.float32))
    assert np.linalg.det(matrix[:, :2]) > 0


@pytest.mark.parametrize("landmarks", [np.zeros((5, 2)), np.full((5, 2), np.nan), np.full((5, 2), np.inf)])
def test_landmarks_without_extent_are_refused(landmarks: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> None:
    with np.errstate(invalid="ignore"), pytest.raises(ValueError, match="landmarks"):
        similarity_transform(landmarks.astype(np.float32))
