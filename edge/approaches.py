"""From what the eyes report to a verdict on who is there: the one way, at the door and in a drill.

It moves nothing and tells nobody.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from edge.core.choose import Unusable, choose
from edge.core.evidence import Evidence, Recognised, Refused, Terms
from edge.core.living.challenge import Ask, Examiner
from edge.core.match import acceptable
from edge.ports import Clock
from edge.registry import Registry
from edge.settings import Config
from edge.types import Look, Sign

ASKS: Mapping[Ask, Sign] = {
    Ask.PICTURE_LEFT: Sign.TURN_GREEN,
    Ask.PICTURE_RIGHT: Sign.TURN_RED,
    Ask.NEARER: Sign.CLOSER,
}
"""The green light is at the visitor's right of the camera, which is the picture's left."""


class Approaches:
    """Which face asks, the challenge, and the evidence, over the looks of one camera."""

    def __init__(self, config: Config, registry: Registry, clock: Clock, show: Callable[[Sign], None]) -> None:
        """``show`` a sign to whoever is asked something."""
        self._faces, self._margin_min = config.faces, config.match.margin_min
        self._registry, self._clock, self._show = registry, clock, show
        self.evidence = Evidence(terms(config, registry.similarity_min))
        live = config.liveness
        self.examiner = None
        if live.mode == "required":
            self.examiner = Examiner(live.challenge, live.live_min, live.attack_max, secrets.randbelow)

    def forget_all(self) -> None:
        """Start anew, as when the eyes start."""
        self.evidence.forget_all()
        if self.examiner is not None:
            self.examiner.forget()

    def choose(self, looks: Sequence[Look], faces_in_frame: int) -> Look | Unusable | None:
        """The face of one frame that asks, why none may, or None where nobody is."""
        return choose(looks, faces_in_frame, self._faces.several, self._faces.min_px)

    def judge(self, chosen: Look | Unusable, captured_s: float, frame: int) -> Recognised | Refused | None:
        """What comes of it: a decision, or None when there is nothing (new) to say."""
        if not isinstance(chosen, Unusable):
            return self.evidence.add(self._challenged(chosen), self._registry.index.best, self._clock.now_s())
        if chosen.look is None:
            # A frame stamped in the future would spoil everything until then.
            return self.evidence.spoil(chosen.reason, min(captured_s, self._clock.now_s()), frame)
        return self.evidence.unusable(chosen.reason, chosen.look)

    def _challenged(self, look: Look) -> Look:
        """The look as it counts once the challenge has its say."""
        if self.examiner is None:
            return look
        found = self._registry.index.best(look.embedding)
        examined = self.examiner.weigh(look, acceptable(found, self._registry.similarity_min, self._margin_min))
        if examined.ask is not None:
            self._show(ASKS[examined.ask])
        if examined.passed:
            self._show(Sign.KEPT)
        return replace(look, liveness=examined.liveness)


def terms(config: Config, similarity_min: float) -> Terms:
    """The configuration's ``[match]``, ``[evidence]`` and ``[attempts]`` in seconds, with the threshold in force."""
    return Terms(
        similarity_min=similarity_min,
        margin_min=config.match.margin_min,
        look_age_max_s=config.evidence.look_age_max_ms / 1000,
        near_miss=config.attempts.near_miss,
        liveness_min=config.liveness.live_min if config.liveness.mode == "required" else None,
        attack_max=config.liveness.attack_max,
    )
