"""The door as one table: ``state -> event -> states``.

**The bolt** is released in UNLOCKED and FREE and in no other state. The door comes to UNLOCKED by a face, a PIN, the
exit button or an operator, and to FREE by the schedule or an operator. Each of these carries a deadline, fixed when the
bolt is released: nothing that arrives while the bolt is released moves it, another face included, so that lingering
in front of the camera does not hold the door. Before any event is looked at, deadlines that have passed are honoured;
the order in which things arrive can therefore never keep the door open. In FREE the bolt is released for ``HOLD_S`` at
a time and renewed by the passing of time: a guardian that hangs cannot leave the door free for the rest of the day.

**The contact** tells whether the leaf stands open. A door opened while the bolt is released, in the grace after that
or during a shunt is open by right; it may stay so for ``held_open_s`` and is then HELD_OPEN. A door opened at any other
time is FORCED. Both are alarms: they end when the door is shut, or for whoever may come in, or when an operator clears
them (a cut wire reads as open and must not shut out the household). The bolt stays secured in both.

**The exit button** unlocks like a face, also while an alarm sounds and while faces are locked out, or, where the door
opens from inside by itself, only shunts the forced-door alarm. **The PIN** unlocks wherever a face does. Both do
nothing in FAULT: a tamper alarm means that somebody may have reached the wires. Free egress is mechanical.

**A fault** secures what can be secured. FAULT ends when a self-check finds that the bolt obeys, unless it is latched
(tampering, or a bolt that was released without a command): then an operator has to clear it first. A pair of state and
event that is not in the table is a fault of this program and goes to FAULT too: a door that does not know what is
happening is shut. Stopping the lock and locking it down secure the door from everywhere.

Time is an argument and commands are values: no clock, thread or pin in here.
"""

import math
from dataclasses import dataclass, replace
from enum import Enum


class State(Enum):
    LOCKED = "LOCKED"
    UNLOCKED = "UNLOCKED"
    FREE = "FREE"
    HELD_OPEN = "HELD_OPEN"
    FORCED = "FORCED"
    FAULT = "FAULT"


RELEASED = frozenset({State.UNLOCKED, State.FREE})
"""Where the bolt is released."""


class Signal(Enum):
    """What can happen to a door."""

    FACE = "a person was recognised"
    PIN = "a PIN was typed"
    EXIT = "the exit button was pressed"
    SHUNT = "the exit button was pressed: only mute the alarm"
    OPERATOR = "an operator unlocked"
    FREE = "free hours begin"
    NOT_FREE = "free hours end"
    OPENED = "the door opened"
    CLOSED = "the door was shut"
    TICK = "time passed"
    SECURE = "stop or lockdown"
    TAMPER = "the case was tampered with"
    BOLT_FAULT = "the bolt did not obey"
    BOLT_ASTRAY = "the bolt was released without a command"
    CLEAR = "an operator cleared it"
    CHECK_PASSED = "the self-check passed"


GRANTS = frozenset({Signal.FACE, Signal.PIN, Signal.EXIT, Signal.OPERATOR})
"""What unlocks, each for the seconds that it carries."""

LATCHING = frozenset({Signal.TAMPER, Signal.BOLT_ASTRAY})
"""Faults that an operator has to clear."""


@dataclass(frozen=True, slots=True)
class Event:
    """One happening. ``for_s`` goes with a grant, SHUNT and FREE: for how long, in seconds. ``reason`` goes with a
    fault, SECURE and NOT_FREE."""

    signal: Signal
    for_s: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """The owner's wishes. ``relock_on_open``: secure as the leaf opens, not only when it is shut again."""

    relock_on_open: bool = True
    held_open_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Door:
    """The whole memory of the door, times monotonic.

    ``deadline_s`` is when the release ends and ``renew_s`` when FREE drives the bolt anew: set in ``RELEASED`` and only
    there. ``is_open``: what the contact says. ``alarm_s``: when an open door becomes HELD_OPEN. ``shunt_s``: until when
    an opening is by right though the bolt is secured. ``latched`` goes with FAULT.
    """

    state: State = State.LOCKED
    reason: str = "started"
    deadline_s: float | None = None
    renew_s: float | None = None
    is_open: bool = False
    alarm_s: float | None = None
    shunt_s: float = -math.inf
    latched: bool = False


