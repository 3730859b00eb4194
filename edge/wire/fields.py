"""What the fields of messages may hold, and embeddings as bytes."""

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from edge.errors import WireError
from edge.types import Embedding

VERSION = 5
"""Of both conversations. Another version is refused: both processes come from one installation."""

PACKET_MAX_BYTES = 128 * 1024
"""Below Linux's default send buffer of 208 KiB, so that one packet always fits."""

SNAPSHOT_MAX_BYTES = 64 * 1024
"""A JPEG of 480 pixels' width takes 15 to 40 kB."""

CROP_MAX_BYTES = 5632
"""Of the face behind a template: twenty of them and as many templates stay below ``PACKET_MAX_BYTES``."""

LOOKS_MAX = 4
"""Looks in one report: the four largest faces; the others are only counted."""

NORM_TOLERANCE = 1e-3
"""How far an embedding's norm may be from 1: float32 rounding over 192 sums stays a hundred times below."""

Text = Annotated[str, Meta(max_length=500)]
Word = Annotated[str, Meta(min_length=1, max_length=100)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Vector = Annotated[bytes, Meta(max_length=4 * 4096)]
Name = Annotated[str, Meta(max_length=500)]
Utc = Annotated[str, Meta(max_length=40)]
Jpeg = Annotated[bytes, Meta(max_length=CROP_MAX_BYTES)]


class ConsentLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ``Consent`` on the wire and in ``--json``."""

    given_utc: Utc
    wording: Count


def to_bytes(embedding: Embedding) -> bytes:
    """(D,) float32 as 4 D bytes, little-endian."""
    return embedding.astype("<f4").tobytes()


def to_embedding(data: bytes, dimension: int) -> Embedding:
    """The inverse of ``to_bytes``. Raises WireError unless it is ``dimension`` finite numbers of unit norm."""
    if len(data) != 4 * dimension:
        raise WireError(f"An embedding of {len(data)} bytes is not one of {dimension} numbers. Restart both services.")
    raw = np.frombuffer(data, dtype="<f4")
    if not np.isfinite(raw).all():
        raise WireError("An embedding holds a number that is not finite. Restart both services.")
    vector: Embedding = raw.astype(np.float32)
    if not abs(float(np.linalg.norm(vector.astype(np.float64))) - 1) <= NORM_TOLERANCE:
        raise WireError("An embedding is not a unit vector. Restart both services.")
    return vector
