"""The odds: against simulated approaches, and what may never happen whatever was measured."""

import math
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.risk import (
    HIGHEST,
    LOWEST,
    Calibration,
    Limits,
    Measure,
    approach,
    odds,
    refused,
    share,
    threshold,
)
from edge.core.share import PRESETS, accepted, one_in
from edge.core.stopping import STANDARD, Stopping
from edge.errors import InputError, ModelError

SURE = Measure(0.0, 0.0, 0.0)
CALIBRATION = Calibration(
    source="a test",
    shares=(1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6),
    similarities=(0.199, 0.348, 0.451, 0.529, 0.590, 0.660),
    lows=(0.197, 0.346, 0.448, 0.525, 0.584, 0.627),
    highs=(0.200, 0.350, 0.453, 0.533, 0.603, 0.685),
    crowd=Measure(0.047, 0.022, 0.070),
    alike=Measure(0.177, 0.016, 0.223),
    templates=Measure(0.014, 0.013, 0.017),
    rho=Measure(0.93, 0.88, 0.95),
    agreement=Measure(0.93, 0.91, 0.95),
    owners=((0.7, 0.72, 0.74), (0.5, 0.55, 0.6)),
)
"""Close to what was measured of the networks that are shipped."""

people = st.integers(0, 2000)
templates = st.integers(1, 10)
risks = st.floats(1e-7, 0.1)


@st.composite
def calibrations(draw: st.DrawFn) -> Calibration:
    """Anything that a manifest may say."""
    count = draw(st.integers(2, 7))
    similarities = sorted(draw(st.lists(st.floats(-0.9, 0.99), min_size=count, max_size=count, unique=True)))
    spread = draw(st.floats(0, 0.01))

    def measure(low: float, high: float) -> Measure:
        ends = sorted(draw(st.lists(st.floats(low, high), min_size=3, max_size=3)))
        return Measure(ends[1], ends[0], ends[2])

    return Calibration(
        "anything",
        tuple(0.4 * 0.05**power for power in range(count)),
        tuple(similarities),
        tuple(each - spread for each in similarities),
        tuple(each + spread for each in similarities),
        measure(0, 0.3),
        measure(0, 0.5),
        measure(0, 0.1),
        measure(0, 1),
        measure(0.1, 1),
    )


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.88, 0.95, 1.0])
@pytest.mark.parametrize("similarity_min", [0.25, 0.35])
def test_no_fewer_strangers_come_in_than_is_said(rho: float, similarity_min: float) -> None:
    """Looks that share ``rho`` of their variance, drawn as normal scores, and the rule looked at after each."""
    simple = replace(CALIBRATION, rho=Measure(rho, rho, rho), agreement=Measure(1, 1, 1), crowd=SURE, templates=SURE)
    generator = np.random.default_rng(1)
    approaches = 200_000
    common = math.sqrt(rho) * generator.standard_normal(approaches)
    total, let_in = np.zeros(approaches), np.zeros(approaches, bool)
    for looks in range(1, STANDARD.looks_max + 1):
        total += common + math.sqrt(1 - rho) * generator.standard_normal(approaches)
        needed = STANDARD.needed(looks, similarity_min)
        if math.isfinite(needed):
            let_in |= total / looks >= _score(simple, needed)
    said = approach(simple, similarity_min, 1)
    observed = float(let_in.mean())
    chance = 3 * math.sqrt(observed / approaches)
    assert observed - chance <= said <= 1.6 * observed + 5 / approaches


def _score(calibration: Calibration, similarity: float) -> float:
    """By bisection, from what one look's share is."""
    from statistics import NormalDist

    return -NormalDist().inv_cdf(share(calibration, similarity))


def test_one_look_of_one_person_is_the_measured_share() -> None:
    plain = replace(CALIBRATION, crowd=SURE, templates=SURE, agreement=Measure(1, 1, 1))
    for expected, similarity in zip(plain.shares, plain.similarities, strict=True):
        assert share(plain, similarity) == pytest.approx(expected, rel=1e-3)
        assert approach(plain, similarity, 1, Stopping(1, 1, ())) == pytest.approx(expected, rel=1e-3)


