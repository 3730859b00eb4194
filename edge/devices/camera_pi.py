"""The Raspberry Pi's own camera, and the only import of picamera2."""

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from edge.errors import CameraError
from edge.types import Frame, Rgb

FRAME_TIMEOUT_S = 3.0
"""picamera2 waits for ever on a dead sensor unless it is told how long."""

Convert = Callable[[npt.NDArray[np.uint8]], Rgb]


def to_rgb(pixel_format: str) -> Convert:
    """What makes an RGB picture of picamera2's array in this format. Raises CameraError for one that is not known.

    picamera2's "BGR888" is red first in memory: what this project calls RGB. The planar formats are (3H/2, W),
    brightness first and then colour at half the resolution; YUV420 may come with padding on the right, which stays.
    """
    import cv2

    def converted(code: int) -> Convert:
        return lambda array: np.asarray(cv2.cvtColor(array, code), np.uint8)

    known: dict[str, Convert] = {
        "BGR888": lambda array: array,
        "RGB888": converted(cv2.COLOR_BGR2RGB),
        "NV12": converted(cv2.COLOR_YUV2RGB_NV12),
        "YUV420": converted(cv2.COLOR_YUV2RGB_I420),
    }
    if pixel_format not in known:
        raise CameraError(
            f"The Raspberry Pi's camera gives pictures as {pixel_format:.40}, and this lock reads {', '.join(known)}. "
            "Use another camera."
        )
    return known[pixel_format]


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
            main = {"size": (width, height), "format": "BGR888"}
            self._camera.configure(self._camera.create_video_configuration(main=main, controls={"FrameRate": fps}))
            # What the camera made of it: libcamera adjusts what it has not.
            given = self._camera.camera_configuration()["main"]
            self._to_rgb, self._size = to_rgb(given["format"]), given["size"]
            self._camera.start()
        except CameraError:
            self._camera.close()
            raise
        except (RuntimeError, IndexError, OSError, ValueError) as error:
            raise CameraError(
                f"The Raspberry Pi's camera does not start ({error}). Check the ribbon cable and `rpicam-hello --list`."
            ) from error
        self.name = f"Raspberry Pi camera ({self._size[0]}x{self._size[1]})"
        self._stop = threading.Event()

    def frames(self) -> Iterator[Frame]:
        """See the port. Raises CameraError when no frame comes for ``FRAME_TIMEOUT_S``."""
        number = 0
        while not self._stop.is_set():
            try:
                picture = np.ascontiguousarray(self._camera.capture_array("main", wait=FRAME_TIMEOUT_S), np.uint8)
            except (RuntimeError, TimeoutError, OSError) as error:
                raise CameraError(
                    f"The Raspberry Pi's camera stopped ({error}). Check its cable and its power supply."
                ) from error
            yield Frame(np.ascontiguousarray(self._to_rgb(picture)[:, : self._size[0]]), time.monotonic(), number)
            number += 1

    def close(self) -> None:
        if not self._stop.is_set():
            self._stop.set()
            self._camera.stop()
            self._camera.close()