@dataclass(frozen=True, slots=True)
class Release:
    """Command: let the door open until ``until_s`` (monotonic)."""

    until_s: float


@dataclass(frozen=True, slots=True)
class Secure:
    """Command: drive the bolt to its secure level."""


Command = Release | Secure

UNLOCK_MAX_S = 30.0
"""No grant holds the bolt longer, whatever was configured: a bound on what a fault can cost, and ample for a loaded
person."""

FREE_MAX_S = 86400.0
"""Free hours end at the latest a day later, and are then looked at anew."""

HOLD_S = 30.0
"""In FREE the bolt is released for so long at a time: what a hanging guardian costs at most."""

RENEW_S = 10.0
"""How often FREE does so: two renewals may be missed."""

GRACE_S = 1.0
"""An opening so soon after the bolt was secured is by right: the contact is debounced, and a strike takes a moment to
fall."""

_L, _U, _O, _H, _F, _X = State.LOCKED, State.UNLOCKED, State.FREE, State.HELD_OPEN, State.FORCED, State.FAULT
_EVERYWHERE: dict[Signal, tuple[State, ...]] = {
    Signal.TAMPER: (_X,),
    Signal.BOLT_FAULT: (_X,),
    Signal.BOLT_ASTRAY: (_X,),
}
_ALARM: dict[Signal, tuple[State, ...]] = {
    **_EVERYWHERE,
    Signal.FACE: (_U,),
    Signal.PIN: (_U,),
    Signal.EXIT: (_U,),
    Signal.OPERATOR: (_U,),
    Signal.FREE: (_O,),
    Signal.CLOSED: (_L,),
    Signal.CLEAR: (_L,),
}

TABLE: dict[State, dict[Signal, tuple[State, ...]]] = {
    State.LOCKED: {
        **_EVERYWHERE,
        Signal.FACE: (_U,),
        Signal.PIN: (_U,),
        Signal.EXIT: (_U,),
        Signal.OPERATOR: (_U,),
        Signal.SHUNT: (_L,),
        Signal.FREE: (_O,),
        Signal.NOT_FREE: (_L,),
        Signal.OPENED: (_L, _F),
        Signal.CLOSED: (_L,),
        Signal.TICK: (_L,),
        Signal.SECURE: (_L,),
        Signal.CLEAR: (_L,),
        Signal.CHECK_PASSED: (_L,),
    },
    State.UNLOCKED: {
        **_EVERYWHERE,
        Signal.FACE: (_U,),
        Signal.PIN: (_U,),
        Signal.EXIT: (_U,),
        Signal.OPERATOR: (_U,),
        Signal.SHUNT: (_U,),
        Signal.FREE: (_O,),
        Signal.NOT_FREE: (_U,),
        Signal.OPENED: (_U, _L),
        Signal.CLOSED: (_U, _L),
        Signal.TICK: (_U,),
        Signal.SECURE: (_L,),
        Signal.CLEAR: (_U,),
    },
    State.FREE: {
        **_EVERYWHERE,
        Signal.FACE: (_O,),
        Signal.PIN: (_O,),
        Signal.EXIT: (_O,),
        Signal.OPERATOR: (_O,),
        Signal.SHUNT: (_O,),
        Signal.FREE: (_O,),
        Signal.NOT_FREE: (_L,),
        Signal.OPENED: (_O,),
        Signal.CLOSED: (_O,),
        Signal.TICK: (_O,),
        Signal.SECURE: (_L,),
        Signal.CLEAR: (_O,),
    },
    State.HELD_OPEN: {
        **_ALARM,
        Signal.SHUNT: (_H,),
        Signal.NOT_FREE: (_H,),
        Signal.OPENED: (_H,),
        Signal.TICK: (_H,),
        Signal.SECURE: (_H,),
        Signal.CHECK_PASSED: (_H,),
    },
    State.FORCED: {
        **_ALARM,
        Signal.SHUNT: (_F,),
        Signal.NOT_FREE: (_F,),
        Signal.OPENED: (_F,),
        Signal.TICK: (_F,),
        Signal.SECURE: (_F,),
        Signal.CHECK_PASSED: (_F,),
    },
    State.FAULT: {
        **_EVERYWHERE,
        Signal.FACE: (_X,),
        Signal.PIN: (_X,),
        Signal.EXIT: (_X,),
        Signal.OPERATOR: (_X,),
        Signal.SHUNT: (_X,),
        Signal.FREE: (_X,),
        Signal.NOT_FREE: (_X,),
        Signal.OPENED: (_X,),
        Signal.CLOSED: (_X,),
        Signal.TICK: (_X,),
        Signal.SECURE: (_X,),
        Signal.CLEAR: (_X,),
        Signal.CHECK_PASSED: (_X, _L),
    },
}
"""Where each event may lead; of two states the guard in ``step`` decides. Time leads out of the ``TIMED`` states."""

