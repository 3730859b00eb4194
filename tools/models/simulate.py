"""MobileFaceNet in float with the rounding of int8: what bias correction needs, and tools.study to distil.

Weights have a symmetric scale per output channel, activations one scale per tensor over their true minimum and maximum,
as the quantisers have.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from tools.models.layers import Array, Layer
from tools.models.mobilefacenet_net import forward
from tools.models.pixels import Pixels, normalised

Ranges: TypeAlias = Mapping[tuple[int, str], tuple[float, float]]
"""The least and the largest value of each tensor, by the layer that writes it and its kind."""

BATCH = 24

CORRECTING = 200
"""Faces for the means that bias correction compares: all at once in memory, 2 GB."""


def ranges(layers: Sequence[Layer], faces: Pixels) -> dict[tuple[int, str], tuple[float, float]]:
    """Over (N, 112, 112, 3) faces; zero is always inside."""
    import tensorflow as tf

    found: dict[tuple[int, str], tuple[float, float]] = {}

    def tap(number: int, kind: str, value: Any) -> Any:
        low, high = found.get((number, kind), (0.0, 0.0))
        found[number, kind] = min(low, float(value.numpy().min())), max(high, float(value.numpy().max()))
        return value

    for start in range(0, len(faces), BATCH):
        forward(layers, tf.constant(normalised(faces[start : start + BATCH])), tap)
    return found


def rounded_weights(layer: Layer) -> Layer:
    """With weights on the int8 grid; the gradient passes through the rounding as if it were not there (Bengio et al.
    2013, the straight-through estimator)."""
    import tensorflow as tf

    weight = tf.convert_to_tensor(layer.weight, tf.float32)
    channel = (0, 1, 3) if layer.depthwise else (0, 1, 2)
    scale = tf.maximum(tf.reduce_max(tf.abs(weight), axis=channel, keepdims=True) / 127.0, 1e-12)
    grid = tf.clip_by_value(tf.round(weight / scale), -127, 127) * scale
    return replace(layer, weight=weight + tf.stop_gradient(grid - weight))


def rounding(limits: Ranges) -> Callable[[int, str, Any], Any]:
    """A tap that rounds each tensor to its 256 values."""
    import tensorflow as tf

    def tap(number: int, kind: str, value: Any) -> Any:
        low, high = limits[number, kind]
        return tf.quantization.fake_quant_with_min_max_args(value, low, high, num_bits=8)

    return tap


def correct_biases(layers: Sequence[Layer], limits: Ranges, faces: Pixels) -> list[Layer]:
    """Add to each bias what rounding takes from the mean of its channel, from the first layer to the last.

    M. Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction" (2019), section 4.2, with
    measured means.
    """
    import tensorflow as tf

    image = tf.constant(normalised(faces[:CORRECTING]))
    exact: dict[int, Array] = {}

    def remember(number: int, kind: str, value: Any) -> Any:
        if kind == "sum":
            exact[number] = _mean(value)
        return value

    forward(layers, image, remember)
    missing: dict[int, Array] = {}
    round_to_grid = rounding(limits)

    def correct(number: int, kind: str, value: Any) -> Any:
        if kind == "sum":
            # What follows is measured with the layers before already corrected.
            missing[number] = (exact[number] - _mean(value)).astype(np.float32)
            value += missing[number]
        return round_to_grid(number, kind, value)

    forward([rounded_weights(layer) for layer in layers], image, correct)
    return [replace(layer, bias=layer.bias + missing[number]) for number, layer in enumerate(layers)]


def _mean(value: Any) -> Array:
    """Of each channel, summed by numpy in float64: in the same order on every machine."""
    mean: Array = value.numpy().mean(axis=(0, 1, 2), dtype=np.float64)
    return mean
