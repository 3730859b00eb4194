"""The figures against their definitions, counted out by brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.types import FloatArray
from tools.evaluate import statistics
from tools.evaluate.statistics import Floats

# Few different values, so that ties are common.
similarities = st.lists(st.integers(-10, 10).map(lambda n: n / 10), min_size=1, max_size=40).map(np.array)
shares = st.sampled_from([0.5, 0.2, 0.1, 0.05])


def errors_at(threshold: float, genuine: Floats, impostor: Floats) -> int:
    return int((genuine < threshold).sum() + (impostor >= threshold).sum())


@given(similarities, similarities)
def test_no_threshold_makes_fewer_errors_than_the_best(genuine: Floats, impostor: Floats) -> None:
    best = errors_at(statistics.best_threshold(genuine, impostor), genuine, impostor)
    assert best == min(errors_at(threshold, genuine, impostor) for threshold in np.arange(-1.05, 1.1, 0.1))


def test_of_equally_good_thresholds_the_one_in_the_gap_is_taken() -> None:
    assert statistics.best_threshold(np.array([0.8, 0.9]), np.array([0.1, 0.4])) == pytest.approx(0.6)


def test_of_equally_good_gaps_the_highest_is_taken() -> None:
    assert statistics.best_threshold(np.array([0.2, 0.8]), np.array([0.5])) == pytest.approx(0.65)


def test_a_similarity_that_just_reaches_the_threshold_is_accepted() -> None:
    assert statistics.share_accepted(np.array([0.2, 0.5, 0.8]), 0.5) == pytest.approx(2 / 3)
    assert np.isnan(statistics.share_accepted(np.array([0.5]), float("nan")))


@given(similarities, shares)
def test_the_threshold_at_a_far_is_the_lowest_that_keeps_to_it(impostor: Floats, far: float) -> None:
    falling = np.sort(impostor)[::-1]
    threshold = statistics.threshold_at_far(falling, far)
    if len(impostor) * far < 1 - 1e-9:
        assert np.isnan(threshold)
        return
    assert (impostor >= threshold).mean() <= far + 1e-9
    lower = impostor[impostor < threshold]
    assert len(lower)
    assert (impostor >= lower.max()).mean() > far


@given(similarities, shares)
def test_what_a_share_exceeds_is_numpy_s_quantile(impostor: Floats, share: float) -> None:
    falling = np.sort(impostor)[::-1]
    found = statistics.exceeded_by(falling, np.arange(1.0, len(falling) + 1), share, len(falling))
    if len(impostor) * share < 1 - 1e-9:
        assert np.isnan(found)
        return
    assert found == np.quantile(impostor, 1 - share - 1e-9, method="inverted_cdf")
    assert (impostor > found).mean() <= share + 1e-9


@given(st.lists(st.tuples(st.integers(-10, 10), st.integers(0, 3)), min_size=2, max_size=30), shares)
def test_a_weight_counts_like_so_many_copies(pairs: list[tuple[int, int]], far: float) -> None:
    values = np.array([value / 10 for value, _ in sorted(pairs, reverse=True)])
    weights = np.array([float(weight) for _, weight in sorted(pairs, reverse=True)])
    copies = np.repeat(values, weights.astype(int))
    expected = statistics.exceeded_by(copies, np.arange(1.0, len(copies) + 1), far, len(copies))
    found = statistics.exceeded_by(values, np.cumsum(weights), far, weights.sum())
    assert found == pytest.approx(expected, nan_ok=True)
    share = statistics.share_accepted(values, 0.05, weights)
    assert share == pytest.approx((copies >= 0.05).mean() if len(copies) else float("nan"), nan_ok=True)


def test_the_upper_end_of_the_impostors_is_enough() -> None:
    falling = np.sort(np.random.default_rng(3).normal(size=5000))[::-1]
    whole = statistics.threshold_at_far(falling, 0.01)
    assert statistics.threshold_at_far(falling[:100], 0.01, total=5000) == whole
    assert np.isnan(statistics.threshold_at_far(falling[:40], 0.01, total=5000))


@given(similarities, similarities)
def test_the_equal_error_rate_lies_between_far_and_frr_where_they_cross(genuine: Floats, impostor: Floats) -> None:
    rate = statistics.equal_error_rate(np.sort(genuine), np.sort(impostor))
    thresholds = np.append(np.unique(np.concatenate([genuine, impostor])), 2.0)
    far = np.array([(impostor >= threshold).mean() for threshold in thresholds])
    frr = np.array([(genuine < threshold).mean() for threshold in thresholds])
    assert 0 <= rate <= 1
    assert np.abs(far - frr).min() == pytest.approx(np.abs(far - frr)[np.isclose((far + frr) / 2, rate)].min())


def test_the_equal_error_rate_of_sets_that_do_not_meet_is_nought_and_of_like_sets_a_half() -> None:
    low, high = np.linspace(-1, 0, 50), np.linspace(0.1, 1, 50)
    assert statistics.equal_error_rate(high, low) == 0
    assert statistics.equal_error_rate(low, high) == 1
    assert statistics.equal_error_rate(low, low) == pytest.approx(0.5, abs=0.02)


@given(st.integers(30, 200), st.floats(0.2, 0.8))
def test_an_interval_holds_the_estimate_and_narrows_with_people(people: int, share: float) -> None:
    right = np.arange(people) < round(people * share)

    def estimate(weights: FloatArray) -> float:
        return float(weights[right].sum() / weights.sum())

    low, high = statistics.interval(estimate, people)
    assert low <= right.mean() <= high
    # the binomial's own 95 %: 3.92 standard errors wide
    assert high - low == pytest.approx(3.92 * np.sqrt(right.mean() * (1 - right.mean()) / people), rel=0.25)


def test_an_interval_is_the_same_every_time_and_passes_over_what_cannot_be_said() -> None:
    def estimate(weights: FloatArray) -> float:
        return float(weights[0]) if weights[0] else float("nan")

    assert statistics.interval(estimate, 5) == statistics.interval(estimate, 5)
    assert statistics.interval(estimate, 5)[0] == 1
    assert (statistics.draws(5).sum(axis=1) == 5).all()
    assert statistics.draws(5).shape == (statistics.REPLICATES, 5)
    assert all(np.isnan(end) for end in statistics.interval(lambda _: float("nan"), 5))
