"""The networks in ``models_tflite/`` are what manifest, cards and pins say, on every runtime installed."""

import importlib.util
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.models.interpreter import RUNTIMES, Net, load_runtime
from edge.models.manifest import MANIFEST, Shelf
from edge.models.mtcnn import PROBABILITY_MIN
from tools.models import build, check, sources
from tools.models.manifest_writer import Entry, manifest, tensors
from tools.models.mtcnn_nets import INPUT_SHAPES

FOLDER = Path(__file__).parents[2] / "models_tflite"
NAMES = (*INPUT_SHAPES, "mobilefacenet")


@pytest.fixture(params=RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> Any:
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} has no wheel for this Python")
    return load_runtime([request.param])


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return Shelf.open(FOLDER)


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    models: dict[str, Any] = tomllib.loads((FOLDER / MANIFEST).read_text())["models"]
    return models


def test_the_manifest_is_what_the_writer_writes_of_these_files(shelf: Shelf, written: dict[str, Any]) -> None:
    """Digest, size, shapes, scales and pins all at once: they are taken from the files and from ``sources`` again."""
    entries = [
        Entry(
            name,
            f"{name}_int8.tflite",
            shelf.load(name),
            sources.MOBILEFACENET if name == "mobilefacenet" else sources.MTCNN,
            sources.MOBILEFACENET_FILE if name == "mobilefacenet" else f"mtcnn/assets/weights/{name}.lz4",
            written[name]["figures"],
            build.TEMPLATE_MODEL if name == "mobilefacenet" else "",
        )
        for name in NAMES
    ]
    assert manifest(entries) == (FOLDER / MANIFEST).read_text()


def test_nothing_else_lies_on_the_shelf(shelf: Shelf) -> None:
    assert {path.name for path in FOLDER.iterdir()} == {
        MANIFEST,
        "README.md",
        *(card.file for card in shelf.cards.values()),
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_is_within_its_limit(written: dict[str, Any], name: str) -> None:
    check.refuse_poor(name, written[name]["figures"])


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


def test_pnet_takes_any_canvas(shelf: Shelf, runtime: Any) -> None:
    """198 by 332: 640x480 with a smallest face of 40 px. A cell sees the same 12 pixels wherever it lies."""
    generator = np.random.default_rng(1)
    canvas = generator.integers(0, 256, (1, 198, 332, 3), dtype=np.uint8)
    large = Net(shelf, "pnet", input_shape=canvas.shape, runtime=runtime).run(canvas)["prob"].values
    assert large.shape == (1, 94, 161, 2)
    small = Net(shelf, "pnet", runtime=runtime).run(canvas[:, 100:196, 200:328])["prob"].values
    np.testing.assert_allclose(large[:, 50:93, 100:159].astype(int), small.astype(int), atol=1)


@pytest.mark.parametrize("name", ["rnet", "onet", "mobilefacenet"])
def test_a_batch_gives_what_its_members_give(shelf: Shelf, runtime: Any, name: str) -> None:
    shape = shelf.card(name).input.shape
    pixels = np.random.default_rng(2).integers(0, 256, (3, *shape[1:]), dtype=np.uint8)
    together = Net(shelf, name, input_shape=pixels.shape, runtime=runtime).run(pixels)
    alone = Net(shelf, name, runtime=runtime)
    for number in range(3):
        for key, output in alone.run(pixels[number : number + 1]).items():
            np.testing.assert_array_equal(together[key].values[number], output.values[0])


def test_detection_is_decided_without_leaving_int8(shelf: Shelf) -> None:
    for name, limit in PROBABILITY_MIN.items():
        tensor = shelf.card(name).outputs["prob"]
        assert (tensor.dtype, tensor.scale, tensor.zero_point) == ("int8", 1 / 256, -128)
        assert -128 < limit / tensor.scale + tensor.zero_point < 127


def test_the_cards_show_the_manifest(written: dict[str, Any], shelf: Shelf) -> None:
    text = (FOLDER / "README.md").read_text()
    for name in NAMES:
        section = text.split(f"\n## {name}: ")[1].split("\n## ")[0]
        source = written[name]["source"]
        assert f"`{source['package']}` {source['version']}" in section
        assert f"{shelf.card(name).size_bytes:,} bytes" in section
        for key, value in written[name]["figures"].items():
            assert f"| {key} | {value} |" in section


def test_the_writer_describes_a_model_by_its_signature(shelf: Shelf) -> None:
    inputs, outputs = tensors(shelf.load("onet"))
    assert list(inputs) == ["image"]
    assert list(outputs) == ["lmk", "prob", "reg"]
