"""When a drill is passed, and what it proves in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.drill import (
    AT_HAND,
    ATTACK_MIN,
    ATTACKS,
    ATTACKS_MIN,
    KINDS,
    OWN,
    OWN_MIN,
    Count,
    attacks,
    attacks_said,
    lacking,
    own_said,
    plan,
)

PASSED = {kind: Count(ATTACK_MIN) for kind in ATTACKS} | {kind: Count(OWN_MIN, OWN_MIN) for kind in OWN}


def test_sixty_attacks_of_five_kinds_and_the_owner_in_three_lights_are_a_passed_drill() -> None:
    assert attacks(PASSED) == Count(60, 0)
    assert lacking(PASSED) == ""


def test_the_plan_is_a_passed_drill_once_it_is_shown_whatever_is_not_at_hand() -> None:
    for without in ((), ("tablet",), ("laptop",), ("tablet", "laptop")):
        shown = {kind: Count(wanted, wanted * (kind in OWN)) for kind, wanted in plan(without).items()}
        assert lacking(shown) == ""
        assert not set(without) & set(shown)
    assert plan(("tablet", "laptop"))["print"] == 20


@given(kind=st.sampled_from(sorted(KINDS)), more=st.integers(0, 300))
def test_nothing_is_passed_that_lacks_one_presentation_however_many_others_there_are(kind: str, more: int) -> None:
    tally = {each: Count(count.shown + more, count.opened + more * (each in OWN)) for each, count in PASSED.items()}
    least = 0 if kind in AT_HAND else OWN_MIN if kind in OWN else ATTACK_MIN
    if least:
        assert f"of {least} shown of {kind}" in lacking({**tally, kind: Count(least - 1, 0)})
    without = {each: count for each, count in tally.items() if each != kind}
    if kind in AT_HAND:
        assert (lacking(without) == "") == (attacks(without).shown >= ATTACKS_MIN)
    else:
        assert "not finished" in lacking(without)


@given(kind=st.sampled_from(sorted(ATTACKS)), shown=st.integers(ATTACK_MIN, 1000), opened=st.integers(1, 12))
def test_one_attack_that_passed_fails_the_drill_for_good(kind: str, shown: int, opened: int) -> None:
    assert "failed" in lacking({**PASSED, kind: Count(shown, opened)})
    assert "failed" in lacking({kind: Count(shown, opened)})


@pytest.mark.parametrize(("let_in", "fails"), [(12, False), (10, False), (9, True), (0, True)])
def test_a_lock_that_refuses_its_owner_proves_nothing(let_in: int, fails: bool) -> None:
    each = {kind: Count(OWN_MIN, min(OWN_MIN, max(let_in - OWN_MIN * i, 0))) for i, kind in enumerate(OWN)}
    assert ("failed" in lacking({**PASSED, **each})) is fails


def test_the_words_hold_the_interval() -> None:
    assert attacks_said(Count(60, 0)) == "0 of 60 attacks passed: with 95 % certainty fewer than 5 in 100"
    assert attacks_said(Count(1, 0)) == "0 of 1 attack passed: with 95 % certainty fewer than 95 in 100"
    assert attacks_said(Count(60, 3)) == "3 of 60 attacks passed: with 95 % certainty fewer than 13 in 100"
    assert attacks_said(Count(2, 2)) == "2 of 2 attacks passed"
    assert attacks_said(Count()) == "No attack was shown"
    assert own_said(Count(12, 12)) == "12 of 12 times let in: with 95 % certainty more than 77 in 100"
    assert own_said(Count(12, 0)) == "0 of 12 times let in"
    assert own_said(Count()) == "The owner was not shown"
