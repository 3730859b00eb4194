"""The image pyramid of MTCNN's first stage, packed into one canvas.

P-Net sees exactly 12 pixels square and steps by 2. Levels that start at even offsets therefore give the same cells
as they would alone, with no gap between them: the whole pyramid is one picture for one static network.
"""

from dataclasses import dataclass

import numpy as np

CELL_PX = 12
"""P-Net's receptive field (Zhang et al. 2016, "Joint face detection and alignment using multitask cascaded
networks")."""

STRIDE_PX = 2
"""P-Net's stride (one 2x2 max-pool; same paper)."""

FACTOR = 0.709
"""Scale between neighbouring levels: the area halves, as in the authors' code."""


@dataclass(frozen=True, slots=True)
class Level:
    """One size of the frame. ``scale`` is level pixels per frame pixel; ``x_px``, ``y_px`` its even place on the
    canvas."""

    scale: float
    width_px: int
    height_px: int
    x_px: int
    y_px: int

    @property
    def cells_wide(self) -> int:
        return cells(self.width_px)

    @property
    def cells_high(self) -> int:
        return cells(self.height_px)


@dataclass(frozen=True, slots=True)
class Canvas:
    """Where every level lies; both sides are even and no two levels overlap."""

    width_px: int
    height_px: int
    levels: tuple[Level, ...]


def cells(length_px: int) -> int:
    """How many cells P-Net finds along ``length_px`` pixels, at least ``CELL_PX``."""
    return (length_px - CELL_PX) // STRIDE_PX + 1


def tile_starts(length_px: int, tile_px: int) -> list[int]:
    """Where tiles of ``tile_px`` begin along a canvas of ``length_px``, for a network of that one size.

    Neighbours share what is more of a cell than its stride, so that each cell lies whole in exactly one tile; the
    last tile may reach beyond the canvas. Both lengths are at least ``CELL_PX``.
    """
    return list(range(0, cells(length_px) * STRIDE_PX, cells(tile_px) * STRIDE_PX))


def plan(width_px: int, height_px: int, min_face_px: float, tile: tuple[int, int] | None = None) -> Canvas:
    """Pack the levels of a frame into the smallest canvas found.

    ``min_face_px``: the smallest face sought, at least 12. A frame too small to hold such a face gives one level of
    12 px, so that every frame can be searched. ``tile``: width and height of the only picture that the network takes:
    then into the canvas of the fewest tiles.
    """
    scale = CELL_PX / min_face_px
    scale = max(scale, CELL_PX / min(width_px, height_px))
    sizes: list[tuple[float, int, int]] = []
    while True:
        size = (scale, round(width_px * scale), round(height_px * scale))
        if sizes and min(size[1:]) < CELL_PX:
            break
        sizes.append((scale, max(size[1], CELL_PX), max(size[2], CELL_PX)))
        scale *= FACTOR
    widest = _even(sizes[0][1])
    # Two dozen widths find a canvas within 0.5 % of the best; trying every width takes a second on large pictures.
    packed = (_pack(sizes, width) for width in range(widest, 2 * widest + 1, max(_even(widest // 24), STRIDE_PX)))
    return min(packed, key=lambda canvas: (_tiles(canvas, tile), canvas.width_px * canvas.height_px))


def _tiles(canvas: Canvas, tile: tuple[int, int] | None) -> int:
    if tile is None:
        return 1
    return len(tile_starts(canvas.width_px, tile[0])) * len(tile_starts(canvas.height_px, tile[1]))


def _even(length_px: int) -> int:
    return length_px + length_px % 2


def _pack(sizes: list[tuple[float, int, int]], width: int) -> Canvas:
    """Drop each level onto the lowest place of a skyline, as in the game of falling blocks."""
    skyline = np.zeros(width, dtype=np.int64)
    levels = []
    for scale, level_width, level_height in sizes:
        span = _even(level_width)
        heights = [int(skyline[x : x + span].max()) for x in range(0, width - span + 1, STRIDE_PX)]
        y = min(heights)
        x = heights.index(y) * STRIDE_PX
        skyline[x : x + span] = y + _even(level_height)
        levels.append(Level(scale, level_width, level_height, x, y))
    return Canvas(width, int(skyline.max()), tuple(levels))
