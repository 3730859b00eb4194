"""Networks that ours is taught by or measured against."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.errors import ModelError
from edge.models.interpreter import Net, load_runtime
from edge.models.liveness import probability
from edge.models.manifest import LIVENESS, Shelf
from edge.types import Rgb
from tools.models.fetch import fetch, read_member
from tools.models.sources import FR_LIVENESS, FR_LIVENESS_FILE

TEACHERS = {"minifasnet_v2_scale2.7_fp32.tflite": 2.7, "minifasnet_v1se_scale4.0_fp32.tflite": 4.0}
"""minivision-ai/Silent-Face-Anti-Spoofing (Apache-2.0): the file, and how many faces wide a square it looks at."""

TEACHER_PX, BASELINE_PX = 80, 128
BASELINE_SCALE = 2.7


class Teacher:
    """A TFLite network of 80x80 BGR, 0..255, that answers with three probabilities, the second for a live face."""

    def __init__(self, path: Path) -> None:
        """Raises ModelError when the file cannot be used."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelError(
                f"The teacher {path} cannot be read ({error.strerror}). Give the teachers' folder."
            ) from error
        self._net: Any = load_runtime().Interpreter(model_content=content, num_threads=1)
        self._net.allocate_tensors()
        self._in = self._net.get_input_details()[0]["index"]
        self._out = self._net.get_output_details()[0]["index"]

    def probability(self, square: Rgb) -> float:
        """Of a live face, 0..1."""
        self._net.set_tensor(self._in, square[None, ..., ::-1].astype(np.float32))
        self._net.invoke()
        return float(self._net.get_tensor(self._out)[0, 1])


class Baseline:
    """``fr_liveness.onnx`` of npm's faceplugin-face-recognition-js: 128x128 BGR, 0..255, the first of three classes is
    a live face."""

    def __init__(self, work: Path) -> None:
        """Fetches the package into ``work``, unless it is there. Raises ModelError."""
        content = read_member(FR_LIVENESS, fetch(FR_LIVENESS, work), FR_LIVENESS_FILE)
        self._net = cv2.dnn.readNetFromONNX(np.frombuffer(content, np.uint8))

    def probability(self, square: Rgb) -> float:
        """Of a live face, 0..1."""
        planes = square[..., ::-1].astype(np.float32).transpose(2, 0, 1)
        self._net.setInput(planes[None])
        logits = self._net.forward()[0].astype(np.float64)
        shares = np.exp(logits - logits.max())
        return float(shares[0] / shares.sum())


class Shipped:
    """The network on the shelf, int8, on a square that was cut already."""

    def __init__(self, variant: str) -> None:
        """Raises ModelError."""
        self._net = Net(Shelf.open(None, variant), LIVENESS)

    def probability(self, square: Rgb) -> float:
        """Of a live face, 0..1."""
        return probability(self._net.run(square[None])["logit"].real(0))
