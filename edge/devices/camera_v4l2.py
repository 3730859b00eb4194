"""A USB webcam."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

from edge.devices.capture import open_capture, read_rgb_frame, size_of
from edge.errors import CameraError
from edge.types import Frame

BY_ID, SYSTEM = Path("/dev/v4l/by-id"), Path("/sys/class/video4linux")


def stable_id(device: Path, by_id: Path = BY_ID, system: Path = SYSTEM) -> str:
    """What a camera is called by udev, maker and serial number; of one that udev gives no name (a virtual one, or a
    camera of the board) what the kernel calls it, and whether it is a virtual device."""
    node = device.resolve()
    named = sorted(path.name for path in by_id.glob("*") if path.resolve() == node) if by_id.is_dir() else []
    if named:
        return named[0]
    where = (system / node.name).resolve()
    kind = "virtual" if "virtual" in where.parts else "unnamed"
    try:
        return f"{kind} {(where / 'name').read_text(encoding='utf-8', errors='replace').strip()[:100]}"
    except OSError:
        return f"{kind} {node.name}"


class V4l2Camera:
    """A Video4Linux device through OpenCV."""

    def __init__(self, device: str, *, width: int, height: int, fps: float) -> None:
        """``device``: for example ``/dev/video0``. Raises CameraError when it does not open."""
        device = device or "/dev/video0"
        if not device.startswith("/dev/"):
            raise CameraError(f"camera.source {device!r:.200} is no device. Write a node such as /dev/video0.")
        self.name = device
        self._capture, _ = open_capture(device, width=width, height=height, fps=fps)
        self.identity = f"{stable_id(Path(device))} {size_of(self._capture)}"
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
