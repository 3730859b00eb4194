"""``python -m edge.models.trial SECONDS FOLDER VARIANT [DELEGATE]``: load and run networks of unknown origin.

A flatbuffer with hostile offsets can end the process that reads it: of damaged networks whose manifest vouches for
them, tflite-runtime dies on one in five and ai-edge-litert on one in two thousand (measured). So a folder of somebody's
own networks is tried here, in a process that nobody will miss.
"""

import resource
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import FaceError, ModelError
from edge.models.interpreter import load_delegate
from edge.models.liveness import LivenessNet
from edge.models.manifest import LIVENESS, Shelf
from edge.models.mobilefacenet import MobileFaceNet
from edge.models.mtcnn import Mtcnn
from edge.types import Box, Face

MEMORY_MAX_BYTES = 2**30
"""Many times what the shipped networks need; a hostile tensor of terabytes must not push out the guardian."""


def run(shelf: Shelf, delegate: str | None, runtime: Any = None) -> None:
    """Detect in noise, refine where noise holds no face, judge and describe noise. Raises ModelError."""
    loaded = load_delegate(delegate, runtime) if delegate else None
    detector = Mtcnn(shelf, runtime=runtime, delegate=loaded)
    embedder = MobileFaceNet(shelf, runtime=runtime, delegate=loaded)
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    detector.detect(noise)
    if LIVENESS in shelf.cards:  # a folder of somebody's own may do without, as the door may
        liveness = LivenessNet(shelf, runtime=runtime, delegate=loaded)
        liveness.probability(noise, Face(Box(100, 100, 300, 300), np.zeros((5, 2), np.float32), 1.0))
    detector.refine(np.array([[0, 0, 100, 100], [200, 100, 400, 300]], dtype=np.float32))
    try:
        embedder.embed(noise[:112, :112])
    except FaceError:
        return  # noise is no face


def main() -> None:
    """Exit code 7 with the message on standard output, as the runtimes talk on the other."""
    seconds, folder, variant, *delegate = sys.argv[1:]
    signal.alarm(int(seconds))  # ends the process in the middle of native code, even when nobody waits for it any more
    _, hardest = resource.getrlimit(resource.RLIMIT_DATA)  # -1 where there is none
    if not 0 <= hardest <= MEMORY_MAX_BYTES:
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_MAX_BYTES, MEMORY_MAX_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        run(Shelf.open(Path(folder), variant), delegate[0] if delegate else None)
    except ModelError as error:
        print(error)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
