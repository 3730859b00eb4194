"""Over every look: is this face alive? The network and the signs of a look, and the judge over the track.

Not every look is measured (``Judge.held``), and looks vouch only for looks of the same face: where another face comes
in the place of one, a photograph held before a person, its track begins again. Whatever goes wrong here makes the look
one that nothing measured, which opens no door.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from edge.core.living.edges import edges
from edge.core.living.judge import GAP_MAX_S, Judge, Signs, Weights
from edge.core.living.parallax import parallax
from edge.core.living.view import View, view
from edge.errors import FacelatchError
from edge.ports import Liveness
from edge.types import Embedding, Face, Frame

SAME_FACE_MIN = 0.7
"""The cosine of two looks of a track in a row below which the track begins again: a face looks more like itself a
moment ago than like its whole approach (``track.SAME_FACE_MIN``). One of 943 pairs of looks of one person is below
(NUAA and replays, 0.1 and 0.2 s apart); of pairs of strangers fewer than one in 100,000 are above."""


@dataclass(frozen=True, slots=True, eq=False)
class _Last:
    """The last look of a track, and the view of the last that was measured."""

    embedding: Embedding
    captured_s: float
    measured: View | None


class Vigil:
    """The looks of one camera. Use it from one thread."""

    def __init__(self, network: Liveness, weights: Weights) -> None:
        self._network, self._judge = network, Judge(weights)
        self._last: dict[int, _Last] = {}

    def see(self, frame: Frame, faces: Mapping[int, tuple[Face, Embedding]]) -> dict[int, float | None]:
        """How probably each face of one frame is alive, by its track: see ``Judge.add``. Only usable looks, each
        under the track that its embedding confirmed."""
        now_s = frame.captured_s
        self._last = {track: last for track, last in self._last.items() if 0 < now_s - last.captured_s <= GAP_MAX_S}
        return {track: self._alive(frame, track, *seen) for track, seen in faces.items()}

    def _alive(self, frame: Frame, track: int, face: Face, embedding: Embedding) -> float | None:
        last = self._last.get(track)
        if last is None or not float(last.embedding @ embedding) >= SAME_FACE_MIN:  # nor where it is not a number
            self._judge.forget(track)
            last = None
        before = None if last is None else last.measured
        answer = self._judge.held(track, frame.captured_s)
        if answer is None:
            before, answer = self._measured(frame, face, track, before)
        self._last[track] = _Last(embedding, frame.captured_s, before)
        return answer

    def _measured(self, frame: Frame, face: Face, track: int, before: View | None) -> tuple[View | None, float | None]:
        """What was looked at, and the judge's answer."""
        now = view(frame.rgb, face.landmarks)
        signs = None if now is None else self._signs(frame, face, before, now)
        return now, self._judge.add(track, signs, frame.captured_s)

    def _signs(self, frame: Frame, face: Face, before: View | None, now: View) -> Signs | None:
        try:
            appearance = self._network.probability(frame.rgb, face)
        except FacelatchError:
            return None
        return Signs(appearance, edges(now), None if before is None else parallax(before, now, frame.rgb))
