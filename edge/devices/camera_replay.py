"""A recording played as if it were a camera: named simulated, with a camera's timing."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edge.errors import CameraError
from edge.images import pictures_in, read_rgb
from edge.types import Frame, Rgb


class ReplayCamera:
    """Plays a video file, or a folder's pictures in order, once, at ``fps``; frames that nobody takes are lost.

    A video brings its own rate. Pictures keep their own sizes.
    """

    def __init__(self, source: Path, fps: float) -> None:
        """Raises CameraError when the source does not exist or holds nothing to play."""
        self.name = f"simulated (replay of {source.name!r})"
        self.identity = ""
        self._source, self._fps = source, fps
        self._stop = threading.Event()
        if not source.exists():
            raise CameraError(
                f"The recording {source!s:.200} does not exist. Name a video file or a folder of pictures."
            )
        if source.is_dir() and not pictures_in(source):
            raise CameraError(f"The folder {source!s:.200} holds no pictures. Put JPEG or PNG files in it.")

    def frames(self) -> Iterator[Frame]:
        """See the port; ends with the recording."""
        pictures = self._from_folder() if self._source.is_dir() else self._from_video()
        start_s = time.monotonic()
        for number, rgb in enumerate(pictures):
            due_s = start_s + number / self._fps
            if self._stop.wait(max(due_s - time.monotonic(), 0)):
                return
            yield Frame(rgb, time.monotonic(), number)

    def close(self) -> None:
        self._stop.set()

    def _from_folder(self) -> Iterator[Rgb]:
        return (read_rgb(path) for path in pictures_in(self._source))

    def _from_video(self) -> Iterator[Rgb]:
        from edge.devices.capture import open_capture, read_rgb_frame

        capture, rate = open_capture(str(self._source))
        self._fps = rate or self._fps
        try:
            while (rgb := read_rgb_frame(capture)) is not None:
                yield np.ascontiguousarray(rgb)
        finally:
            capture.release()
