"""MobileFaceNet as a list of layers: plain arrays, no TensorFlow.

The order is that of the network: a stem of three layers, bottleneck blocks of three (expand 1x1, depthwise 3x3, project
1x1; the block's input is added where the shapes agree), a tail (expand 1x1, global depthwise, linear 1x1).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.floating[Any]]

STEM = 3
TAIL = 3


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One convolution with its PReLU.

    ``weight``: (kh, kw, in, out), for a depthwise layer (kh, kw, channels, 1). ``bias``: (out,). ``alpha``: the PReLU's
    slope below zero, (out,), or None where the layer is linear.
    """

    weight: Array
    bias: Array
    alpha: Array | None = None
    stride: int = 1
    padding: Literal["SAME", "VALID"] = "SAME"
    depthwise: bool = False

    @property
    def inputs(self) -> int:
        return int(self.weight.shape[2])

    @property
    def outputs(self) -> int:
        return int(self.weight.shape[2 if self.depthwise else 3])


def blocks(layers: Sequence[Layer]) -> list[tuple[int, int, int]]:
    """The layer numbers (expand, depthwise, project) of every bottleneck block."""
    return [(i, i + 1, i + 2) for i in range(STEM, len(layers) - TAIL, 3)]


def is_residual(layers: Sequence[Layer], block: tuple[int, int, int]) -> bool:
    """True where the block's input is added to its output: same size, same number of channels."""
    expand, depthwise, project = (layers[i] for i in block)
    return depthwise.stride == 1 and expand.inputs == project.outputs


def merge_last_two(layers: Sequence[Layer]) -> list[Layer]:
    """The same network with its last two layers, both 1x1 and the first of them linear, multiplied into one.

    Exact but for rounding: W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2), in float64.
    """
    first, second = layers[-2], layers[-1]
    if (
        first.alpha is not None
        or first.depthwise
        or second.depthwise
        or first.weight.shape[:2] + second.weight.shape[:2] != (1,) * 4
    ):
        raise ValueError("Only two 1x1 convolutions without an activation between them can be merged.")
    inner = first.weight[0, 0].astype(np.float64)
    outer = second.weight[0, 0].astype(np.float64)
    weight = (inner @ outer)[None, None].astype(np.float32)
    bias = (first.bias.astype(np.float64) @ outer + second.bias).astype(np.float32)
    return [*layers[:-2], replace(second, weight=weight, bias=bias)]
