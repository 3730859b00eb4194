"""The challenge: asked at random, answered in time, by the same face, on one track."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.living.challenge import (
    NEARER,
    PASSED_S,
    REACT_MAX_S,
    REACT_MIN_S,
    TASKS_MAX,
    TASKS_S,
    TURN_DEG,
    UNSURE_S,
    Ask,
    Examined,
    Examiner,
    When,
)
from edge.core.living.judge import UNDECIDED
from edge.types import Look
from tests.core.looks import look

LIVE_MIN, ATTACK_MAX = 0.8, 0.3
LEFT, RIGHT, CLOSER = range(3)


def seen(at_s: float, alive: float | None = 0.5, yaw: float = 0.0, px: float = 100, track: int = 1) -> Look:
    return replace(look(at_s, track=track, yaw_deg=yaw, face_px=px), liveness=alive)


def examiner(when: When = "when unsure", draw: int = LEFT) -> Examiner:
    return Examiner(when, LIVE_MIN, ATTACK_MAX, lambda count: draw % count)


def asked(exam: Examiner, start_s: float = 100.0) -> float:
    """Look on, undecided, until something is asked: when."""
    for i in range(100):
        if exam.weigh(seen(start_s + i / 10), True).ask is not None:
            return start_s + i / 10
    raise AssertionError("nothing was asked")


def test_whoever_is_sure_to_be_live_is_asked_nothing() -> None:
    exam = examiner()
    assert [exam.weigh(seen(100 + i / 10, 0.9), True) for i in range(50)] == [Examined(0.9)] * 50


@pytest.mark.parametrize("alive", [None, 0.1, float("nan")])
@pytest.mark.parametrize("when", ["when unsure", "always"])
def test_a_picture_is_asked_nothing_and_stays_one(alive: float | None, when: When) -> None:
    exam = examiner(when)
    found = [exam.weigh(seen(100 + i / 10, alive, yaw=-20.0 * (i > 20)), True) for i in range(50)]
    assert all(each.ask is None and not each.passed and not (each.liveness or 0) >= ATTACK_MAX for each in found)


def test_the_undecided_are_asked_after_a_while_and_strangers_never() -> None:
    assert asked(examiner()) == pytest.approx(100 + UNSURE_S, abs=0.11)
    exam = examiner()
    assert all(exam.weigh(seen(100 + i / 10), False).ask is None for i in range(100))


def test_never_changes_nothing() -> None:
    exam = examiner("never")
    assert [exam.weigh(seen(100 + i / 10), True) for i in range(50)] == [Examined(0.5)] * 50


@pytest.mark.parametrize(("draw", "yaw"), [(LEFT, -TURN_DEG), (RIGHT, TURN_DEG)])
def test_turning_as_asked_makes_the_undecided_live_for_a_while(draw: int, yaw: float) -> None:
    exam = examiner(draw=draw)
    at_s = asked(exam)
    for i in range(1, 5):
        assert exam.weigh(seen(at_s + i / 10), True).ask is list(Ask)[draw]
    assert not exam.weigh(seen(at_s + 0.5, yaw=yaw), True).passed
    assert exam.weigh(seen(at_s + 0.6, yaw=yaw), True) == Examined(LIVE_MIN, None, True)
    assert exam.weigh(seen(at_s + 0.7), True) == Examined(LIVE_MIN)
    for i in range(8, round(10 * (PASSED_S + 0.6))):
        exam.weigh(seen(at_s + i / 10), True)
    assert exam.weigh(seen(at_s + 0.6 + PASSED_S + 0.05), True).liveness == 0.5


def test_always_asks_whoever_is_live_too() -> None:
    exam = examiner("always")
    first = exam.weigh(seen(100.0, 0.95), True)
    assert first == Examined(UNDECIDED, Ask.PICTURE_LEFT)
    for at_s in (100.5, 100.6):
        last = exam.weigh(seen(at_s, 0.95, yaw=-20), True)
    assert last == Examined(0.95, None, True)


def test_coming_closer_makes_nobody_live_and_a_turn_may_follow() -> None:
    exam = examiner(draw=CLOSER)
    at_s = asked(exam)
    found = [exam.weigh(seen(at_s + i / 10, px=100 * NEARER), True) for i in range(5, 30)]
    assert all(each.liveness == 0.5 and not each.passed for each in found)
    assert {each.ask for each in found[2:]} - {None} <= {Ask.PICTURE_LEFT, Ask.PICTURE_RIGHT}
    assert found[-1].ask is not None


@pytest.mark.parametrize("wrong", [True, False])
def test_whoever_comes_anew_has_no_other_chance(wrong: bool) -> None:
    """A print that is tilted away for a moment, until what is drawn is what it can do."""
    exam = examiner()
    at_s, asks = 100.0, 0
    for track in range(8):
        for i in range(30):
            at_s += 0.1
            ask = exam.weigh(seen(at_s, yaw=20.0 * (wrong and i > 24), track=track), True).ask
        asks += ask is not None or wrong
        at_s += 1.5
        if at_s < 100 + TASKS_S and track >= TASKS_MAX:
            assert ask is None
    assert exam.weigh(seen(at_s + TASKS_S), True).ask is None
    assert asked(exam, at_s + 2 * TASKS_S) > at_s


def test_a_wrong_turn_ends_the_asking() -> None:
    exam = examiner()
    at_s = asked(exam)
    assert all(exam.weigh(seen(at_s + 0.9 + i / 10, yaw=20.0), True).ask is None for i in range(300))


def test_two_tasks_at_most() -> None:
    exam = examiner()
    asks = [exam.weigh(seen(100 + i / 10), True).ask for i in range(400)]
    starts = [b for a, b in zip([None, *asks], asks, strict=False) if b is not None and a is None]
    assert len(starts) <= TASKS_MAX
    assert asks[-1] is None


@pytest.mark.parametrize(("after_s", "yaw"), [(REACT_MIN_S / 2, -20.0), (REACT_MAX_S + 0.1, -20.0), (1.0, 20.0)])
def test_too_soon_too_late_and_the_wrong_side_are_no_answer(after_s: float, yaw: float) -> None:
    exam = examiner()
    at_s = asked(exam)
    step = 0.1
    moment = step
    while moment < after_s - 1e-9:
        exam.weigh(seen(at_s + moment), True)
        moment += step
    for i in range(4):
        assert not exam.weigh(seen(at_s + after_s + i * 0.05, yaw=yaw), True).passed


def test_a_face_that_swings_both_ways_has_not_answered() -> None:
    exam = examiner()
    at_s = asked(exam)
    for i, yaw in enumerate((0, 0, 0, 0, 20, 20, 0, -20, -20, -20), start=1):
        found = exam.weigh(seen(at_s + i / 10, yaw=yaw), True)
        assert not found.passed
        assert found.liveness == 0.5


def test_another_track_or_another_face_cannot_answer() -> None:
    other = np.zeros(4, dtype=np.float32)
    other[1] = 1
    for track, embedding in ((2, seen(0.0).embedding), (1, other)):
        exam = examiner()
        at_s = asked(exam)
        for i in (5, 6, 7):
            answer = replace(seen(at_s + i / 10, yaw=-20, track=track), embedding=embedding)
            assert exam.weigh(answer, True) == Examined(0.5)


def test_a_gap_ends_it() -> None:
    exam = examiner()
    at_s = asked(exam)
    assert not exam.weigh(seen(at_s + 2.0, yaw=-20), True).passed
    assert not exam.weigh(seen(at_s + 2.1, yaw=-20), True).passed


def test_what_is_asked_cannot_be_foreseen() -> None:
    drawn = {exam_ask for draw in range(3) if (exam_ask := _first(examiner(draw=draw))) is not None}
    assert drawn == set(Ask)


def _first(exam: Examiner) -> Ask | None:
    at_s = asked(exam)
    return exam.weigh(seen(at_s + 0.05), True).ask


@given(
    st.lists(
        st.tuples(st.floats(0.01, 1.5), st.floats(-40, 40), st.floats(50, 300), st.none() | st.floats(0, 1)),
        max_size=60,
    ),
    st.sampled_from(["when unsure", "always", "never"]),
    st.integers(0, 2),
)
def test_a_picture_never_becomes_live_whatever_it_does(
    steps: list[tuple[float, float, float, float | None]], when: When, draw: int
) -> None:
    exam = examiner(when, draw)
    at_s = 100.0
    for step_s, yaw, px, alive in steps:
        at_s += step_s
        found = exam.weigh(seen(at_s, alive, yaw, px), True)
        if alive is None or alive < ATTACK_MAX:
            assert found == Examined(alive)
        elif alive < LIVE_MIN and found.liveness is not None and found.liveness >= LIVE_MIN:
            assert when != "never"