TIMED = {State.UNLOCKED: (_L, _H), State.FREE: (_L, _H), State.LOCKED: (_H,)}
"""Where a deadline leads that has come: the release's end, or an open door's ``alarm_s``."""


def step(door: Door, event: Event, now_s: float, terms: Terms) -> tuple[Door, list[Command]]:
    """The door after an event, and the commands to carry out in order. Total: no input raises."""
    door, commands = _time_passed(door, now_s, terms)
    targets = TABLE[door.state].get(event.signal)
    if targets is None:
        reason = f"{event.signal.name} is not expected in {door.state.name}"
        door, more = _fault(door, reason, latched=False)
    elif event.signal in GRANTS and State.UNLOCKED in targets and door.state not in RELEASED:
        door, more = _unlocked(door, event, now_s, terms)
    elif event.signal is Signal.FREE and State.FREE in targets and door.state is not State.FREE:
        door, more = _freed(door, event, now_s)
    else:
        door, more = _others(door, event, now_s, terms)
    return door, commands + more


def started(is_open: bool, now_s: float, terms: Terms) -> Door:
    """A door as it is found: one that stands open has not been forced, and may be shut in ``held_open_s``."""
    return Door(is_open=is_open, alarm_s=now_s + terms.held_open_s if is_open else None)


def next_s(door: Door) -> float:
    """When time alone changes something, monotonic; infinite when nothing is due."""
    due = [each for each in (door.deadline_s, door.renew_s) if each is not None]
    if door.state is State.LOCKED and door.alarm_s is not None:
        due.append(door.alarm_s)
    return min(due, default=math.inf)


def _time_passed(door: Door, now_s: float, terms: Terms) -> tuple[Door, list[Command]]:
    """Honour deadlines before anything else. Written so that a clock gone mad (NaN) secures."""
    commands: list[Command] = []
    if door.state in RELEASED:
        until_s = -math.inf if door.deadline_s is None else door.deadline_s
        if not now_s < until_s:
            door, commands = _secured(door, "time is up", now_s, terms), [Secure()]
        elif door.renew_s is not None and now_s >= door.renew_s:
            door = replace(door, renew_s=now_s + RENEW_S)
            commands = [Release(min(until_s, now_s + HOLD_S))]
    if door.state is State.LOCKED and door.alarm_s is not None and not now_s < door.alarm_s:
        door = replace(door, state=State.HELD_OPEN, reason="the door is held open", alarm_s=None)
    return door, commands


def _unlocked(door: Door, event: Event, now_s: float, terms: Terms) -> tuple[Door, list[Command]]:
    if not 0 < event.for_s <= UNLOCK_MAX_S:
        return _fault(door, f"a release of {event.for_s} s is out of bounds", latched=False)
    until_s = now_s + event.for_s
    alarm_s = max(until_s, now_s + terms.held_open_s) if door.is_open else None
    opened = replace(
        door, state=State.UNLOCKED, reason=event.signal.value, deadline_s=until_s, renew_s=None, alarm_s=alarm_s
    )
    return opened, [Release(until_s)]


def _freed(door: Door, event: Event, now_s: float) -> tuple[Door, list[Command]]:
    if not 0 < event.for_s <= FREE_MAX_S:
        return _fault(door, f"free hours of {event.for_s} s are out of bounds", latched=False)
    until_s = now_s + event.for_s
    freed = replace(
        door,
        state=State.FREE,
        reason=event.signal.value,
        deadline_s=until_s,
        renew_s=now_s + RENEW_S,
        alarm_s=None,
    )
    return freed, [Release(min(until_s, now_s + HOLD_S))]


