"""Channel equalisation of the liveness network, whose PReLU slopes and residual streams are those of ``equalise``; here
the streams are found in the graph itself, because squeeze-and-excitation runs through them."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tools.models.equalise import FLOOR, even_factor
from tools.models.onnx_file import Node

Array = npt.NDArray[np.float64]
Constants = dict[str, npt.NDArray[Any]]

SAME_FACTOR = frozenset({"PRelu", "Add", "Relu", "GlobalAveragePool"})
"""Operators that let a channel's positive factor through. Mul as well, for what is multiplied by a sigmoid."""


def streams(nodes: Sequence[Node]) -> list[set[str]]:
    """Sets of tensors whose channels must share their factors. A sigmoid's input, the network's input and its output
    keep their scale and are in none."""
    owner: dict[str, str] = {}

    def root(name: str) -> str:
        while owner.setdefault(name, name) != name:
            name = owner[name]
        return name

    fixed = {nodes[0].inputs[0], nodes[-1].outputs[0]}
    for node in nodes:
        if node.kind in SAME_FACTOR:
            tied = [node.inputs[0], node.outputs[0], *(node.inputs[1:] if node.kind == "Add" else ())]
        elif node.kind == "Mul":
            tied = [node.inputs[0], node.outputs[0]]
        else:
            tied = [node.outputs[0]]
        if node.kind == "Sigmoid":
            fixed |= {node.inputs[0], node.outputs[0]}
        for name in tied[1:]:
            owner[root(name)] = root(tied[0])
        root(tied[0])
    found: dict[str, set[str]] = defaultdict(set)
    for name in list(owner):
        found[root(name)].add(name)
    return [names for names in found.values() if not names & fixed]


def equalised(
    nodes: Sequence[Node], constants: Constants, widest: Callable[[], Mapping[str, npt.NDArray[Any]]]
) -> Constants:
    """The same function with channels of even range. ``widest``: for each tensor (C,) the largest absolute value seen
    in each of its channels."""
    seen = widest()
    scaled = {name: value.astype(np.float64) if value.dtype.kind == "f" else value for name, value in constants.items()}
    for names in streams(nodes):
        producers = [node for node in nodes if node.kind == "Conv" and node.outputs[0] in names]
        consumers = [node for node in nodes if node.kind == "Conv" and node.inputs[0] in names]
        largest = np.max([seen[name] for name in names if name in seen], axis=0).astype(np.float64)
        factor = _factor(
            largest, [scaled[node.inputs[1]] for node in consumers], [_depthwise(node) for node in consumers]
        )
        for node in producers:
            scaled[node.inputs[1]] = scaled[node.inputs[1]] * factor[:, None, None, None]
            scaled[node.inputs[2]] = scaled[node.inputs[2]] * factor
        for node in consumers:
            way = factor[:, None, None, None] if _depthwise(node) else factor[None, :, None, None]
            scaled[node.inputs[1]] = scaled[node.inputs[1]] / way
    return {name: value.astype(np.float32) if value.dtype.kind == "f" else value for name, value in scaled.items()}


def _factor(widest: Array, weights: Sequence[Array], depthwise: Sequence[bool]) -> Array:
    """(C,) positive, geometric mean 1, as ``equalise`` chooses it."""
    dense = [weight[:, :, 0, 0].T[None] for weight, alone in zip(weights, depthwise, strict=True) if not alone]
    if dense:
        return even_factor(widest, dense)
    factor = 1 / np.maximum(widest, widest.max() * FLOOR)
    centred: Array = factor / np.exp(np.log(factor).mean())
    return centred


def _depthwise(node: Node) -> bool:
    return node.integers["group"][0] > 1
