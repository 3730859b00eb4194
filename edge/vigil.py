"""Over every look: is this face alive? The network and the signs of each look, and the judge over the track.

Whatever goes wrong here makes the look one that nothing measured, which opens no door.
"""

from collections.abc import Mapping

from edge.core.living.edges import edges
from edge.core.living.judge import Judge, Signs, Weights
from edge.core.living.parallax import parallax
from edge.core.living.view import View, view
from edge.errors import FacelatchError
from edge.ports import Liveness
from edge.types import Face, Frame


class Vigil:
    """The looks of one camera. Use it from one thread."""

    def __init__(self, network: Liveness, weights: Weights) -> None:
        self._network, self._judge = network, Judge(weights)
        self._before: Mapping[int, View] = {}

    def see(self, frame: Frame, faces: Mapping[int, Face]) -> dict[int, float | None]:
        """How probably each face of one frame is alive, by its track: see ``Judge.add``. Call it for every frame with
        faces; a track that is left out begins again."""
        seen: dict[int, View] = {}
        found = {}
        for track, face in faces.items():
            signs = self._signs(frame, face, track, seen)
            found[track] = self._judge.add(track, signs, frame.captured_s)
        self._before = seen
        return found

    def _signs(self, frame: Frame, face: Face, track: int, seen: dict[int, View]) -> Signs | None:
        now = view(frame.rgb, face.landmarks)
        if now is None:
            return None
        seen[track] = now
        try:
            appearance = self._network.probability(frame.rgb, face)
        except FacelatchError:
            return None
        before = self._before.get(track)
        return Signs(appearance, edges(now), None if before is None else parallax(before, now, frame.rgb))
