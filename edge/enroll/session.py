"""One enrolment session behind every way in: what it looks at, what it keeps, and what it refuses and why."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.core.choose import present
from edge.core.quality import flaw, measure
from edge.errors import FaceError
from edge.ports import Detector, Embedder
from edge.types import SAME_PERSON_MIN, TEMPLATES_MAX, Embedding, Quality, Rgb

SAME_PICTURE_SIMILARITY = 0.999
"""Two templates so alike come from one picture: they say nothing new and would outweigh the others in the mean.
Frames of one person a second apart stay below 0.99 (400 pairs, NUAA)."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One picture's outcome: an embedding that was kept, or why there is none."""

    source: str
    refused: str | None
    quality: Quality | None = None
    embedding: Embedding | None = None


class Session:
    """Collects the templates of one person."""

    def __init__(self, detector: Detector, embedder: Embedder, min_face_px: float) -> None:
        self._detector, self._embedder, self._min_face_px = detector, embedder, min_face_px
        self._kept: list[Embedding] = []

    @property
    def templates(self) -> Sequence[Embedding]:
        """What was kept so far, each (D,) float32 of unit norm."""
        return tuple(self._kept)

    def add(self, source: str, rgb: Rgb) -> Sample:
        """Look at one picture; ``source`` names it to the person enrolling."""
        faces = present(self._detector.detect(rgb))
        if not faces:
            return Sample(source, "no face found: use a picture of the face from the front, in even light")
        if len(faces) > 1:
            return Sample(source, f"{len(faces)} faces found: cut the picture so that only one person is in it")
        try:
            aligned = self._embedder.align(rgb, faces[0].landmarks)
            embedding = self._embedder.embed(aligned)
        except FaceError as error:
            return Sample(source, str(error))
        quality = measure(faces[0], aligned)
        refused = flaw(quality, self._min_face_px)
        if refused is None and any(float(np.dot(embedding, kept)) > SAME_PICTURE_SIMILARITY for kept in self._kept):
            refused = "the same picture again: use another one"
        if refused is None and self._kept and float(np.dot(embedding, np.mean(self._kept, axis=0))) < SAME_PERSON_MIN:
            refused = "somebody else than in the pictures before: enrol one person at a time"
        if refused is None and len(self._kept) == TEMPLATES_MAX:
            refused = f"one picture too many: {TEMPLATES_MAX} are kept"
        if refused is not None:
            return Sample(source, refused, quality)
        self._kept.append(embedding)
        return Sample(source, None, quality, embedding)
