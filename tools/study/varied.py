"""Aligned faces as a door may see them: dark, blurred, tilted, lit from behind, mirrored."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tools.models.pixels import Pixels

Changed = npt.NDArray[Any]


def varied(faces: Pixels, count: int, generator: np.random.Generator) -> Pixels:
    """(count, H, W, 3) uint8: faces drawn with replacement; a third as they are, the others each changed in one way,
    and every second one mirrored."""
    changes = (_as_it_is, _as_it_is, _dark, _blurred, _tilted, _backlit)
    chosen = faces[generator.integers(0, len(faces), count)]
    which = generator.integers(0, len(changes), count)
    changed: Changed = np.stack([changes[i](face, generator) for i, face in zip(which, chosen, strict=True)])
    mirrored = generator.random(count) < 0.5
    changed[mirrored] = changed[mirrored][:, :, ::-1]
    rounded: Pixels = np.clip(np.round(changed), 0, 255).astype(np.uint8)
    return rounded


def _as_it_is(face: Pixels, _: np.random.Generator) -> Changed:
    return face.astype(np.float32)


def _dark(face: Pixels, generator: np.random.Generator) -> Changed:
    """A tenth to a half of the light, with the noise of a sensor that was turned up."""
    light, noise = generator.uniform(0.1, 0.5), generator.normal(0, 4, face.shape)
    seen: Changed = face.astype(np.float32) * light + noise
    return seen


def _blurred(face: Pixels, generator: np.random.Generator) -> Changed:
    return cv2.GaussianBlur(face, (0, 0), generator.uniform(0.5, 2.5)).astype(np.float32)


def _tilted(face: Pixels, generator: np.random.Generator) -> Changed:
    """Landmarks that are off: turned by up to 15 degrees, shifted by up to 5 px."""
    side = face.shape[0]
    degrees, scale = generator.uniform(-15, 15), generator.uniform(0.9, 1.1)
    matrix = np.asarray(cv2.getRotationMatrix2D((side / 2, side / 2), degrees, scale), dtype=np.float64)
    matrix[:, 2] += generator.uniform(-5, 5, 2)
    return cv2.warpAffine(face, matrix, (side, side), flags=cv2.INTER_LINEAR).astype(np.float32)


def _backlit(face: Pixels, generator: np.random.Generator) -> Changed:
    """The face in its own shadow, and light that spills over from one side."""
    across = np.linspace(0, 1, face.shape[1])[None, :, None]
    spill = across if generator.random() < 0.5 else 1 - across
    shadow, light = generator.uniform(0.25, 0.6), generator.uniform(51, 153)
    lit: Changed = face.astype(np.float32) * shadow + light * spill**3
    return lit
