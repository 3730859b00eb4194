"""What lights and buzzer do for each sign, and which sign is on.

A steady sign (ready, alarm, fault ...) stays until another one comes. A passing sign (looking, welcome, refused, and
those of an enrolment) is played once over it. While an alarm sounds only a welcome is played: nobody can quieten it by
being refused.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from edge.types import Sign


@dataclass(frozen=True, slots=True)
class Step:
    """What is on for how many seconds."""

    green: bool = False
    red: bool = False
    buzzer: bool = False
    for_s: float = math.inf


OFF = Step()

STEPS: Mapping[Sign, tuple[Step, ...]] = {
    Sign.READY: (Step(green=True, for_s=0.05), Step(for_s=2.95)),
    Sign.LOOKING: (Step(green=True, for_s=0.15), Step(for_s=0.15)),
    Sign.WELCOME: (Step(green=True, buzzer=True, for_s=0.2), Step(green=True, for_s=2.8)),
    Sign.REFUSED: (
        *(Step(red=True, buzzer=True, for_s=0.1), Step(red=True, for_s=0.1)),
        *(Step(red=True, buzzer=True, for_s=0.1), Step(red=True, for_s=0.7)),
    ),
    Sign.GUIDANCE: (Step(green=True, for_s=0.3), Step(red=True, for_s=0.3)),
    Sign.KEPT: (Step(green=True, buzzer=True, for_s=0.1), Step(green=True, for_s=0.5)),
    Sign.TURN_GREEN: (Step(green=True, buzzer=True, for_s=0.05), Step(green=True, for_s=0.35), Step(for_s=0.2)),
    Sign.TURN_RED: (Step(red=True, buzzer=True, for_s=0.05), Step(red=True, for_s=0.35), Step(for_s=0.2)),
    Sign.CLOSER: (Step(green=True, red=True, buzzer=True, for_s=0.05), Step(green=True, red=True, for_s=0.2)),
    Sign.WARNING: (Step(red=True, buzzer=True, for_s=0.1), Step(for_s=0.9)),
    Sign.ALARM: (Step(red=True, buzzer=True, for_s=0.5), Step(red=True, for_s=0.2)),
    Sign.FAULT: (Step(red=True, for_s=0.2), Step(for_s=0.2)),
    Sign.OFF: (OFF,),
}
"""Steady signs repeat their steps. A person has to tell them apart across a porch: one colour or one rhythm each."""

PASSING: Mapping[Sign, int] = {
    Sign.LOOKING: 0,
    Sign.GUIDANCE: 0,
    Sign.TURN_GREEN: 1,
    Sign.TURN_RED: 1,
    Sign.CLOSER: 1,
    Sign.REFUSED: 1,
    Sign.KEPT: 1,
    Sign.WELCOME: 2,
}
"""Signs that end, and which of two goes first: the higher one is not cut short."""


class SignPlayer:
    """Which step is due; the caller drives the lines."""

    def __init__(self) -> None:
        self._steady, self._steady_s = Sign.OFF, 0.0
        self._passing: Sign | None = None
        self._passing_s = 0.0

    def show(self, sign: Sign, now_s: float) -> None:
        """Take a sign; one that is on already goes on."""
        if sign not in PASSING:
            if sign is not self._steady:
                self._steady, self._steady_s = sign, now_s
            return
        if self._steady is Sign.ALARM and sign is not Sign.WELCOME:
            return
        playing = self._playing(now_s)
        if playing is None or PASSING[sign] > PASSING[playing]:
            self._passing, self._passing_s = sign, now_s

    def step(self, now_s: float) -> tuple[Step, float]:
        """What is on now, and until when (monotonic)."""
        playing = self._playing(now_s)
        if playing is not None:
            sign, since_s = playing, self._passing_s
        else:
            sign, since_s = self._steady, self._steady_s
        steps = STEPS[sign]
        length_s = sum(step.for_s for step in steps)
        if math.isinf(length_s):
            return steps[0], math.inf
        start_s = since_s + (now_s - since_s) // length_s * length_s
        for step in steps:
            start_s += step.for_s
            if now_s < start_s:
                return step, start_s
        return steps[-1], now_s  # the sum's rounding

    def _playing(self, now_s: float) -> Sign | None:
        if self._passing is None or now_s - self._passing_s >= sum(step.for_s for step in STEPS[self._passing]):
            return None
        return self._passing
