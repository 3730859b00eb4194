"""Which template serves MobileFaceNet best, and what averaging with the mirror image gains."""

from typing import Any

import numpy as np

from edge.models.manifest import EMBEDDER, Shelf
from tools.models.pixels import Pixels
from tools.study.measured import Faces, embedded, tar_percent, unit

SCALES = (0.90, 0.95, 1.00, 1.05, 1.10)
"""Of the ArcFace template: below one the face is smaller in its picture, with more around it."""


def study(faces: Faces, shelf: Shelf) -> list[dict[str, Any]]:
    """A row per way: TAR in % among the people of pairsDevTrain, to choose by, and of pairsDevTest."""
    model = shelf.load(EMBEDDER)
    rows: list[dict[str, Any]] = []

    def measure(what: str, embeddings: Any) -> None:
        for number, name in enumerate(("choose", "measure")):
            rows.append({"way": what, "people": name, **tar_percent(faces, embeddings, number)})

    for scale in SCALES:
        aligned: Pixels = faces.aligned(scale)
        embeddings = embedded(model, aligned, f"Embedding at {scale:.2f}")
        measure(f"template at {scale:.2f}", embeddings)
        if scale == 1:
            mirrored = embedded(model, np.ascontiguousarray(aligned[:, :, ::-1]), "Embedding mirror images")
            measure("mean of face and mirror image", unit(embeddings + mirrored))
    return rows
