"""MobileFaceNet: read out of the published .tflite, written again as a TensorFlow function of constants.

The published file fixes the batch at two, has no signature, and spells PReLU as five operators.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from edge.errors import ModelError
from tools.models.convert import Network
from tools.models.fetch import CORRECT_PINS
from tools.models.layers import Array, Layer, blocks, is_residual
from tools.models.sources import MOBILEFACENET_FILE

INPUT_SHAPE = (1, 112, 112, 3)


def read_layers(model: bytes) -> list[Layer]:
    """The 52 layers of the published network, in order.

    In the file PReLU is relu(x) + (alpha / 2) * (x - |x|): the one constant multiplication after a convolution is half
    its alpha. Raises ModelError when the file holds another kind of operator.
    """
    from ai_edge_litert import schema_py_generated as schema

    parsed = schema.ModelT.InitFromPackedBuf(model, 0)
    graph = parsed.subgraphs[0]
    kind = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}

    def constant(number: int) -> npt.NDArray[np.float32] | None:
        data = parsed.buffers[graph.tensors[number].buffer].data
        return None if data is None else np.asarray(data, np.uint8).view("<f4").reshape(graph.tensors[number].shape)

    layers: list[dict[str, Any]] = []
    for operator in graph.operators:
        code = parsed.operatorCodes[operator.opcodeIndex]
        name = kind[max(code.builtinCode, code.deprecatedBuiltinCode)]
        constants = [value for value in map(constant, operator.inputs) if value is not None]
        if name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            options = operator.builtinOptions
            padding: Literal["SAME", "VALID"] = "SAME" if options.padding == schema.Padding.SAME else "VALID"
            weight, bias = constants
            layers.append({
                "weight": weight.transpose(1, 2, 3, 0), "bias": bias, "stride": int(options.strideH),
                "padding": padding, "depthwise": name == "DEPTHWISE_CONV_2D",
            })  # fmt: skip
        elif name == "MUL":
            layers[-1]["alpha"] = 2 * constants[0]
        elif name not in ("RELU", "ABS", "SUB", "ADD", "RESHAPE"):
            raise ModelError(f"{MOBILEFACENET_FILE} holds a {name}, which MobileFaceNet has not. {CORRECT_PINS}")
    return [Layer(**fields) for fields in layers]


Tap: TypeAlias = Callable[[int, str, Any], Any]
"""Is given each tensor, by the number of the layer that wrote it and as ``sum``, ``prelu`` or ``addition``; what it
returns goes on through the network."""


def _pass_on(_number: int, _kind: str, value: Any) -> Any:
    return value


def forward(layers: Sequence[Layer], image: Any, tap: Tap = _pass_on) -> dict[str, Any]:
    """The network on (N, 112, 112, 3) of (pixel - 127.5) / 128, RGB; ``embedding`` is (N, 192), not yet of unit norm.

    The layers may hold arrays or TensorFlow's tensors.
    """
    import tensorflow as tf

    def run(number: int, x: Any) -> Any:
        layer = layers[number]
        weight = tf.convert_to_tensor(layer.weight, tf.float32)
        if layer.depthwise:
            x = tf.nn.depthwise_conv2d(x, weight, [1, layer.stride, layer.stride, 1], layer.padding)
        else:
            x = tf.nn.conv2d(x, weight, layer.stride, layer.padding)
        x = tap(number, "sum", tf.nn.bias_add(x, tf.convert_to_tensor(layer.bias, tf.float32)))
        return x if layer.alpha is None else tap(number, "prelu", prelu(x, layer.alpha))

    first_block = blocks(layers)[0][0]
    x = image
    for number in range(first_block):
        x = run(number, x)
    for block in blocks(layers):
        y = x
        for number in block:
            y = run(number, y)
        x = tap(block[-1], "addition", x + y) if is_residual(layers, block) else y
    for number in range(blocks(layers)[-1][-1] + 1, len(layers)):
        x = run(number, x)
    return {"embedding": tf.reshape(x, [-1, layers[-1].outputs])}


def network(layers: Sequence[Layer]) -> Network:
    """The function to convert."""
    return lambda image: forward(layers, image)


def prelu(x: Any, alpha: Any) -> Any:
    """PReLU in the one spelling that the converter fuses into a PRELU operator, alpha one rank below x."""
    import tensorflow as tf

    slope = tf.reshape(tf.convert_to_tensor(alpha, tf.float32), (1,) * (len(x.shape) - 2) + (-1,))
    return tf.nn.relu(x) + (-slope) * tf.nn.relu(-x)


def ranges(layers: Sequence[Layer], images: npt.NDArray[np.float32], batch: int = 25) -> dict[int, Array]:
    """What ``equalise`` wants: for each layer the largest absolute value in each of its channels over ``images``."""
    import tensorflow as tf

    widest: dict[int, Array] = {}

    def tap(number: int, _kind: str, value: Any) -> Any:
        largest = np.abs(value.numpy()).max(axis=(0, 1, 2))
        widest[number] = np.maximum(widest.get(number, 0.0), largest)
        return value

    for start in range(0, len(images), batch):
        forward(layers, tf.constant(images[start : start + batch]), tap)
    return widest
