"""Strangers before galleries: the exact shares against every gallery there is, one by one."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.match import Index
from edge.types import FloatArray, Gallery
from tools.evaluate import identification, tail
from tools.evaluate.enrolment import enrol
from tools.evaluate.sets import DataSet, Picture
from tools.evaluate.strangers import absent, strangers_of

PEOPLE = 6


def unit_rows(seed: int, count: int) -> FloatArray:
    rows = np.random.default_rng(seed).normal(size=(count, 3))
    unit: FloatArray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def data_set(owners: list[int], sessions: Sequence[str | None] | None = None) -> DataSet:
    whens: Sequence[str | None] = sessions or [None] * len(owners)
    pictures = tuple(
        Picture(f"person {owner}", when, f"{i}.jpg") for i, (owner, when) in enumerate(zip(owners, whens, strict=True))
    )
    return DataSet("a set", Path("nowhere"), pictures)


@given(st.integers(1, 7), st.data())
def test_the_share_of_galleries_without_anybody_near_is_that_of_all_galleries(others: int, data: st.DataObject) -> None:
    near, size = data.draw(st.integers(0, others)), data.draw(st.integers(1, others))
    galleries = list(combinations(range(others), size))
    without = sum(all(person >= near for person in gallery) for gallery in galleries)
    assert absent(np.array([others]), np.array([near]), size)[0] == pytest.approx(without / len(galleries))


def fpir_counted_out(
    looks: FloatArray, owners: list[int], templates: FloatArray, drawn: list[int], size: int, threshold: float
) -> float:
    """Every look, as often as its owner was drawn, before every gallery of the templates of drawn others."""
    accepted, whole = 0.0, 0
    for look, owner in zip(looks, owners, strict=True):
        there = [p for p in range(len(drawn)) if p != owner and not np.isnan(templates[p]).any()]
        others = [person for person in there for _ in range(drawn[person])]
        galleries = list(combinations(others, size))
        near = sum(any(templates[person] @ look >= threshold for person in gallery) for gallery in galleries)
        accepted += drawn[owner] * near / len(galleries)
        whole += drawn[owner]
    return accepted / whole


@given(st.integers(0, 1000), st.integers(1, 3), st.sampled_from([-0.9, 0.0, 0.4, 0.8]))
@settings(max_examples=40)
def test_fpir_is_that_of_all_galleries_for_everybody_and_for_a_draw(seed: int, size: int, threshold: float) -> None:
    looks, templates = unit_rows(seed, 9), unit_rows(seed + 5000, PEOPLE)
    templates[seed % PEOPLE] = np.nan
    owners = np.random.default_rng(seed).integers(0, PEOPLE, len(looks))
    strangers = strangers_of(looks, owners, templates, -1.0)

    for drawn in ([1] * PEOPLE, [2, 1, 1, 1, 1, 0], [1, 1, 0, 1, 1, 2]):
        weights = np.array(drawn, dtype=np.float32)
        if not weights[owners].any():
            continue
        found = identification.false_positives(strangers, size, weights, np.array([threshold]))[0]
        assert found == pytest.approx(fpir_counted_out(looks, owners.tolist(), templates, drawn, size, threshold))


def test_a_stranger_exactly_at_the_threshold_is_accepted() -> None:
    corners = np.eye(3, dtype=np.float32)
    strangers = strangers_of(corners[[0, 1]], np.array([1, 2]), corners, -1.0)
    everybody = np.ones(3, dtype=np.float32)
    # One of the two others is exactly alike, the other at a right angle.
    assert identification.false_positives(strangers, 1, everybody, np.array([1.0])).tolist() == pytest.approx([0.5])
    assert identification.false_positives(strangers, 1, everybody, np.array([1.1])).tolist() == [0]


def test_too_few_others_are_no_figure() -> None:
    strangers = strangers_of(unit_rows(1, 4), np.arange(4), unit_rows(2, 4), -1.0)
    assert np.isnan(identification.false_positives(strangers, 4, np.ones(4, dtype=np.float32), np.array([0.5]))).all()


@given(st.integers(0, 1000), st.integers(1, 4))
@settings(max_examples=30)
def test_fnir_is_that_of_all_galleries_with_the_right_person_in_them(seed: int, size: int) -> None:
    sessions = ["1", "2"] * PEOPLE
    people = data_set([i // 2 for i in range(2 * PEOPLE)], sessions)
    embeddings = unit_rows(seed, 2 * PEOPLE)
    embeddings[1::2] = embeddings[::2] + np.float32(0.7) * unit_rows(seed + 1, PEOPLE)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    enrolment = enrol(people, embeddings, 3)
    seen = np.arange(len(embeddings))
    strangers = strangers_of(embeddings, people.owners, enrolment.templates, identification.THRESHOLDS[0])
    mated = identification.mated_of(people, embeddings, enrolment, strangers, seen)
    _, fnir = identification.rates_at(strangers, mated, size, np.ones(PEOPLE, dtype=np.float32))

    for threshold, found in zip(identification.THRESHOLDS, fnir, strict=True):
        missed = []
        for owner in range(PEOPLE):
            similarities = enrolment.templates @ embeddings[2 * owner + 1]
            for rest in combinations([p for p in range(PEOPLE) if p != owner], size - 1):
                nearest = max((owner, *rest), key=lambda person: float(similarities[person]))
                missed.append(nearest != owner or similarities[owner] < threshold)
        assert found == pytest.approx(np.mean(missed))


def test_a_template_is_the_product_s_own() -> None:
    people = data_set([0] * 6 + [1] * 6)
    embeddings, probe = unit_rows(3, 12), unit_rows(4, 1)[0]
    enrolment = enrol(people, embeddings, 5)
    assert enrolment.enrolled.tolist() == [3, 3]  # half of six: the rest are looks
    gallery = Gallery(embeddings[[0, 1, 2, 6, 7, 8]], np.array([0, 0, 0, 1, 1, 1]), {0: "Ada", 1: "Bo"})

    match = Index(gallery).best(probe)
    assert match is not None
    assert match.similarity == pytest.approx(float((enrolment.templates @ probe).max()), abs=1e-6)
    assert enrolment.mated.tolist() == [3, 4, 5, 9, 10, 11]


def test_with_sessions_people_are_enrolled_in_the_first_and_come_in_the_others() -> None:
    sessions = ["1"] * 5 + ["2"] * 2 + ["1"] * 2
    people = data_set([0] * 7 + [1] * 2, sessions)
    embeddings = unit_rows(3, 9)
    embeddings[5] = np.nan
    enrolment = enrol(people, embeddings, 3)

    spread_over_the_session = Index(Gallery(embeddings[[0, 2, 4]], np.zeros(3, np.int64), {0: "Ada"}))
    assert spread_over_the_session.similarity_to(0, enrolment.templates[0]) == pytest.approx(1, abs=1e-6)
    assert enrolment.enrolled.tolist() == [3, 2]
    assert enrolment.mated.tolist() == [6]  # the other look of the second session shows no face


def test_tails_are_quantiles_of_single_comparisons_and_of_the_nearest_of_n() -> None:
    people = data_set(list(range(40)) * 2)
    embeddings = unit_rows(8, 80)
    single, five, *more = tail.tails(embeddings, people)
    similarities = embeddings @ embeddings.T

    owners = people.owners
    apart = similarities[np.triu(owners[:, None] != owners[None, :])]
    assert single.comparisons == len(apart) == 80 * 78 // 2
    first = {q.share: q for q in single.quantiles}
    assert first[1e-1].similarity == pytest.approx(np.quantile(apart, 0.9, method="inverted_cdf"), abs=1e-6)
    assert first[1e-3].similarity == pytest.approx(np.quantile(apart, 0.999, method="inverted_cdf"), abs=1e-6)
    assert first[1e-4].similarity is None  # 3,120 comparisons do not tell one in ten thousand
    interval = first[1e-2].interval
    assert interval is not None
    assert interval[0] <= (first[1e-2].similarity or 0) <= interval[1]

    # Five strangers, drawn many times: as far as chance allows, the exact quantile.
    generator = np.random.default_rng(1)
    templates = embeddings[[people.owners.tolist().index(person) for person in range(40)]]
    nearest = []
    for look, owner in zip(embeddings, owners, strict=True):
        others = np.delete(templates, owner, axis=0) @ look
        nearest += [others[generator.choice(39, 5, replace=False)].max() for _ in range(300)]
    exact = {q.share: q.similarity for q in five.quantiles}
    assert (five.enrolled, five.comparisons) == (5, 80 * 39)
    assert (np.array(nearest) > (exact[1e-1] or 0)).mean() == pytest.approx(0.1, abs=0.006)
    assert [each.enrolled for each in more] == [20]
