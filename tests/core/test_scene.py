import numpy as np

from edge.core.scene import FROZEN_S, Freshness
from edge.types import Frame


def frame(shade: int, captured_s: float, size: int = 20) -> Frame:
    return Frame(np.full((size, size, 3), shade, dtype=np.uint8), captured_s, 0)


def test_a_repeated_frame_is_not_new_and_freezes_after_a_while() -> None:
    freshness = Freshness()
    assert freshness.is_new(frame(1, 0.0))
    assert not freshness.is_new(frame(1, 0.1))
    assert not freshness.is_frozen(frame(1, FROZEN_S - 0.1))
    assert freshness.is_frozen(frame(1, FROZEN_S))


def test_one_changed_pixel_is_a_new_frame() -> None:
    freshness = Freshness()
    freshness.is_new(frame(1, 0.0))
    changed = frame(1, 5.0)
    changed.rgb[7, 7, 1] += 1
    assert freshness.is_new(changed)
    assert not freshness.is_frozen(frame(1, 5.1))


def test_a_frame_of_another_size_is_new() -> None:
    freshness = Freshness()
    freshness.is_new(frame(1, 0.0))
    assert freshness.is_new(frame(1, 0.1, size=24))
