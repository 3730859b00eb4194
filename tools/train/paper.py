"""What a printer and a sheet of paper do to a photograph: one effect a function, each with a seed of its own.

Every function takes and gives (H, W, 3) uint8 RGB, of the same size; the same seed gives the same picture.
"""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.types import Rgb

Floats = npt.NDArray[np.float32]


def tint(rgb: Rgb, seed: int) -> Rgb:
    """Ink on paper: black is not black, white has the paper's colour, and colours are paler."""
    rng = np.random.default_rng(seed)
    black = rng.uniform(10, 60) + rng.normal(0, 4, 3)
    white = rng.uniform(190, 250) + rng.normal(0, 8, 3)
    picture = rgb.astype(np.float32)
    grey = picture.mean(axis=2, keepdims=True)
    picture = grey + (picture - grey) * np.float32(rng.uniform(0.4, 1.0))
    return clipped(black + picture / 255 * (white - black))


def monochrome(rgb: Rgb, seed: int) -> Rgb:
    """A laser printer: grey toner, with a steep or a flat curve."""
    rng = np.random.default_rng(seed)
    grey = rgb.astype(np.float32).mean(axis=2, keepdims=True) / 255
    toned = np.repeat(255 * grey ** rng.uniform(0.7, 1.4), 3, axis=2)
    return tint(clipped(toned), seed + 1)


def halftone(rgb: Rgb, seed: int) -> Rgb:
    """Dots of ink, a rotated grid for each colour, seen by a camera that does not quite resolve them."""
    rng = np.random.default_rng(seed)
    height, width = rgb.shape[:2]
    cell = rng.uniform(1.6, 4.0)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    dots = np.empty(rgb.shape, np.float32)
    for channel, degrees in enumerate((15.0, 75.0, 45.0)):  # the usual angles of cyan, magenta and black
        angle = np.deg2rad(degrees + rng.uniform(-5, 5))
        u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        dots[..., channel] = (np.cos(2 * np.pi * u / cell) + np.cos(2 * np.pi * v / cell)) / 4
    ink = rgb.astype(np.float32) / 255
    hard = 1 / (1 + np.exp(-(ink - 0.5 - dots * 0.9) * 8))
    share = np.float32(rng.uniform(0.15, 0.6))
    return softened(clipped(255 * ((1 - share) * ink + share * hard)), rng.uniform(0.3, 0.9))


def bend(rgb: Rgb, seed: int) -> Rgb:
    """Paper that is held at two opposite sides: a cylinder, with light and shade across it."""
    rng = np.random.default_rng(seed)
    upright = rng.random() < 0.6
    flat = rgb if upright else np.ascontiguousarray(rgb.transpose(1, 0, 2))
    height, width = flat.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    place = x / width * 2 - 1
    turned = rng.uniform(0.3, 1.1)  # radians, from the middle to the side
    depth = rng.uniform(0.02, 0.1) * rng.choice([-1.0, 1.0])
    around = (np.arcsin(place * np.sin(turned)) / turned + 1) / 2 * width
    lower = y + depth * height * (1 - 2 * place**2)
    bent = cv2.remap(
        flat, around.astype(np.float32), lower.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    light = 1 + rng.uniform(0.1, 0.35) * np.sin(place * rng.uniform(0.8, 1.6) + rng.uniform(-1, 1))
    shaded = clipped(bent * light[..., None])
    return shaded if upright else np.ascontiguousarray(shaded.transpose(1, 0, 2))


def crease(rgb: Rgb, seed: int) -> Rgb:
    """One or two folds: a thin bright or dark line, and another brightness on its other side."""
    rng = np.random.default_rng(seed)
    height, width = rgb.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    light = np.ones((height, width), np.float32)
    for _ in range(rng.integers(1, 3)):
        angle = rng.uniform(0, np.pi)
        distance = (x - rng.uniform(0.2, 0.8) * width) * np.cos(angle)
        distance += (y - rng.uniform(0.2, 0.8) * height) * np.sin(angle)
        light *= 1 + rng.uniform(-0.12, 0.12) * np.tanh(distance / 4)
        light += rng.uniform(-0.25, 0.35) * np.exp(-((distance / rng.uniform(0.8, 2.0)) ** 2))
    return clipped(rgb * light[..., None])


def glare(rgb: Rgb, seed: int) -> Rgb:
    """A lamp mirrored in glossy paper or glass: a soft white spot or stripe."""
    rng = np.random.default_rng(seed)
    height, width = rgb.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    angle = rng.uniform(0, np.pi)
    across_x, across_y = x - rng.uniform(0, 1) * width, y - rng.uniform(0, 1) * height
    u = across_x * np.cos(angle) + across_y * np.sin(angle)
    v = across_y * np.cos(angle) - across_x * np.sin(angle)
    wide, long = rng.uniform(0.05, 0.25) * width, rng.uniform(0.1, 1.5) * width
    spot = rng.uniform(0.3, 0.9) * np.exp(-((u / wide) ** 2) - (v / long) ** 2)
    return clipped(rgb + (255 - rgb.astype(np.float32)) * spot[..., None])


def softened(rgb: Rgb, sigma: float) -> Rgb:
    """Blurred by so many pixels."""
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), sigma), dtype=np.uint8)


def clipped(values: npt.NDArray[Any]) -> Rgb:
    """Rounded to what a pixel can hold."""
    rounded: Rgb = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return rounded
