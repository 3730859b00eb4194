"""Looks for tests of pure code: valid unless a test says otherwise."""

import numpy as np

from edge.types import Box, Look, Quality


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
) -> Look:
    embedding = np.zeros(4, dtype=np.float32)
    embedding[0] = 1
    quality = Quality(face_px, face_px / 2, yaw_deg, brightness, probability, sharpness, eyes)
    return Look(track, embedding, None, quality, Box(0, 0, face_px, face_px), faces, frame, captured_s)
