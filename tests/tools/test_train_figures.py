"""APCER, BPCER and AUC, on scores whose figures can be told by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.train.figures import Floats, apcer_at, auc, rates

SCORES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def ones(values: list[float]) -> Floats:
    return np.ones(len(values))


def test_the_shares_are_those_beyond_the_threshold() -> None:
    live, attacks = np.array([0.9, 0.8, 0.5, 0.4]), np.array([0.1, 0.5, 0.2, 0.3, 0.6])
    found = rates(live, attacks, ["a", "a", "b", "b"], ["a", "a", "b", "b", "b"], 0.5)
    assert (found.live, found.attacks) == (4, 5)
    assert found.bpcer == 1 / 4
    assert found.apcer == 2 / 5  # the threshold itself is taken for live
    assert found.bpcer_interval[0] <= found.bpcer <= found.bpcer_interval[1]
    assert found.apcer_interval[0] <= found.apcer <= found.apcer_interval[1]


def test_an_interval_is_over_people_and_not_over_pictures() -> None:
    """One of two people is always accepted: a thousand pictures of each say no more than one."""
    live = np.full(2000, 0.9)
    attacks = np.repeat([0.9, 0.1], 1000)
    owners = ["a"] * 1000 + ["b"] * 1000
    found = rates(live, attacks, owners, owners, 0.5)
    assert found.apcer == 0.5
    assert found.apcer_interval == (0, 1)


@pytest.mark.parametrize(
    ("live", "attacks", "expected"),
    [([0.9, 0.8], [0.1, 0.2], 1), ([0.1], [0.9], 0), ([0.5], [0.5], 0.5), ([0.3, 0.9], [0.5, 0.5], 0.5)],
)
def test_auc_counts_the_pairs_in_the_right_order(live: list[float], attacks: list[float], expected: float) -> None:
    assert auc(np.array(live), np.array(attacks), ones(live), ones(attacks)) == expected


@given(SCORES, SCORES)
def test_auc_is_what_comparing_every_pair_gives(live: list[float], attacks: list[float]) -> None:
    pairs = [1.0 if one > other else 0.5 if one == other else 0.0 for one in live for other in attacks]
    assert auc(np.array(live), np.array(attacks), ones(live), ones(attacks)) == pytest.approx(np.mean(pairs))


@given(SCORES, SCORES, st.integers(1, 3))
def test_a_weight_counts_as_so_many_pictures(live: list[float], attacks: list[float], times: int) -> None:
    weights = np.ones(len(live))
    weights[0] = times
    repeated = np.array([*live, *[live[0]] * (times - 1)])
    weighted = auc(np.array(live), np.array(attacks), weights, ones(attacks))
    assert weighted == pytest.approx(auc(repeated, np.array(attacks), np.ones(len(repeated)), ones(attacks)))


def test_without_pictures_there_is_no_figure() -> None:
    assert math.isnan(auc(np.array([0.5]), np.array([0.5]), np.array([0.0]), np.array([1.0])))
    assert math.isnan(apcer_at(np.array([]), np.array([0.5]), 0.05))


@given(SCORES, SCORES, st.floats(0, 0.9))
def test_the_threshold_at_a_bpcer_refuses_no_more_than_that(
    live: list[float], attacks: list[float], bpcer: float
) -> None:
    found = apcer_at(np.array(live), np.array(attacks), bpcer)
    candidates = [
        float(np.mean(np.array(attacks) >= limit)) for limit in live if np.mean(np.array(live) < limit) <= bpcer + 1e-9
    ]
    assert found == pytest.approx(min(candidates))
