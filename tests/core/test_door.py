"""The door's promises, over long random histories.

The properties are checked after every event of every history; ``pytest -s`` prints how many histories and events.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.door import (
    FREE_MAX_S,
    GRACE_S,
    GRANTS,
    HOLD_S,
    RELEASED,
    RENEW_S,
    TABLE,
    TIMED,
    UNLOCK_MAX_S,
    Door,
    Event,
    Release,
    Secure,
    Signal,
    State,
    Terms,
    next_s,
    step,
)

TERMS = Terms(relock_on_open=True, held_open_s=60.0)
WEIRD_S = [0.0, -1.0, 31.0, math.nan, math.inf, FREE_MAX_S + 1]

events = st.builds(
    Event,
    st.sampled_from(list(Signal)),
    for_s=st.sampled_from([0.5, 5.0, 30.0, 3600.0, *WEIRD_S]),
    reason=st.just("because"),
)
pauses = st.one_of(st.floats(0, 20), st.floats(0, 200))
histories = st.lists(st.tuples(pauses, events), max_size=200)
terms = st.builds(Terms, relock_on_open=st.booleans(), held_open_s=st.sampled_from([5.0, 60.0]))
counted = {"histories": 0, "events": 0}


@pytest.fixture(scope="module", autouse=True)
def _count() -> Iterator[None]:
    yield
    print(f"\ncore/door.py: {counted['histories']} histories, {counted['events']} events")


@dataclass
class World:
    """A door and the bolt that obeys its commands, with a deadline of its own as the adapter has."""

    terms: Terms = TERMS
    door: Door = field(default_factory=Door)
    now_s: float = 0.0
    until_s: float | None = None
    granted_until_s: float = -math.inf
    history: list[State] = field(default_factory=lambda: [State.LOCKED])

    def released(self) -> bool:
        return self.until_s is not None and self.now_s < self.until_s

    def happens(self, signal: Signal, after_s: float = 0.0, for_s: float = 0.0, reason: str = "") -> State:
        return self.event(Event(signal, for_s, reason), after_s)

    def event(self, event: Event, after_s: float = 0.0) -> State:
        self.now_s += after_s
        counted["events"] += 1
        before = self.door
        self.door, commands = step(before, event, self.now_s, self.terms)
        for command in commands:
            self.until_s = command.until_s if isinstance(command, Release) else None
            if isinstance(command, Release):
                assert self.now_s < command.until_s <= self.now_s + HOLD_S + 1e-6
        self.history.append(self.door.state)
        return self.door.state


def live_through(world: World, history: Iterable[tuple[float, Event]]) -> None:
    """Let a history happen, and check after every event what always holds."""
    counted["histories"] += 1
    wishes = world.terms
    for after_s, event in history:
        before, deadline_before = world.door, world.door.deadline_s
        world.event(event, after_s)
        door = world.door
        # The bolt is released in RELEASED only, and there only before the deadline.
        assert (door.deadline_s is not None) == (door.state in RELEASED)
        assert not world.released() or door.state in RELEASED
        assert (world.until_s is not None) == (door.state in RELEASED)
        if door.deadline_s is not None:
            assert world.until_s is not None
            assert world.now_s < door.deadline_s
            assert world.until_s <= door.deadline_s
            longest_s = FREE_MAX_S if door.state is State.FREE else UNLOCK_MAX_S
            assert door.deadline_s <= world.now_s + longest_s + 1e-6
        # Whatever arrives while the bolt is released, its deadline stays.
        if before.state is door.state and deadline_before is not None and world.now_s < deadline_before:
            assert door.deadline_s == deadline_before
        # A fault opens nothing; a latched one waits for an operator.
        if before.state is State.FAULT and event.signal is not Signal.CHECK_PASSED:
            assert door.state is State.FAULT
        if before.latched and event.signal is not Signal.CLEAR:
            assert door.state is State.FAULT
            assert door.latched
        assert not door.latched or door.state is State.FAULT
        # An alarm is for an open door, and an open door has an alarm coming or a reason not to.
        assert door.state not in {State.HELD_OPEN, State.FORCED} or door.is_open
        assert door.alarm_s is None or door.is_open
        if door.state is State.LOCKED and door.is_open:
            assert door.alarm_s is not None
            assert door.alarm_s <= world.now_s + wishes.held_open_s + UNLOCK_MAX_S
        if event.signal in {Signal.OPENED, Signal.CLOSED}:
            assert door.is_open == (event.signal is Signal.OPENED)


@settings(max_examples=1000, deadline=None)
@given(terms, histories)
def test_what_always_holds(wishes: Terms, history: list[tuple[float, Event]]) -> None:
    live_through(World(wishes), history)


@settings(max_examples=200, deadline=None)
@given(terms, st.integers(0, 2**32))
def test_what_always_holds_over_a_thousand_events(wishes: Terms, seed: int) -> None:
    """Histories as a door sees them: mostly small pauses, every event, now and then a length that is none."""
    random = Random(seed)  # noqa: S311  # no secret: a history that can be repeated
    lengths = [0.5, 5.0, 30.0, 3600.0, *WEIRD_S]
    history = (
        (
            random.choice([0.0, 0.01, 0.5, 2.0, 10.0, 70.0]),
            Event(random.choice(list(Signal)), random.choice(lengths), "because"),
        )
        for _ in range(1000)
    )
    live_through(World(wishes), history)


@settings(max_examples=300, deadline=None)
@given(histories)
def test_only_listed_events_lead_to_listed_states(history: list[tuple[float, Event]]) -> None:
    world = World()
    for after_s, event in history:
        now_s = world.now_s + after_s
        # Time first, as the table says of TIMED; then the event from there.
        settled, _ = step(world.door, Event(Signal.TICK), now_s, TERMS)
        if settled.state is not world.door.state:
            assert settled.state in TIMED[world.door.state]
        state = world.event(event, after_s)
        targets = TABLE[settled.state].get(event.signal, (State.FAULT,))
        assert state in targets or state is State.FAULT


@given(histories)
def test_a_release_lasts_no_longer_for_lingering(history: list[tuple[float, Event]]) -> None:
    world = World(Terms(relock_on_open=False))
    world.happens(Signal.FACE, for_s=5.0)
    for after_s, event in history:
        if event.signal is Signal.FREE:
            continue
        world.event(event, after_s / 10)
        if world.door.state is not State.UNLOCKED or world.now_s >= 5.0:
            break
        assert world.door.deadline_s == 5.0
    assert world.now_s < 5.0 or world.door.deadline_s != 5.0


@given(histories, st.sampled_from([Signal.TAMPER, Signal.BOLT_ASTRAY]))
def test_faces_and_time_never_clear_a_latched_fault(history: list[tuple[float, Event]], cause: Signal) -> None:
    world = World()
    world.happens(cause, reason="a reason")
    for after_s, event in history:
        if event.signal is not Signal.CLEAR:
            world.event(event, after_s)
    assert world.door.state is State.FAULT
    assert world.door.reason == "a reason"
    assert world.until_s is None
    assert world.happens(Signal.CLEAR) is State.FAULT
    assert world.happens(Signal.CHECK_PASSED) is State.LOCKED


@given(histories)
def test_the_longest_release_that_a_hanging_guardian_leaves_behind_is_bounded(
    history: list[tuple[float, Event]],
) -> None:
    """The adapter's own deadline is never further away than ``HOLD_S``, in free hours too."""
    world = World()
    for after_s, event in history:
        world.event(event, after_s)
        assert world.until_s is None or world.until_s - world.now_s <= HOLD_S + 1e-6


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("signal", list(Signal))
def test_every_pair_is_listed_or_secures_into_fault(state: State, signal: Signal) -> None:
    deadline_s = 5.0 if state in RELEASED else None
    world = World(door=Door(state, "here", deadline_s, is_open=state in {State.HELD_OPEN, State.FORCED}))
    world.happens(signal, 1.0, for_s=5.0, reason="there")
    if signal in TABLE[state]:
        assert world.door.state in TABLE[state][signal]
    else:
        assert world.door.state is State.FAULT
        assert signal.name in world.door.reason
        assert world.until_s is None


