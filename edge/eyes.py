"""The eyes: frames in, looks out. They know no name, no template and no door."""

import dataclasses
import time
from collections.abc import Callable
from typing import Protocol

from edge import wire
from edge.core.quality import flaw, measure, weight
from edge.core.scene import Freshness
from edge.core.track import Tracker
from edge.errors import CameraError, FaceError, FacelatchError, WireError
from edge.images import encode_jpeg
from edge.ports import Camera, Detector, Embedder
from edge.slot import NewestFrame
from edge.types import Face, Frame, Look
from edge.vigil import Vigil

FRAME_TIMEOUT_S = 3.0
"""A camera that gives nothing for so long has stopped."""


SNAPSHOT_EVERY_S, SNAPSHOT_WIDTH_PX = 1.0, 480
"""How often a picture of whoever is there is sent, and how wide: enough to know a neighbour by."""

PREVIEW_WIDTH_PX = 240
"""Of a picture for whoever watches an enrolment: 5 to 10 kB, which a slow cable carries in less than a second."""


class Send(Protocol):
    """Hands one message to the guardian. Raises WireError when the guardian is gone."""

    def __call__(self, message: wire.FromEyes) -> None: ...


class Eyes:
    """One camera, one detector, one embedder, and who is alive. Use it from one thread."""

    def __init__(
        self,
        detector: Detector,
        embedder: Embedder,
        send: Send,
        caveat: str = "",
        *,
        snapshots: bool = False,
        vigil: Vigil | None = None,
        judge: str = "",
        previewed: Callable[[], bool] = lambda: False,
    ) -> None:
        """``caveat``: what the status line must say of these eyes before their camera's name. ``snapshots``: send
        pictures of whoever is there, too. ``vigil``: judges who is alive; without it no look says so. ``judge``:
        stands for what it judges with. ``previewed``: whether somebody watches, so that pictures are sent of nobody
        as well."""
        self._caveat, self._snapshots, self._judge, self._previewed = caveat, snapshots, judge, previewed
        self._snapshot_s = float("-inf")
        self._detector, self._embedder, self._send = detector, embedder, send
        self._tracker = Tracker()
        self._freshness = Freshness()
        self._vigil = vigil

    def run(self, camera: Camera, stopping: Callable[[], bool]) -> None:
        """Watch until the recording ends or ``stopping()``. Tells the guardian, then raises, when the camera fails."""
        name = f"{self._caveat}; {camera.name}" if self._caveat else camera.name
        space = self._embedder.model_id, self._embedder.dimension
        self._send(wire.Hello(wire.VERSION, *space, name, camera.identity[:200], self._judge))
        frames = NewestFrame(camera)
        try:
            size = None
            while not stopping() and (frame := frames.take(FRAME_TIMEOUT_S)) is not None:
                if camera.identity and size not in (None, frame.rgb.shape):
                    raise CameraError("The camera's pictures changed their size. Look at what became of the camera.")
                size = frame.rgb.shape
                self.see(frame)
        except FacelatchError as error:
            if isinstance(error, WireError):
                raise  # there is nobody to tell
            self._send(wire.Trouble(str(error)[:500]))
            raise
        finally:
            frames.close()

    def see(self, frame: Frame) -> None:
        """Report one frame. One that repeats the frame before it is no evidence: it is reported as showing nobody.

        Raises CameraError when the camera has been repeating itself for long.
        """
        if not self._freshness.is_new(frame):
            if self._freshness.is_frozen(frame):
                raise CameraError("The camera repeats one frame: it hangs. Check its cable and its power supply.")
            self._send(wire.to_report(frame.number, frame.captured_s, 0, []))
            return
        faces = self._detector.detect(frame.rgb)
        self._picture(frame, bool(faces))
        tracks = self._tracker.update(faces, frame.captured_s)
        followed = dict(list(zip(tracks, faces, strict=True))[: wire.LOOKS_MAX])
        looks = [
            (face, look)
            for track, face in followed.items()
            if (look := self._look(frame, face, track, len(faces))) is not None
        ]
        self._send(wire.to_report(frame.number, frame.captured_s, len(faces), self._judged(frame, looks)))

    def _judged(self, frame: Frame, looks: list[tuple[Face, Look]]) -> list[Look]:
        """Whether they are alive. Not of looks that count for nothing: nothing confirmed whose track they are of."""
        began_s = time.perf_counter()
        usable = {look.track: (face, look.embedding) for face, look in looks if flaw(look.quality, 0.0) is None}
        alive = {} if self._vigil is None else self._vigil.see(frame, usable)
        alive_ms = (time.perf_counter() - began_s) * 1000
        return [
            dataclasses.replace(
                look, liveness=alive.get(look.track), timings_ms={**look.timings_ms, "liveness": alive_ms}
            )
            for _, look in looks
        ]

    def _picture(self, frame: Frame, anybody: bool) -> None:
        """Before the looks of the same frame: a refusal then has its picture."""
        previewed = self._previewed()
        wanted = previewed or (self._snapshots and anybody)
        if not wanted or frame.captured_s - self._snapshot_s < SNAPSHOT_EVERY_S:
            return
        self._snapshot_s = frame.captured_s
        jpeg = encode_jpeg(frame.rgb, PREVIEW_WIDTH_PX if previewed else SNAPSHOT_WIDTH_PX)
        if len(jpeg) <= wire.SNAPSHOT_MAX_BYTES:
            self._send(wire.Snapshot(jpeg))

    def _look(self, frame: Frame, face: Face, track: int, faces_in_frame: int) -> Look | None:
        start = time.perf_counter()
        try:
            aligned = self._embedder.align(frame.rgb, face.landmarks)
            aligned_at = time.perf_counter()
            embedding = self._embedder.embed(aligned)
        except FaceError:
            return None  # a face without usable landmarks is counted in the frame, and no look
        embedded_at = time.perf_counter()
        quality = measure(face, aligned)
        if flaw(quality, 0.0) is None:  # of any size: which is too small is the guardian's to say
            track = self._tracker.confirm(track, embedding, weight(quality))
        return Look(
            track=track,
            embedding=embedding,
            liveness=None,
            quality=quality,
            box=face.box,
            faces_in_frame=faces_in_frame,
            frame=frame.number,
            captured_s=frame.captured_s,
            timings_ms={
                **self._detector.timings_ms,
                "align": (aligned_at - start) * 1000,
                "embed": (embedded_at - aligned_at) * 1000,
            },
        )
