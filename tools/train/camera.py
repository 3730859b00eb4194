"""What any camera does to any picture, of a person or of an attack: noise, compression, shake, light, grey.

The training applies these to live faces and to attacks alike, so that none of them can become a sign of an attack.
Every function takes and gives (H, W, 3) uint8 RGB, of the same size; the same seed gives the same picture.
"""

from collections.abc import Callable

import cv2
import numpy as np

from edge.types import Rgb
from tools.train.paper import clipped, softened


def recoded(rgb: Rgb, seed: int) -> Rgb:
    """Compressed once more, as by a webcam, a messenger or a video's codec."""
    quality = int(np.random.default_rng(seed).integers(25, 90))
    _, data = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)


def smaller(rgb: Rgb, seed: int) -> Rgb:
    """Fewer pixels: a picture that was small, or a face that was far."""
    factor = np.random.default_rng(seed).uniform(0.35, 0.9)
    height, width = rgb.shape[:2]
    size = (max(round(width * factor), 1), max(round(height * factor), 1))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def out_of_focus(rgb: Rgb, seed: int) -> Rgb:
    """A soft lens."""
    return softened(rgb, float(np.random.default_rng(seed).uniform(0.4, 1.6)))


def shaken(rgb: Rgb, seed: int) -> Rgb:
    """Moved while the shutter was open."""
    rng = np.random.default_rng(seed)
    length = int(rng.integers(2, 6))
    kernel = np.zeros((length, length), np.float32)
    if rng.random() < 0.5:
        kernel[length // 2] = 1 / length
    else:
        kernel[:, length // 2] = 1 / length
    return np.asarray(cv2.filter2D(rgb, -1, kernel, borderType=cv2.BORDER_REPLICATE), dtype=np.uint8)


def sharpened(rgb: Rgb, seed: int) -> Rgb:
    """The edges that a webcam's processor adds."""
    amount = np.random.default_rng(seed).uniform(0.2, 1.0)
    picture = rgb.astype(np.float32)
    return clipped(picture + amount * (picture - softened(rgb, 1.2)))


def noisy(rgb: Rgb, seed: int) -> Rgb:
    """The sensor's noise, of brightness and of colour."""
    rng = np.random.default_rng(seed)
    height, width = rgb.shape[:2]
    strength = np.float32(rng.uniform(1, 9))
    noise = rng.standard_normal((height, width, 1), np.float32)
    noise = noise + rng.standard_normal((height, width, 3), np.float32) / 2
    return clipped(rgb + strength * noise)


def lit(rgb: Rgb, seed: int) -> Rgb:
    """Another exposure, contrast and white balance."""
    rng = np.random.default_rng(seed)
    white = np.exp(rng.normal(0, 0.07, 3))
    curve = np.exp(rng.normal(0, 0.25))
    level = (np.arange(256) / 255)[:, None] ** curve * white * rng.uniform(0.75, 1.2)
    return np.asarray(cv2.LUT(rgb, clipped(255 * level)[None]), dtype=np.uint8)


def dark(rgb: Rgb, seed: int) -> Rgb:
    """A tenth to a third of the light, amplified by less than that, with the noise of so little light (variance in
    proportion to the light, as photons arrive)."""
    rng = np.random.default_rng(seed)
    share = rng.uniform(0.1, 0.35)
    linear = (rgb / 255.0) ** 2.2 * share
    electrons = rng.uniform(300, 1500)
    seen = rng.poisson(linear * electrons) / electrons + rng.normal(0, 0.003, rgb.shape)
    gain = rng.uniform(1.0, 0.7 / share)
    return clipped(255 * np.clip(seen * gain, 0, 1) ** (1 / 2.2))


def grey(rgb: Rgb, seed: int) -> Rgb:
    """As a camera without an infra-red filter under an infra-red lamp: no colour, and skin that is mostly the red
    channel, brighter in the middle, where the lamp points."""
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet([4, 2, 1])
    height, width = rgb.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    away = ((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2) * 2
    light = 1 + rng.uniform(0, 0.4) * (0.5 - away)
    single = clipped((rgb @ weights) * light)
    return np.repeat(single[..., None], 3, axis=2)


EFFECTS: tuple[tuple[float, Callable[[Rgb, int], Rgb]], ...] = (
    (0.5, lit),
    (0.15, smaller),
    (0.1, out_of_focus),
    (0.1, shaken),
    (0.15, sharpened),
    (0.1, dark),
    (0.15, grey),
    (0.25, noisy),
    (0.3, recoded),
)
"""What may happen to a picture, live or not, before it is learned, and how often."""


def varied(rgb: Rgb, seed: int) -> Rgb:
    """As another camera, in another light, might have seen it."""
    rng = np.random.default_rng(seed)
    for probability, effect in EFFECTS:
        chance, own = rng.random(), int(rng.integers(2**31))
        if chance < probability:
            rgb = effect(rgb, own)
    return rgb
