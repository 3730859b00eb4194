"""P-Net on an accelerator: the network takes one size of picture, and a canvas of any size is searched tile by tile."""

import numpy as np
import numpy.typing as npt

from edge.core.pyramid import CELL_PX, STRIDE_PX, cells, tile_starts
from edge.models.interpreter import Net, Output


class TiledNet:
    """Behaves as a ``Net`` that was resized to a canvas of at least (height_px, width_px).

    ``shape`` is the canvas rounded up to whole tiles; where the picture ends before it, 128 belongs.
    """

    def __init__(self, net: Net, height_px: int, width_px: int) -> None:
        self._net = net
        _, tile_high, tile_wide, _ = net.shape
        self._tops, self._lefts = tile_starts(height_px, tile_high), tile_starts(width_px, tile_wide)
        self.shape = (1, self._tops[-1] + tile_high, self._lefts[-1] + tile_wide, 3)
        self.output_shapes = {
            name: (1, cells(self.shape[1]), cells(self.shape[2]), shape[-1])
            for name, shape in net.output_shapes.items()
        }

    def run(self, canvas: npt.NDArray[np.uint8]) -> dict[str, Output]:
        """As ``Net.run``. Each cell comes from the one tile that sees it whole."""
        whole: dict[str, Output] = {}
        _, tile_high, tile_wide, _ = self._net.shape
        for top in self._tops:
            for left in self._lefts:
                parts = self._net.run(canvas[:, top : top + tile_high, left : left + tile_wide])
                for name, part in parts.items():
                    if name not in whole:
                        values = np.empty(self.output_shapes[name], dtype=part.values.dtype)
                        whole[name] = Output(values, part.scale, part.zero_point)
                    row, column = top // STRIDE_PX, left // STRIDE_PX
                    _, high, wide, _ = part.values.shape
                    whole[name].values[:, row : row + high, column : column + wide] = part.values
        return whole


def fitting(net: Net) -> None:
    """Raises ModelError unless the network gives one answer for each cell of its picture."""
    _, height_px, width_px, _ = net.shape
    places = (1, cells(height_px), cells(width_px))
    net.require(image=(1, max(height_px, CELL_PX), max(width_px, CELL_PX), 3), logit=(*places, 1), reg=(*places, 4))
