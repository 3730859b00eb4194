"""One adapter over both runtimes: what it refuses, what it hands out, and what it keeps."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.errors import ModelError
from edge.models.interpreter import Net, Output, load_delegate, load_runtime
from edge.models.manifest import Shelf
from tests.models.runtimes import INSTALLED
from tests.models.shelves import Models, copied

DIFFERENT = r"other inputs, outputs or operators"


@pytest.fixture(params=INSTALLED)
def runtime(request: pytest.FixtureRequest) -> Any:
    return load_runtime([request.param])


def noise(*shape: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(5).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(
    ("tensor", "key", "value"),
    [
        ("input", "shape", [1, 24, 24, 3]),
        ("input", "shape", [2, 48, 48, 3]),
        ("input", "shape", [48, 48, 3]),
        ("input", "zero_point", 0),
        ("input", "scale", 0.008),
        ("logit", "shape", [2, 1]),
        ("logit", "shape", [1, 1, 1]),
        ("logit", "shape", [1, 5]),
        ("logit", "scale", 0.004),
        ("lmk", "zero_point", 0),
    ],
)
def test_a_network_with_other_tensors_than_described_is_refused(
    tmp_path: Path, runtime: Any, tensor: str, key: str, value: object
) -> None:
    def change(models: Models) -> None:
        card = models["onet"]["variants"]["edgetpu"]
        (card["input"] if tensor == "input" else card["outputs"][tensor])[key] = value

    with pytest.raises(ModelError, match=DIFFERENT):
        Net(Shelf.open(copied(tmp_path / "shelf", change), "edgetpu"), "onet", runtime=runtime)


@pytest.mark.parametrize("tensor", ["input", "logit"])
def test_a_network_of_another_type_than_described_is_refused(tmp_path: Path, runtime: Any, tensor: str) -> None:
    def change(models: Models) -> None:
        card = models["onet"]["variants"]["edgetpu"]
        described = card["input"] if tensor == "input" else card["outputs"][tensor]
        described["dtype"] = "float32"
        del described["scale"]

    with pytest.raises(ModelError, match=DIFFERENT):
        Net(Shelf.open(copied(tmp_path / "shelf", change), "edgetpu"), "onet", runtime=runtime)


@pytest.mark.parametrize("missing", [True, False])
def test_a_network_with_other_operators_than_described_is_refused(tmp_path: Path, runtime: Any, missing: bool) -> None:
    def change(models: Models) -> None:
        ops = models["onet"]["variants"]["cpu"]["ops"]
        if missing:
            ops.remove("PRELU")
        else:
            ops.append("CUSTOM_OP")

    with pytest.raises(ModelError, match=DIFFERENT):
        Net(Shelf.open(copied(tmp_path / "shelf", change)), "onet", runtime=runtime)


def test_an_output_more_or_less_than_described_is_refused(tmp_path: Path, runtime: Any) -> None:
    def less(models: Models) -> None:
        del models["onet"]["variants"]["cpu"]["outputs"]["lmk"]

    def more(models: Models) -> None:
        outputs = models["onet"]["variants"]["cpu"]["outputs"]
        outputs["mask"] = {**outputs["lmk"], "shape": [1, 7]}

    for number, change in enumerate((less, more)):
        with pytest.raises(ModelError, match=DIFFERENT):
            Net(Shelf.open(copied(tmp_path / str(number), change)), "onet", runtime=runtime)


def test_a_network_in_anothers_place_is_refused(tmp_path: Path, runtime: Any) -> None:
    """Even with the right digest."""

    def change(models: Models) -> None:
        for key in ("file", "sha256", "size_bytes"):
            models["onet"]["variants"]["cpu"][key] = models["rnet"]["variants"]["cpu"][key]

    with pytest.raises(ModelError, match=DIFFERENT):
        Net(Shelf.open(copied(tmp_path / "shelf", change)), "onet", runtime=runtime)


def test_what_a_network_must_take_and_give_can_be_required(shelf: Shelf, runtime: Any) -> None:
    net = Net(shelf, "rnet", input_shape=(3, 24, 24, 3), runtime=runtime)
    net.require(image=(3, 24, 24, 3), logit=(3, 1), reg=(3, 4))
    for wrong in ({"reg": (3, 4)}, {"logit": (3, 1), "reg": (3, 5)}, {"logit": (3,), "reg": (3, 4)}):
        with pytest.raises(ModelError, match=DIFFERENT):
            net.require(image=(3, 24, 24, 3), **wrong)
    with pytest.raises(ModelError, match=DIFFERENT):
        net.require(image=(1, 24, 24, 3), logit=(3, 1), reg=(3, 4))


def test_a_shape_that_the_network_cannot_take_is_refused(shelf: Shelf, runtime: Any) -> None:
    for shape in ((1, 40, 40, 3), (1, 48, 48, 1), (1, 0, 0, 3)):
        with pytest.raises(ModelError):
            Net(shelf, "onet", input_shape=shape, runtime=runtime)


def test_outputs_belong_to_the_caller(shelf: Shelf, runtime: Any) -> None:
    net = Net(shelf, "rnet", runtime=runtime)
    first = net.run(noise(1, 24, 24, 3))["reg"].values
    kept = first.copy()
    net.run(np.zeros((1, 24, 24, 3), dtype=np.uint8))
    assert np.array_equal(first, kept)
    assert first.flags.owndata or first.base is not None
    first[...] = 0
    assert np.array_equal(net.run(noise(1, 24, 24, 3))["reg"].values, kept)


def test_any_number_of_pictures_in_any_batch_gives_the_same(shelf: Shelf, runtime: Any) -> None:
    pictures = noise(11, 24, 24, 3)
    alone = Net(shelf, "rnet", runtime=runtime).run_many(pictures)
    for batch in (2, 8, 16):
        together = Net(shelf, "rnet", input_shape=(batch, 24, 24, 3), runtime=runtime)
        for _ in range(2):  # what a batch left in the buffer must not show in the next
            found = together.run_many(pictures)
            assert all(np.array_equal(found[name], alone[name]) for name in alone)
    assert alone["reg"].shape == (11, 4)
    assert together.run_many(pictures[:0]) == {}


def test_pixels_enter_through_one_buffer(shelf: Shelf, runtime: Any) -> None:
    net = Net(shelf, "onet", runtime=runtime)
    before = net._buffer
    pixels = noise(1, 48, 48, 3)
    net.run(pixels)
    net.run_many(pixels)
    assert net._buffer is before
    assert np.array_equal(before.astype(int), pixels.astype(int) - 128)


def test_pixels_of_another_shape_are_refused(shelf: Shelf, runtime: Any) -> None:
    net = Net(shelf, "onet", runtime=runtime)
    for shape in ((1, 48, 47, 3), (2, 48, 48, 3), (48, 48, 3)):
        with pytest.raises(ValueError, match="the network onet takes"):
            net.run(noise(*shape))


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 3e38, -3e38])
def test_a_number_that_is_none_or_makes_boxes_without_end_is_refused(wrong: float) -> None:
    output = Output(np.array([[0.5, wrong]], dtype=np.float32), 0.0, 0)
    assert output.real((0, 0)) == 0.5
    with pytest.raises(ModelError, match="no usable number"):
        output.real()


@pytest.mark.parametrize("kind", ["absent", "text", "no delegate", "empty name"])
def test_a_library_that_is_no_delegate_is_said_so_with_what_to_install(tmp_path: Path, runtime: Any, kind: str) -> None:
    text = tmp_path / "libtext.so"
    text.write_text("this is no library")
    path = {"absent": "libno-such-edgetpu.so.1", "text": str(text), "no delegate": "libc.so.6", "empty name": ""}[kind]
    with pytest.raises(ModelError, match=r"libedgetpu1-std.*coral\.ai"):
        load_delegate(path, runtime)
