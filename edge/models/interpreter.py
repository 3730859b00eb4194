"""A network ready to run, and the only import of a TFLite runtime."""

import ctypes
import importlib
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from edge.errors import ModelError
from edge.models.manifest import COMPILE, Card, Shelf, Tensor
from edge.types import FloatArray

RUNTIMES = ("ai_edge_litert", "tflite_runtime")
"""Import names in order of preference: on x86-64 the first runs int8 networks 4 to 15 times as fast as the second."""

DELEGATED = "DELEGATE"
"""The runtime's name of the node that stands for what a delegate has taken; the operators it took stay listed."""

COMPILED = "edgetpu-custom-op"
"""The one operator that Google's edgetpu_compiler leaves in the place of all that it mapped."""

INSTALL = (
    "Plug the accelerator in and install libedgetpu1-std from Google's Coral package repository "
    '(https://coral.ai/docs/accelerator/get-started/), or set models.device = "cpu".'
)

REAL_MAX = 1e6
"""Beyond what any of these networks answers with (shares of a window, logits, a face's description), and far below
where boxes made of it would overflow float32."""

Shape: TypeAlias = tuple[int | None, ...]


def load_runtime(names: Sequence[str] = RUNTIMES) -> Any:
    """The ``interpreter`` module of the first runtime installed. Raises ModelError when there is none."""
    for name in names:
        try:
            return importlib.import_module(f"{name}.interpreter")
        except ModuleNotFoundError:
            continue
    raise ModelError(f"No TFLite runtime is installed ({' or '.join(names)}). Run `pip install ai-edge-litert`.")


def load_delegate(path: str, runtime: Any = None) -> Any:
    """The delegate of the shared library ``path`` (a name that the loader finds, or a path), for networks of the same
    runtime. Raises ModelError that says what to install."""
    module = runtime or load_runtime()
    try:
        # First by hand: the runtime's own attempt at a library that is missing leaves a half-made object behind.
        library = ctypes.CDLL(path)
        if not all(hasattr(library, f"tflite_plugin_{verb}_delegate") for verb in ("create", "destroy")):
            raise OSError(f"{path} is no TFLite delegate")
        return module.load_delegate(path)
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"The Edge TPU cannot be used ({_line(error)}). {INSTALL} {COMPILE}") from error


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """One output as stored: int8 with ``real = scale * (values - zero_point)``, or float32 with scale 0."""

    values: npt.NDArray[Any]
    scale: float
    zero_point: int

    def real(self, where: Any = ...) -> FloatArray:
        """The values at an index as float32. Raises ModelError where the network answers with no number, or with one
        beyond ``REAL_MAX``."""
        picked: FloatArray = np.asarray(self.values[where], dtype=np.float32)
        if self.scale != 0:
            picked = (picked - np.float32(self.zero_point)) * np.float32(self.scale)
        elif not (np.abs(picked) <= REAL_MAX).all():
            raise ModelError("A network answers with no usable number. Use the networks that facelatch ships.")
        return picked

    def at_least(self, limit: float) -> npt.NDArray[np.bool_]:
        """Where the real value reaches ``limit``, decided without converting every element."""
        stored = limit if self.scale == 0 else math.ceil(limit / self.scale + self.zero_point - 1e-6)
        reached: npt.NDArray[np.bool_] = np.greater_equal(self.values, stored)
        return reached


