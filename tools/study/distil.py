"""Quantisation-aware training of MobileFaceNet without labels: the rounded network learns to say what the exact one
says."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tools.models.layers import Layer
from tools.models.mobilefacenet_net import forward
from tools.models.pixels import Pixels, normalised
from tools.models.simulate import BATCH, Ranges, rounded_weights, rounding
from tools.study.varied import varied

STEPS = 400
RATE = 2e-5
"""Of Adam: the loss falls from the first step on. It ends at zero along a cosine (Loshchilov and Hutter 2017)."""


def distilled(
    layers: Sequence[Layer], limits: Ranges, faces: Pixels, seed: int, progress: Callable[[float], None]
) -> list[Layer]:
    """Weights, biases and slopes trained so that the rounded network says of varied faces what the exact one says.

    No label is needed: the loss is one minus the cosine between both embeddings. After B. Jacob et al., "Quantization
    and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference" (2018).
    """
    import tensorflow as tf

    generator = np.random.default_rng(seed)
    trained = [
        replace(
            layer,
            weight=tf.Variable(layer.weight, dtype=tf.float32),
            bias=tf.Variable(layer.bias, dtype=tf.float32),
            alpha=None if layer.alpha is None else tf.Variable(layer.alpha, dtype=tf.float32),
        )
        for layer in layers
    ]
    variables = [each for layer in trained for each in (layer.weight, layer.bias, layer.alpha) if each is not None]
    optimiser = tf.keras.optimizers.Adam(tf.keras.optimizers.schedules.CosineDecay(RATE, STEPS))
    tap = rounding(limits)

    def step(images: Any) -> None:
        wanted = tf.math.l2_normalize(forward(layers, images)["embedding"], axis=1)
        with tf.GradientTape() as tape:
            said = forward([rounded_weights(layer) for layer in trained], images, tap)["embedding"]
            loss = -tf.reduce_mean(tf.reduce_sum(wanted * tf.math.l2_normalize(said, axis=1), axis=1))
        optimiser.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    compiled = tf.function(step)
    for number in range(STEPS):
        compiled(tf.constant(normalised(varied(faces, BATCH, generator))))
        progress((number + 1) / STEPS)
    return [_plain(layer) for layer in trained]


def _plain(layer: Any) -> Layer:
    alpha = None if layer.alpha is None else layer.alpha.numpy()
    plain: Layer = replace(layer, weight=layer.weight.numpy(), bias=layer.bias.numpy(), alpha=alpha)
    return plain
