"""Bolts that secure themselves: the deadline lives beside the pin, in a thread of its own.

The guardian relocks on time. Should its loop ever hang, in a log write to a dying card for example, this thread relocks
all the same. A guardian that is *killed* while the bolt is released is the watchdog's business.
"""

import logging
import threading

from edge.devices.lines import OutputLine
from edge.errors import BoltError
from edge.ports import Clock

_log = logging.getLogger(__name__)

RETRY_S = 0.1
"""How soon a pin that did not obey is driven again."""


PULSE_MIN_S = 0.3
"""A shorter release opens no strike and only makes the relay chatter: it is not made at all."""

PULSE_MAX_S = 31.0
"""No single release lasts longer, whatever the guardian says: its own bounds are 30 s, and a second of slack."""


class TimedBolt:
    """The bolt port over any pin."""

    def __init__(self, pin: OutputLine, clock: Clock) -> None:
        """Starts the watching thread; drives nothing yet."""
        self._pin, self._clock = pin, clock
        self._condition = threading.Condition()
        self._until_s: float | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._watch, name="bolt", daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        return self._pin.name

    @property
    def released(self) -> bool:
        with self._condition:
            return self._until_s is not None

    def obeys(self) -> bool:
        """See the port."""
        with self._condition:
            try:
                return self._pin.reads() == (self._until_s is not None)
            except OSError:
                return False

    def release(self, until_s: float) -> None:
        """See the port. The adapter's own limits hold whatever the caller wants: less than ``PULSE_MIN_S`` releases
        nothing, and more than ``PULSE_MAX_S`` secures and raises BoltError."""
        with self._condition:
            if self._closing:
                raise BoltError("The bolt is closed. Restart facelatch-door.")
            left_s = until_s - self._clock.now_s()
            if not left_s <= PULSE_MAX_S:
                self._secure_pin()
                raise BoltError(
                    f"A release of {left_s:.0f} s is over the bolt's limit of {PULSE_MAX_S:.0f} s. Update it."
                )
            if not left_s >= PULSE_MIN_S:
                return
            self._until_s = until_s
            self._condition.notify()
            try:
                self._pin.drive(True)
            except OSError as error:
                self._secure_pin()
                raise BoltError(f"The bolt {self.name} did not release ({error}). Check the relay's wiring.") from error

    def secure(self) -> None:
        """See the port."""
        with self._condition:
            self._secure_pin()

    def close(self) -> None:
        """See the port."""
        with self._condition:
            if self._closing:
                return
            self._closing = True
            self._condition.notify()
        self._thread.join(timeout=2)
        try:
            self.secure()
        finally:
            self._pin.close()

    def _secure_pin(self) -> None:
        """The caller holds the condition. Until the pin obeys, the bolt counts as released, and the thread tries on."""
        try:
            self._pin.drive(False)
        except OSError as error:
            self._until_s = self._clock.now_s() + RETRY_S
            self._condition.notify()
            raise BoltError(f"The bolt {self.name} did not secure ({error}). Check the relay's wiring.") from error
        self._until_s = None

    def _watch(self) -> None:
        told = ""
        with self._condition:
            while not self._closing:
                if self._until_s is None:
                    self._condition.wait()
                    continue
                left_s = self._until_s - self._clock.now_s()
                if left_s > 0:
                    self._condition.wait(left_s)
                    continue
                try:
                    self._secure_pin()
                    told = ""
                except BoltError as error:
                    if str(error) != told:  # ten times a second the same would fill the journal
                        told = str(error)
                        _log.critical("%s", told)