def test_correlated_looks_are_no_independent_ones() -> None:
    """What a formula would say that took looks for independent: far less than is true."""
    independent = replace(CALIBRATION, rho=Measure(0, 0, 0), agreement=Measure(1, 1, 1))
    honest = replace(CALIBRATION, agreement=Measure(1, 1, 1))
    assert approach(independent, 0.6, 1) < approach(honest, 0.6, 1) / 10


@given(people, st.integers(0, 500), templates, risks)
def test_more_people_never_lower_the_threshold(few: int, more: int, count: int, risk: float) -> None:
    assert threshold(CALIBRATION, [count] * few, risk) <= threshold(CALIBRATION, [count] * (few + more), risk)


@given(people, templates, templates, risks)
def test_more_templates_never_lower_the_threshold(many: int, count: int, more: int, risk: float) -> None:
    fewer, all_of_them = [count] * many, [count + more] * many
    assert threshold(CALIBRATION, fewer, risk) <= threshold(CALIBRATION, all_of_them, risk)
    assert threshold(CALIBRATION, fewer, risk) <= threshold(CALIBRATION, [*fewer, count + more], risk)


@given(people, templates, risks, risks)
def test_less_risk_never_lowers_the_threshold(many: int, count: int, one: float, other: float) -> None:
    gallery = [count] * many
    assert threshold(CALIBRATION, gallery, min(one, other)) >= threshold(CALIBRATION, gallery, max(one, other))


@given(calibrations(), people, templates, risks)
def test_whatever_was_measured_the_threshold_is_one(
    calibration: Calibration, many: int, count: int, risk: float
) -> None:
    gallery = [count] * many
    found = threshold(calibration, gallery, risk)
    assert -1 < LOWEST <= found <= HIGHEST < 1
    told = odds(calibration, gallery, found)
    assert 0 <= told.low <= told.admitted <= told.high <= 1
    assert told.high <= risk or found == HIGHEST


@given(calibrations(), st.floats(-1, 1), st.floats(-1, 1), templates)
def test_a_higher_similarity_is_never_likelier(calibration: Calibration, one: float, other: float, count: int) -> None:
    assert share(calibration, max(one, other), count) <= share(calibration, min(one, other), count)


@given(st.floats(0.3, 0.94), st.floats(0.001, 0.05))
def test_a_higher_threshold_never_lets_more_in(similarity: float, more: float) -> None:
    for end in ("value", "low", "high", "alike"):
        assert approach(CALIBRATION, similarity + more, 5, end=end) <= approach(CALIBRATION, similarity, 5, end=end)


def test_templates_are_not_passed_over() -> None:
    assert threshold(CALIBRATION, [1] * 12, 1e-4) < threshold(CALIBRATION, [5] * 12, 1e-4)


def test_nobody_and_one_person() -> None:
    assert odds(CALIBRATION, [], 0.5).high == 0
    assert threshold(CALIBRATION, [], 1e-4) == LOWEST
    one = threshold(CALIBRATION, [1], 1e-4)
    assert LOWEST < one < threshold(CALIBRATION, [1] * 20, 1e-4)
    assert odds(CALIBRATION, [1], one).high <= 1e-4 < odds(CALIBRATION, [1], one - 0.001).high


def test_the_threshold_and_the_odds_are_those_of_the_upper_end() -> None:
    decision = Limits(0.0, 1e-3, CALIBRATION).decide([5] * 12)
    assert decision.derived
    assert decision.met
    assert decision.odds is not None
    assert decision.odds.admitted < decision.odds.high <= 1e-3 < decision.odds.alike
    assert "derived for 1 in 1,000" in decision.reason


def test_a_threshold_set_by_hand_holds_and_its_odds_are_told() -> None:
    decision = Limits(0.55, 1e-4, CALIBRATION).decide([5] * 12)
    assert (decision.similarity_min, decision.derived, decision.met) == (0.55, False, False)
    assert "set by hand" in decision.reason
    assert "more than the 1 in 10,000 accepted" in decision.reason


