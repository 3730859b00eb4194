"""Whether a frame is new. A camera that hangs often repeats its last picture, and evidence must not grow on a
repetition."""

import numpy as np

from edge.types import Frame

FROZEN_S = 3.0
"""Bit-identical frames for so long are a camera that stopped: a sensor's noise never repeats, and a stall is
shorter."""


class Freshness:
    """Remembers the last new frame."""

    def __init__(self) -> None:
        self._last: Frame | None = None

    def is_new(self, frame: Frame) -> bool:
        """False for a frame that repeats the one before it bit by bit."""
        last = self._last
        if last is not None and last.rgb.shape == frame.rgb.shape and np.array_equal(last.rgb, frame.rgb):
            return False
        self._last = frame
        return True

    def is_frozen(self, frame: Frame) -> bool:
        """Whether the picture has been the same for ``FROZEN_S``."""
        return self._last is not None and frame.captured_s - self._last.captured_s >= FROZEN_S
