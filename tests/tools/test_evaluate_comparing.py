"""Everybody against everybody, and two networks on the same draws of people: against counting it out."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import InputError
from edge.types import FloatArray
from tools.evaluate import comparing, statistics
from tools.evaluate.comparing import Genuine, Impostors, Indices
from tools.evaluate.protocols import Decided, cross_validated


def unit_rows(seed: int, count: int, dimension: int = 4) -> FloatArray:
    rows = np.random.default_rng(seed).normal(size=(count, dimension))
    unit: FloatArray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def some_people(seed: int, pictures: int, people: int) -> tuple[FloatArray, Indices, Impostors]:
    """Pictures of people, one of them without a face, and all comparisons."""
    embeddings = unit_rows(seed, pictures)
    embeddings[seed % pictures] = np.nan
    owners = np.random.default_rng(seed).integers(0, people, pictures)
    return embeddings, owners, comparing.impostors_of(embeddings, owners, people)


def counted_out(embeddings: FloatArray, owners: Indices) -> list[tuple[float, int, int]]:
    """Similarity and both owners of every comparison of two people's faces."""
    faces = [i for i in range(len(owners)) if not np.isnan(embeddings[i]).any()]
    pairs = [(i, j) for i, j in combinations(faces, 2) if owners[i] != owners[j]]
    whose = [sorted((int(owners[i]), int(owners[j]))) for i, j in pairs]
    return [
        (float(embeddings[i] @ embeddings[j]), one, other) for (i, j), (one, other) in zip(pairs, whose, strict=True)
    ]


@given(st.integers(0, 10_000), st.integers(2, 25), st.integers(1, 8))
@settings(max_examples=60)
def test_every_comparison_of_two_people_is_made_once(seed: int, pictures: int, people: int) -> None:
    embeddings, owners, impostors = some_people(seed, pictures, people)
    expected = sorted(counted_out(embeddings, owners), reverse=True)
    similarities = [similarity for similarity, _, _ in expected]

    assert impostors.rising.tolist() == pytest.approx(similarities[::-1], abs=1e-6)
    assert impostors.falling.tolist() == pytest.approx(similarities, abs=1e-6)
    whose = np.sort([impostors.first, impostors.second], axis=0)
    # Equal but for rounding: which of them comes first is open.
    found = sorted(zip(np.round(impostors.falling, 4).tolist(), *whose.tolist(), strict=True))
    assert [pair[1:] for pair in found] == [
        pair[1:] for pair in sorted((np.float32(round(s, 4)).item(), i, j) for s, i, j in expected)
    ]
    assert impostors.total(np.ones(people, dtype=np.float32)) == len(expected)


def test_the_upper_end_is_kept_with_whose_it_is() -> None:
    embeddings, owners = unit_rows(3, 60), np.random.default_rng(3).integers(0, 12, 60)
    whole = comparing.impostors_of(embeddings, owners, 12)
    part = comparing.impostors_of(embeddings, owners, 12, share=0.1, least=10)
    kept = len(part.falling)

    assert kept == int(0.1 * len(whole.rising))
    assert np.array_equal(part.rising, whole.rising)
    assert np.array_equal(part.falling, whole.falling[:kept])
    assert np.array_equal(part.first, whole.first[:kept])
    assert np.array_equal(whole.head(kept).second, part.second)


def test_a_draw_of_people_counts_their_comparisons_as_if_each_had_come_so_often() -> None:
    generator = np.random.default_rng(7)
    _, _, impostors = some_people(7, 150, 12)
    genuine = Genuine(generator.normal(0.9, 0.2, size=60), generator.integers(0, 12, 60))

    for drawn in generator.multinomial(12, np.full(12, 1 / 12), size=20):
        copies = drawn[impostors.first] * drawn[impostors.second]
        weights = drawn.astype(np.float32)
        assert impostors.reached(weights).tolist() == np.cumsum(copies).tolist()
        assert impostors.total(weights) == copies.sum()
        threshold = statistics.threshold_at_far(np.repeat(impostors.falling, copies), 1e-3)
        accepted = np.repeat(genuine.similarities, drawn[genuine.owners]) >= threshold
        found = comparing.tars(genuine, impostors, (1e-3,), weights)
        assert found[0] == pytest.approx(accepted.mean())


