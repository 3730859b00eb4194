"""Photographs made as small as an enrolment allows, before they go over the cable."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.cable.talk import PHOTO_MAX_BYTES, PHOTOS_MAX, Photo
from edge.core.names import shown
from edge.errors import FaceError, ImageError, InputError

STEPS = ((1024, 80), (800, 80), (640, 75), (480, 75))
"""Longest side in pixels and JPEG quality, from the best on; the first at which a person's photographs fit is taken.
What is lost does not depend on them: each of them changes a template by as much as compressing the whole picture at
quality 95 does, as the detector's landmarks move by a fraction of a pixel (python -m tools.evaluate sending)."""

BUDGET_BYTES = 200_000
"""Of one person's photographs: 18 s at 115,200 baud with what frames and escapes add, and 12 s for the lock to look."""


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
    steps: list[list[tuple[str, bytes]]] = [[] for _ in STEPS]
    for path in paths:
        source = shown(path.name, 100)[1:-1]
        try:
            for step, data in zip(steps, _made_small(path), strict=True):
                step.append((source, data))
        except ImageError as error:
            made.refused.append((source, str(error)))
    fitting = next((step for step in steps if sum(len(data) for _, data in step) <= BUDGET_BYTES), steps[-1])
    for source, data in fitting:
        digest = hashlib.sha256(data).digest()
        if digest not in made.files:
            made.files[digest] = data
            made.photos.append(Photo(source, digest, len(data)))
    if not made.photos:
        reasons = "\n".join(f"  {reason}" for _, reason in made.refused)
        raise FaceError(f"No photograph can be used:\n{reasons}\nUse a sharp picture from the front, in even light.")
    return made


def _made_small(path: Path) -> list[bytes]:
    """One photograph as a JPEG of every step. Raises ImageError."""
    from PIL import Image

    from edge.images import read_rgb

    picture, made = Image.fromarray(read_rgb(path)), []
    for side, quality in STEPS:
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() > PHOTO_MAX_BYTES:
            raise ImageError(f"{shown(path.name, 100)} does not get small enough for the cable. Cut out the face.")
        made.append(buffer.getvalue())
    return made