@pytest.mark.parametrize("state", [state for state in State if state is not State.FAULT])
@pytest.mark.parametrize("signal", [signal for signal in Signal if signal in GRANTS])
def test_face_pin_button_and_operator_open_from_everywhere_but_fault(state: State, signal: Signal) -> None:
    is_alarm = state in {State.HELD_OPEN, State.FORCED}
    deadline_s = 50.0 if state in RELEASED else None
    world = World(door=Door(state, "here", deadline_s, renew_s=10.0 if state is State.FREE else None, is_open=is_alarm))
    world.happens(signal, 1.0, for_s=5.0)
    assert world.door.state is (State.FREE if state is State.FREE else State.UNLOCKED)
    assert world.door.deadline_s == (deadline_s or 6.0)
    assert World(door=Door(State.FAULT)).happens(signal, 1.0, for_s=5.0) is State.FAULT


def test_a_visit_with_a_contact() -> None:
    world = World()
    assert world.happens(Signal.FACE, 10.0, for_s=5.0) is State.UNLOCKED
    assert world.happens(Signal.OPENED, 1.0) is State.LOCKED
    assert world.until_s is None
    assert world.happens(Signal.TICK, 30.0) is State.LOCKED
    assert world.happens(Signal.CLOSED, 1.0) is State.LOCKED
    assert world.happens(Signal.TICK, 100.0) is State.LOCKED


