"""Real samples to quantise and check with: what each network is fed when the product's detector looks at pictures."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import numpy as np

from edge.errors import ImageError, ModelError
from edge.images import SUFFIXES, read_rgb
from edge.models.interpreter import Net, Output
from edge.models.liveness import surroundings
from edge.models.manifest import LIVENESS, Shelf
from edge.models.mobilefacenet import MobileFaceNet
from edge.models.mtcnn import Mtcnn
from tools.models.fetch import sha256_of
from tools.models.mtcnn_nets import INPUT_SHAPES
from tools.models.pixels import Pixels

FACES = {"calibration": 600, "check": 200}
"""Faces for the embedder and for liveness, and at most as many tiles and crops for each stage of MTCNN. More and varied
faces do not help (``python -m tools.study quantisation``): true minimum and maximum only ever widen."""

CHECK_EVERY = 4
"""Every fourth picture is kept from calibration, for the check."""

SEED = 20160411
"""Which of the many tiles and crops are taken; any fixed number would do."""


def pictures(folders: Sequence[Path], unseen: Collection[str]) -> list[Path]:
    """Every picture below the folders, each content once, except where the folder it lies in is named in ``unseen``.

    Ordered by the digest of their content: the same pictures give the same build, wherever they lie. Raises ModelError.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in SUFFIXES and path.parent.name not in unseen and path.is_file():
                found.setdefault(sha256_of(path), path)
    if not found:
        raise ModelError("There is no picture to calibrate with. Pass a folder of photographs of people with --faces.")
    return [found[digest] for digest in sorted(found)]


def collect(shelf: Shelf, paths: Sequence[Path], progress: Callable[[int], None]) -> dict[str, dict[str, Pixels]]:
    """``calibration`` and ``check``, from different pictures: per network (N, H, W, 3) of the size it is stored with.

    ``shelf`` holds the fp32 networks; ``progress`` is told the number of faces so far. Raises ModelError when there are
    too few.
    """
    detector = _RecordingMtcnn(shelf)
    embedder = MobileFaceNet(shelf)
    fed: dict[str, dict[str, list[Pixels]]] = {use: {name: [] for name in shelf.cards} for use in FACES}
    for number, path in enumerate(paths):
        inputs = fed["check" if number % CHECK_EVERY == CHECK_EVERY - 1 else "calibration"]
        try:
            rgb = read_rgb(path)
        except ImageError:
            continue  # a folder of photographs holds other files as well; too few faces are an error below
        faces = detector.detect(rgb)
        inputs["mobilefacenet"] += [embedder.align(rgb, face.landmarks) for face in faces]
        inputs[LIVENESS] += [surroundings(rgb, face.box, shelf.card(LIVENESS).input.shape[1]) for face in faces]
        for name, seen in detector.take():
            inputs[name] += seen
        counts = {use: min(len(fed[use]["mobilefacenet"]), FACES[use]) for use in FACES}
        progress(sum(counts.values()))
        if counts == FACES:
            return {use: {name: _chosen(inputs, FACES[use]) for name, inputs in fed[use].items()} for use in FACES}
    raise ModelError(
        f"The {len(paths)} pictures hold too few faces: {FACES['calibration']} are needed to calibrate with and "
        f"{FACES['check']} on other pictures to check with. Pass more photographs of people with --faces."
    )


def _chosen(inputs: list[Pixels], count: int) -> Pixels:
    picked = np.sort(np.random.default_rng(SEED).permutation(len(inputs))[:count])
    return np.stack([inputs[i] for i in picked])


class _RecordingMtcnn(Mtcnn):
    """The product's cascade; keeps what each network is fed."""

    def __init__(self, shelf: Shelf) -> None:
        self._fed: list[tuple[str, Pixels]] = []
        super().__init__(shelf)

    def take(self) -> list[tuple[str, list[Pixels]]]:
        """What was fed since the last call: crops one by one, P-Net's canvas in tiles."""
        taken = []
        for name, batch in self._fed:
            taken.append((name, _tiles(batch[0]) if name == "pnet" else list(batch)))
        self._fed.clear()
        return taken

    def _net(self, name: str, shape: tuple[int, ...] | None) -> Net:
        return _RecordingNet(self._shelf, name, shape, self._fed)


class _RecordingNet(Net):
    def __init__(self, shelf: Shelf, name: str, shape: tuple[int, ...] | None, fed: list[tuple[str, Pixels]]) -> None:
        self._fed: list[tuple[str, Pixels]] = []  # what the network is warmed up with is no sample
        super().__init__(shelf, name, input_shape=shape)
        self._fed = fed

    def run(self, pixels: Pixels) -> dict[str, Output]:
        self._fed.append((self.name, pixels.copy()))
        return super().run(pixels)


def _tiles(canvas: Pixels) -> list[Pixels]:
    """The whole canvas in pieces of P-Net's stored size; the last of a row or column overlap their neighbours."""
    _, height, width, _ = INPUT_SHAPES["pnet"]
    missing = [(0, max(0, height - canvas.shape[0])), (0, max(0, width - canvas.shape[1])), (0, 0)]
    padded = np.pad(canvas, missing, constant_values=128)  # as the canvas between its levels
    return [
        padded[y : y + height, x : x + width].copy()
        for y in _starts(padded.shape[0], height)
        for x in _starts(padded.shape[1], width)
    ]


def _starts(length: int, piece: int) -> list[int]:
    return [*range(0, length - piece, piece), length - piece]
