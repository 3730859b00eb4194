import math

from hypothesis import given
from hypothesis import strategies as st

from edge.core.stopping import STANDARD, Stopping

rules = st.builds(
    Stopping,
    looks_min=st.integers(1, 5),
    looks_max=st.integers(5, 30),
    early=st.lists(st.floats(0, 0.3), max_size=8).map(lambda found: tuple(sorted(found, reverse=True))),
)


@given(rules, st.floats(-1, 1))
def test_nobody_before_enough_looks_and_never_below_the_threshold(rule: Stopping, threshold: float) -> None:
    for looks in range(40):
        needed = rule.needed(looks, threshold)
        assert needed >= threshold
        assert (needed == math.inf) == (looks < rule.looks_min)
        assert rule.needed(looks + 1, threshold) <= needed
    assert rule.needed(rule.looks_min + len(rule.early), threshold) == threshold


def test_the_products_rule_takes_two_looks_of_a_clear_case_and_the_threshold_itself_from_the_seventh() -> None:
    assert [round(STANDARD.needed(looks, 0.6), 6) for looks in range(1, 9)] == [
        *(math.inf, 0.7, 0.68, 0.66, 0.64, 0.62, 0.6, 0.6)
    ]
