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

    def __init__(self, shelf: Shelf, *, threads: int = 1, runtime: Any = None) -> None:
        """Raises ModelError."""
        self._net = Net(shelf, EMBEDDER, threads=threads, runtime=runtime)
        self.model_id, self.dimension = shelf.template_space()

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
        raw = self._net.run(aligned[None])["embedding"].real(0)
        norm = float(np.linalg.norm(raw))
        if not np.isfinite(norm) or norm < 1e-6:
            raise FaceError("The network finds nothing to describe in this face. Use another picture.")
        unit: Embedding = (raw / np.float32(norm)).astype(np.float32)
        return unit
