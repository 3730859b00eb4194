"""Does the Edge TPU compute what the processor computes? The same real crops through both, output by output.

It has to be asked: github.com/google-coral/edgetpu, issue 460, shows a network with PRELU whose compiled form answers
quite differently on the device, without any error.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.boxes import squared
from edge.core.pyramid import CELL_PX
from edge.errors import FaceError, ImageError, ModelError
from edge.images import SUFFIXES, read_rgb
from edge.models.interpreter import Net
from edge.models.liveness import surroundings
from edge.models.manifest import EMBEDDER, LIVENESS, MANIFEST, Shelf
from edge.models.mobilefacenet import MobileFaceNet
from edge.models.mtcnn import CROP_PX, Mtcnn, cropped, halved
from edge.types import Face, FloatArray, Rgb
from tools.models.check import cosines
from tools.models.console import Report
from tools.models.pixels import Pixels

FACES_MIN, FACES_MAX = 5, 100
"""Fewer faces say little, and the limits below were measured with a hundred."""

STEPS_MEAN_MAX = 1.5
STEPS_P99_MAX = 8.0
COSINE_MEAN_MIN = 0.994
COSINE_MIN = 0.98
"""Limits of one output's difference in int8 steps (mean and 99th percentile) and of the embeddings' cosine.

Whoever computes these networks rounds a little differently in each layer, and how the Edge TPU rounds is not published.
How much that may matter was measured between two sound implementations, TFLite's reference kernels and XNNPACK, on 100
faces of LFW View 1: at most 0.7 steps in the mean and 4 at the 99th percentile, and a cosine of 0.9964 in the mean,
0.991 at least. The limits allow about twice that. On the same faces MTCNN's twelve PRELU and the first 24 of the
embedder's 33 were each made to drop its negative slope while all others were right: each time an output of its network
was beyond a limit, at the least with 1.4 steps in the mean and a mean cosine of 0.985.
"""

SHIFTS = (-0.12, 0.0, 0.12)
"""R-Net and O-Net are shown each face nine times, shifted by these shares of its size."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One output of one network on the device against the processor. Cosines are None but for the embedder."""

    network: str
    output: str
    values: int
    steps_mean: float
    steps_p99: float
    steps_max: int
    cosine_mean: float | None = None
    cosine_min: float | None = None

    @property
    def same(self) -> bool:
        """Within every limit."""
        steps = self.steps_mean <= STEPS_MEAN_MAX and self.steps_p99 <= STEPS_P99_MAX
        if self.cosine_mean is None or self.cosine_min is None:
            return steps
        return steps and self.cosine_mean >= COSINE_MEAN_MIN and self.cosine_min >= COSINE_MIN


def compare(
    reference: Shelf, device: Shelf, delegate: Any, inputs: Mapping[str, Pixels], report: Report
) -> list[Difference]:
    """Every output of every network in ``inputs``, (N, H, W, 3) of its own size. Raises ModelError."""
    refuse_others(reference, device)
    found = []
    for name, pixels in inputs.items():
        nets = Net(reference, name), Net(device, name, delegate=delegate)
        steps: dict[str, list[list[npt.NDArray[np.int16]]]] = {}
        for number, picture in enumerate(pixels):
            report(name, number / len(pixels))
            for side, net in enumerate(nets):
                for output, result in net.run(picture[None]).items():
                    stored = result.values.astype(np.int16) - np.int16(result.zero_point)
                    steps.setdefault(output, [[], []])[side].append(stored.ravel())
        report(name, 1.0)
        for output, (expected, computed) in sorted(steps.items()):
            found.append(difference(name, output, np.stack(expected), np.stack(computed)))
    return found


def difference(
    network: str, output: str, expected: npt.NDArray[np.int16], computed: npt.NDArray[np.int16]
) -> Difference:
    """``expected`` and ``computed`` are (N, values) in steps from the zero point."""
    apart = np.abs(expected - computed)
    figures = (apart.size, float(apart.mean()), float(np.percentile(apart, 99)), int(apart.max()))
    if network != EMBEDDER:
        return Difference(network, output, *figures)
    alike = cosines(expected.astype(np.float32), computed.astype(np.float32))
    return Difference(network, output, *figures, float(alike.mean()), float(alike.min()))


