import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.core.pyramid import CELL_PX, FACTOR, plan

frames = st.tuples(st.integers(12, 1280), st.integers(12, 960), st.floats(20, 400))


@given(frames)
def test_levels_lie_at_even_places_and_never_overlap(frame: tuple[int, int, float]) -> None:
    canvas = plan(*frame)
    taken = np.zeros((canvas.height_px, canvas.width_px), dtype=np.int64)
    for level in canvas.levels:
        assert level.x_px % 2 == 0
        assert level.y_px % 2 == 0
        assert level.x_px + level.width_px <= canvas.width_px
        assert level.y_px + level.height_px <= canvas.height_px
        taken[level.y_px : level.y_px + level.height_px, level.x_px : level.x_px + level.width_px] += 1
    assert taken.max() == 1


@given(frames)
def test_the_first_level_finds_the_smallest_face_and_the_last_the_largest(frame: tuple[int, int, float]) -> None:
    width, height, min_face_px = frame
    levels = plan(*frame).levels
    largest = min(width, height)
    assert levels[0].scale == max(CELL_PX / min_face_px, CELL_PX / largest)
    assert round(largest * levels[-1].scale) >= CELL_PX
    assert round(largest * levels[-1].scale * FACTOR) < CELL_PX
    assert all(level.cells_wide >= 1 and level.cells_high >= 1 for level in levels)


def test_the_canvas_of_a_vga_frame_is_small() -> None:
    canvas = plan(640, 480, 60)
    assert canvas.width_px * canvas.height_px <= 134 * 222