def test_relock_when_shut_keeps_the_bolt_until_then() -> None:
    world = World(Terms(relock_on_open=False))
    world.happens(Signal.FACE, for_s=30.0)
    assert world.happens(Signal.OPENED, 1.0) is State.UNLOCKED
    assert world.happens(Signal.CLOSED, 1.0) is State.LOCKED
    assert world.until_s is None


def test_a_door_left_open_alarms_in_time_and_is_quiet_once_shut() -> None:
    world = World()
    world.happens(Signal.FACE, for_s=5.0)
    world.happens(Signal.OPENED, 2.0)
    assert next_s(world.door) == 62.0
    assert world.happens(Signal.TICK, 59.9) is State.LOCKED
    assert world.happens(Signal.TICK, 0.1) is State.HELD_OPEN
    assert world.happens(Signal.TICK, 1000) is State.HELD_OPEN
    assert world.happens(Signal.CLOSED) is State.LOCKED


def test_an_operator_quiets_the_alarm_of_an_open_door_for_a_while() -> None:
    world = World()
    world.happens(Signal.OPENED, 2.0)
    assert world.door.state is State.FORCED
    assert world.happens(Signal.CLEAR) is State.LOCKED
    assert world.happens(Signal.TICK, 59.0) is State.LOCKED
    assert world.happens(Signal.TICK, 1.0) is State.HELD_OPEN


def test_a_door_opened_without_right_is_forced() -> None:
    world = World()
    assert world.happens(Signal.OPENED) is State.FORCED
    assert world.happens(Signal.CLOSED) is State.LOCKED


@pytest.mark.parametrize(("after_s", "state"), [(GRACE_S - 0.1, State.LOCKED), (GRACE_S + 0.1, State.FORCED)])
def test_a_door_opened_as_it_relocks_is_not_forced(after_s: float, state: State) -> None:
    world = World()
    world.happens(Signal.FACE, for_s=5.0)
    world.happens(Signal.TICK, 5.0)
    assert world.happens(Signal.OPENED, after_s) is state


def test_a_shunt_mutes_the_forced_alarm_releases_nothing_and_ends_when_the_door_is_shut() -> None:
    world = World()
    assert world.happens(Signal.SHUNT, for_s=5.0) is State.LOCKED
    assert world.until_s is None
    assert world.happens(Signal.OPENED, 4.0) is State.LOCKED
    assert world.happens(Signal.CLOSED, 0.5) is State.LOCKED
    assert world.happens(Signal.OPENED, 0.1) is State.FORCED


@pytest.mark.parametrize("for_s", [0.0, -1.0, 31.0, math.nan, math.inf])
def test_a_shunt_out_of_bounds_mutes_nothing(for_s: float) -> None:
    world = World()
    world.happens(Signal.SHUNT, for_s=for_s)
    assert world.happens(Signal.OPENED, 0.1) is State.FORCED


