"""Lights and buzzer on lines: a thread plays what is shown. A lamp that cannot be driven stops nothing."""

import logging
import math
import threading
from dataclasses import dataclass, fields

from edge.core.signs import OFF, SignPlayer, Step
from edge.devices.lines import OutputLine
from edge.ports import Clock
from edge.types import Sign

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lamps:
    """The lines that are fitted."""

    green: OutputLine | None = None
    red: OutputLine | None = None
    buzzer: OutputLine | None = None


class LineIndicator:
    """The indicator port."""

    def __init__(self, lamps: Lamps, clock: Clock) -> None:
        self._clock, self._player = clock, SignPlayer()
        self._lines = {each.name: line for each in fields(lamps) if (line := getattr(lamps, each.name)) is not None}
        self._condition = threading.Condition()
        self._closing = False
        self._dark: set[str] = set()
        self._thread = threading.Thread(target=self._play, name="indicator", daemon=True)
        self._thread.start()

    def show(self, sign: Sign) -> None:
        """See the port."""
        with self._condition:
            self._player.show(sign, self._clock.now_s())
            self._condition.notify()

    def close(self) -> None:
        """Everything off, lines given back; may be called twice."""
        with self._condition:
            if self._closing:
                return
            self._closing = True
            self._condition.notify()
        self._thread.join(timeout=2)
        self._drive(OFF)
        for line in self._lines.values():
            line.close()

    def _play(self) -> None:
        shown: Step | None = None
        with self._condition:
            while not self._closing:
                now_s = self._clock.now_s()
                step, until_s = self._player.step(now_s)
                if step != shown:
                    self._drive(step)
                    shown = step
                self._condition.wait(None if math.isinf(until_s) else max(until_s - now_s, 0.001))

    def _drive(self, step: Step) -> None:
        for name, line in self._lines.items():
            try:
                line.drive(bool(getattr(step, name)))
                self._dark.discard(name)
            except OSError as error:
                if name not in self._dark:  # once, not at every step
                    _log.warning("the %s indicator cannot be driven (%s)", name, error)
                self._dark.add(name)
