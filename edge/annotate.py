"""Pictures for people: boxes, landmarks and captions drawn on a frame."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edge.errors import ImageError
from edge.types import Face, Rgb

KNOWN, UNKNOWN = (80, 220, 100), (255, 150, 60)
LANDMARK = (255, 210, 60)


def annotated(rgb: Rgb, faces: Sequence[Face], names: Sequence[str | None]) -> Rgb:
    """A copy of an (H, W, 3) uint8 picture with each face's box, five landmarks and name; None is nobody known."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.fromarray(rgb)
    draw = ImageDraw.Draw(picture)
    width = max(2, rgb.shape[1] // 320)
    font = ImageFont.load_default(size=max(13, rgb.shape[1] // 40))
    for face, name in zip(faces, names, strict=True):
        box, caption = face.box, name or "not known"
        colour = KNOWN if name else UNKNOWN
        draw.rectangle((box.x0, box.y0, max(box.x1, box.x0), max(box.y1, box.y0)), outline=colour, width=width)
        for x, y in face.landmarks.tolist():
            draw.ellipse((x - width, y - width, x + width, y + width), fill=LANDMARK)
        left, top, right, bottom = draw.textbbox((0, 0), caption, font=font)
        height = bottom - top + 4 * width
        corner_y = box.y0 - height if box.y0 >= height else box.y1
        draw.rectangle((box.x0, corner_y, box.x0 + right - left + 4 * width, corner_y + height), fill=colour)
        draw.text((box.x0 + 2 * width, corner_y + 2 * width - top), caption, fill=(0, 0, 0), font=font)
    return np.array(picture, dtype=np.uint8)


def save_png(rgb: Rgb, path: Path) -> None:
    """Write a PNG, whole or not at all. Raises ImageError when that fails."""
    from PIL import Image

    try:
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            whole = Path(folder) / "whole.png"
            Image.fromarray(rgb).save(whole)
            os.replace(whole, path)
    except OSError as error:
        raise ImageError(
            f"The picture {path!s:.200} cannot be written ({error.strerror or error}). "
            "Name a folder that exists and is yours."
        ) from error
