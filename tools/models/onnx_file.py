"""The operators and constants of an .onnx file, read without the package onnx: the file is protocol buffers, of which
a network needs very little (onnx/onnx.proto: ModelProto.graph, GraphProto.node and .initializer)."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.errors import ModelError
from tools.models.fetch import CORRECT_PINS

FLOAT, INT64 = 1, 7
"""TensorProto.DataType."""

_TYPES = {FLOAT: "<f4", INT64: "<i8"}


@dataclass(frozen=True, slots=True)
class Node:
    """One operator: names of what it takes and gives, and its attributes that are integers."""

    kind: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    integers: Mapping[str, Sequence[int]]


def read(content: bytes) -> tuple[list[Node], dict[str, npt.NDArray[np.generic]]]:
    """Operators in order, and constants by name. Raises ModelError when the file is something else."""
    try:
        (graph,) = (value for number, value in _fields(content) if number == 7)
        nodes = [_node(value) for number, value in _fields(_bytes(graph)) if number == 1]
        tensors = [_tensor(value) for number, value in _fields(_bytes(graph)) if number == 5]
    except (IndexError, KeyError, ValueError, struct.error) as error:
        raise ModelError(f"The network is no .onnx file that can be read ({error}). {CORRECT_PINS}") from error
    return nodes, dict(tensors)


def _node(content: bytes | int) -> Node:
    fields = list(_fields(_bytes(content)))
    kind = next(_text(value) for number, value in fields if number == 4)
    inputs, outputs = ([_text(value) for number, value in fields if number == wanted] for wanted in (1, 2))
    return Node(kind, inputs, outputs, dict(_attribute(value) for number, value in fields if number == 5))


def _attribute(content: bytes | int) -> tuple[str, list[int]]:
    """AttributeProto: name 1, i 3, ints 8 (each by itself or packed)."""
    name, integers = "", []
    for number, value in _fields(_bytes(content)):
        if number == 1:
            name = _text(value)
        elif number in (3, 8):
            integers += [value] if isinstance(value, int) else list(_numbers(value))
    return name, integers


def _tensor(content: bytes | int) -> tuple[str, npt.NDArray[np.generic]]:
    """TensorProto: dims 1, data_type 2, name 8, raw_data 9."""
    shape: list[int] = []
    name, kind, raw = "", 0, b""
    for number, value in _fields(_bytes(content)):
        if number == 1:
            shape += [value] if isinstance(value, int) else list(_numbers(value))
        elif number == 2 and isinstance(value, int):
            kind = value
        elif number == 8:
            name = _text(value)
        elif number == 9:
            raw = _bytes(value)
    return name, np.frombuffer(raw, _TYPES[kind]).reshape(shape)


def _fields(content: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Field number and value: of a message, text or packed numbers the bytes, of a number the number."""
    place = 0
    while place < len(content):
        key, place = _number(content, place)
        kind = key & 7
        if kind == 0:
            value, place = _number(content, place)
            yield key >> 3, value
            continue
        if kind == 2:
            length, place = _number(content, place)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise ValueError(f"a field of kind {kind}")
        if place + length > len(content):
            raise ValueError("it ends too early")
        yield key >> 3, content[place : place + length]
        place += length


def _numbers(packed: bytes) -> Iterator[int]:
    place = 0
    while place < len(packed):
        value, place = _number(packed, place)
        yield value


def _number(content: bytes, place: int) -> tuple[int, int]:
    """A base-128 number, and where it ends."""
    value = shift = 0
    while True:
        byte = content[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place


def _bytes(value: bytes | int) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number where a message belongs")
    return value


def _text(value: bytes | int) -> str:
    return _bytes(value).decode()
