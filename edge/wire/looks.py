"""What the eyes say to the guardian."""

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from edge.errors import WireError
from edge.types import Box, Look, Quality
from edge.wire.fields import LOOKS_MAX, SNAPSHOT_MAX_BYTES, Count, Text, Vector, Word, to_bytes, to_embedding


class Hello(msgspec.Struct, tag="hello", frozen=True, forbid_unknown_fields=True):
    """The eyes' first message. ``identity``: what the camera can be told by, and its size; empty for a replay.
    ``judge``: stands for the networks and weights that tell who is alive; empty where nothing does."""

    version: int
    model_id: Word
    dimension: Annotated[int, Meta(ge=1, le=4096)]
    camera: Text
    identity: Text = ""
    judge: Annotated[str, Meta(max_length=100)] = ""


class WireLook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ``Look`` without what its report says once for all; the embedding as little-endian float32."""

    track: Count
    embedding: Vector
    liveness: Annotated[float, Meta(ge=0, le=1)] | None
    face_px: float
    eye_distance_px: float
    yaw_deg: float
    brightness: float
    probability: float
    sharpness: float
    eyes: float
    box: tuple[float, float, float, float]


class Report(msgspec.Struct, tag="report", frozen=True, forbid_unknown_fields=True):
    """What one frame showed; also sent when it showed nobody, as the eyes' heartbeat."""

    frame: Count
    captured_s: float
    faces_in_frame: Count
    looks: Annotated[list[WireLook], Meta(max_length=LOOKS_MAX)]
    timings_ms: Annotated[dict[Word, float], Meta(max_length=32)] = {}


class Trouble(msgspec.Struct, tag="trouble", frozen=True, forbid_unknown_fields=True):
    """The eyes' last message before they give up: what is wrong with the camera."""

    reason: Text


class Snapshot(msgspec.Struct, tag="snapshot", frozen=True, forbid_unknown_fields=True):
    """What the camera shows while somebody is there, as a JPEG; sent only where the owner keeps such pictures."""

    jpeg: Annotated[bytes, Meta(max_length=SNAPSHOT_MAX_BYTES)]


FromEyes = Hello | Report | Trouble | Snapshot


def to_looks(report: Report, dimension: int) -> list[Look]:
    """The report's looks as plain values. Raises WireError when a number is not finite or an embedding not a unit
    vector."""
    looks = [_look(report, look, dimension) for look in report.looks]
    if not np.isfinite(report.captured_s):
        raise WireError("A capture time is not a number. Restart both services.")
    return looks


def _look(report: Report, look: WireLook, dimension: int) -> Look:
    figures = (
        *(look.face_px, look.eye_distance_px, look.yaw_deg, look.brightness),
        *(look.probability, look.sharpness, look.eyes),
    )
    if not np.isfinite((*figures, *look.box)).all():
        raise WireError("A look holds a number that is not finite. Restart both services.")
    return Look(
        track=look.track,
        embedding=to_embedding(look.embedding, dimension),
        liveness=look.liveness,
        quality=Quality(*figures),
        box=Box(*look.box),
        faces_in_frame=report.faces_in_frame,
        frame=report.frame,
        captured_s=report.captured_s,
        timings_ms=report.timings_ms,
    )


def to_report(frame: int, captured_s: float, faces_in_frame: int, looks: list[Look]) -> Report:
    """What the eyes send of one frame; at most ``LOOKS_MAX`` looks."""
    return Report(
        frame,
        captured_s,
        faces_in_frame,
        [
            WireLook(
                track=look.track,
                embedding=to_bytes(look.embedding),
                liveness=look.liveness,
                face_px=look.quality.face_px,
                eye_distance_px=look.quality.eye_distance_px,
                yaw_deg=look.quality.yaw_deg,
                brightness=look.quality.brightness,
                probability=look.quality.probability,
                sharpness=look.quality.sharpness,
                eyes=look.quality.eyes,
                box=(look.box.x0, look.box.y0, look.box.x1, look.box.y1),
            )
            for look in looks[:LOOKS_MAX]
        ],
        dict(looks[0].timings_ms) if looks else {},
    )
