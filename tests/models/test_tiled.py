"""A network of one size searches a canvas of any size, and finds in each cell what one of that size finds."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.pyramid import CELL_PX, STRIDE_PX, cells, plan, tile_starts
from edge.errors import ModelError
from edge.images import read_rgb
from edge.models.interpreter import Net, load_runtime
from edge.models.manifest import Shelf
from edge.models.mtcnn import Mtcnn
from edge.models.tiled import TiledNet
from tests.conftest import Describe
from tests.models.runtimes import INSTALLED
from tests.models.shelves import Models, copied, static


@pytest.fixture(scope="module")
def accelerated(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """The processor's networks as if they could take one batch and one canvas only."""
    return Shelf.open(copied(tmp_path_factory.mktemp("shelves") / "static", static), "edgetpu")


@given(st.integers(CELL_PX, 2000), st.integers(CELL_PX, 700))
def test_every_cell_lies_whole_in_exactly_one_tile(length: int, tile: int) -> None:
    starts = tile_starts(length, tile)
    seen = [start // STRIDE_PX + cell for start in starts for cell in range(cells(tile))]
    assert seen == list(range(len(seen)))
    assert len(seen) >= cells(length) > len(seen) - cells(tile)
    assert all(start % STRIDE_PX == 0 for start in starts)


@given(st.integers(64, 1280), st.integers(64, 960), st.floats(20, 200))
def test_a_canvas_for_tiles_takes_no_more_of_them(width: int, height: int, min_face: float) -> None:
    tile = (160, 120)

    def tiles(wide: int, high: int) -> int:
        return len(tile_starts(wide, tile[0])) * len(tile_starts(high, tile[1]))

    packed, smallest = plan(width, height, min_face, tile), plan(width, height, min_face)
    assert tiles(packed.width_px, packed.height_px) <= tiles(smallest.width_px, smallest.height_px)
    assert [level.scale for level in packed.levels] == [level.scale for level in smallest.levels]


@pytest.mark.parametrize("runtime", INSTALLED)
@pytest.mark.parametrize("size", [(480, 640), (97, 640), (60, 60)])
def test_tiles_find_bit_for_bit_what_the_whole_canvas_finds(
    accelerated: Shelf, shelf: Shelf, photos: dict[str, Path], runtime: str, size: tuple[int, int]
) -> None:
    module: Any = load_runtime([runtime])
    detector = Mtcnn(shelf, min_face_px=40, runtime=module)
    detector.detect(read_rgb(photos["astronaut.png"])[: size[0], : size[1]].copy())
    canvas = detector._canvas
    expected = detector._pnet.run(canvas)

    tiled = TiledNet(Net(accelerated, "pnet", runtime=module), *canvas.shape[1:3])
    padded = np.full(tiled.shape, 128, dtype=np.uint8)
    padded[:, : canvas.shape[1], : canvas.shape[2]] = canvas
    found = tiled.run(padded)
    assert found.keys() == expected.keys()
    for name, output in expected.items():
        _, high, wide, _ = output.values.shape
        assert np.array_equal(found[name].values[:, :high, :wide], output.values)
        assert (found[name].scale, found[name].zero_point) == (output.scale, output.zero_point)


def test_one_picture_at_a_time_detects_the_same_faces(accelerated: Shelf, detector: Mtcnn, describe: Describe) -> None:
    one_size = Mtcnn(accelerated, min_face_px=40)
    for name in ("astronaut.png", "obama.jpg", "coffee.png"):
        rgb = describe.rgb(name)
        found, expected = one_size.detect(rgb), detector.detect(rgb)
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            assert np.allclose(a.landmarks, b.landmarks, atol=0.01)
            assert a.probability == b.probability
    assert one_size._rnet.shape[0] == one_size._onet.shape[0] == 1


@pytest.mark.parametrize(("name", "shape"), [("rnet", [1, 48, 48, 3]), ("pnet", [1, 4, 4, 3])])
def test_networks_for_other_pictures_are_refused(tmp_path: Path, name: str, shape: list[int]) -> None:
    """O-Net as R-Net, and a P-Net that says it takes less than a cell."""

    def change(models: Models) -> None:
        if name == "rnet":
            models["rnet"] = models["onet"]
        models[name]["variants"]["cpu"]["input"]["shape"] = shape
        static(models)

    with pytest.raises(ModelError, match="other inputs, outputs or operators"):
        Mtcnn(Shelf.open(copied(tmp_path / "shelf", change), "edgetpu"))
