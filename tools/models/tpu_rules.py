"""Which networks the Edge TPU's compiler takes: its published rules, checked on a file without the compiler.

Source: coral.ai/docs/edgetpu/models-intro, "Model requirements" and the table under "Supported operations". All
tensors are int8 or uint8 (a bias int32), their sizes and all parameters are constant, only the three innermost
dimensions are larger than one, and every operator is on the list and within its limitation. Only operators that
networks like ours use are on the list here; a network with another one is refused until its rule is added.

The rules are necessary, not sufficient: the compiler leaves out operators for reasons that it does not publish
("otherwise supported, but not mapped due to some unspecified limitation").
"""

import math
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from edge.errors import ModelError

VERSIONS: Mapping[str, int] = {
    "ADD": 2,
    "CONV_2D": 3,
    "DEPTHWISE_CONV_2D": 3,
    "FULLY_CONNECTED": 4,
    "LOGISTIC": 2,
    "MAX_POOL_2D": 2,
    "MEAN": 2,
    "MUL": 2,
    "PAD": 2,
    "PRELU": 1,
    "QUANTIZE": 1,
    "RESHAPE": 1,
    "SOFTMAX": 2,
}
"""The operators on the list, each with the version in which TensorFlow 1.14 gave it int8 (TensorFlow,
lite/tools/versioning/runtime_version.cc). The newest compiler is of 2021 and refuses newer versions: github.com/
google-coral/edgetpu, issues 631 (CONV_2D 6) and 879 (QUANTIZE 3)."""

SOFTMAX_MAX_ELEMENTS = 16_000
"""The table's limitation of Softmax."""

INNERMOST = 3
"""Dimensions of an activation that may be larger than one."""


def violations(model: bytes) -> list[str]:
    """What the rules forbid in a .tflite file, a sentence each with operator and tensor; empty when it may be compiled.

    Raises ModelError when the file cannot be read.
    """
    with _parsed(model) as parsed:
        return [sentence for graph in parsed.subgraphs for sentence in _Graph(parsed, graph).violations()]


def operators(model: bytes) -> list[str]:
    """The operators in a .tflite file, sorted, each once, by the names that the runtime gives them; a custom one by its
    own name. Raises ModelError when the file cannot be read."""
    with _parsed(model) as parsed:
        return sorted({_name(parsed, each) for graph in parsed.subgraphs for each in graph.operators})