def _others(door: Door, event: Event, now_s: float, terms: Terms) -> tuple[Door, list[Command]]:
    """Everything that does not release the bolt."""
    match event.signal:
        case Signal.TAMPER | Signal.BOLT_FAULT | Signal.BOLT_ASTRAY:
            return _fault(door, event.reason or event.signal.value, latched=event.signal in LATCHING)
        case Signal.OPENED:
            return _opened(door, now_s, terms)
        case Signal.CLOSED:
            return _closed(door)
        case Signal.SECURE | Signal.NOT_FREE:
            return _ended(door, event, now_s, terms)
        case Signal.SHUNT if door.state is State.LOCKED and 0 < event.for_s <= UNLOCK_MAX_S:
            return replace(door, shunt_s=max(door.shunt_s, now_s + event.for_s)), []
        case Signal.CLEAR:
            return _cleared(door, now_s, terms), []
        case Signal.CHECK_PASSED if door.state is State.FAULT and not door.latched:
            alarm_s = now_s + terms.held_open_s if door.is_open else None
            return Door(State.LOCKED, event.signal.value, is_open=door.is_open, alarm_s=alarm_s), [Secure()]
    return door, []


def _ended(door: Door, event: Event, now_s: float, terms: Terms) -> tuple[Door, list[Command]]:
    if door.state is State.FREE or (door.state is State.UNLOCKED and event.signal is Signal.SECURE):
        return _secured(door, event.reason, now_s, terms), [Secure()]
    return door, [Secure()] if event.signal is Signal.SECURE else []


def _opened(door: Door, now_s: float, terms: Terms) -> tuple[Door, list[Command]]:
    if door.is_open:
        return door, []
    door = replace(door, is_open=True)
    if door.state is State.UNLOCKED and terms.relock_on_open:
        return _secured(door, "the door opened", now_s, terms), [Secure()]
    if door.state is State.UNLOCKED or (door.state is State.LOCKED and now_s < door.shunt_s):
        return replace(door, alarm_s=now_s + terms.held_open_s), []
    if door.state is State.LOCKED:
        return replace(door, state=State.FORCED, reason="the door was forced"), []
    return door, []


def _closed(door: Door) -> tuple[Door, list[Command]]:
    was_open = door.is_open
    door = replace(door, is_open=False, alarm_s=None, shunt_s=-math.inf)
    if door.state is State.UNLOCKED and was_open:
        return replace(door, state=State.LOCKED, reason="the door was shut", deadline_s=None), [Secure()]
    if door.state in {State.HELD_OPEN, State.FORCED}:
        return replace(door, state=State.LOCKED, reason="the door was shut"), [Secure()]
    return door, []


def _secured(door: Door, reason: str, now_s: float, terms: Terms) -> Door:
    """LOCKED after a release. A leaf that stands open by now has ``held_open_s`` from here, or from its opening."""
    alarm_s = (door.alarm_s or now_s + terms.held_open_s) if door.is_open else None
    return replace(
        door,
        state=State.LOCKED,
        reason=reason,
        deadline_s=None,
        renew_s=None,
        alarm_s=alarm_s,
        shunt_s=now_s + GRACE_S,
    )


def _cleared(door: Door, now_s: float, terms: Terms) -> Door:
    if door.state is State.FAULT:
        return replace(door, latched=False)  # a passed self-check does the rest
    if door.state in {State.HELD_OPEN, State.FORCED}:
        alarm_s = now_s + terms.held_open_s if door.is_open else None
        return replace(door, state=State.LOCKED, reason=Signal.CLEAR.value, alarm_s=alarm_s)
    return door


def _fault(door: Door, reason: str, *, latched: bool) -> tuple[Door, list[Command]]:
    """Into FAULT, or deeper: the first reason is kept, unless the new one latches what was not."""
    if door.state is State.FAULT and (door.latched or not latched):
        return door, [Secure()]
    return Door(State.FAULT, reason, is_open=door.is_open, latched=latched or door.latched), [Secure()]
