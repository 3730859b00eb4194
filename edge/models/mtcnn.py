"""MTCNN, fast: the frame is halved a few times once; the packed pyramid and every crop are then taken from the
nearest half.

Zhang et al. 2016, "Joint face detection and alignment using multitask cascaded convolutional networks". P-Net
proposes, R-Net refines, O-Net decides and places five landmarks.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.core import boxes as bx
from edge.core.pyramid import CELL_PX, STRIDE_PX, Canvas, plan
from edge.models.interpreter import Net, Output
from edge.models.manifest import STATIC, Shelf
from edge.models.tiled import TiledNet, fitting
from edge.types import Box, Face, FloatArray, Rgb

PROBABILITY_MIN = {"pnet": 0.6, "rnet": 0.7, "onet": 0.7}
"""The authors' thresholds of the three stages."""

OVERLAP_MAX = {"level": 0.5, "pyramid": 0.6, "rnet": 0.7, "onet": 0.7}
"""Suppression after each stage, as the authors', but 0.6 for their 0.7 over the pyramid: with the cap below it
leaves room for other faces (recall on WIDER 0.904 to 0.923, measured); the last is of the smaller box."""

MAX_CELLS = 400
"""Cells of P-Net that are looked at, the most probable ones: a picture full of faces must not slow the eyes."""

MAX_CANDIDATES = 48
"""Boxes that P-Net may hand on. A busy background costs no more than this; a face at the door is among the most
probable."""

HALVINGS = 3
"""The frame at 1/2, 1/4 and 1/8: a smallest face of 40 px or more needs no smaller one."""

MAX_SIDE_PX = 1280
"""Larger pictures (photographs) are scaled down first: a face that is then below ``min_face_px`` would be a poor
template."""

BATCH = {"rnet": 8, "onet": 2}
"""Crops a call; a batch that is not full is padded. R-Net gets up to ``MAX_CANDIDATES``, O-Net few."""

CROP_PX = {"rnet": 24, "onet": 48}
"""The networks' own input sides (Zhang et al. 2016)."""


