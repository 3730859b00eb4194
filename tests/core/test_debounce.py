"""An input counts when it has been still; what never comes to rest, or cannot be read, is no level at all."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.debounce import RESTLESS_S, Debounce

SETTLE_S = 0.04


def fed(debounce: Debounce, levels: Sequence[bool | None], every_s: float, from_s: float = 0.0) -> list[bool | None]:
    """What was settled at each sample that brought news."""
    return [
        debounce.settled for number, level in enumerate(levels) if debounce.sample(level, from_s + number * every_s)
    ]


def test_a_level_counts_once_after_it_has_been_still() -> None:
    debounce = Debounce(SETTLE_S)
    assert fed(debounce, [True] * 100, 0.01) == [True]
    assert fed(debounce, [False] * 4, 0.01, 1.0) == []
    assert fed(debounce, [False], 0.01, 1.05) == [False]


def test_a_contact_that_bounces_counts_once() -> None:
    debounce = Debounce(SETTLE_S)
    fed(debounce, [False] * 10, 0.01)
    assert fed(debounce, [True, False, True, False, True, True, False] + [True] * 20, 0.001, 1.0) == []
    assert fed(debounce, [True] * 20, 0.01, 1.03) == [True]


@pytest.mark.parametrize("every_s", [0.0005, 0.01])
def test_an_input_that_never_rests_is_said_once_and_is_no_level(every_s: float) -> None:
    """At 1 kHz: each sample may find either level."""
    debounce = Debounce(SETTLE_S)
    fed(debounce, [False] * 100, every_s)
    chatter: list[bool | None] = [True, False] * int(RESTLESS_S * 3 / every_s)
    assert fed(debounce, chatter, every_s, 1.0) == [None]
    assert debounce.is_restless
    assert fed(debounce, [False] * 200, every_s, 60.0) == [False]
    assert not debounce.is_restless


def test_a_level_that_cannot_be_read_settles_too() -> None:
    debounce = Debounce(SETTLE_S)
    fed(debounce, [False] * 10, 0.01)
    assert fed(debounce, [None, False, None, False] + [False] * 10, 0.01, 1.0) == []
    assert fed(debounce, [None] * 10, 0.01, 2.0) == [None]
    assert not debounce.is_restless


@given(st.lists(st.tuples(st.sampled_from([True, False, None]), st.floats(0.0001, 0.3)), max_size=200))
def test_what_is_settled_was_still_for_so_long(samples: list[tuple[bool | None, float]]) -> None:
    debounce = Debounce(SETTLE_S)
    now_s, since_s, last = 0.0, 0.0, object()
    for level, after_s in samples:
        now_s += after_s
        if level is not last:
            last, since_s = level, now_s
        before = debounce.settled
        is_new = debounce.sample(level, now_s)
        if is_new and not debounce.is_restless:
            assert debounce.settled is level
            assert now_s - since_s >= SETTLE_S
        if not is_new:
            assert debounce.settled is before
