"""The exact interval of a share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.interval import clopper_pearson


def test_the_exact_interval_is_that_of_the_tables() -> None:
    """0 of 60: 95 % one-sided below 5 %; 3 of 20 from Clopper and Pearson's charts as R's binom.test gives them."""
    assert clopper_pearson(0, 60, 0.90)[1] == pytest.approx(0.0487, abs=1e-4)
    assert clopper_pearson(3, 20) == pytest.approx((0.0321, 0.3789), abs=1e-4)
    assert clopper_pearson(20, 20) == pytest.approx((0.8316, 1.0), abs=1e-4)


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_exact_interval_holds_the_share(pair: tuple[int, int]) -> None:
    hits, trials = pair
    low, high = clopper_pearson(hits, trials)
    assert 0 <= low <= hits / trials <= high <= 1


@pytest.mark.parametrize("hits", [0, 1, 2500, 4999, 5000])
def test_thousands_of_trials_have_an_interval_too(hits: int) -> None:
    low, high = clopper_pearson(hits, 5000)
    assert 0 <= low <= hits / 5000 <= high <= 1
    assert high - low < 0.03
