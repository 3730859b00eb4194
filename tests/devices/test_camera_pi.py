"""What the Pi's camera gives in whatever format is RGB afterwards. The camera itself is tried by the lab."""

import cv2
import numpy as np
import pytest

from edge.devices.camera_pi import to_rgb
from edge.errors import CameraError
from edge.types import Rgb

ORANGE: Rgb = np.full((48, 64, 3), (230, 120, 20), np.uint8)
TOLERANCE = 3
"""Levels of 255 that a colour may move on its way through YUV and back."""


def close_to(rgb: Rgb, expected: Rgb) -> bool:
    return rgb.shape == expected.shape and int(np.abs(rgb.astype(int) - expected).max()) <= TOLERANCE


def test_red_is_first_whatever_the_camera_calls_it() -> None:
    """picamera2 names its formats the other way round."""
    assert np.array_equal(to_rgb("BGR888")(ORANGE), ORANGE)
    assert np.array_equal(to_rgb("RGB888")(ORANGE[:, :, ::-1]), ORANGE)


def test_planar_pictures_become_rgb() -> None:
    i420 = np.asarray(cv2.cvtColor(ORANGE, cv2.COLOR_RGB2YUV_I420), np.uint8)
    assert close_to(to_rgb("YUV420")(i420), ORANGE)
    luma, u, v = np.split(i420.ravel(), [48 * 64, 48 * 64 * 5 // 4])
    nv12 = np.concatenate([luma, np.stack([u, v], axis=1).ravel()]).reshape(72, 64)
    assert close_to(to_rgb("NV12")(nv12), ORANGE)


def test_a_format_that_is_not_known_is_refused() -> None:
    with pytest.raises(CameraError, match="MJPEG"):
        to_rgb("MJPEG")
