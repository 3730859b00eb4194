"""OpenCV's VideoCapture, and the only use of it: a USB camera, or a recorded video."""

import os
from typing import Any

import numpy as np

from edge.errors import CameraError
from edge.types import Rgb

os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")  # its warnings about absent back-ends only frighten people


def open_capture(source: str, *, width: int = 0, height: int = 0, fps: float = 0) -> tuple[Any, float]:
    """An opened capture and the frames a second it says it gives, 0 when it does not say.

    ``source``: a video file's path, or a device node such as ``/dev/video0`` (then ``width``, ``height``, ``fps``
    are asked for). Raises CameraError.
    """
    import cv2

    is_device = source.startswith("/dev/")
    capture = cv2.VideoCapture(source, cv2.CAP_V4L2) if is_device else cv2.VideoCapture(source, cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise CameraError(
            f"The camera {source:.200} does not open. Check that it is plugged in (`ls /dev/video*`), that nothing "
            "else uses it, and that this user is in the group video."
            if is_device
            else f"The recording {source:.200} is no video that can be played. Convert it to MP4 or Matroska."
        )
    if is_device:
        for setting, value in (
            (cv2.CAP_PROP_FRAME_WIDTH, width),
            (cv2.CAP_PROP_FRAME_HEIGHT, height),
            (cv2.CAP_PROP_FPS, fps),
            (cv2.CAP_PROP_BUFFERSIZE, 1),
        ):
            capture.set(setting, value)
    rate = float(capture.get(cv2.CAP_PROP_FPS))
    return capture, rate if np.isfinite(rate) and 0 < rate <= 240 else 0.0


def size_of(capture: Any) -> str:
    """``640x480``, as the driver says."""
    import cv2

    return f"{capture.get(cv2.CAP_PROP_FRAME_WIDTH):.0f}x{capture.get(cv2.CAP_PROP_FRAME_HEIGHT):.0f}"


def read_rgb_frame(capture: Any) -> Rgb | None:
    """The next frame as a copy in RGB, or None when there is none."""
    import cv2

    got, bgr = capture.read()
    if not got:
        return None
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)
