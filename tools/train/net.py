"""The network: plain 3x3 convolutions with ReLU, a weighted sum over places, one logit.

Trained with batch normalisation, which is multiplied into the convolutions afterwards: what is shipped is CONV_2D and
DEPTHWISE_CONV_2D with ReLU inside them, which int8 keeps and every accelerator knows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tools.models.convert import Network
from tools.train.crops import SIDE_PX

INPUT_SHAPE = (1, SIDE_PX, SIDE_PX, 3)

WIDTHS: Sequence[tuple[int, int]] = ((12, 2), (20, 2), (28, 1), (40, 2), (56, 1), (72, 2), (88, 1))
"""Channels and stride of each convolution: 96 px become 6 places."""

EPSILON = 1e-3
"""Added to a variance before its root is taken (Ioffe and Szegedy 2015)."""

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Folded:
    """``convolutions``: kernel (3, 3, in, out) and bias of each; ``places``: (6, 6, C, 1) the weight of each place;
    ``last``: (1, 1, C, 1) and its bias."""

    convolutions: Sequence[tuple[Array, Array]]
    places: Array
    last: tuple[Array, Array]


class Trainable:
    """The variables, and the forward pass in training and afterwards."""

    def __init__(self, seed: int) -> None:
        import tensorflow as tf

        rng = np.random.default_rng(seed)
        channels = 3
        self.kernels, self.scales, self.shifts, self.means, self.variances = [], [], [], [], []
        side = SIDE_PX
        for width, stride in WIDTHS:
            spread = np.sqrt(2 / (9 * channels))  # He et al. 2015
            self.kernels.append(tf.Variable(rng.normal(0, spread, (3, 3, channels, width)).astype(np.float32)))
            self.scales.append(tf.Variable(tf.ones(width)))
            self.shifts.append(tf.Variable(tf.zeros(width)))
            self.means.append(tf.Variable(tf.zeros(width), trainable=False))
            self.variances.append(tf.Variable(tf.ones(width), trainable=False))
            channels, side = width, -(-side // stride)
        self.places = tf.Variable(np.full((side, side, channels, 1), 1 / side**2, np.float32))
        self.last = tf.Variable(rng.normal(0, 1 / np.sqrt(channels), (1, 1, channels, 1)).astype(np.float32))
        self.bias = tf.Variable(tf.zeros(1))

    @property
    def decayed(self) -> list[Any]:
        """What weight decay draws to zero."""
        return [*self.kernels, self.last]

    @property
    def trained(self) -> list[Any]:
        return [*self.kernels, *self.scales, *self.shifts, self.places, self.last, self.bias]

    def forward(self, x: Any, training: bool) -> Any:
        """Logits (N,) of (N, SIDE_PX, SIDE_PX, 3)."""
        import tensorflow as tf

        for number, (_, stride) in enumerate(WIDTHS):
            x = tf.nn.conv2d(x, self.kernels[number], stride, "SAME")
            if training:
                mean, variance = tf.nn.moments(x, [0, 1, 2])
                self.means[number].assign(0.95 * self.means[number] + 0.05 * mean)
                self.variances[number].assign(0.95 * self.variances[number] + 0.05 * variance)
            else:
                mean, variance = self.means[number], self.variances[number]
            x = tf.nn.batch_normalization(x, mean, variance, self.shifts[number], self.scales[number], EPSILON)
            x = tf.nn.relu(x)
        x = tf.nn.depthwise_conv2d(x, self.places, [1, 1, 1, 1], "VALID")
        if training:
            x = tf.nn.dropout(x, 0.2)
        x = tf.nn.bias_add(tf.nn.conv2d(x, self.last, 1, "VALID"), self.bias)
        return tf.reshape(x, [-1])

    def folded(self) -> Folded:
        """With batch normalisation multiplied into the convolutions, in float64."""
        convolutions = []
        for kernel, scale, shift, mean, variance in zip(
            self.kernels, self.scales, self.shifts, self.means, self.variances, strict=True
        ):
            factor = scale.numpy().astype(np.float64) / np.sqrt(variance.numpy().astype(np.float64) + EPSILON)
            bias = shift.numpy() - mean.numpy() * factor
            convolutions.append(((kernel.numpy() * factor).astype(np.float32), bias.astype(np.float32)))
        return Folded(convolutions, self.places.numpy(), (self.last.numpy(), self.bias.numpy()))


def save(folded: Folded, path: Path) -> None:
    """As .npz, whole or not at all."""
    kernels = {f"kernel{number}": kernel for number, (kernel, _) in enumerate(folded.convolutions)}
    biases = {f"bias{number}": bias for number, (_, bias) in enumerate(folded.convolutions)}
    unfinished = path.with_suffix(".unfinished.npz")
    np.savez(unfinished, places=folded.places, last=folded.last[0], last_bias=folded.last[1], **kernels, **biases)
    unfinished.replace(path)


def load(path: Path) -> Folded:
    """What ``save`` wrote."""
    with np.load(path) as kept:
        convolutions = [(kept[f"kernel{number}"], kept[f"bias{number}"]) for number in range(len(WIDTHS))]
        return Folded(convolutions, kept["places"], (kept["last"], kept["last_bias"]))


def network(folded: Folded) -> Network:
    """The function to convert."""

    def forward(image: Any) -> dict[str, Any]:
        import tensorflow as tf

        x = image
        for (kernel, bias), (_, stride) in zip(folded.convolutions, WIDTHS, strict=True):
            x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, tf.constant(kernel), stride, "SAME"), tf.constant(bias)))
        x = tf.nn.depthwise_conv2d(x, tf.constant(folded.places), [1, 1, 1, 1], "VALID")
        kernel, bias = folded.last
        x = tf.nn.bias_add(tf.nn.conv2d(x, tf.constant(kernel), 1, "VALID"), tf.constant(bias))
        return {"logit": tf.reshape(x, [-1, 1])}

    return forward
