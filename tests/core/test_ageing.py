"""When a lock says that somebody should enrol again, and when it has seen too little."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.ageing import FELL_MIN, GRANTS_MIN, NEAR_MAX, SIDE_MAX, trend

MIN = 0.6
START = datetime(2026, 1, 1, 12, tzinfo=UTC)

similarities = st.lists(st.floats(0.6, 1), min_size=0, max_size=80)


def daily(*values: float, first_day: tuple[float, ...] = (0.95,)) -> list[tuple[str, float]]:
    """One grant a day, after those of the day of enrolment."""
    enrolled = [(START, value) for value in first_day]
    later = [(START + timedelta(days=day), value) for day, value in enumerate(values, start=1)]
    return [(when.isoformat(timespec="milliseconds"), value) for when, value in enrolled + later]


def test_without_grants_nobody_was_seen() -> None:
    found = trend([], MIN)
    assert (found.grants, found.last_seen_utc, found.change, found.enrol_again) == (0, None, None, False)
    assert "too few" in found.advice


@given(st.integers(0, GRANTS_MIN - 1), st.floats(0, 0.6))
def test_few_grants_say_nothing_however_poor_they_are(count: int, fall: float) -> None:
    found = trend(daily(*(0.9 - fall for _ in range(count))), MIN)
    assert found.grants == count + 1
    assert found.last_seen_utc == daily(*(0.9 for _ in range(count)))[-1][0]
    assert (found.first, found.latest, found.change, found.enrol_again) == (None, None, None, False)
    assert found.advice == f"too few grants to say ({count} after the first day, {GRANTS_MIN} are needed)"


def test_the_day_of_enrolment_does_not_make_everybody_age_overnight() -> None:
    found = trend(daily(*[0.8] * GRANTS_MIN, first_day=(0.97,) * 30), MIN)
    assert (found.first, found.latest, found.change, found.advice) == (0.8, 0.8, 0, "no sign of ageing")
    busy = trend(daily(first_day=(0.97,) * 30 + (0.62,) * 30), MIN)
    assert "too few" in busy.advice


def test_a_fall_is_told_with_its_size() -> None:
    found = trend(daily(*[0.85] * 20, *[0.75] * 20), MIN)
    assert found.change == pytest.approx(-0.1)
    assert found.enrol_again
    assert found.advice == "enrol again: the similarity fell by 0.10"
    assert not trend(daily(*[0.75] * 20, *[0.85] * 20), MIN).enrol_again


def test_who_is_near_the_threshold_should_enrol_again_without_any_fall() -> None:
    found = trend(daily(*[0.64] * GRANTS_MIN), MIN)
    assert found.change == 0
    assert found.advice == "enrol again: the similarity is at 0.64, and 0.60 is needed"
    assert not trend(daily(*[0.66] * GRANTS_MIN), MIN).enrol_again


def test_a_similarity_that_is_none_is_no_good_sign() -> None:
    assert trend(daily(*[float("nan")] * GRANTS_MIN), MIN).enrol_again


def test_one_bad_look_in_ten_is_nothing() -> None:
    assert not trend(daily(*([0.8] * 9 + [0.6]) * 4), MIN).enrol_again


def test_only_the_ends_are_compared() -> None:
    ends = [0.8] * SIDE_MAX
    found = trend(daily(*ends, *[0.61] * 100, *ends), MIN)
    assert (found.first, found.latest, found.enrol_again) == (0.8, 0.8, False)


@given(similarities, st.randoms(use_true_random=False))
def test_the_order_does_not_matter(values: list[float], random: Random) -> None:
    grants = daily(*values)
    shuffled = list(grants)
    random.shuffle(shuffled)
    assert trend(shuffled, MIN) == trend(grants, MIN)


@given(similarities, st.floats(0, 0.9))
def test_the_advice_follows_from_the_figures(values: list[float], threshold: float) -> None:
    found = trend(daily(*values), threshold)
    assert found.grants == len(values) + 1
    if found.first is None or found.latest is None or found.change is None:
        assert len(values) < GRANTS_MIN
        return
    assert min(values) <= found.first <= max(values)
    assert min(values) <= found.latest <= max(values)
    assert found.change == found.latest - found.first
    aged = found.latest - threshold <= NEAR_MAX or -found.change >= FELL_MIN
    assert found.enrol_again is aged
    assert found.advice.startswith("enrol again: " if aged else "no sign")