def test_free_hours_are_renewed_and_end() -> None:
    world = World()
    assert world.happens(Signal.FREE, for_s=3600.0) is State.FREE
    assert world.until_s == HOLD_S
    for renewal in range(1, 360):
        assert world.happens(Signal.TICK, next_s(world.door) - world.now_s) is State.FREE
        assert world.released()
        assert world.now_s == renewal * RENEW_S
    assert world.until_s == 3600.0
    assert world.happens(Signal.OPENED) is State.FREE
    assert world.happens(Signal.TICK, 10.0) is State.LOCKED
    assert world.happens(Signal.TICK, 59.0) is State.LOCKED
    assert world.happens(Signal.TICK, 1.0) is State.HELD_OPEN


@pytest.mark.parametrize("signal", [Signal.NOT_FREE, Signal.SECURE])
def test_free_hours_end_at_once_when_they_are_ended(signal: Signal) -> None:
    world = World()
    world.happens(Signal.FREE, for_s=3600.0)
    assert world.happens(signal, 1.0, reason="enough") is State.LOCKED
    assert world.until_s is None
    assert world.door.reason == "enough"


def test_a_lockdown_secures_an_open_release() -> None:
    world = World()
    world.happens(Signal.FACE, for_s=5.0)
    assert world.happens(Signal.SECURE, 1.0, reason="lockdown") is State.LOCKED
    assert world.until_s is None


def test_a_fault_of_the_bolt_ends_with_a_passed_check() -> None:
    world = World()
    world.happens(Signal.FACE, for_s=5.0)
    assert world.happens(Signal.BOLT_FAULT, reason="stuck") is State.FAULT
    assert world.happens(Signal.OPENED) is State.FAULT
    assert world.happens(Signal.CHECK_PASSED) is State.LOCKED
    assert world.happens(Signal.TICK, 60.0) is State.HELD_OPEN  # the door was found open


def test_tampering_latches_a_fault_that_was_not() -> None:
    world = World()
    world.happens(Signal.BOLT_FAULT, reason="stuck")
    world.happens(Signal.TAMPER, reason="the case is open")
    assert world.door == Door(State.FAULT, "the case is open", latched=True)
    world.happens(Signal.BOLT_FAULT, reason="stuck again")
    assert world.door.reason == "the case is open"


def test_a_deadline_that_passed_is_honoured_before_the_next_grant() -> None:
    door, _ = step(Door(), Event(Signal.FACE, 5.0), 10.0, TERMS)
    door, commands = step(door, Event(Signal.FACE, 5.0), 20.0, TERMS)
    assert commands == [Secure(), Release(25.0)]


@pytest.mark.parametrize("now_s", [math.nan, math.inf])
@pytest.mark.parametrize("signal", [Signal.FACE, Signal.FREE])
def test_a_clock_gone_mad_secures(now_s: float, signal: Signal) -> None:
    door, _ = step(Door(), Event(signal, 5.0), 10.0, TERMS)
    door, commands = step(door, Event(Signal.TICK), now_s, TERMS)
    assert (door.state, commands) == (State.LOCKED, [Secure()])


@pytest.mark.parametrize("for_s", WEIRD_S)
@pytest.mark.parametrize("signal", [Signal.FACE, Signal.EXIT, Signal.FREE])
def test_a_release_out_of_bounds_is_a_fault(for_s: float, signal: Signal) -> None:
    if signal is Signal.FREE and for_s == 31.0:
        return
    door, commands = step(Door(), Event(signal, for_s), 10.0, TERMS)
    assert (door.state, commands) == (State.FAULT, [Secure()])


def test_next_s_is_when_time_alone_changes_something() -> None:
    changes: list[Callable[[World], object]] = [
        lambda world: world.happens(Signal.FACE, for_s=5.0),
        lambda world: world.happens(Signal.FREE, for_s=3600.0),
        lambda world: (world.happens(Signal.SHUNT, for_s=5.0), world.happens(Signal.OPENED)),
    ]
    for change in changes:
        world = World()
        change(world)
        due_s = next_s(world.door)
        early, _ = step(world.door, Event(Signal.TICK), math.nextafter(due_s, 0), TERMS)
        assert early == world.door
        late, _ = step(world.door, Event(Signal.TICK), due_s, TERMS)
        assert late != world.door
