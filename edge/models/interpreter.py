"""A network ready to run, and the only import of a TFLite runtime."""

import importlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.errors import ModelError
from edge.models.manifest import REINSTALL, Shelf
from edge.types import FloatArray

RUNTIMES = ("ai_edge_litert", "tflite_runtime")
"""Import names in order of preference: on x86-64 the first runs int8 networks up to 19 times as fast as the second."""


def load_runtime(names: Sequence[str] = RUNTIMES) -> Any:
    """The ``interpreter`` module of the first runtime installed. Raises ModelError when there is none."""
    for name in names:
        try:
            return importlib.import_module(f"{name}.interpreter")
        except ModuleNotFoundError:
            continue
    raise ModelError(f"No TFLite runtime is installed ({' or '.join(names)}). Run `pip install ai-edge-litert`.")


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """One output as stored: int8 with ``real = scale * (values - zero_point)``, or float32 with scale 0."""

    values: npt.NDArray[Any]
    scale: float
    zero_point: int

    def real(self, where: Any = ...) -> FloatArray:
        """The values at an index as float32."""
        picked: FloatArray = np.asarray(self.values[where], dtype=np.float32)
        if self.scale != 0:
            picked = (picked - np.float32(self.zero_point)) * np.float32(self.scale)
        return picked

    def at_least(self, limit: float) -> npt.NDArray[np.bool_]:
        """Where the real value reaches ``limit``, decided without converting every element."""
        stored = limit if self.scale == 0 else math.ceil(limit / self.scale + self.zero_point - 1e-6)
        reached: npt.NDArray[np.bool_] = np.greater_equal(self.values, stored)
        return reached


class Net:
    """One network with a fixed input shape, on ``threads`` threads. Not for use from two threads at once.

    Input is (N, H, W, 3) uint8 RGB exactly as captured; the network's own normalisation ``(x - 127.5) / 128`` is
    applied here.
    """

    def __init__(
        self,
        shelf: Shelf,
        name: str,
        *,
        input_shape: Sequence[int] | None = None,
        threads: int = 1,
        runtime: Any = None,
    ) -> None:
        """Load and verify ``name`` from the shelf; ``input_shape`` replaces the stored one (batch, canvas).

        Raises ModelError when the file is altered, or is not what its manifest says.
        """
        card, content = shelf.card(name), shelf.load(name)
        module = runtime or load_runtime()
        try:
            self._net = module.Interpreter(model_content=content, num_threads=threads)
            (stored,) = self._net.get_input_details()
            if input_shape is not None and tuple(stored["shape"]) != tuple(input_shape):
                self._net.resize_tensor_input(stored["index"], list(input_shape))
            self._net.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"The TFLite runtime refuses the network {name} ({error}). {REINSTALL}") from error
        (self._input,) = self._net.get_input_details()
        self.shape = tuple(int(side) for side in self._input["shape"])
        by_channels = {int(detail["shape"][-1]): detail for detail in self._net.get_output_details()}
        expected = {output: tensor.shape[-1] for output, tensor in card.outputs.items()}
        if sorted(by_channels) != sorted(expected.values()) or self.shape[-1] != 3 or len(self.shape) != 4:
            raise ModelError(f"The network {name} has other inputs or outputs than its manifest says. {REINSTALL}")
        self._outputs: Mapping[str, Any] = {output: by_channels[size] for output, size in expected.items()}
        scale, zero_point = self._input["quantization"]
        self._is_float = self._input["dtype"] == np.float32
        # With a scale of 1/128 and a zero point of 0 or -1, quantising is turning the top bit over.
        if not self._is_float and (abs(scale * 128 - 1) > 1e-4 or zero_point not in {0, -1}):
            raise ModelError(f"The network {name} takes int8 input of scale {scale}, not 1/128. {REINSTALL}")

    def run(self, pixels: npt.NDArray[np.uint8]) -> dict[str, Output]:
        """All outputs by the manifest's names, as copies that the caller owns. ``pixels`` has the shape of
        ``self.shape``."""
        self._net.set_tensor(self._input["index"], self._prepared(pixels))
        self._net.invoke()
        return {
            name: Output(self._net.get_tensor(detail["index"]), *detail["quantization"])
            for name, detail in self._outputs.items()
        }

    def run_many(self, pixels: npt.NDArray[np.uint8]) -> dict[str, FloatArray]:
        """Real outputs for any number of pictures, in batches of the network's own; the last batch is padded."""
        size, count = self.shape[0], len(pixels)
        parts: list[dict[str, FloatArray]] = []
        for start in range(0, count, size):
            batch = pixels[start : start + size]
            if len(batch) < size:
                batch = np.concatenate([batch, np.zeros((size - len(batch), *self.shape[1:]), dtype=np.uint8)])
            parts.append({name: output.real() for name, output in self.run(batch).items()})
        return {name: np.concatenate([part[name] for part in parts])[:count] for name in parts[0]} if parts else {}

    def _prepared(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
        if self._is_float:
            return (pixels.astype(np.float32) - np.float32(127.5)) * np.float32(1 / 128)
        return np.bitwise_xor(pixels, np.uint8(0x80)).view(np.int8)
