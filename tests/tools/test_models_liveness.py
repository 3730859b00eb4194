"""The published liveness network: its file, its head, and the evening of its channels. Nothing is fetched."""

import importlib.util
import struct
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge.errors import ModelError
from tools.models import liveness_even, liveness_net, onnx_file
from tools.models.onnx_file import Node

needs_tensorflow = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="the extra tools is not installed: no tensorflow"
)


# --- the file, written here as onnx.proto says


def number(value: int) -> bytes:
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def field(place: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return number(place << 3) + number(value)
    return number(place << 3 | 2) + number(len(value)) + value


def tensor(name: str, values: npt.NDArray[Any]) -> bytes:
    dims = b"".join(field(1, side) for side in values.shape)
    kind = onnx_file.FLOAT if values.dtype == np.float32 else onnx_file.INT64
    return dims + field(2, kind) + field(8, name.encode()) + field(9, values.tobytes())


def node(kind: str, inputs: list[str], outputs: list[str], **integers: list[int] | int) -> bytes:
    parts = [field(1, name.encode()) for name in inputs] + [field(2, name.encode()) for name in outputs]
    for name, value in integers.items():
        each = field(3, value) if isinstance(value, int) else b"".join(field(8, one) for one in value)
        parts.append(field(5, field(1, name.encode()) + each))
    return b"".join([*parts, field(4, kind.encode())])


def model(nodes: list[bytes], tensors: list[bytes]) -> bytes:
    graph = b"".join([*(field(1, each) for each in nodes), *(field(5, each) for each in tensors)])
    return field(1, 6) + field(7, graph)


def test_operators_and_constants_are_read_as_they_were_written() -> None:
    weight, shape = np.arange(300, dtype=np.float32).reshape(3, 100), np.array([-1, 2], np.int64)
    content = model(
        [node("Conv", ["in", "w"], ["out"], group=300, pads=[1, 0, 1, 0])], [tensor("w", weight), tensor("s", shape)]
    )
    (read,), constants = onnx_file.read(content)
    assert read == Node("Conv", ["in", "w"], ["out"], {"group": [300], "pads": [1, 0, 1, 0]})
    np.testing.assert_array_equal(constants["w"], weight)
    np.testing.assert_array_equal(constants["s"], shape)


def damaged() -> Iterator[bytes]:
    whole = model([node("Conv", ["in"], ["out"])], [tensor("w", np.zeros(9, np.float32))])
    yield from (b"", b"no onnx at all", whole[:-3], whole + b"\xff", field(7, 5), struct.pack("<I", 7))


@pytest.mark.parametrize("content", list(damaged()))
def test_another_file_is_told(content: bytes) -> None:
    with pytest.raises(ModelError, match="onnx"):
        onnx_file.read(content)


def test_a_network_with_another_operator_is_told() -> None:
    with pytest.raises(ModelError, match="Swish"):
        liveness_net.network(model([node("Swish", ["in"], ["out"])], []))


# --- the head


def test_the_head_is_what_its_three_layers_compute() -> None:
    rng = np.random.default_rng(1)
    constants: dict[str, npt.NDArray[Any]] = {
        "first": rng.normal(size=(6, 4)).astype(np.float32),
        "last": rng.normal(size=(4, 3)).astype(np.float32),
        "scale": rng.normal(size=4).astype(np.float32),
        "shift": rng.normal(size=4).astype(np.float32),
        "mean": rng.normal(size=4).astype(np.float32),
        "variance": rng.uniform(0.5, 2, 4).astype(np.float32),
    }
    nodes = [
        Node("Reshape", ["x"], ["flat"], {}),
        Node("MatMul", ["flat", "first"], ["a"], {}),
        Node("BatchNormalization", ["a", "scale", "shift", "mean", "variance"], ["b"], {}),
        Node("MatMul", ["b", "last"], ["y"], {}),
    ]
    x = rng.normal(size=(5, 6))
    hidden = (x @ constants["first"] - constants["mean"]) / np.sqrt(constants["variance"] + liveness_net.EPSILON)
    logits = (hidden * constants["scale"] + constants["shift"]) @ constants["last"]
    weight, bias = liveness_net.head(nodes, constants)
    np.testing.assert_allclose(x @ weight + bias, logits[:, :1] - logits[:, 1:], atol=1e-5)


# --- channels


def graph() -> tuple[list[Node], dict[str, npt.NDArray[Any]]]:
    """A block with a residual stream and squeeze-and-excitation, as the network has them, of wildly uneven channels."""
    rng = np.random.default_rng(2)
    constants: dict[str, npt.NDArray[Any]] = {}

    def conv(name: str, source: str, inputs: int, outputs: int, *, size: int = 1, group: int = 1) -> Node:
        shape = (outputs, inputs // group, size, size)
        uneven = np.exp(rng.normal(0, 1.5, outputs))
        constants[f"{name} w"] = (rng.normal(size=shape) * uneven[:, None, None, None]).astype(np.float32)
        constants[f"{name} b"] = (rng.normal(size=outputs) * uneven).astype(np.float32)
        pads = [1] * 4 if size == 3 else [0] * 4
        integers = {"group": [group], "pads": pads, "strides": [1, 1]}
        return Node("Conv", [source, f"{name} w", f"{name} b"], [name], integers)

    def prelu(name: str, source: str, channels: int) -> Node:
        constants[f"{name} a"] = rng.uniform(-2, 2, (channels, 1, 1)).astype(np.float32)
        return Node("PRelu", [source, f"{name} a"], [name], {})

    nodes = [
        conv("stem", "input", 3, 8, size=3),
        prelu("stem p", "stem", 8),
        conv("expand", "stem p", 8, 12),
        prelu("expand p", "expand", 12),
        conv("depth", "expand p", 12, 12, size=3, group=12),
        prelu("depth p", "depth", 12),
        conv("project", "depth p", 12, 8),
        Node("GlobalAveragePool", ["project"], ["mean"], {}),
        conv("squeeze", "mean", 8, 4),
        Node("Relu", ["squeeze"], ["squeeze r"], {}),
        conv("excite", "squeeze r", 4, 8),
        Node("Sigmoid", ["excite"], ["gate"], {}),
        Node("Mul", ["project", "gate"], ["gated"], {}),
        Node("Add", ["stem p", "gated"], ["sum"], {}),
        conv("end", "sum", 8, 5),
    ]
    return nodes, constants


def test_what_is_added_and_gated_shares_its_factors_and_the_gate_has_none() -> None:
    nodes, _ = graph()
    found = sorted(map(sorted, liveness_even.streams(nodes)))
    assert found == [
        ["depth", "depth p"],
        ["expand", "expand p"],
        ["gated", "mean", "project", "stem", "stem p", "sum"],
        ["squeeze", "squeeze r"],
    ]


@needs_tensorflow
@pytest.mark.filterwarnings("ignore")
def test_evened_channels_compute_the_same_with_ranges_that_are_more_alike() -> None:
    nodes, constants = graph()
    pixels = np.random.default_rng(3).integers(0, 256, (6, 16, 16, 3), dtype=np.uint8)
    ranges = partial(liveness_net.widest, nodes, constants, pixels)
    even = liveness_even.equalised(nodes, constants, ranges)
    before, after = ranges(), liveness_net.widest(nodes, even, pixels)
    image = (pixels.astype(np.float32) - 127.5) / 128
    expected, found = (liveness_net.run(nodes, values, image)["end"].numpy() for values in (constants, even))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())
    for name in ("expand", "depth"):
        assert before[name].max() / before[name].min() > 2 * after[name].max() / after[name].min()
