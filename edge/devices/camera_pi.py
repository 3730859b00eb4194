"""The Raspberry Pi's own camera, and the only import of picamera2."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from edge.errors import CameraError
from edge.types import Frame, Rgb

FRAME_TIMEOUT_S = 3.0
"""picamera2 waits for ever on a dead sensor unless it is told how long."""


def _libcamera_id(camera: Any) -> str:
    """The sensor's path in the device tree, which libcamera calls its id; the model where there is none."""
    properties = camera.camera_properties
    return str(getattr(camera.camera, "id", None) or properties.get("Model", "unnamed"))


class PiCamera:
    """A libcamera sensor through picamera2."""

    def __init__(self, *, width: int, height: int, fps: float) -> None:
        """Raises CameraError when picamera2 is absent or no sensor answers."""
        try:
            from picamera2 import Picamera2
        except ImportError as error:
            raise CameraError(
                f"picamera2 is not installed ({error}). On Raspberry Pi OS run `sudo apt install python3-picamera2`; "
                'for a USB camera set camera.driver = "v4l2".'
            ) from error
        try:
            self._camera = Picamera2()
            # picamera2's "BGR888" is red first in memory: what this project calls RGB.
            main = {"size": (width, height), "format": "BGR888"}
            self._camera.configure(self._camera.create_video_configuration(main=main, controls={"FrameRate": fps}))
            self._camera.start()
        except (RuntimeError, IndexError, OSError, ValueError) as error:
            raise CameraError(
                f"The Raspberry Pi's camera does not start ({error}). Check the ribbon cable and `rpicam-hello --list`."
            ) from error
        self.name = f"Raspberry Pi camera ({width}x{height})"
        self.identity = f"{_libcamera_id(self._camera)} {width}x{height}"
        self._stop = threading.Event()

    def frames(self) -> Iterator[Frame]:
        """See the port. Raises CameraError when no frame comes for ``FRAME_TIMEOUT_S``."""
        number = 0
        while not self._stop.is_set():
            try:
                picture: Rgb = np.ascontiguousarray(self._camera.capture_array("main", wait=FRAME_TIMEOUT_S), np.uint8)
            except (RuntimeError, TimeoutError, OSError) as error:
                raise CameraError(
                    f"The Raspberry Pi's camera stopped ({error}). Check its cable and its power supply."
                ) from error
            yield Frame(picture[:, :, :3].copy(), time.monotonic(), number)
            number += 1

    def close(self) -> None:
        if not self._stop.is_set():
            self._stop.set()
            self._camera.stop()
            self._camera.close()
