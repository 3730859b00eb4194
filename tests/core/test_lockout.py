"""The lockout of a face: how many attempts, how long, and what is forgotten."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.lockout import KEPT_MAX, PEOPLE_MAX, Lockouts, LockoutTerms

TERMS = LockoutTerms(allowed=3, first_s=60.0, max_s=300.0, forget_s=600.0)


def locked(lockouts: Lockouts, person_id: int, now_s: float, attempts: int = 3) -> float | None:
    """The length of the lockout that so many attempts in a row bring about."""
    until_s = None
    for _ in range(attempts):
        until_s = lockouts.attempt(person_id, now_s)
    return None if until_s is None else until_s - now_s


def test_three_attempts_lock_one_face_for_a_minute() -> None:
    lockouts = Lockouts(TERMS)
    assert locked(lockouts, 1, 100.0, 2) is None
    assert lockouts.locked_until_s(1, 100.0) is None
    assert lockouts.attempt(1, 100.0) == 160.0
    assert lockouts.locked_until_s(1, 159.9) == 160.0
    assert lockouts.locked_until_s(1, 160.0) is None
    assert lockouts.locked_until_s(2, 100.0) is None


def test_each_lockout_is_twice_as_long_and_none_longer_than_the_longest() -> None:
    lockouts, now_s, lengths = Lockouts(TERMS), 0.0, []
    for _ in range(6):
        length_s = locked(lockouts, 1, now_s)
        assert length_s is not None
        lengths.append(length_s)
        now_s += length_s
    assert lengths == [60.0, 120.0, 240.0, 300.0, 300.0, 300.0]


def test_time_forgives_attempts_and_growth() -> None:
    lockouts = Lockouts(TERMS)
    assert locked(lockouts, 1, 0.0) == 60.0
    assert locked(lockouts, 1, 60.0 + TERMS.forget_s) == 60.0
    assert locked(lockouts, 2, 0.0, 2) is None
    assert lockouts.attempt(2, 2 * TERMS.forget_s) is None


def test_one_attempt_now_and_then_never_adds_up() -> None:
    lockouts = Lockouts(TERMS)
    assert all(lockouts.attempt(1, n * (TERMS.forget_s + 1)) is None for n in range(100))


def test_attempts_during_a_lockout_do_not_lengthen_it_but_count_for_the_next() -> None:
    lockouts = Lockouts(TERMS)
    locked(lockouts, 1, 0.0)
    assert locked(lockouts, 1, 10.0, 10) is None
    assert lockouts.locked_until_s(1, 10.0) == 60.0
    assert lockouts.attempt(1, 61.0) == 61.0 + 120.0


def test_coming_in_and_an_operator_forget_it_all() -> None:
    lockouts = Lockouts(TERMS)
    locked(lockouts, 1, 0.0, 2)
    lockouts.succeeded(1)
    assert locked(lockouts, 1, 0.0, 2) is None
    locked(lockouts, 2, 0.0)
    lockouts.clear()
    assert lockouts.locked_until_s(2, 1.0) is None


@given(st.lists(st.tuples(st.integers(1, 3), st.floats(0, 700)), max_size=60))
def test_a_lockout_is_never_shorter_than_the_first_nor_longer_than_the_longest(
    history: list[tuple[int, float]],
) -> None:
    lockouts, now_s = Lockouts(TERMS), 0.0
    for person_id, pause_s in history:
        now_s += pause_s
        was_s = lockouts.locked_until_s(person_id, now_s)
        until_s = lockouts.attempt(person_id, now_s)
        if until_s is not None:
            assert was_s is None
            assert TERMS.first_s - 1e-6 <= until_s - now_s <= TERMS.max_s + 1e-6
            assert lockouts.locked_until_s(person_id, now_s) == until_s


@given(st.lists(st.tuples(st.integers(1, 5), st.floats(0, 100)), max_size=40))
def test_a_restart_ends_no_lockout(history: list[tuple[int, float]]) -> None:
    lockouts, now_s = Lockouts(TERMS), 0.0
    for person_id, pause_s in history:
        now_s += pause_s
        lockouts.attempt(person_id, now_s)
    again = Lockouts(TERMS)
    assert again.load(lockouts.dump(now_s), 5.0)
    for person_id in range(1, 6):
        before, after = lockouts.locked_until_s(person_id, now_s), again.locked_until_s(person_id, 5.0)
        assert (before is None) == (after is None)
        if before is not None and after is not None:
            assert 0 <= (after - 5.0) - (before - now_s) <= 1.0


@pytest.mark.parametrize("text", ["x", "1:2:3", "1:2:3:4;", "-1:2:3:4", "1:2:3:nan", "٣:2:3:4", "1:2:3:4" * 1000])
def test_a_text_that_is_none_is_not_taken_up(text: str) -> None:
    assert not Lockouts(TERMS).load(text, 0.0)


def test_a_hostile_text_locks_nobody_out_for_ever() -> None:
    lockouts = Lockouts(TERMS)
    assert lockouts.load("1:999999999:999999999:999999999", 0.0)
    assert lockouts.locked_until_s(1, TERMS.max_s) is None
    assert lockouts.attempt(1, TERMS.max_s) == 2 * TERMS.max_s


def test_neither_memory_nor_text_grows_without_end() -> None:
    lockouts = Lockouts(TERMS)
    for person_id in range(3 * PEOPLE_MAX):
        lockouts.attempt(10**18 + person_id, 0.0)
    text = lockouts.dump(0.0)
    assert text.count(";") == KEPT_MAX - 1
    assert len(text) <= 10_000