class Net:
    """One network with a fixed input shape, on ``threads`` threads. Not for use from two threads at once.

    Input is (N, H, W, 3) uint8 RGB exactly as captured; the network's own normalisation ``(x - 127.5) / 128`` is
    applied here, into a buffer that lives as long as the network.
    """

    def __init__(
        self,
        shelf: Shelf,
        name: str,
        *,
        input_shape: Sequence[int] | None = None,
        threads: int = 1,
        runtime: Any = None,
        delegate: Any = None,
    ) -> None:
        """Load, verify and run ``name`` once, so that a network that cannot run shows now and the first frame is as
        fast as the others.

        ``input_shape`` replaces the stored one (batch, canvas). ``delegate``: from ``load_delegate`` of the same
        runtime; it stands in place of XNNPACK. Raises ModelError when the file is altered, is not what its manifest
        says, or the delegate takes no part of it.
        """
        self.name, self._remedy = name, shelf.remedy
        card, content = shelf.card(name), shelf.load(name)
        module = runtime or load_runtime()
        with self._refused_by_the_runtime():
            self._net = module.Interpreter(model_content=content, num_threads=threads, **_options(module, delegate))
            operators = {detail["op_name"] for detail in self._net._get_ops_details()}
        self._check(operators - {DELEGATED} == set(card.ops))
        stored = card.input.shape
        self.shape = tuple(input_shape or stored)
        (index,) = self._inputs(card, stored)
        with self._refused_by_the_runtime():
            if self.shape != stored:
                self._net.resize_tensor_input(index, list(self.shape))
            self._net.allocate_tensors()
            operators = {detail["op_name"] for detail in self._net._get_ops_details()}
        if delegate is not None and not operators & {DELEGATED, COMPILED}:
            raise ModelError(f"The network {name} in {shelf.folder} is not compiled for the Edge TPU. {COMPILE}")
        (self._index,) = self._inputs(card, self.shape)
        self._outputs = self._matched_outputs(card)
        self.output_shapes = {output: _shape(detail) for output, detail in self._outputs.items()}
        self._buffer = np.zeros(self.shape, dtype=card.input.dtype)
        self.run(np.full(self.shape, 128, dtype=np.uint8))

    def require(self, *, image: Shape, **outputs: Shape) -> None:
        """Raises ModelError unless the network takes and gives these shapes, by the outputs' names; None is any."""
        fits = outputs.keys() == self.output_shapes.keys() and _fits(self.shape, image)
        self._check(fits and all(_fits(shape, outputs[output]) for output, shape in self.output_shapes.items()))

    def run(self, pixels: npt.NDArray[np.uint8]) -> dict[str, Output]:
        """All outputs by the manifest's names, as copies that the caller owns.

        ``pixels`` has the shape of ``self.shape``, or fewer pictures: the rest of the batch is what it was before, and
        what comes out for it means nothing. Raises ModelError when the network cannot run.
        """
        self._fill(pixels)
        with self._refused_by_the_runtime():
            self._net.set_tensor(self._index, self._buffer)
            self._net.invoke()
            return {
                name: Output(self._net.get_tensor(detail["index"]), *detail["quantization"])
                for name, detail in self._outputs.items()
            }

    def run_many(self, pixels: npt.NDArray[np.uint8]) -> dict[str, FloatArray]:
        """Real outputs for any number of pictures, in batches of the network's own."""
        size, count = self.shape[0], len(pixels)
        parts = [
            {name: output.real() for name, output in self.run(pixels[start : start + size]).items()}
            for start in range(0, count, size)
        ]
        return {name: np.concatenate([part[name] for part in parts])[:count] for name in parts[0]} if parts else {}

    def _fill(self, pixels: npt.NDArray[np.uint8]) -> None:
        """Normalise into the input buffer. Raises ValueError for pixels of another shape."""
        if pixels.shape[1:] != self.shape[1:] or len(pixels) > self.shape[0]:
            raise ValueError(f"pixels are {pixels.shape}, the network {self.name} takes {self.shape}")
        given = self._buffer[: len(pixels)]
        if self._buffer.dtype == np.float32:
            np.subtract(pixels, np.float32(127.5), out=given)
            np.multiply(given, np.float32(1 / 128), out=given)
        else:
            # With a scale of 1/128 and a zero point of 0 or -1, quantising is turning the top bit over.
            np.bitwise_xor(pixels, np.uint8(0x80), out=given.view(np.uint8))

    def _inputs(self, card: Card, shape: tuple[int, ...]) -> list[int]:
        """The index of the only input, which is a batch of RGB pictures as the manifest says."""
        with self._refused_by_the_runtime():
            details = self._net.get_input_details()
        self._check(len(details) == 1 and _is(details[0], card.input, shape))
        quantised = card.input.dtype == "int8"
        usable = not quantised or (abs(card.input.scale * 128 - 1) < 1e-4 and card.input.zero_point in {0, -1})
        if len(shape) != 4 or shape[-1] != 3 or not usable:
            raise ModelError(
                f"The network {self.name} does not take RGB pictures as float32 or as int8 of scale 1/128. "
                f"{self._remedy}"
            )
        return [int(details[0]["index"])]

    def _matched_outputs(self, card: Card) -> dict[str, Any]:
        """The runtime's outputs by the manifest's names. They are told apart by their channels: a compiled network
        has lost the names."""
        with self._refused_by_the_runtime():
            details = self._net.get_output_details()
        by_channels = {_shape(detail)[-1:]: detail for detail in details}
        matched = {
            output: by_channels[tensor.shape[-1:]]
            for output, tensor in card.outputs.items()
            if tensor.shape[-1:] in by_channels
        }
        self._check(len(details) == len(by_channels) == len(matched) == len(card.outputs))
        for output, detail in matched.items():
            tensor, found = card.outputs[output], _shape(detail)
            expected = tensor.shape
            if self.shape != card.input.shape:  # the batch is the one asked for, a canvas gives what it gives
                middle = found[1:-1] if self.shape[1:] != card.input.shape[1:] else expected[1:-1]
                expected = (self.shape[0], *middle, *expected[-1:])
            self._check(_is(detail, tensor, expected))
        return matched

    def _check(self, right: bool) -> None:
        if not right:
            raise ModelError(
                f"The network {self.name} has other inputs, outputs or operators than its manifest says. {self._remedy}"
            )

    @contextmanager
    def _refused_by_the_runtime(self) -> Iterator[None]:
        """Whatever exception the native code answers a hostile file with is a ModelError."""
        try:
            yield
        except Exception as error:
            raise ModelError(
                f"The TFLite runtime refuses the network {self.name} ({_line(error)}). {self._remedy}"
            ) from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _options(module: Any, delegate: Any) -> dict[str, Any]:
    if delegate is None:
        return {}
    # XNNPACK would take the operators first that the delegate is there for.
    resolver = module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    return {"experimental_delegates": [delegate], "experimental_op_resolver_type": resolver}


def _shape(detail: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(int(side) for side in detail["shape"])


def _is(detail: Mapping[str, Any], tensor: Tensor, shape: tuple[int, ...]) -> bool:
    scale, zero_point = detail["quantization"]
    same = math.isclose(scale, tensor.scale, rel_tol=1e-6) and zero_point == tensor.zero_point
    return same and _shape(detail) == shape and detail["dtype"].__name__ == tensor.dtype


def _fits(shape: tuple[int, ...], wanted: Shape) -> bool:
    return len(shape) == len(wanted) and all(each in {None, side} for side, each in zip(shape, wanted, strict=True))