class Mtcnn:
    """The detector port. Keeps one P-Net for the last frame size; a picture of another size builds another."""

    def __init__(
        self,
        shelf: Shelf,
        *,
        min_face_px: float = 40,
        max_candidates: int = MAX_CANDIDATES,
        threads: int = 1,
        runtime: Any = None,
        delegate: Any = None,
    ) -> None:
        """``min_face_px``: smallest face sought, 20 or more. ``delegate``: see ``Net``. Raises ModelError."""
        self._shelf = shelf
        self._options = {"threads": threads, "runtime": runtime, "delegate": delegate}
        self._min_face_px, self._max_candidates = min_face_px, max_candidates
        self._rnet, self._onet = (self._crop_net(name) for name in ("rnet", "onet"))
        self._tile: Net | None = None
        first = self._canvas_net(CELL_PX, CELL_PX)  # a network that cannot be used shows now, not at the first frame
        if shelf.variant in STATIC:
            self._tile = first
        self._size: tuple[int, int] | None = None
        self._plan: Canvas
        self.timings_ms: dict[str, float] = {}

    def detect(self, rgb: Rgb) -> list[Face]:
        """See the port. Faces smaller than ``min_face_px`` are rarely found, not refused."""
        self.timings_ms = {}
        reduction = min(1.0, MAX_SIDE_PX / max(rgb.shape[:2]))
        if reduction < 1:
            size = (round(rgb.shape[1] * reduction), round(rgb.shape[0] * reduction))
            rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        with self._timed("halve"):
            self._halves = halved(rgb)
        found = self.refine(self.propose())
        return [_face(*parts, 1 / reduction) for parts in found]

    def propose(self) -> FloatArray:
        """P-Net over the pyramid: (N, 4) square candidates, N at most ``max_candidates``."""
        height, width = self._halves[0].shape[:2]
        if self._size != (height, width):
            self._pnet = self._planned(width, height)
            self._canvas = np.full(self._pnet.shape, 128, dtype=np.uint8)
            self._levels = np.array(
                [
                    (each.x_px // STRIDE_PX, each.y_px // STRIDE_PX, each.cells_wide, each.cells_high, each.scale)
                    for each in self._plan.levels
                ]
            ).T
            self._size = (height, width)
        with self._timed("pyramid"):
            self._draw_pyramid()
        with self._timed("pnet"):
            outputs = self._pnet.run(self._canvas)
        with self._timed("pnet boxes"):
            return self._candidates(outputs["logit"], outputs["reg"])

    def refine(self, candidates: FloatArray) -> list[tuple[FloatArray, FloatArray, float]]:
        """R-Net and O-Net: (4,) box, (5, 2) landmarks and probability of each face, largest box first."""
        kept, out = self._stage("rnet", self._rnet, candidates)
        if not len(kept):
            return []
        kept = bx.regress(kept, out["reg"])
        kept = bx.squared(kept[bx.suppress(kept, out["logit"][:, 0], OVERLAP_MAX["rnet"])])
        kept, out = self._stage("onet", self._onet, kept)
        if not len(kept):
            return []
        sides = (kept[:, 2:] - kept[:, :2])[:, None]
        landmarks = kept[:, None, :2] + out["lmk"].reshape(-1, 2, 5).transpose(0, 2, 1) * sides
        kept = bx.regress(kept, out["reg"])
        chosen = bx.suppress(kept, out["logit"][:, 0], OVERLAP_MAX["onet"], of_smaller=True)
        faces = [(kept[i], landmarks[i], _probability(out["logit"][i, 0])) for i in chosen]
        return sorted(faces, key=lambda face: -float(np.max(face[0][2:] - face[0][:2])))

    def _planned(self, width: int, height: int) -> Net | TiledNet:
        """P-Net for the canvas of a frame of this size, which becomes ``self._plan``."""
        if self._tile is None:
            self._plan = plan(width, height, self._min_face_px)
            return self._canvas_net(self._plan.height_px, self._plan.width_px)
        _, tile_height, tile_width, _ = self._tile.shape
        self._plan = plan(width, height, self._min_face_px, (tile_width, tile_height))
        return TiledNet(self._tile, self._plan.height_px, self._plan.width_px)

    def _canvas_net(self, height: int, width: int) -> Net:
        shape = None if self._shelf.variant in STATIC else (1, height, width, 3)
        net = self._net("pnet", shape)
        fitting(net)
        return net

    def _net(self, name: str, shape: tuple[int, ...] | None) -> Net:
        return Net(self._shelf, name, input_shape=shape, **self._options)

    def _crop_net(self, name: str) -> Net:
        side = CROP_PX[name]
        shape = None if self._shelf.variant in STATIC else (BATCH[name], side, side, 3)
        net = self._net(name, shape)
        batch = net.shape[0]
        landmarks = {"lmk": (batch, 10)} if name == "onet" else {}
        net.require(image=(batch, side, side, 3), logit=(batch, 1), reg=(batch, 4), **landmarks)
        return net

    def _stage(self, name: str, net: Net, candidates: FloatArray) -> tuple[FloatArray, dict[str, FloatArray]]:
        """Crop, run, and keep the candidates that the stage believes in, with their outputs."""
        if not len(candidates):
            return candidates, {}
        with self._timed(f"{name} crops"):
            crops = cropped(self._halves, candidates, CROP_PX[name])
        with self._timed(name):
            outputs = net.run_many(crops)
        believed = outputs["logit"][:, 0] >= logit(PROBABILITY_MIN[name])
        return candidates[believed], {key: value[believed] for key, value in outputs.items()}

    def _draw_pyramid(self) -> None:
        for level in self._plan.levels:
            half = min(HALVINGS, int(math.log2(1 / level.scale) + 1e-6)) if level.scale < 1 else 0
            shrinks = level.scale * 2**half < 0.75  # below that, linear interpolation skips pixels
            self._canvas[0, level.y_px : level.y_px + level.height_px, level.x_px : level.x_px + level.width_px] = (
                cv2.resize(
                    self._halves[half],
                    (level.width_px, level.height_px),
                    interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR,
                )
            )

    def _candidates(self, logits: Output, offsets: Output) -> FloatArray:
        """Canvas cells back to frame boxes. Cells that straddle two levels belong to neither."""
        rows, columns = np.nonzero(logits.at_least(logit(PROBABILITY_MIN["pnet"]))[0, :, :, 0])
        believed = logits.real((0, rows, columns, 0))
        best = np.argsort(-believed, kind="stable")[:MAX_CELLS]
        left, top, wide, high, scale = self._levels
        x, y = columns[best] - left[:, None], rows[best] - top[:, None]
        level, nth = np.nonzero((x >= 0) & (x < wide[:, None]) & (y >= 0) & (y < high[:, None]))
        corner = np.stack([x[level, nth], y[level, nth]], axis=1).astype(np.float32) * STRIDE_PX
        cells = np.concatenate([corner, corner + CELL_PX], axis=1) / scale[level, None].astype(np.float32)
        kept = bx.suppress(cells, believed[best[nth]], OVERLAP_MAX["level"], groups=level)
        cell = best[nth[kept]]
        candidates = bx.regress(cells[kept], offsets.real((0, rows[cell], columns[cell])))
        kept = bx.suppress(candidates, believed[cell], OVERLAP_MAX["pyramid"])[: self._max_candidates]
        return bx.squared(candidates[kept])

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.timings_ms[stage] = (time.perf_counter() - start) * 1000


def logit(probability: float) -> float:
    """What the networks answer for a face of this probability, 0..1 without its ends."""
    return math.log(probability / (1 - probability))


def halved(rgb: Rgb) -> list[Rgb]:
    """The picture and its 1/2, 1/4 and 1/8, each the mean of two by two pixels; never below one pixel."""
    halves = [rgb]
    for _ in range(HALVINGS):
        height, width = halves[-1].shape[:2]
        size = (max(width // 2, 1), max(height // 2, 1))
        halves.append(np.asarray(cv2.resize(halves[-1], size, interpolation=cv2.INTER_AREA), dtype=np.uint8))
    return halves


def cropped(halves: list[Rgb], boxes: FloatArray, size_px: int) -> npt.NDArray[np.uint8]:
    """(N, size_px, size_px, 3) uint8: each (square) box resampled from the half whose pixels are nearest in size.

    Sub-pixel, with pixel centres aligned; beyond the frame the edge pixel repeats.
    """
    crops = np.empty((len(boxes), size_px, size_px, 3), dtype=np.uint8)
    for crop, (x0, y0, x1, _) in zip(crops, boxes.astype(np.float64), strict=True):
        side = max(x1 - x0, 1.0)
        half = int(np.clip(math.log2(side / size_px), 0, HALVINGS))
        step = side / size_px / 2**half
        left, top = x0 / 2**half + step / 2 - 0.5, y0 / 2**half + step / 2 - 0.5
        cv2.warpAffine(
            halves[half],
            np.array([[step, 0, left], [0, step, top]]),
            (size_px, size_px),
            dst=crop,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
    return crops


def _probability(logit_of_face: np.float32) -> float:
    return float(1 / (1 + np.exp(-np.float64(logit_of_face))))


def _face(box: FloatArray, landmarks: FloatArray, probability: float, enlargement: float) -> Face:
    edges = [float(edge) * enlargement for edge in box]
    return Face(Box(*edges), (landmarks * enlargement).astype(np.float32), probability)
