"""The door table carried out: every event moves the door, then the bolt, and only then is anybody told."""

from edge.core import door as dr
from edge.errors import BoltError
from edge.ports import Bolt, Clock
from edge.teller import Teller
from edge.types import Sign

CHECK_EVERY_S = 5.0
"""How often FAULT tries whether the bolt obeys again."""

TELLS = {
    dr.State.LOCKED: "secured",
    dr.State.FREE: "free",
    dr.State.HELD_OPEN: "held_open",
    dr.State.FORCED: "forced",
    dr.State.FAULT: "fault",
}
"""What is told as the door enters a state; a contact that bounces causes any number of them."""


class Latch:
    """The door's state and the bolt that follows it. ``tampered`` is what the switch says."""

    def __init__(self, bolt: Bolt, clock: Clock, terms: dr.Terms, warning_s: float, *, is_open: bool) -> None:
        """Secures the bolt before anything else. Raises BoltError when that fails."""
        self._bolt, self._clock, self._terms, self._warning_s = bolt, clock, terms, warning_s
        self._check_s = float("-inf")
        bolt.secure()
        self.door = dr.started(is_open, clock.now_s(), terms)
        self.tampered = False

    @property
    def bolt_name(self) -> str:
        return self._bolt.name

    def next_s(self) -> float:
        """When ``tick`` is due, monotonic."""
        due = [dr.next_s(self.door)]
        if self.door.state is dr.State.FAULT:
            due.append(self._check_s + CHECK_EVERY_S)
        if self.door.state is dr.State.LOCKED and self.door.alarm_s is not None:
            due.append(self.door.alarm_s - self._warning_s)
        return min(due)

    def tick(self, teller: Teller) -> None:
        """Let time pass: relock, raise the alarm of an open door, watch the bolt, try a faulty one again."""
        self.move(dr.Event(dr.Signal.TICK), teller)
        if self.door.state in dr.RELEASED and not self._bolt.obeys():
            self.move(dr.Event(dr.Signal.BOLT_FAULT, reason="the bolt is not as commanded"), teller)
        elif self.door.state is not dr.State.FAULT and self._is_astray():
            self.move(dr.Event(dr.Signal.BOLT_ASTRAY, reason="the bolt is released and should not be"), teller)
        if self.door.state is dr.State.FAULT and self._clock.now_s() - self._check_s >= CHECK_EVERY_S:
            self.check(teller)
        elif self.door.state is dr.State.FAULT and self._is_astray():
            self._secure_anyway()  # as when somebody releases it again: not before the next self-check were too long

    def sound(self) -> bool:
        """Whether the bolt is as the door's state says: the watchdog is fed only then."""
        return self._bolt.released == (self.door.state in dr.RELEASED) and self._bolt.obeys()

    def sign(self) -> Sign:
        """What lights and buzzer show of the door itself."""
        match self.door.state:
            case dr.State.FAULT:
                return Sign.FAULT
            case dr.State.HELD_OPEN | dr.State.FORCED:
                return Sign.ALARM
        alarm_s = self.door.alarm_s
        warned = alarm_s is not None and self._clock.now_s() >= alarm_s - self._warning_s
        return Sign.WARNING if self.door.state is dr.State.LOCKED and warned else Sign.READY

    def move(self, event: dr.Event, teller: Teller) -> bool:
        """Step the door, drive the bolt, then tell of the new state. True when this event released the bolt."""
        before, now_s = self.door, self._clock.now_s()
        self.door, commands = dr.step(before, event, now_s, self._terms)
        try:
            for command in commands:
                if isinstance(command, dr.Release):
                    self._bolt.release(command.until_s)
                else:
                    self._bolt.secure()
        except BoltError as error:
            fault = dr.Event(dr.Signal.BOLT_FAULT, reason=str(error))
            self.door, _ = dr.step(self.door, fault, now_s, self._terms)
        entered = self.door.state is not before.state
        if self.door.state is dr.State.FAULT and (entered or self.door.latched != before.latched):
            self._check_s = now_s
            self._secure_anyway()
        if entered and self.door.state in TELLS:
            teller.tell_sparingly(TELLS[self.door.state], reason=self.door.reason)
        return self.door.state in dr.RELEASED and self.door.deadline_s != before.deadline_s

    def check(self, teller: Teller) -> None:
        """The self-check: secure the bolt, read it back, and see that nobody is at the case."""
        self._check_s = self._clock.now_s()
        if self._secure_anyway() and not self._bolt.released and self._bolt.obeys() and not self.tampered:
            self.move(dr.Event(dr.Signal.CHECK_PASSED), teller)

    def clear(self, teller: Teller) -> None:
        """An operator acknowledges alarm and fault; the fault ends only when the self-check passes."""
        self.move(dr.Event(dr.Signal.CLEAR), teller)
        if self.door.state is dr.State.FAULT:
            self.check(teller)

    def secure(self) -> None:
        """Once more, whatever the state. Raises BoltError."""
        self._bolt.secure()

    def _is_astray(self) -> bool:
        return self.door.state not in dr.RELEASED and (self._bolt.released or not self._bolt.obeys())

    def _secure_anyway(self) -> bool:
        try:
            self._bolt.secure()
        except BoltError:
            return False  # the door is in FAULT, has said so, and will try again
        return True
