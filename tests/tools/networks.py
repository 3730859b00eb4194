"""Small networks of MobileFaceNet's shape, and a plain numpy convolution to run them with."""

import numpy as np
import numpy.typing as npt

from tools.models.layers import Layer, blocks, is_residual

Floats = npt.NDArray[np.float64]


def random_network(seed: int, channels: int = 3, wide: int = 5, spread: float = 3.0) -> list[Layer]:
    """Stem, a block with stride 2, two residual blocks, a block that changes the channels, tail.

    Output channels differ in size by up to ``exp(2 * spread)``; slopes are of either sign, as the published ones.
    """
    generator = np.random.default_rng(seed)

    def layer(
        inputs: int, outputs: int, size: int = 1, *, stride: int = 1, depthwise: bool = False, linear: bool = False
    ) -> Layer:
        uneven = np.exp(generator.uniform(-spread, spread, outputs))
        shape = (size, size, inputs, 1 if depthwise else outputs)
        weight = generator.normal(size=shape) * (uneven[:, None] if depthwise else uneven)
        return Layer(
            weight=weight.astype(np.float32),
            bias=(generator.normal(size=outputs) * uneven).astype(np.float32),
            alpha=None if linear else generator.uniform(-2, 2, outputs).astype(np.float32),
            stride=stride,
            padding="VALID" if depthwise and size > 3 else "SAME",
            depthwise=depthwise,
        )

    def block(inputs: int, outputs: int, stride: int = 1) -> list[Layer]:
        return [
            layer(inputs, wide),
            layer(wide, wide, 3, stride=stride, depthwise=True),
            layer(wide, outputs, linear=True),
        ]

    stem = [layer(3, wide, 3, stride=2), layer(wide, wide, 3, depthwise=True), layer(wide, channels, linear=True)]
    body = block(channels, channels, 2) + block(channels, channels) + block(channels, channels)
    body += block(channels, channels + 1)
    tail = [layer(channels + 1, wide), layer(wide, wide, 4, depthwise=True, linear=True), layer(wide, 7, linear=True)]
    return [*stem, *body, *tail]


def convolve(x: Floats, layer: Layer) -> Floats:
    """(H, W, in) to (h, w, out): TensorFlow's convolution with bias, without the layer's PReLU."""
    size, stride = layer.weight.shape[0], layer.stride
    if layer.padding == "SAME":
        missing = [max(0, (-(-side // stride) - 1) * stride + size - side) for side in x.shape[:2]]
        x = np.pad(x, [(gap // 2, gap - gap // 2) for gap in missing] + [(0, 0)])
    across = np.lib.stride_tricks.sliding_window_view(x, size, axis=0)
    windows = np.lib.stride_tricks.sliding_window_view(across, size, axis=1)[::stride, ::stride]
    weight = layer.weight.astype(np.float64)
    if layer.depthwise:
        y = np.einsum("hwcij,ijc->hwc", windows, weight[..., 0])
    else:
        y = np.einsum("hwcij,ijco->hwo", windows, weight)
    result: Floats = y + layer.bias
    return result


def prelu(x: Floats, layer: Layer) -> Floats:
    return x if layer.alpha is None else np.where(x > 0, x, x * layer.alpha)


def run(layers: list[Layer], image: Floats) -> tuple[Floats, dict[int, Floats]]:
    """The network's output, and for each layer the largest absolute value in each of its channels."""
    widest: dict[int, Floats] = {}

    def step(number: int, x: Floats) -> Floats:
        before = convolve(x, layers[number])
        after = prelu(before, layers[number])
        widest[number] = np.maximum(np.abs(before), np.abs(after)).max(axis=(0, 1))
        return after

    x = image
    for number in range(3):
        x = step(number, x)
    for block in blocks(layers):
        y = x
        for number in block:
            y = step(number, y)
        x = x + y if is_residual(layers, block) else y
        widest[block[-1]] = np.maximum(widest[block[-1]], np.abs(x).max(axis=(0, 1)))
    for number in range(len(layers) - 3, len(layers)):
        x = step(number, x)
    return x.reshape(-1), widest
