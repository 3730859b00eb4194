"""Exit button, door contact and tamper switch: lines that are looked at a hundred times a second.

They are sampled, not waited for: a line that chatters, or that somebody drives at any rate, then costs no more than one
at rest, and no lost edge leaves a state that is not so any more.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from edge.core.debounce import RESTLESS_S, Debounce
from edge.devices.lines import InputLine
from edge.devices.mailbox import Mailbox
from edge.ports import Clock
from edge.types import Input, Sensed

SAMPLE_EVERY_S = 0.01
"""Two samples at least fall into the shortest debounce of 20 ms; the whole guardian takes 0.2 % of an
x86-64 core while three inputs are looked at."""

ALARMING = frozenset({Input.DOOR_CONTACT, Input.TAMPER})
"""Inputs that count as active when they cannot be trusted: the door as open, the case as tampered with. The exit button
counts as not pressed."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wire:
    """One fitted input. ``active_high``: whether high means pressed, open, tampered with."""

    input: Input
    line: InputLine
    active_high: bool


class LineSensors:
    """The sensors port over lines of any kind."""

    def __init__(self, wires: Sequence[Wire], settle_s: float, clock: Clock) -> None:
        """Waits until every input has settled, ``RESTLESS_S`` at most, then watches on."""
        self._wires = tuple((wire, Debounce(settle_s)) for wire in wires)
        self._clock = clock
        self._news: Mailbox[Sensed] = Mailbox()
        self._closing = threading.Event()
        started_s = clock.now_s()
        waiting = {wire.input for wire in wires}
        self._states: list[Sensed] = []
        while waiting and clock.now_s() - started_s <= 2 * RESTLESS_S:
            for sensed in self._sample():
                if sensed.input in waiting:
                    waiting.remove(sensed.input)
                    self._states.append(sensed)
            self._closing.wait(SAMPLE_EVERY_S)
        self._thread = threading.Thread(target=self._watch, name="sensors", daemon=True)
        self._thread.start()

    def states(self) -> list[Sensed]:
        """See the port."""
        return list(self._states)

    def fileno(self) -> int:
        """See the port."""
        return self._news.fileno()

    def read(self) -> list[Sensed]:
        """See the port."""
        return self._news.take()

    def close(self) -> None:
        """Give the lines back; may be called twice."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._thread.join(timeout=2)
        for wire, _ in self._wires:
            wire.line.close()
        self._news.close()

    def _watch(self) -> None:
        try:
            while not self._closing.wait(SAMPLE_EVERY_S):
                self._news.put(*self._sample())
        except Exception:  # whatever it is, inputs that nobody watches must not look peaceful
            _log.exception("the inputs are not watched any more")
            self._news.put(*(_untrusted(wire.input, "it is not watched any more") for wire, _ in self._wires))

    def _sample(self) -> list[Sensed]:
        now_s = self._clock.now_s()
        news = []
        for wire, debounce in self._wires:
            why = ""
            try:
                level: bool | None = wire.line.high() == wire.active_high
            except OSError as error:
                level, why = None, f"it cannot be read ({error})"
            if not debounce.sample(level, now_s):
                continue
            active = debounce.settled
            if active is None:
                news.append(_untrusted(wire.input, "it does not come to rest" if debounce.is_restless else why))
            else:
                news.append(Sensed(wire.input, active))
        return news


def _untrusted(which: Input, why: str) -> Sensed:
    return Sensed(which, which in ALARMING, why)
