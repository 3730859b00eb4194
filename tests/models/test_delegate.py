"""Networks on a real external delegate, a shared library that the test compiles, under every runtime installed."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge.core.align import SIZE_PX
from edge.errors import ModelError
from edge.models.interpreter import RUNTIMES, Net, load_delegate, load_runtime
from edge.models.manifest import Shelf
from edge.models.mobilefacenet import MobileFaceNet
from edge.models.mtcnn import Mtcnn
from tests.conftest import Describe
from tests.models.delegate import Mode, compiled

NAMES = ("pnet", "rnet", "onet", "mobilefacenet")


@pytest.fixture(params=RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> Any:
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return load_runtime([request.param])


@pytest.fixture(scope="module")
def edgetpu() -> Shelf:
    return Shelf.open(None, "edgetpu")


@pytest.fixture
def crops(describe: Describe, detector: Mtcnn) -> list[npt.NDArray[np.uint8]]:
    """Pieces of a portrait, each as large as a network's input is at most."""
    rgb = describe.rgb("astronaut.png")
    box = detector.detect(rgb)[0].box
    x, y = int(box.x0), int(box.y0)
    return [rgb[y + shift : y + shift + 96, x : x + 128] for shift in (0, 7, 20)]


def on(mode: Mode, folder: Path, runtime: Any) -> Any:
    return load_delegate(str(compiled(mode, folder)), runtime)


def reference(model: bytes, pixels: npt.NDArray[np.uint8], runtime: Any) -> list[npt.NDArray[Any]]:
    """The runtime's own reference kernels, with no delegate at all."""
    resolver = runtime.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = runtime.Interpreter(model_content=model, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    (taken,) = interpreter.get_input_details()
    interpreter.set_tensor(taken["index"], (pixels ^ 0x80).view(np.int8))
    interpreter.invoke()
    return [interpreter.get_tensor(given["index"]) for given in interpreter.get_output_details()]


def fitted(crop: npt.NDArray[np.uint8], net: Net) -> npt.NDArray[np.uint8]:
    """A crop repeated until it fills the network's input."""
    _, high, wide, _ = net.shape
    filled = np.tile(crop, (-(-high // crop.shape[0]), -(-wide // crop.shape[1]), 1))[None, :high, :wide]
    return np.ascontiguousarray(filled)


@pytest.mark.parametrize("name", NAMES)
def test_a_delegate_computes_its_part_of_the_network(
    edgetpu: Shelf, runtime: Any, tmp_path: Path, crops: list[npt.NDArray[np.uint8]], name: str
) -> None:
    """To the last bit what the runtime's reference kernels give: XNNPACK has no part in it, and rounds differently."""
    net = Net(edgetpu, name, runtime=runtime, delegate=on("CORRECT", tmp_path, runtime))
    for crop in crops:
        pixels = fitted(crop, net)
        expected = {each.shape: each for each in reference(edgetpu.load(name), pixels, runtime)}
        found = net.run(pixels)
        assert len(found) == len(expected)
        for output in found.values():
            np.testing.assert_array_equal(output.values, expected[output.values.shape])


@pytest.mark.parametrize("name", NAMES)
def test_what_the_delegate_gets_wrong_is_what_the_network_answers(
    edgetpu: Shelf, runtime: Any, tmp_path: Path, crops: list[npt.NDArray[np.uint8]], name: str
) -> None:
    """The delegate runs, and not the runtime in its stead."""
    net = Net(edgetpu, name, runtime=runtime, delegate=on("WITHOUT_SLOPE", tmp_path, runtime))
    pixels = fitted(crops[0], net)
    expected = {each.shape: each for each in reference(edgetpu.load(name), pixels, runtime)}
    apart = [output.values.astype(int) - expected[output.values.shape] for output in net.run(pixels).values()]
    assert max(np.abs(each).max() for each in apart) > 16


def test_the_whole_way_from_a_photograph_to_an_embedding(
    edgetpu: Shelf, runtime: Any, tmp_path: Path, describe: Describe, detector: Mtcnn
) -> None:
    delegate = on("CORRECT", tmp_path, runtime)
    on_device = Mtcnn(edgetpu, runtime=runtime, delegate=delegate)
    embedder = MobileFaceNet(edgetpu, runtime=runtime, delegate=delegate)
    rgb = describe.rgb("obama.jpg")
    face = on_device.detect(rgb)[0]
    expected = detector.detect(rgb)[0]
    eyes_px = float(np.linalg.norm(expected.landmarks[1] - expected.landmarks[0]))
    assert np.abs(face.landmarks - expected.landmarks).max() < 0.1 * eyes_px
    aligned = embedder.align(rgb, face.landmarks)
    assert aligned.shape == (SIZE_PX, SIZE_PX, 3)
    assert float(embedder.embed(aligned) @ describe("obama.jpg")) > 0.9


@pytest.mark.parametrize("name", NAMES)
def test_a_network_of_which_the_delegate_takes_nothing_is_refused(
    edgetpu: Shelf, runtime: Any, tmp_path: Path, name: str
) -> None:
    with pytest.raises(ModelError, match=rf"{name} .*not compiled for the Edge TPU.*python -m tools\.models edgetpu"):
        Net(edgetpu, name, runtime=runtime, delegate=on("TAKES_NOTHING", tmp_path, runtime))


def test_a_delegate_that_refuses_the_graph_is_an_error(edgetpu: Shelf, runtime: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="refuses the graph"):
        Net(edgetpu, "onet", runtime=runtime, delegate=on("NOT_PREPARED", tmp_path, runtime))


def test_a_delegate_that_cannot_be_made_says_what_to_install(runtime: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no device is attached.*libedgetpu"):
        on("NOT_CREATED", tmp_path, runtime)


def test_a_delegate_that_is_not_there_says_what_to_install(runtime: Any) -> None:
    with pytest.raises(ModelError, match="libedgetpu"):
        load_delegate("libnosuchdelegate.so.1", runtime)
