"""The networks in ``models_tflite/`` are what manifest, cards and pins say, on every runtime installed."""

import importlib.util
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.models.interpreter import RUNTIMES, Net, load_runtime
from edge.models.manifest import LIVENESS, MANIFEST, Shelf
from edge.models.mtcnn import PROBABILITY_MIN, logit
from tools.models import build, check
from tools.models.manifest_writer import document, dumps, tensors
from tools.models.mtcnn_nets import INPUT_SHAPES

FOLDER = Path(__file__).parents[2] / "models_tflite"
NAMES = (*INPUT_SHAPES, "mobilefacenet", LIVENESS)


@pytest.fixture(params=RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> Any:
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return load_runtime([request.param])


@pytest.fixture(scope="module", params=build.VARIANTS)
def shelf(request: pytest.FixtureRequest) -> Shelf:
    return Shelf.open(FOLDER, request.param)


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    manifest: dict[str, Any] = tomllib.loads((FOLDER / MANIFEST).read_text())
    return manifest


def test_the_manifest_is_what_the_writer_writes_of_these_files(written: dict[str, Any]) -> None:
    """Digest, size, shapes, scales, operators and pins all at once: from the files and from ``sources`` again."""
    shelves = {variant: Shelf.open(FOLDER, variant) for variant in build.VARIANTS}
    entries = [
        build.entry(
            name,
            {variant: shelf.load(name) for variant, shelf in shelves.items()},
            {variant: written["models"][name]["variants"][variant]["figures"] for variant in shelves},
        )
        for name in NAMES
    ]
    measured = {key: table for key, table in written.items() if key not in {"schema", "models"}}
    assert dumps(document(entries) | measured) == (FOLDER / MANIFEST).read_text()


def test_nothing_else_lies_on_the_shelf(written: dict[str, Any]) -> None:
    files = {file["file"] for model in written["models"].values() for file in model["variants"].values()}
    assert {path.name for path in FOLDER.iterdir()} == {MANIFEST, "README.md", "judge.toml", "study.toml", *files}


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_is_within_its_limit(written: dict[str, Any], name: str) -> None:
    for variant in build.VARIANTS:
        check.refuse_poor(name, written["models"][name]["variants"][variant]["figures"])


@pytest.mark.parametrize("name", NAMES)
def test_pixels_enter_by_turning_over_their_top_bit(shelf: Shelf, name: str) -> None:
    tensor = shelf.card(name).input
    assert (tensor.dtype, tensor.scale) == ("int8", 1 / 128)
    assert tensor.zero_point in {0, -1}


@pytest.mark.parametrize("name", NAMES)
def test_the_manifest_agrees_with_the_runtime(shelf: Shelf, runtime: Any, name: str) -> None:
    interpreter = runtime.Interpreter(model_content=shelf.load(name))
    interpreter.allocate_tensors()
    runner = interpreter.get_signature_runner("serving_default")
    card = shelf.card(name)
    found = {"image": runner.get_input_details()["image"], **runner.get_output_details()}
    expected = {"image": card.input, **card.outputs}
    assert found.keys() == expected.keys()
    for key, detail in found.items():
        tensor = expected[key]
        assert (tuple(detail["shape"]), detail["dtype"].__name__) == (tensor.shape, tensor.dtype)
        assert detail["quantization"] == (pytest.approx(tensor.scale), tensor.zero_point)


def test_pnet_takes_any_canvas_on_a_processor(runtime: Any) -> None:
    """A cell sees the same 12 pixels wherever it lies."""
    shelf = Shelf.open(FOLDER)
    generator = np.random.default_rng(1)
    canvas = generator.integers(0, 256, (1, 300, 332, 3), dtype=np.uint8)
    large = Net(shelf, "pnet", input_shape=canvas.shape, runtime=runtime).run(canvas)["logit"].real()
    assert large.shape == (1, 145, 161, 1)
    small = Net(shelf, "pnet", runtime=runtime).run(canvas[:, 50:274, 200:328])["logit"].real()
    np.testing.assert_allclose(large[:, 25:132, 100:159], small, atol=1e-3)


@pytest.mark.parametrize("name", ["rnet", "onet", "mobilefacenet", LIVENESS])
def test_a_batch_gives_what_its_members_give(runtime: Any, name: str) -> None:
    shelf = Shelf.open(FOLDER)
    shape = shelf.card(name).input.shape
    pixels = np.random.default_rng(2).integers(0, 256, (3, *shape[1:]), dtype=np.uint8)
    together = Net(shelf, name, input_shape=pixels.shape, runtime=runtime).run(pixels)
    alone = Net(shelf, name, runtime=runtime)
    for number in range(3):
        for key, output in alone.run(pixels[number : number + 1]).items():
            np.testing.assert_array_equal(together[key].values[number], output.values[0])


def test_every_threshold_lies_within_what_int8_can_say() -> None:
    for name, limit in PROBABILITY_MIN.items():
        tensor = Shelf.open(FOLDER, "edgetpu").card(name).outputs["logit"]
        assert -128 < logit(limit) / tensor.scale + tensor.zero_point < 127
        assert Shelf.open(FOLDER).card(name).outputs["logit"].dtype == "float32"


def test_the_writer_describes_a_model_by_its_signature(shelf: Shelf) -> None:
    inputs, outputs = tensors(shelf.load("onet"))
    assert list(inputs) == ["image"]
    assert list(outputs) == ["lmk", "logit", "reg"]
