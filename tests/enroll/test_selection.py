"""Which pictures of a set become templates."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.enroll.selection import most_different, outliers
from edge.types import FloatArray


def around(centre: int, count: int, spread: float, seed: int = 0) -> FloatArray:
    """Unit rows near an axis."""
    rows = np.random.default_rng(seed).normal(size=(count, 64)) * spread / 8
    rows[:, centre] += 1
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def test_one_wrong_picture_is_refused_wherever_it_stands() -> None:
    right, wrong = around(0, 5, 0.5), around(1, 1, 0.5)
    for place in range(6):
        rows = np.insert(right, place, wrong[0], axis=0)
        assert np.flatnonzero(outliers(rows)).tolist() == [place]


def test_of_two_that_differ_the_first_is_believed() -> None:
    assert outliers(np.concatenate([around(0, 1, 0.1), around(1, 1, 0.1)])).tolist() == [False, True]
    assert outliers(around(0, 1, 0.1)).tolist() == [False]


def test_copies_are_chosen_last() -> None:
    rows = around(0, 6, 0.8, seed=3)
    crowded = np.concatenate([rows, np.repeat(rows[:1], 30, axis=0)])
    assert len(set(map(bytes, crowded[most_different(crowded, 6)]))) == 6


@given(st.integers(1, 40), st.integers(1, 30), st.integers(0, 1000))
def test_so_many_different_rows_are_chosen_as_there_are(rows: int, count: int, seed: int) -> None:
    chosen = most_different(around(0, rows, 1.0, seed), count)
    assert len(chosen) == len(set(chosen)) == min(rows, count)
    assert chosen == sorted(chosen)