class _Graph:
    """One subgraph under inspection."""

    def __init__(self, model: Any, graph: Any) -> None:
        self._model, self._graph = model, graph

    def violations(self) -> Iterator[str]:
        """A sentence for each rule broken."""
        for tensor in self._graph.tensors:
            yield from self._of_tensor(tensor)
        for operator in self._graph.operators:
            name = _name(self._model, operator)
            for sentence in self._of_operator(name, operator):
                yield f"{name} that writes {_text(self.tensor(operator.outputs[0]))}: {sentence}."

    def tensor(self, number: int) -> Any:
        return self._graph.tensors[number]

    def is_constant(self, tensor: Any) -> bool:
        # Data behind the flatbuffer (networks above 2 GB, and what some tools write) is no part of the file for a
        # compiler of 2021.
        return self._model.buffers[tensor.buffer].data is not None

    def _of_tensor(self, tensor: Any) -> Iterator[str]:
        from ai_edge_litert import schema_py_generated as schema

        # Constants of INT32 are biases, and the shapes that RESHAPE and PAD are given.
        allowed = {schema.TensorType.INT8, schema.TensorType.UINT8}
        if self.is_constant(tensor):
            allowed.add(schema.TensorType.INT32)
        if tensor.type not in allowed:
            kind = _names(schema.TensorType).get(tensor.type, tensor.type)
            yield f"{_text(tensor)} is {kind}, not int8 or uint8."
        shape = _shape(tensor)
        signature = shape if tensor.shapeSignature is None else [int(side) for side in tensor.shapeSignature]
        if min(shape + signature, default=1) < 1:
            yield f"{_text(tensor)} has no constant size ({signature})."
        if not self.is_constant(tensor) and any(side > 1 for side in shape[:-INNERMOST]):
            yield f"{_text(tensor)} is {shape}: only the {INNERMOST} innermost dimensions may be larger than one."

    def _of_operator(self, name: str, operator: Any) -> Iterator[str]:
        if name not in VERSIONS:
            yield "is not on the list of supported operators"
            return
        version = self._model.operatorCodes[operator.opcodeIndex].version
        if version > VERSIONS[name]:
            yield f"has version {version}, newer than {VERSIONS[name]}"
        for number in operator.inputs[1:]:
            if name not in ("ADD", "MUL") and number >= 0 and not self.is_constant(self.tensor(number)):
                yield f"its parameter {_text(self.tensor(number))} is not a constant in the file"
        yield from self._of_options(name, operator.builtinOptions)
        yield from self._of_shapes(name, operator)

    def _of_options(self, name: str, options: Any) -> Iterator[str]:
        from ai_edge_litert import schema_py_generated as schema

        if name == "CONV_2D" and options.dilationWFactor != options.dilationHFactor:
            yield "dilation differs in x and y"
        if name == "DEPTHWISE_CONV_2D" and (options.dilationWFactor, options.dilationHFactor) != (1, 1):
            yield "dilated kernels are not supported"
        if name == "MAX_POOL_2D" and options.fusedActivationFunction != schema.ActivationFunctionType.NONE:
            yield "a fused activation is not supported"
        if name == "FULLY_CONNECTED" and options.weightsFormat != schema.FullyConnectedOptionsWeightsFormat.DEFAULT:
            yield "only the default format of weights is supported"

    def _of_shapes(self, name: str, operator: Any) -> Iterator[str]:
        if name in _ONE_DIMENSIONAL:
            what, which = _ONE_DIMENSIONAL[name]
            shape = _shape(self.tensor(which(operator)))
            if any(side > 1 for side in shape[:-1]):
                yield f"its {what} is {shape}, not one-dimensional"
        if name == "SOFTMAX" and math.prod(_shape(self.tensor(operator.inputs[0]))) > SOFTMAX_MAX_ELEMENTS:
            yield f"its input has more than {SOFTMAX_MAX_ELEMENTS} elements"
        if name == "PAD" and self._pads_batch(operator):
            yield "the batch dimension is padded"

    def _pads_batch(self, operator: Any) -> bool:
        amounts = self.tensor(operator.inputs[1])
        data = self._model.buffers[amounts.buffer].data
        padded_dimensions = _shape(amounts)[0]
        # One row of (before, after) for each dimension; with three or fewer there is no batch.
        return data is not None and padded_dimensions > INNERMOST and any(bytes(data)[: 2 * 4])


_ONE_DIMENSIONAL: Mapping[str, tuple[str, Callable[[Any], int]]] = {
    "FULLY_CONNECTED": ("output", lambda operator: int(operator.outputs[0])),
    "PRELU": ("alpha", lambda operator: int(operator.inputs[1])),
    "SOFTMAX": ("input", lambda operator: int(operator.inputs[0])),
}


@contextmanager
def _parsed(model: bytes) -> Iterator[Any]:
    """The file as objects. That something in it points nowhere may show only when it is followed."""
    from ai_edge_litert import schema_py_generated as schema

    try:
        if model[4:8] != b"TFL3":
            raise ValueError("it does not begin as a TFLite flatbuffer")
        yield schema.ModelT.InitFromPackedBuf(model, 0)
    except (AttributeError, IndexError, OverflowError, TypeError, ValueError, struct.error) as error:
        raise ModelError(f"The network cannot be read ({error}). Use a .tflite file that is whole.") from error


def _name(model: Any, operator: Any) -> str:
    from ai_edge_litert import schema_py_generated as schema

    code = model.operatorCodes[operator.opcodeIndex]
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    if number == schema.BuiltinOperator.CUSTOM:
        return _decoded(code.customCode) or "CUSTOM"
    return _names(schema.BuiltinOperator).get(number, f"operator {number}")


def _shape(tensor: Any) -> list[int]:
    return [] if tensor.shape is None else [int(side) for side in tensor.shape]


def _text(tensor: Any) -> str:
    return _decoded(tensor.name) or "an unnamed tensor"


def _decoded(name: bytes | None) -> str:
    return (name or b"").decode(errors="replace")


def _names(enumeration: Any) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}
