"""The door as one table: ``state -> event -> state``.

The bolt is secured in every state but UNLOCKED. The door comes there by a grant alone, and the grant carries its own
deadline, fixed when the bolt is released: nothing that happens while the door is open moves that deadline, a second
grant included, so that lingering in front of the camera does not hold the door. Before any event is looked at, a
deadline that has passed is honoured; the order in which things arrive can therefore never keep the door open. Stopping
the lock secures the door.

A fault of the bolt secures what can be secured and goes to FAULT, where faces open nothing. FAULT ends when a
self-check finds that the bolt obeys. A pair of state and event that is not in the table is a fault of this program,
and goes to FAULT too: a door that does not know what is happening is shut.

Time is an argument and commands are values: no clock, thread or pin in here.
"""

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    LOCKED = "LOCKED"
    UNLOCKED = "UNLOCKED"
    FAULT = "FAULT"


class Signal(Enum):
    """What can happen to a door."""

    GRANT = "a person was recognised"
    TICK = "time passed"
    SECURE = "the lock is being stopped"
    BOLT_FAULT = "the bolt did not obey"
    CHECK_PASSED = "the self-check passed"


@dataclass(frozen=True, slots=True)
class Event:
    """One happening. ``unlock_s`` goes with a GRANT: for how long, in seconds. ``reason`` goes with a fault and with
    SECURE."""

    signal: Signal
    unlock_s: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Door:
    """The whole memory of the door. ``deadline_s`` (monotonic) is set in UNLOCKED and only there."""

    state: State = State.LOCKED
    deadline_s: float | None = None
    reason: str = "started"


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

TABLE: dict[State, dict[Signal, State]] = {
    State.LOCKED: {
        Signal.GRANT: State.UNLOCKED,
        Signal.TICK: State.LOCKED,
        Signal.SECURE: State.LOCKED,
        Signal.BOLT_FAULT: State.FAULT,
        Signal.CHECK_PASSED: State.LOCKED,
    },
    State.UNLOCKED: {
        Signal.GRANT: State.UNLOCKED,
        Signal.TICK: State.UNLOCKED,
        Signal.SECURE: State.LOCKED,
        Signal.BOLT_FAULT: State.FAULT,
    },
    State.FAULT: {
        Signal.GRANT: State.FAULT,
        Signal.TICK: State.FAULT,
        Signal.SECURE: State.FAULT,
        Signal.BOLT_FAULT: State.FAULT,
        Signal.CHECK_PASSED: State.LOCKED,
    },
}


def step(door: Door, event: Event, now_s: float) -> tuple[Door, list[Command]]:
    """The door after an event, and the commands to carry out in order. Total: no input raises."""
    commands: list[Command] = []
    if door.state is State.UNLOCKED and not (door.deadline_s is not None and now_s < door.deadline_s):
        door, commands = Door(State.LOCKED, None, "time is up"), [Secure()]
    target = TABLE[door.state].get(event.signal)
    if target is None:
        reason = f"{event.signal.name} is not expected in {door.state.name}"
        return Door(State.FAULT, None, reason), [*commands, Secure()]
    if target is State.FAULT and door.state is not State.FAULT:
        return Door(State.FAULT, None, event.reason), [*commands, Secure()]
    if door.state is State.LOCKED and target is State.UNLOCKED:
        if not 0 < event.unlock_s <= UNLOCK_MAX_S:
            return Door(State.FAULT, None, f"a grant of {event.unlock_s} s is out of bounds"), [*commands, Secure()]
        until_s = now_s + event.unlock_s
        return Door(State.UNLOCKED, until_s, "granted"), [*commands, Release(until_s)]
    if event.signal is Signal.SECURE:
        return Door(target, None, door.reason if target is State.FAULT else event.reason), [Secure()]
    if door.state is State.FAULT and target is State.LOCKED:
        return Door(State.LOCKED, None, "the self-check passed"), [Secure()]
    return door, commands
