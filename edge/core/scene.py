"""Whether a frame is new. A camera that hangs often repeats its last picture, and evidence must not grow on a
repetition."""

from collections import deque

import numpy as np

from edge.types import Frame, Rgb

RING = 4
"""Frames remembered: a driver that hangs repeats one buffer, or goes round its ring of two to four."""

DARK = 25.0
"""Mean of 0..255 below which a picture says nothing: a covered lens or a dark room may well be black to the last
bit."""

FROZEN_S = 3.0
"""Bit-identical frames for so long are a camera that stopped: a sensor's noise never repeats, and a stall is
shorter."""


class Freshness:
    """Remembers the last new frames."""

    def __init__(self) -> None:
        self._recent: deque[Rgb] = deque(maxlen=RING)
        self._new_s: float | None = None

    def is_new(self, frame: Frame) -> bool:
        """False for a frame that repeats one of the last new ones bit by bit."""
        if any(np.array_equal(frame.rgb, rgb) for rgb in self._recent):
            return False
        self._recent.append(frame.rgb)
        self._new_s = frame.captured_s
        return True

    def is_frozen(self, frame: Frame) -> bool:
        """Whether nothing new came for ``FROZEN_S``, and that is not because it is dark."""
        since_s = frame.captured_s - self._new_s if self._new_s is not None else 0.0
        return since_s >= FROZEN_S and float(frame.rgb.mean()) >= DARK
