"""MobileFaceNet: an upright face becomes a unit vector.

Chen et al. 2018, "MobileFaceNets: Efficient CNNs for accurate real-time face verification on mobile devices".
"""

from typing import Any

import cv2
import numpy as np

from edge.core.align import SIZE_PX, similarity_transform
from edge.errors import FaceError
from edge.models.interpreter import Net
from edge.models.manifest import EMBEDDER, Shelf
from edge.types import Embedding, FloatArray, Rgb


class MobileFaceNet:
    """The embedder port."""

    def __init__(
        self,
        shelf: Shelf,
        *,
        threads: int = 1,
        runtime: Any = None,
        delegate: Any = None,
        flip_average: bool = False,
    ) -> None:
        """``flip_average``: describe the face and its mirror image, at twice the time. Both kinds of templates live in
        one space and may be compared. Raises ModelError."""
        self._net = Net(shelf, EMBEDDER, threads=threads, runtime=runtime, delegate=delegate)
        self.model_id, self.dimension = shelf.template_space()
        self._net.require(image=(1, SIZE_PX, SIZE_PX, 3), embedding=(1, self.dimension))
        self._flip_average = flip_average

    def align(self, rgb: Rgb, landmarks: FloatArray) -> Rgb:
        """See the port; beyond the frame is black. Raises FaceError when the landmarks coincide."""
        try:
            matrix = similarity_transform(landmarks)
        except ValueError as error:
            raise FaceError(f"The face's landmarks cannot be used ({error}). Use another picture.") from error
        aligned = cv2.warpAffine(rgb, matrix, (SIZE_PX, SIZE_PX), flags=cv2.INTER_LINEAR)
        return np.asarray(aligned, dtype=np.uint8)

    def embed(self, aligned: Rgb) -> Embedding:
        """See the port. Raises FaceError when the network answers with no direction at all."""
        embedding = self._described(aligned)
        if self._flip_average:
            embedding = _unit(embedding + self._described(aligned[:, ::-1]))
        return embedding

    def _described(self, aligned: Rgb) -> Embedding:
        return _unit(self._net.run(aligned[None])["embedding"].real(0))


def _unit(raw: FloatArray) -> Embedding:
    norm = float(np.linalg.norm(raw))
    if not np.isfinite(norm) or norm < 1e-6:
        raise FaceError("The network finds nothing to describe in this face. Use another picture.")
    unit: Embedding = (raw / np.float32(norm)).astype(np.float32)
    return unit
