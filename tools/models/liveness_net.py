"""The liveness network: read out of the published .onnx, written again as a TensorFlow function of constants.

A MiniFASNet with squeeze-and-excitation (minivision-ai/Silent-Face-Anti-Spoofing; Hu et al. 2018), of BGR, 0..255. It
answers with three logits, of a live face and of two kinds of attack. Given here are the two differences between the
live face's and each of the others: the probability of a live face is 1 / (1 + exp(-a) + exp(-b)).
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.errors import ModelError
from tools.models.convert import Network
from tools.models.fetch import CORRECT_PINS
from tools.models.liveness_even import Constants, equalised
from tools.models.mobilefacenet_net import prelu
from tools.models.onnx_file import Node, read
from tools.models.pixels import Pixels, normalised

INPUT_SHAPE = (1, 128, 128, 3)

EPSILON = 1e-5
"""Of the only batch normalisation that was left in the file."""

BATCH = 25

Logits = npt.NDArray[np.float32]

PASSED_OVER = frozenset({"Shape", "Constant", "Gather", "Unsqueeze", "Concat"})
"""They compute the shape that Reshape flattens to."""


def network(content: bytes, pixels: Pixels | None = None, correction: Logits | None = None) -> Network:
    """The function to convert; with (N, 128, 128, 3) ``pixels`` its channels have even ranges over them (the function
    is the same). ``correction``: (2,) added to the logits. Raises ModelError when the file holds another kind of
    operator."""
    nodes, constants = read(content)
    layers = [node for node in nodes if node.kind not in PASSED_OVER]
    end = next((number for number, node in enumerate(layers) if node.kind == "Reshape"), len(layers))
    known = {"Conv", "PRelu", "Add", "Mul", "Relu", "Sigmoid", "GlobalAveragePool"}
    unknown = {node.kind for node in layers[:end]} - known
    if unknown or [node.kind for node in layers[end:]] != ["Reshape", "MatMul", "BatchNormalization", "MatMul"]:
        raise ModelError(f"The liveness network holds other operators than expected ({unknown}). {CORRECT_PINS}")
    weight, bias = head(layers[end:], constants)
    if correction is not None:
        bias = bias + correction
    body = layers[:end]
    if pixels is not None:
        constants = equalised(body, constants, partial(widest, body, constants, pixels))

    def forward(image: Any) -> dict[str, Any]:
        import tensorflow as tf

        x = tf.reshape(run(body, constants, image)[body[-1].outputs[0]], [-1, weight.shape[0]])
        return {"logit": tf.nn.bias_add(tf.matmul(x, tf.constant(weight)), tf.constant(bias))}

    return forward


def run(body: Sequence[Node], constants: Constants, image: Any) -> dict[str, Any]:
    """Every tensor by its name, up to the last convolution's."""
    import tensorflow as tf

    # RGB of (x - 127.5) / 128 becomes BGR of 0..255. A layer of its own: the borders of the next are black.
    to_bgr = np.zeros((1, 1, 3, 3), np.float32)
    to_bgr[0, 0, [2, 1, 0], [0, 1, 2]] = 128
    x = tf.nn.bias_add(tf.nn.conv2d(image, tf.constant(to_bgr), 1, "VALID"), tf.constant([127.5] * 3))
    values = {body[0].inputs[0]: x}
    for node in body:
        values[node.outputs[0]] = _apply(node, values, constants)
    return values


def widest(body: Sequence[Node], constants: Constants, pixels: Pixels) -> dict[str, npt.NDArray[np.float32]]:
    """Of each tensor (C,) the largest absolute value in each of its channels."""
    import tensorflow as tf

    found: dict[str, npt.NDArray[np.float32]] = {}
    for start in range(0, len(pixels), BATCH):
        for name, value in run(body, constants, tf.constant(normalised(pixels[start : start + BATCH]))).items():
            largest = np.abs(value.numpy()).max(axis=(0, 1, 2))
            found[name] = np.maximum(found.get(name, 0.0), largest)
    return found


def head(nodes: list[Node], constants: Constants) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The two dense layers with the batch normalisation between them, all linear, as one; of its three outputs the
    first minus each of the others. In float64."""
    _, first, norm, last = nodes
    scale, shift, mean, variance = (constants[name].astype(np.float64) for name in norm.inputs[1:])
    factor = scale / np.sqrt(variance + EPSILON)
    outer = constants[last.inputs[1]].astype(np.float64)
    weight = (constants[first.inputs[1]].astype(np.float64) * factor) @ outer
    bias = (shift - mean * factor) @ outer
    differences = [side[..., :1] - side[..., 1:] for side in (weight, bias)]
    return differences[0].astype(np.float32), differences[1].astype(np.float32)


def _apply(node: Node, values: Mapping[str, Any], constants: Constants) -> Any:
    import tensorflow as tf

    x = values[node.inputs[0]]
    if node.kind == "Conv":
        return _convolved(x, node, constants)
    if node.kind == "PRelu":
        return prelu(x, constants[node.inputs[1]].reshape(-1))
    if node.kind == "Add":
        return x + values[node.inputs[1]]
    if node.kind == "Mul":
        return x * values[node.inputs[1]]
    if node.kind == "Relu":
        return tf.nn.relu(x)
    if node.kind == "Sigmoid":
        return tf.nn.sigmoid(x)
    return tf.reduce_mean(x, axis=[1, 2], keepdims=True)


def _convolved(x: Any, node: Node, constants: Constants) -> Any:
    """All that is padded is padded by one pixel on every side, which is not TensorFlow's SAME when the stride is
    two."""
    import tensorflow as tf

    weight, bias = (constants[name] for name in node.inputs[1:])
    stride = node.integers["strides"][0]
    padding = "VALID" if node.integers["pads"] == [0] * 4 else "SAME"
    if padding == "SAME" and stride == 2:
        x, padding = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]), "VALID"
    if node.integers["group"][0] == 1:
        x = tf.nn.conv2d(x, tf.constant(weight.transpose(2, 3, 1, 0)), stride, padding)
    else:
        kernel = weight.transpose(2, 3, 0, 1)
        x = tf.nn.depthwise_conv2d(x, tf.constant(kernel), [1, stride, stride, 1], padding)
    return tf.nn.bias_add(x, tf.constant(bias))
