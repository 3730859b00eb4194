"""Photographs made as small as an enrolment allows, before they go over the cable."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.cable.talk import PHOTO_MAX_BYTES, PHOTOS_MAX, Photo
from edge.core.names import shown
from edge.errors import FaceError, ImageError, InputError

SIDE_PX = 640
QUALITY = 90


@dataclass(frozen=True, slots=True)
class Prepared:
    """``files`` by digest; ``refused``: why a photograph is not sent."""

    photos: list[Photo]
    files: dict[bytes, bytes]
    refused: list[tuple[str, str]]
    original_bytes: int


def prepare(paths: Sequence[Path]) -> Prepared:
    """Scaled and compressed anew. Raises InputError for too many, FaceError when none can be read."""
    if len(paths) > PHOTOS_MAX:
        raise InputError(f"{len(paths)} photographs are too many for the cable: choose at most {PHOTOS_MAX}.")
    made = Prepared([], {}, [], sum(path.stat().st_size for path in paths if path.exists()))
    for path in paths:
        source = shown(path.name, 100)[1:-1]
        try:
            data = small(path)
        except ImageError as error:
            made.refused.append((source, str(error)))
            continue
        digest = hashlib.sha256(data).digest()
        if digest not in made.files:
            made.files[digest] = data
            made.photos.append(Photo(source, digest, len(data)))
    if not made.photos:
        reasons = "\n".join(f"  {reason}" for _, reason in made.refused)
        raise FaceError(f"No photograph can be used:\n{reasons}\nUse a sharp picture from the front, in even light.")
    return made


def small(path: Path) -> bytes:
    """One photograph as a JPEG of at most ``SIDE_PX`` a side. Raises ImageError."""
    from PIL import Image

    from edge.images import read_rgb

    picture = Image.fromarray(read_rgb(path))
    picture.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)
    for quality in range(QUALITY, 0, -10):
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() <= PHOTO_MAX_BYTES:
            break
    return buffer.getvalue()
