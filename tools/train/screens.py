"""What a telephone, a tablet or a monitor does to a picture that it shows to a camera: one effect a function.

Every function takes and gives (H, W, 3) uint8 RGB, of the same size; the same seed gives the same picture.
"""

import cv2
import numpy as np

from edge.types import Rgb
from tools.train.paper import Floats, clipped


def gamma(rgb: Rgb, seed: int) -> Rgb:
    """A display's curve and colour temperature, and a camera that exposes for something that shines."""
    rng = np.random.default_rng(seed)
    curve = rng.uniform(0.6, 1.7)
    white = rng.uniform(0.85, 1.15) * np.array([rng.uniform(0.85, 1.05), 1.0, rng.uniform(0.95, 1.25)])
    lifted = rng.uniform(0, 25)  # a panel's black shines, and reflects the room
    return clipped(lifted + (255 - lifted) * (rgb / 255.0) ** curve * white)


def subpixels(rgb: Rgb, seed: int) -> Rgb:
    """Red, green and blue stripes with dark gaps between the rows, as the camera's own grid samples them.

    The pitch is a little above or below the camera's pixels: what is seen is their beat, a coloured moiré.
    """
    rng = np.random.default_rng(seed)
    height, width = rgb.shape[:2]
    y, x = _turned(height, width, rng.uniform(-8, 8))
    pitch = rng.uniform(0.85, 3.2)
    strength = rng.uniform(0.06, 0.3)
    phase = rng.uniform(0, 1)
    lit = np.empty(rgb.shape, np.float32)
    for channel in range(3):
        lit[..., channel] = 1 + strength * np.cos(2 * np.pi * (x / pitch + phase + channel / 3))
    lit *= (1 + rng.uniform(0, 0.5) * strength * np.cos(2 * np.pi * y / pitch))[..., None]
    return clipped(rgb * lit)


def moire(rgb: Rgb, seed: int) -> Rgb:
    """Wide, slightly curved fringes where two grids nearly agree, of another colour in each channel."""
    rng = np.random.default_rng(seed)
    height, width = rgb.shape[:2]
    y, x = _turned(height, width, rng.uniform(0, 180))
    curved = x + rng.uniform(-0.002, 0.002) * (y - height / 2) ** 2
    period = rng.uniform(4, 30)
    strength = rng.uniform(0.03, 0.14)
    phases = rng.uniform(0, 1) + np.array([0.0, 1.0, 2.0]) * rng.uniform(0, 1 / 3)
    fringes = [np.cos(2 * np.pi * (curved / period + phase)) for phase in phases]
    return clipped(rgb * (1 + strength * np.stack(fringes, axis=2)))


def bands(rgb: Rgb, seed: int) -> Rgb:
    """A rolling shutter against a display's refresh or dimming: broad darker bands, mostly across."""
    rng = np.random.default_rng(seed)
    height, width = rgb.shape[:2]
    y, _ = _turned(height, width, rng.uniform(-6, 6))
    period = rng.uniform(0.15, 1.2) * height
    wave = np.cos(2 * np.pi * (y / period + rng.uniform(0, 1)))
    dark = rng.uniform(0.06, 0.3) / (1 + np.exp(-wave * rng.uniform(2, 10)))
    return clipped(rgb * (1 - dark[..., None]))


def reflection(rgb: Rgb, seed: int) -> Rgb:
    """The room in the glass: a window's bright quadrangle, or soft shapes, added to the picture."""
    rng = np.random.default_rng(seed)
    height, width = rgb.shape[:2]
    room = np.zeros((height, width), np.float32)
    for _ in range(rng.integers(1, 4)):
        centre = rng.uniform(0, 1, 2) * (width, height)
        corners = centre + rng.uniform(0.05, 0.4) * width * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
        corners += rng.normal(0, 0.05 * width, (4, 2))
        cv2.fillConvexPoly(room, np.rint(corners).astype(np.int32), (float(rng.uniform(0.08, 0.4)),))
    room = np.asarray(cv2.GaussianBlur(room, (0, 0), rng.uniform(0.005, 0.06) * width + 0.5), np.float32)
    return clipped(rgb + (255 - rgb.astype(np.float32)) * room[..., None])


def _turned(height: int, width: int, degrees: float) -> tuple[Floats, Floats]:
    """Coordinates (y, x) of every pixel in axes that are turned."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    angle = np.deg2rad(degrees)
    return y * np.cos(angle) - x * np.sin(angle), x * np.cos(angle) + y * np.sin(angle)
