"""Channel equalisation: gives every channel of a tensor a similar range, so that one int8 scale serves them all.

PReLU is positively homogeneous: prelu(s * y) = s * prelu(y) for s > 0. A channel's factor can therefore be multiplied
into the layers that produce the channel and divided out of those that consume it, and the network computes the same
function. After M. Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction" (2019), with
measured ranges, and with residual streams, whose producers must share one factor.

MobileFaceNet needs it: its PReLU slopes run from -9.4 to +8.9, and some channels are 20 times as wide as their
neighbours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tools.models.layers import Array, Layer, blocks, is_residual

FLOOR = 1e-3
"""Channels narrower than this share of the widest are taken as that wide: a dead channel must get no endless factor."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One tensor, or several that a chain of additions ties together: who writes it, who reads it, by layer number."""

    producers: tuple[int, ...]
    consumers: tuple[int, ...]


def streams(layers: Sequence[Layer]) -> list[Stream]:
    """Every stream between the network's input and its output, both of which keep their scale."""
    found = [Stream((0,), (1,)), Stream((1,), (2,))]
    producers, consumers = [2], []
    for block in blocks(layers):
        expand, depthwise, project = block
        found += [Stream((expand,), (depthwise,)), Stream((depthwise,), (project,))]
        consumers.append(expand)
        if is_residual(layers, block):
            producers.append(project)
        else:
            found.append(Stream(tuple(producers), tuple(consumers)))
            producers, consumers = [project], []
    tail = len(layers) - 3
    found.append(Stream(tuple(producers), (*consumers, tail)))
    found += [Stream((tail,), (tail + 1,)), Stream((tail + 1,), (tail + 2,))]
    return found


def equalise(layers: Sequence[Layer], ranges: Mapping[int, Array]) -> list[Layer]:
    """The same function with evened channels.

    ``ranges[i]``: (out,) the largest absolute value seen in each channel that layer i writes: before its PReLU, after
    it, and after the addition where it ends a residual block.
    """
    scaled = [
        replace(layer, weight=layer.weight.astype(np.float64), bias=layer.bias.astype(np.float64)) for layer in layers
    ]
    for stream in streams(layers):
        widest = np.max([ranges[i] for i in stream.producers], axis=0)
        factor = _factor(widest.astype(np.float64), [scaled[i] for i in stream.consumers])
        for i in stream.producers:
            scaled[i] = _scale_outputs(scaled[i], factor)
        for i in stream.consumers:
            scaled[i] = replace(scaled[i], weight=scaled[i].weight / factor[None, None, :, None])
    return [
        replace(layer, weight=layer.weight.astype(np.float32), bias=layer.bias.astype(np.float32)) for layer in scaled
    ]


def _factor(widest: Array, consumers: Sequence[Layer]) -> Array:
    """(channels,) positive, geometric mean 1.

    A depthwise consumer has one weight scale a channel, so the activations may be evened completely. A dense one shares
    its scale among its inputs: what evens the activations spreads the weights, and the square root splits the loss
    between them.
    """
    widest = np.maximum(widest, max(widest.max() * FLOOR, np.finfo(np.float64).tiny))
    if all(layer.depthwise for layer in consumers):
        return _centred(1.0 / widest)
    return even_factor(widest, [layer.weight.reshape(-1, *layer.weight.shape[2:]) for layer in consumers])


def even_factor(widest: Array, weights: Sequence[Array]) -> Array:
    """(channels,) positive, geometric mean 1: the square root between the evenest activations and the evenest weights.

    ``widest``: (channels,) the largest absolute value of each; ``weights``: of each dense consumer, (any, channels,
    out).
    """
    widest = np.maximum(widest, max(widest.max() * FLOOR, np.finfo(np.float64).tiny))
    return _centred(np.sqrt(_input_weight(weights) / widest))


def _centred(factor: Array) -> Array:
    centred: Array = factor / np.exp(np.log(factor).mean())
    return centred


def _input_weight(weights: Sequence[Array]) -> Array:
    """(channels,) how large each input's weights are beside the largest of the same output."""
    shares = []
    for weight in weights:
        size = np.abs(weight)
        largest = np.maximum(size.max(axis=(0, 1), keepdims=True), np.finfo(np.float64).tiny)
        shares.append((size / largest).max(axis=(0, 2)))
    share: Array = np.max(shares, axis=0)
    return np.maximum(share, max(share.max() * FLOOR, np.finfo(np.float64).tiny))


def _scale_outputs(layer: Layer, factor: Array) -> Layer:
    shaped = factor[None, None, :, None] if layer.depthwise else factor[None, None, None, :]
    return replace(layer, weight=layer.weight * shaped, bias=layer.bias * factor)
