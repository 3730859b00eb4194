"""The door's promises, over long random histories."""

import math
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.door import TABLE, UNLOCK_MAX_S, Door, Event, Release, Secure, Signal, State, step


@dataclass
class World:
    """A door and the bolt that obeys its commands."""

    door: Door = field(default_factory=Door)
    released_until_s: float | None = None
    longest_s: float = 0.0

    def happens(self, event: Event, now_s: float) -> None:
        self.door, commands = step(self.door, event, now_s)
        for command in commands:
            if isinstance(command, Release):
                self.released_until_s = command.until_s
                self.longest_s = max(self.longest_s, command.until_s - now_s)
            else:
                self.released_until_s = None


events = st.builds(
    Event,
    st.sampled_from(list(Signal)),
    unlock_s=st.sampled_from([0.5, 5.0, 30.0, 0.0, -1.0, 31.0, math.nan, math.inf]),
    reason=st.just("because"),
)
histories = st.lists(st.tuples(st.floats(0, 20), events), max_size=80)


@settings(max_examples=500)
@given(histories)
def test_the_bolt_is_released_only_while_unlocked_and_never_past_its_deadline(
    history: list[tuple[float, Event]],
) -> None:
    world, now_s = World(), 0.0
    for after_s, event in history:
        now_s += after_s
        world.happens(event, now_s)
        assert (world.released_until_s is not None) == (world.door.state is State.UNLOCKED)
        if world.released_until_s is not None:
            assert now_s < world.released_until_s == world.door.deadline_s
            assert world.longest_s <= UNLOCK_MAX_S + 1e-9


@given(histories)
def test_lingering_never_moves_a_deadline(history: list[tuple[float, Event]]) -> None:
    door, _ = step(Door(), Event(Signal.GRANT, unlock_s=5.0), 0.0)
    now_s = 0.0
    for after_s, event in history:
        now_s += after_s / 10
        if now_s >= 5.0:
            break
        door, commands = step(door, event, now_s)
        assert not any(isinstance(command, Release) for command in commands) or door.deadline_s != 5.0
        if door.state is not State.UNLOCKED:
            break
        assert door.deadline_s == 5.0


@given(histories)
def test_in_a_fault_no_face_opens_and_only_a_passed_check_ends_it(history: list[tuple[float, Event]]) -> None:
    door, _ = step(Door(), Event(Signal.BOLT_FAULT, reason="stuck"), 0.0)
    now_s = 0.0
    for after_s, event in history:
        now_s += after_s
        if event.signal is Signal.CHECK_PASSED:
            break
        door, commands = step(door, event, now_s)
        assert door.state is State.FAULT
        assert door.reason == "stuck"
        assert not any(isinstance(command, Release) for command in commands)


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("signal", list(Signal))
def test_a_pair_that_is_not_listed_secures_into_fault(state: State, signal: Signal) -> None:
    deadline_s = 5.0 if state is State.UNLOCKED else None
    door, commands = step(Door(state, deadline_s, "here"), Event(signal, unlock_s=5.0, reason="there"), 1.0)
    if signal in TABLE[state]:
        assert door.state is TABLE[state][signal]
    else:
        assert door.state is State.FAULT
        assert commands[-1] == Secure()
        assert signal.name in door.reason


def test_a_visit_from_grant_to_lock() -> None:
    door, commands = step(Door(), Event(Signal.GRANT, unlock_s=5.0), 10.0)
    assert (door.state, commands) == (State.UNLOCKED, [Release(15.0)])
    door, commands = step(door, Event(Signal.TICK), 14.9)
    assert (door.state, commands) == (State.UNLOCKED, [])
    door, commands = step(door, Event(Signal.TICK), 15.0)
    assert (door.state, commands) == (State.LOCKED, [Secure()])


def test_a_deadline_that_passed_is_honoured_before_the_next_grant() -> None:
    door, _ = step(Door(), Event(Signal.GRANT, unlock_s=5.0), 10.0)
    door, commands = step(door, Event(Signal.GRANT, unlock_s=5.0), 20.0)
    assert commands == [Secure(), Release(25.0)]


@pytest.mark.parametrize("now_s", [math.nan, math.inf])
def test_a_clock_gone_mad_secures(now_s: float) -> None:
    door, _ = step(Door(), Event(Signal.GRANT, unlock_s=5.0), 10.0)
    door, commands = step(door, Event(Signal.TICK), now_s)
    assert (door.state, commands) == (State.LOCKED, [Secure()])


@pytest.mark.parametrize("unlock_s", [0.0, -1.0, 31.0, math.nan, math.inf])
def test_a_grant_out_of_bounds_is_a_fault(unlock_s: float) -> None:
    door, commands = step(Door(), Event(Signal.GRANT, unlock_s=unlock_s), 10.0)
    assert (door.state, commands) == (State.FAULT, [Secure()])
