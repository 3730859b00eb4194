"""Conversion and quantisation by the real tools, against plain numpy; skipped where the extra ``tools`` is missing."""

import importlib.util
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge.errors import ModelError
from edge.models.interpreter import load_runtime
from tests.tools.networks import Floats, convolve, prelu, random_network, run
from tools.models import check, convert, mobilefacenet_net, mtcnn_nets
from tools.models.layers import Layer
from tools.models.manifest_writer import tensors
from tools.models.pixels import normalised
from tools.models.quantise import OUTPUTS, How, quantise
from tools.models.tpu_rules import violations

MISSING = [name for name in ("tensorflow", "ai_edge_quantizer") if importlib.util.find_spec(name) is None]

pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"the extra tools is not installed: no {', '.join(MISSING)}"),
    pytest.mark.filterwarnings("ignore"),  # TensorFlow's own
]

Arrays = list[npt.NDArray[np.float32]]


def tflite(model: bytes, images: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
    """The model's outputs by name, for a batch that it was not stored with."""
    interpreter = load_runtime().Interpreter(model_content=model)
    (taken,) = interpreter.get_input_details()
    interpreter.resize_tensor_input(taken["index"], images.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(taken["index"], images)
    interpreter.invoke()
    details = interpreter.get_signature_runner(convert.SIGNATURE).get_output_details()
    return {name: interpreter.get_tensor(detail["index"]).copy() for name, detail in details.items()}


# --- MTCNN


def random_weights(convolutions: Sequence[tuple[int, int, int]], dense: tuple[int, int] | None, heads: int) -> Arrays:
    """The published order: kernel, bias, alpha of each layer, then kernel and bias of each head, the classes last."""
    generator = np.random.default_rng(5)

    def some(*shape: int) -> npt.NDArray[np.float32]:
        fan_in = math.prod(shape[:-1])
        return (generator.normal(size=shape) / math.sqrt(fan_in)).astype(np.float32)

    weights: Arrays = []
    for size, inputs, outputs in convolutions:
        weights += [some(size, size, inputs, outputs), some(outputs), some(1, 1, outputs)]
    if dense:
        weights += [some(*dense), some(dense[1]), some(dense[1])]
    for outputs in (4, 2) if heads == 2 else (4, 10, 2):
        inputs = dense[1] if dense else convolutions[-1][2]
        weights += [some(inputs, outputs) if dense else some(1, 1, inputs, outputs), some(outputs)]
    return weights


def pool(x: Floats, size: int, padding: str) -> Floats:
    if padding == "SAME":
        missing = [max(0, (-(-side // 2) - 1) * 2 + size - side) for side in x.shape[:2]]
        x = np.pad(x, [(g // 2, g - g // 2) for g in missing] + [(0, 0)], constant_values=-np.inf)
    across = np.lib.stride_tricks.sliding_window_view(x, size, axis=0)
    windows = np.lib.stride_tricks.sliding_window_view(across, size, axis=1)[::2, ::2]
    highest: Floats = windows.max(axis=(3, 4))
    return highest


def stage(w: Arrays, x: Floats, pools: Sequence[tuple[int, str] | None], *, dense: bool) -> dict[str, Floats]:
    """One network of MTCNN after the paper's figure 2, on one (H, W, 3) picture."""
    for number, pooled in enumerate(pools):
        kernel, bias, alpha = w[3 * number : 3 * number + 3]
        layer = Layer(kernel, bias, alpha.reshape(-1), padding="VALID")
        x = prelu(convolve(x, layer), layer)
        x = pool(x, *pooled) if pooled else x
    heads = w[3 * len(pools) :]
    if dense:
        weight, bias, alpha = heads[:3]
        x = x.transpose(1, 0, 2).reshape(-1) @ weight.astype(np.float64) + bias  # published in the order (w, h, c)
        x, heads = np.where(x > 0, x, x * alpha), heads[3:]
    names = ("reg", "classes") if len(heads) == 4 else ("reg", "lmk", "classes")
    out: dict[str, Floats] = {
        name: x @ heads[2 * i].reshape(-1, heads[2 * i].shape[-1]).astype(np.float64) + heads[2 * i + 1]
        for i, name in enumerate(names)
    }
    classes = out.pop("classes")
    return {**out, "logit": classes[..., 1:] - classes[..., :1]}


CASES: dict[str, tuple[Arrays, Callable[[Arrays, Floats], dict[str, Floats]], tuple[int, ...]]] = {
    "pnet": (
        random_weights([(3, 3, 10), (3, 10, 16), (3, 16, 32)], None, 2),
        lambda w, x: stage(w, x, [(2, "SAME"), None, None], dense=False),
        (1, 31, 46, 3),  # any canvas
    ),
    "rnet": (
        random_weights([(3, 3, 28), (3, 28, 48), (2, 48, 64)], (576, 128), 2),
        lambda w, x: stage(w, x, [(3, "SAME"), (3, "VALID"), None], dense=True),
        (3, 24, 24, 3),  # any batch
    ),
    "onet": (
        random_weights([(3, 3, 32), (3, 32, 64), (3, 64, 64), (2, 64, 128)], (1152, 256), 3),
        lambda w, x: stage(w, x, [(3, "SAME"), (3, "VALID"), (2, "SAME"), None], dense=True),
        (3, 48, 48, 3),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_mtcnn_is_converted_to_what_the_paper_draws(name: str) -> None:
    weights, reference, shape = CASES[name]
    model = convert.to_tflite(mtcnn_nets.network(name, weights), mtcnn_nets.INPUT_SHAPES[name])
    images = np.random.default_rng(6).uniform(-1, 1, shape).astype(np.float32)
    found = tflite(model, images)
    for number, image in enumerate(images):
        expected = reference(weights, image.astype(np.float64))
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            np.testing.assert_allclose(found[key][number], value, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_equalising_leaves_mtcnn_the_same_function_and_evens_its_channels(name: str) -> None:
    weights, reference, shape = CASES[name]
    generator = np.random.default_rng(8)
    uneven = [array.copy() for array in weights]
    uneven[0] *= np.exp(generator.uniform(-3, 3, uneven[0].shape[-1])).astype(np.float32)
    pixels = generator.integers(0, 256, (5, *shape[1:]), dtype=np.uint8)
    even = mtcnn_nets.equalised(name, uneven, pixels)
    for image in normalised(pixels).astype(np.float64):
        expected, found = reference(uneven, image), reference(list(even), image)
        for key, value in expected.items():
            np.testing.assert_allclose(found[key], value, atol=1e-4 * max(1.0, float(np.abs(value).max())))
    spread = [np.abs(kernel).max(axis=(0, 1, 2)) for kernel in (uneven[0], even[0])]
    assert spread[1].max() / spread[1].min() < spread[0].max() / spread[0].min() / 3


# --- MobileFaceNet


IMAGES = np.random.default_rng(7).integers(0, 256, (20, 16, 16, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def network() -> list[Layer]:
    return random_network(8, spread=0.5)


@pytest.fixture(scope="module")
def model(network: list[Layer]) -> bytes:
    return convert.to_tflite(lambda image: mobilefacenet_net.forward(network, image), (1, 16, 16, 3))


def test_the_embedder_is_converted_to_what_its_layers_say(network: list[Layer], model: bytes) -> None:
    images = normalised(IMAGES[:3])
    expected = np.stack([run(network, image.astype(np.float64))[0] for image in images])
    np.testing.assert_allclose(
        tflite(model, images)["embedding"], expected, rtol=1e-4, atol=1e-4 * float(expected.max())
    )
    (described,) = tensors(model)[0].values()
    assert described == {"shape": [1, 16, 16, 3], "dtype": "float32"}


def test_ranges_are_the_widest_values_of_all_images(network: list[Layer]) -> None:
    found = mobilefacenet_net.ranges(network, normalised(IMAGES), batch=7)
    each = [run(network, image.astype(np.float64))[1] for image in normalised(IMAGES)]
    assert found.keys() == each[0].keys()
    for number, widest in found.items():
        np.testing.assert_allclose(widest, np.max([one[number] for one in each], axis=0), rtol=1e-4)


def test_the_published_spelling_is_read_back(network: list[Layer], monkeypatch: pytest.MonkeyPatch) -> None:
    """relu(x) + (alpha / 2) * (x - |x|), as the published file has it, and not the one fused operator."""
    import tensorflow as tf

    def spelled(x: Any, alpha: npt.NDArray[np.float32]) -> Any:
        return tf.nn.relu(x) + tf.constant(alpha / 2) * (x - tf.abs(x))

    fused = convert.to_tflite(lambda image: mobilefacenet_net.forward(network, image), (1, 16, 16, 3))
    with pytest.raises(ModelError, match="PRELU"):
        mobilefacenet_net.read_layers(fused)
    monkeypatch.setattr(mobilefacenet_net, "prelu", spelled)
    published = convert.to_tflite(lambda image: mobilefacenet_net.forward(network, image), (1, 16, 16, 3))
    for found, expected in zip(mobilefacenet_net.read_layers(published), network, strict=True):
        np.testing.assert_array_equal(found.weight.squeeze(), expected.weight.squeeze())
        np.testing.assert_allclose(found.bias, expected.bias, rtol=1e-6)
        assert (found.stride, found.depthwise, found.alpha is None) == (
            expected.stride,
            expected.depthwise,
            expected.alpha is None,
        )
        if expected.alpha is not None:
            assert found.alpha is not None
            np.testing.assert_allclose(found.alpha, expected.alpha, rtol=1e-6)


# --- int8


def test_int8_throughout_has_no_float_tensor_and_says_the_same(network: list[Layer], model: bytes) -> None:
    full = convert.to_full_int8(mobilefacenet_net.network(network), (1, 16, 16, 3), IMAGES)
    assert violations(full) == []
    inputs, outputs = tensors(full)
    assert (inputs["image"]["dtype"], outputs["embedding"]["dtype"]) == ("int8", "int8")
    assert inputs["image"]["scale"] == 1 / 128
    expected = tflite(model, normalised(IMAGES[:1]))["embedding"]
    stored = tflite(full, (IMAGES[:1] ^ 0x80).view(np.int8))["embedding"].astype(np.float32)
    found = outputs["embedding"]["scale"] * (stored - outputs["embedding"]["zero_point"])
    assert check.cosines(found, expected)[0] > 0.95


@pytest.mark.parametrize(
    "how", [How(ranges="percentile"), How(ranges="moving average"), How(per_channel=False), How(in_float=OUTPUTS)]
)
def test_each_other_way_of_quantising_gives_another_network_that_works(model: bytes, how: How) -> None:
    usual, other = quantise(model, IMAGES), quantise(model, IMAGES, how)
    assert usual != other
    assert np.isfinite(tflite(other, (IMAGES[:1] ^ 0x80).view(np.int8))["embedding"].astype(np.float32)).all()
    assert (tensors(other)[1]["embedding"]["dtype"] == "float32") == (how.in_float is not None)


def test_quantising_twice_gives_the_same_bytes(model: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    assert quantise(model, IMAGES) == quantise(model, IMAGES)
    assert "Calibration" not in capfd.readouterr().err


def test_the_input_scale_is_exact_whatever_the_pictures_show(model: bytes) -> None:
    inputs, outputs = tensors(quantise(model, np.clip(IMAGES, 100, 140)))
    assert inputs["image"] == {"shape": [1, 16, 16, 3], "dtype": "int8", "scale": 1 / 128, "zero_point": 0}
    assert outputs["embedding"]["dtype"] == "int8"


def test_ranges_are_the_true_minimum_and_maximum(model: bytes) -> None:
    """One bright sample among many dark ones: a moving average would forget it, and clip."""
    dark, bright = np.zeros((30, 16, 16, 3), np.uint8), IMAGES[:1]
    expected = tflite(model, normalised(bright))["embedding"]
    int8 = quantise(model, np.concatenate([bright, dark]))
    scale, zero_point = (tensors(int8)[1]["embedding"][key] for key in ("scale", "zero_point"))
    assert scale * (-128 - zero_point) - scale <= expected.min()
    assert scale * (127 - zero_point) + scale >= expected.max()
