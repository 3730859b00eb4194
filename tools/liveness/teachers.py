"""Networks of other people that ours is measured against: MiniFASNet (minivision-ai/Silent-Face-Anti-Spoofing,
Apache-2.0), as a folder of TFLite files whose names say the scale. None of them is shipped."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import InputError, ModelError
from edge.models.interpreter import load_runtime
from edge.models.liveness import surroundings
from edge.types import Face, Rgb

SIDE_PX = 80


class Teacher:
    """80x80 BGR, 0..255; three probabilities, the second for a live face. Answers the liveness port."""

    def __init__(self, path: Path, scale: float) -> None:
        """Raises ModelError when the file cannot be used."""
        try:
            self._net: Any = load_runtime().Interpreter(model_content=path.read_bytes(), num_threads=1)
            self._net.allocate_tensors()
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError(f"The teacher {path!s:.120} cannot be used ({error}). Give another folder.") from error
        self._in = self._net.get_input_details()[0]["index"]
        self._out = self._net.get_output_details()[0]["index"]
        self._scale = scale

    def probability(self, rgb: Rgb, face: Face) -> float:
        """See the port."""
        square = surroundings(rgb, face.box, SIDE_PX, self._scale)
        self._net.set_tensor(self._in, square[None, ..., ::-1].astype(np.float32))
        self._net.invoke()
        return min(max(float(self._net.get_tensor(self._out)[0, 1]), 0.0), 1.0)


def teachers(folder: Path) -> dict[str, Teacher]:
    """Every ``minifasnet_<name>_scale<scale>_*.tflite``. Raises InputError when there is none."""
    found = {}
    for path in sorted(folder.glob("minifasnet_*.tflite")):
        named = re.match(r"minifasnet_(\w+?)_scale([\d.]+)_", path.name)
        if named is not None:
            found[f"teacher {named[1]}"] = Teacher(path, float(named[2]))
    if not found:
        raise InputError(f"There is no minifasnet_*.tflite in {folder!s:.120}. Name another folder of --teachers.")
    return found