def test_a_risk_that_cannot_be_met_is_said() -> None:
    decision = Limits(0.0, 1e-7, CALIBRATION).decide([5] * 10_000)
    assert decision.similarity_min == HIGHEST
    assert not decision.met
    assert "more than accepted" in decision.reason


def test_networks_that_nobody_measured_have_no_derived_threshold() -> None:
    with pytest.raises(ModelError, match=r"set match\.similarity_min by hand"):
        Limits(0.0).decide([1])
    decision = Limits(0.6).decide([1])
    assert (decision.similarity_min, decision.odds, decision.met) == (0.6, None, False)
    assert "not known" in decision.reason


def test_owners_are_counted_at_the_first_glance_and_altogether() -> None:
    rule = Stopping(2, 3, (0.05,))
    assert refused(CALIBRATION, 0.65, rule) == (1, 1, 2)
    assert refused(CALIBRATION, 0.70, rule) == (2, 1, 2)
    assert refused(replace(CALIBRATION, owners=()), 0.70, rule) == (0, 0, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("standard", PRESETS["standard"]),
        ("strict", PRESETS["strict"]),
        ("1 in 10000 approaches", 1e-4),
        ("1 in 10,000", 1e-4),
        ("  1 in  500 approaches", 1 / 500),
    ],
)
def test_a_risk_is_read_as_it_is_written(text: str, expected: float) -> None:
    assert accepted(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "lax", "1 in", "1 in 9", "1 in 0", "1 in -5", "1 in 1e9", "1 in 99999999999", "2 in 100", "0.001"),
        *("1 in \u0661\u0660\u0660", "1 in 100 looks", "1 in 100 approaches a week", "1 in nan"),
    ],
)
def test_what_is_no_risk_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no risk"):
        accepted(text)


@given(st.text(max_size=60))
def test_any_text_is_a_risk_or_an_error(text: str) -> None:
    with suppress(InputError):
        assert 0 < accepted(text) <= 0.1


@pytest.mark.parametrize(
    "wrong",
    [
        {"shares": (1e-1, 1e-2)},
        {"shares": (1e-1, 1e-2, 1e-2, 1e-4, 1e-5, 1e-6)},
        {"shares": (0.5, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)},
        {"shares": (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 0.0)},
        {"shares": (float("nan"), 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)},
        {"similarities": (0.199, 0.348, 0.348, 0.529, 0.590, 0.660)},
        {"similarities": (0.199, 0.348, float("nan"), 0.529, 0.590, 0.660)},
        {"lows": (0.3, 0.346, 0.448, 0.525, 0.584, 0.627)},
        {"highs": (0.200, 0.350, 0.453, 0.533, 0.603, 1.685)},
        {"rho": Measure(0, -0.1, 0.1)},
        {"crowd": Measure(-0.1, -0.2, 0.1)},
        {"templates": Measure(0, -0.1, 0.1)},
        {"agreement": Measure(0.5, 0.0, 0.6)},
        {"owners": ((0.5, float("inf")),)},
    ],
)
def test_a_manifest_that_says_what_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ModelError, match="cannot be used"):
        replace(CALIBRATION, **wrong)  # type: ignore[arg-type]  # that is the point


@pytest.mark.parametrize("ends", [(0.5, 0.6, 0.7), (float("nan"), 0, 1), (0, -2, 1), (0, 0, 2)])
def test_a_figure_outside_its_interval_is_refused(ends: tuple[float, float, float]) -> None:
    with pytest.raises(ModelError):
        Measure(*ends)


def test_odds_are_told_as_far_as_they_are_known() -> None:
    assert [one_in(each) for each in (1e-4, 1 / 14_321, 1 / 7, 0.0)] == [
        "1 in 10,000",
        "1 in 14,000",
        "1 in 7",
        "never",
    ]
