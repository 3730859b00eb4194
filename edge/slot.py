"""The newest-frame slot between the camera's thread and the eyes: newest wins, nobody waits for ever."""

import threading

from edge.errors import CameraError
from edge.ports import Camera
from edge.types import Frame


class NewestFrame:
    """Runs a camera in a thread of its own and hands out its newest frame. ``dropped`` counts frames nobody took."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._condition = threading.Condition()
        self._frame: Frame | None = None
        self._ended = False
        self._error: Exception | None = None
        self.dropped = 0
        self._thread = threading.Thread(target=self._pump, name="camera", daemon=True)
        self._thread.start()

    def take(self, timeout_s: float) -> Frame | None:
        """The newest frame not taken before, or None when the source has ended.

        Raises CameraError when no frame comes within ``timeout_s``, and whatever the camera itself raised.
        """
        with self._condition:
            arrived = self._condition.wait_for(lambda: self._frame is not None or self._ended, timeout_s)
            if self._frame is not None:
                frame, self._frame = self._frame, None
                return frame
            if self._error is not None:
                raise self._error
        if not arrived:
            raise CameraError(
                f"The camera {self._camera.name} gave no frame for {timeout_s:.0f} s. Check its cable and what uses it."
            )
        return None

    def close(self) -> None:
        """Close the camera and wait a moment for its thread; a driver that hangs is left behind as a daemon thread."""
        self._camera.close()
        self._thread.join(timeout=2)

    def _pump(self) -> None:
        error: Exception | None = None
        try:
            for frame in self._camera.frames():
                with self._condition:
                    self.dropped += self._frame is not None
                    self._frame = frame
                    self._condition.notify()
        except Exception as caught:  # handed to the thread that takes frames, which raises it
            error = caught
        with self._condition:
            self._error, self._ended = error, True
            self._condition.notify()
