"""A USB webcam."""

import threading
import time
from collections.abc import Iterator

from edge.devices.capture import open_capture, read_rgb_frame
from edge.errors import CameraError
from edge.types import Frame


class V4l2Camera:
    """A Video4Linux device through OpenCV."""

    def __init__(self, device: str, *, width: int, height: int, fps: float) -> None:
        """``device``: for example ``/dev/video0``. Raises CameraError when it does not open."""
        device = device or "/dev/video0"
        if not device.startswith("/dev/"):
            raise CameraError(f"camera.source {device!r:.200} is no device. Write a node such as /dev/video0.")
        self.name = device
        self._capture, _ = open_capture(device, width=width, height=height, fps=fps)
        self._lock = threading.Lock()
        self._closed = False

    def frames(self) -> Iterator[Frame]:
        """See the port. Raises CameraError when the device stops giving frames."""
        number = 0
        while True:
            with self._lock:
                if self._closed:
                    return
                rgb = read_rgb_frame(self._capture)
            if rgb is None:
                raise CameraError(f"The camera {self.name} stopped. Check its cable and its power supply.")
            yield Frame(rgb, time.monotonic(), number)
            number += 1

    def close(self) -> None:
        self._closed = True
        # A read that hangs in the driver holds the lock: the device is then left to the process's end.
        if self._lock.acquire(timeout=1):
            self._capture.release()
            self._lock.release()
