"""One enrolment session behind every way in: what it looks at, what it keeps, and what it refuses and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from edge.core.choose import present
from edge.core.quality import enrolment_flaw, measure
from edge.enroll.selection import most_different, outliers
from edge.errors import FaceError
from edge.ports import Detector, Embedder
from edge.types import SAME_PICTURE_SIMILARITY, TEMPLATES_MAX, Embedding, FloatArray, Quality, Rgb

_Flags: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One picture's outcome: an embedding that was kept, or why there is none. ``aligned``: the face that was
    described, (112, 112, 3) uint8, where it is kept."""

    source: str
    refused: str | None
    quality: Quality | None = None
    embedding: Embedding | None = None
    aligned: Rgb | None = None


class Session:
    """Collects the templates of one person."""

    def __init__(
        self, detector: Detector, embedder: Embedder, min_face_px: float, *, keeps_pictures: bool = False
    ) -> None:
        self._detector, self._embedder, self._min_face_px = detector, embedder, min_face_px
        self._keeps_pictures = keeps_pictures
        self._samples: list[Sample] = []

    def add(self, source: str, rgb: Rgb) -> None:
        """Look at one picture; ``source`` names it to the person enrolling."""
        self._samples.append(self._look(source, rgb))

    def refuse(self, source: str, reason: str) -> None:
        """A picture that could not even be read."""
        self._samples.append(Sample(source, reason))

    def finish(self, looks: int = TEMPLATES_MAX) -> list[Sample]:
        """The last word on every picture, in the order they came: who keeps an ``embedding`` is a template.

        Of more than ``looks`` the most different ones are kept.
        """
        usable = [number for number, sample in enumerate(self._samples) if sample.embedding is not None]
        usable = self._without(usable, outliers, "somebody else than in most pictures: enrol one person at a time")
        self._without(usable, partial(_beyond, looks), f"not needed: {looks} that differ more are kept")
        return list(self._samples)

    def _without(self, numbers: list[int], unwanted: Callable[[FloatArray], _Flags], reason: str) -> list[int]:
        """Refuse some of the pictures with these numbers; those that are left."""
        if not numbers:
            return numbers
        flags = unwanted(np.stack([_embedding(self._samples[number]) for number in numbers]))
        for number, is_unwanted in zip(numbers, flags, strict=True):
            if is_unwanted:
                self._samples[number] = replace(self._samples[number], refused=reason, embedding=None, aligned=None)
        return [number for number, is_unwanted in zip(numbers, flags, strict=True) if not is_unwanted]

    def _look(self, source: str, rgb: Rgb) -> Sample:
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
        refused = enrolment_flaw(quality, self._min_face_px)
        before = [sample.embedding for sample in self._samples if sample.embedding is not None]
        if refused is None and any(float(np.dot(embedding, each)) > SAME_PICTURE_SIMILARITY for each in before):
            refused = "the same picture again: use another one"
        if refused is not None:
            return Sample(source, refused, quality)
        return Sample(source, None, quality, embedding, aligned if self._keeps_pictures else None)


def templates(samples: Sequence[Sample]) -> list[Embedding]:
    """What is to be stored, each (D,) float32 of unit norm."""
    return [sample.embedding for sample in samples if sample.embedding is not None]


def _embedding(sample: Sample) -> Embedding:
    if sample.embedding is None:
        raise ValueError("a picture without an embedding was chosen")
    return sample.embedding


def _beyond(looks: int, embeddings: FloatArray) -> _Flags:
    flags = np.ones(len(embeddings), np.bool_)
    flags[most_different(embeddings, looks)] = False
    return flags
