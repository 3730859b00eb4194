"""Looks for tests of pure code: valid unless a test says otherwise."""

import numpy as np

from edge.core.match import Index
from edge.types import Box, Embedding, Gallery, Look, Quality


def like(ada: float, bob: float = 0.0) -> Embedding:
    """The embedding whose cosines to the people of ``ADA_AND_BOB`` are these."""
    rest = max(1 - ada**2 - bob**2, 0.0)
    return np.array([ada, bob, np.sqrt(rest), 0], dtype=np.float32)


ADA_AND_BOB = Index(Gallery(np.stack([like(1), like(0, 1)]), np.array([1, 2]), {1: "Ada", 2: "Bob"}))
NOBODY = Index(Gallery(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), {}))


def look(
    captured_s: float = 100.0,
    *,
    track: int = 1,
    faces: int = 1,
    face_px: float = 120,
    yaw_deg: float = 0,
    brightness: float = 120,
    probability: float = 1.0,
    sharpness: float = 0.2,
    eyes: float = 0.7,
    frame: int = 0,
    embedding: Embedding | None = None,
    liveness: float | None = None,
) -> Look:
    embedding = like(1) if embedding is None else embedding
    quality = Quality(face_px, face_px / 2, yaw_deg, brightness, probability, sharpness, eyes)
    return Look(track, embedding, liveness, quality, Box(0, 0, face_px, face_px), faces, frame, captured_s)