def refuse_others(reference: Shelf, device: Shelf) -> None:
    """Raises ModelError unless ``device`` was compiled from the very files of ``reference``."""
    document = tomllib.loads((device.folder / MANIFEST).read_text(encoding="utf-8"))
    for name, card in reference.cards.items():
        device.card(name)
        compiled = document["models"][name]["variants"][device.variant].get("compiled")
        if not isinstance(compiled, dict) or compiled.get("source_sha256") != card.sha256:
            raise ModelError(
                f"The {name} in {device.folder} was not compiled from the one in {reference.folder}. Run `python -m "
                "tools.models edgetpu` again."
            )


def collect(shelf: Shelf, folder: Path, report: Report) -> dict[str, Pixels]:
    """What each network is shown: faces in the pictures below ``folder``, cut as the product cuts them.

    Raises ModelError when there are too few faces.
    """
    detector, embedder = Mtcnn(shelf), MobileFaceNet(shelf)
    _, tile_height, tile_width, _ = shelf.card("pnet").input.shape
    square_px = shelf.card(LIVENESS).input.shape[1]
    shown: dict[str, list[Pixels]] = {name: [] for name in ("pnet", "rnet", "onet", EMBEDDER, LIVENESS)}
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()):
        try:
            rgb = read_rgb(path)
        except ImageError:
            continue  # a folder of photographs holds other files as well; too few faces are an error below
        halves = halved(rgb)
        for face in detector.detect(rgb):
            try:
                shown[EMBEDDER].append(embedder.align(rgb, face.landmarks)[None])
            except FaceError:
                continue
            shown[LIVENESS].append(surroundings(rgb, face.box, square_px)[None])
            shown["pnet"].append(_tile(rgb, face, tile_width, tile_height)[None])
            boxes = _around(face)
            for name, size_px in CROP_PX.items():
                shown[name].append(cropped(halves, boxes, size_px))
        count = len(shown[EMBEDDER])
        report("find faces", min(1.0, count / FACES_MAX))
        if count >= FACES_MAX:
            break
    if len(shown[EMBEDDER]) < FACES_MIN:
        raise ModelError(
            f"{folder} holds {len(shown[EMBEDDER])} faces, at least {FACES_MIN} are needed. Pass a folder of "
            "photographs of people with --faces."
        )
    report("find faces", 1.0)
    return {name: np.concatenate(parts) for name, parts in shown.items()}


def _around(face: Face) -> FloatArray:
    """(9, 4) squares: the face where it is, and off its place as P-Net proposes it."""
    box = face.box
    edges = np.array([[box.x0, box.y0, box.x1, box.y1]], dtype=np.float32)
    side = edges[0, 2] - edges[0, 0]
    shifted = [edges + np.float32(side) * np.array([x, y, x, y], dtype=np.float32) for x, y in product(SHIFTS, SHIFTS)]
    return squared(np.concatenate(shifted))


def _tile(rgb: Rgb, face: Face, width_px: int, height_px: int) -> Rgb:
    """The picture around the face, made so small that the face is as large as a cell; beyond it, mirrored."""
    box = face.box
    scale = min(1.0, CELL_PX / max(box.x1 - box.x0, box.y1 - box.y0, 1.0))
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    x, y = (box.x0 + box.x1) / 2 * scale, (box.y0 + box.y1) / 2 * scale
    centred = np.array([[1, 0, width_px / 2 - x], [0, 1, height_px / 2 - y]], dtype=np.float64)
    tile = cv2.warpAffine(small, centred, (width_px, height_px), borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(tile, dtype=np.uint8)


def refuse_different(found: Sequence[Difference]) -> None:
    """Raises ModelError that names every network and output beyond a limit."""
    wrong = [f"{each.network} {each.output} ({each.steps_mean:.1f} steps)" for each in found if not each.same]
    if wrong:
        raise ModelError(
            f"The device computes something else than the processor: {', '.join(wrong)}. Do not open a door with it: "
            'set models.device = "cpu". PRELU is a known cause (github.com/google-coral/edgetpu, issue 460).'
        )