def judged(seed: int, reference: comparing.Replicates | None) -> tuple[comparing.Compared, comparing.Replicates]:
    embeddings = unit_rows(5, 150) + np.float32(0.02) * unit_rows(seed, 150)
    owners = np.arange(150) // 5
    first = np.arange(0, 150, 5)
    genuine = comparing.genuine_of(embeddings, owners, first, first + 1)
    impostors = comparing.impostors_of(embeddings, owners, 30)
    return comparing.judge("a set", genuine, impostors, (1e-1, 1e-9), reference)


def test_networks_do_not_differ_from_themselves_and_others_do_on_the_same_draws() -> None:
    one, replicates = judged(1, None)
    same, _ = judged(1, replicates)
    other, others = judged(2, replicates)

    assert (one.people, one.genuine_pairs, one.impostor_comparisons) == (30, 30, 150 * 145 // 2)
    before, itself, after = (compared.tar_at_far[0] for compared in (one, same, other))
    assert (before.difference, before.difference_interval) == (None, None)
    assert (itself.difference, itself.difference_interval) == (0, (0, 0))
    assert after.difference == pytest.approx((after.tar or 0) - (before.tar or 0))
    paired = others[1:, 0] - replicates[1:, 0]
    assert after.difference_interval == statistics.ends(paired)
    # The two share what is hard, so that their difference is known better than either.
    assert paired.std() < others[1:, 0].std()
    assert one.tar_at_far[1] == comparing.TarAtFar(1e-9)  # too few comparisons to say


def test_a_lost_face_is_a_genuine_pair_refused_and_no_impostor() -> None:
    embeddings = unit_rows(1, 4)
    embeddings[1] = np.nan
    owners = np.array([0, 0, 1, 1])
    genuine = comparing.genuine_of(embeddings, owners, np.array([0, 2]), np.array([1, 3]))

    assert np.isneginf(genuine.similarities).tolist() == [True, False]
    assert genuine.owners.tolist() == [0, 1]
    assert len(comparing.impostors_of(embeddings, owners, 2).rising) == 2


def test_nothing_to_compare_is_said() -> None:
    nobody = comparing.impostors_of(unit_rows(1, 3), np.zeros(3, dtype=np.intp), 1)
    with pytest.raises(InputError, match="no two pictures to compare in a set"):
        comparing.judge("a set", Genuine(np.ones(1), np.zeros(1, dtype=np.intp)), nobody, (0.1,), None)


def test_view_2_takes_each_threshold_from_the_other_sets() -> None:
    # In the last set everything is lower by 1: its own best threshold would decide it rightly, the others' does not.
    usual: Decided = (np.array([0.9, 0.8, 0.7, np.nan]), np.array([0.1, 0.2, 0.3, 0.4]))
    low: Decided = usual[0] - 1, usual[1] - 1
    found = cross_validated([usual, usual, usual, low])

    # 7 of 8 (a lost face is wrong); in the last set no genuine pair reaches the threshold, 4 of 8
    assert found.accuracy == pytest.approx((7 / 8 * 3 + 4 / 8) / 4)
    assert found.standard_error == pytest.approx(np.std([7 / 8, 7 / 8, 7 / 8, 4 / 8], ddof=1) / 2)
    assert (found.pairs, found.pairs_without_face) == (32, 4)
    # Each of two sets alone is decided with the other's threshold, and so are both half wrong; together they need not.
    high: Decided = np.array([0.9]), np.array([0.1])
    lower: Decided = np.array([0.3]), np.array([-0.5])
    assert cross_validated([high, lower]).accuracy == 0.5
    nobody: Decided = np.array([np.nan]), np.array([0.1])
    with pytest.raises(InputError, match="No face is found in the pairs"):
        cross_validated([nobody] * 2)
