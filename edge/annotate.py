"""Pictures for people: boxes, landmarks and captions drawn on a frame."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edge.errors import ImageError
from edge.types import Face, Rgb

COLOUR = (80, 220, 100)
LANDMARK = (255, 210, 60)


def annotated(rgb: Rgb, faces: Sequence[Face], captions: Sequence[str]) -> Rgb:
    """A copy of an (H, W, 3) uint8 picture with each face's box, five landmarks and caption."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.fromarray(rgb)
    draw = ImageDraw.Draw(picture)
    width = max(2, rgb.shape[1] // 320)
    font = ImageFont.load_default(size=max(13, rgb.shape[1] // 40))
    for face, caption in zip(faces, captions, strict=True):
        box = face.box
        draw.rectangle((box.x0, box.y0, max(box.x1, box.x0), max(box.y1, box.y0)), outline=COLOUR, width=width)
        for x, y in face.landmarks.tolist():
            draw.ellipse((x - width, y - width, x + width, y + width), fill=LANDMARK)
        left, top, right, bottom = draw.textbbox((0, 0), caption, font=font)
        height = bottom - top + 4 * width
        corner_y = box.y0 - height if box.y0 >= height else box.y1
        draw.rectangle((box.x0, corner_y, box.x0 + right - left + 4 * width, corner_y + height), fill=COLOUR)
        draw.text((box.x0 + 2 * width, corner_y + 2 * width - top), caption, fill=(0, 0, 0), font=font)
    return np.array(picture, dtype=np.uint8)


def save_png(rgb: Rgb, path: Path) -> None:
    """Write a PNG, whole or not at all. Raises ImageError when that fails."""
    from PIL import Image

    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".png", delete=False) as file:
            Image.fromarray(rgb).save(file, format="PNG")
        os.chmod(file.name, 0o644)
        os.replace(file.name, path)
    except OSError as error:
        raise ImageError(
            f"The picture {path!s:.200} cannot be written ({error.strerror or error}). "
            "Name a folder that exists and is yours."
        ) from error
