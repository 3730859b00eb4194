import numpy as np

from edge.core.scene import FROZEN_S, Freshness
from edge.types import Frame


def frame(shade: int, captured_s: float, size: int = 20) -> Frame:
    return Frame(np.full((size, size, 3), shade, dtype=np.uint8), captured_s, 0)


def test_a_repeated_frame_is_not_new_and_freezes_after_a_while() -> None:
    freshness = Freshness()
    assert freshness.is_new(frame(90, 0.0))
    assert not freshness.is_new(frame(90, 0.1))
    assert not freshness.is_frozen(frame(90, FROZEN_S - 0.1))
    assert freshness.is_frozen(frame(90, FROZEN_S))


def test_one_changed_pixel_is_a_new_frame() -> None:
    freshness = Freshness()
    freshness.is_new(frame(90, 0.0))
    changed = frame(90, 5.0)
    changed.rgb[7, 7, 1] += 1
    assert freshness.is_new(changed)
    assert not freshness.is_frozen(frame(90, 5.1))


def test_a_frame_of_another_size_is_new() -> None:
    freshness = Freshness()
    freshness.is_new(frame(90, 0.0))
    assert freshness.is_new(frame(90, 0.1, size=24))


def test_a_ring_of_old_frames_is_not_new_and_freezes() -> None:
    freshness = Freshness()
    for number in range(4):
        assert freshness.is_new(frame(90 + number, number / 10))
    assert not any(freshness.is_new(frame(90 + number % 4, 1 + number / 10)) for number in range(12))
    assert freshness.is_frozen(frame(90, 4.0))


def test_darkness_is_no_frozen_camera() -> None:
    freshness = Freshness()
    assert freshness.is_new(frame(0, 0.0))
    assert not freshness.is_new(frame(0, 60.0))
    assert not freshness.is_frozen(frame(0, 60.0))
