"""The robust mean: the plain one where nobody can say which template is wrong, and hardly moved by one that is."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edge.core.centre import BLOCK, centres
from edge.types import FloatArray

DIMENSION = 32
seeds = st.integers(0, 2**32 - 1)


def around(centre: FloatArray, count: int, spread: float, generator: np.random.Generator) -> FloatArray:
    """(count, D) unit rows; a spread of 1 gives cosines of about 0.7 to the centre, as pictures of one person have."""
    rows = centre + generator.normal(size=(count, len(centre))) * spread / np.sqrt(len(centre))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def direction(generator: np.random.Generator) -> FloatArray:
    return np.asarray(around(np.zeros(DIMENSION, np.float32), 1, 1.0, generator)[0])


def plain(templates: FloatArray) -> FloatArray:
    mean = templates.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


def alone(templates: FloatArray) -> FloatArray:
    return np.asarray(centres(templates, np.zeros(len(templates), np.intp), 1)[0])


def one_by_one(templates: FloatArray) -> FloatArray:
    """The definition, template by template in float64."""
    rows = templates.astype(np.float64)
    total = np.zeros(rows.shape[1])
    for number, row in enumerate(rows):
        others = np.delete(rows, number, axis=0).sum(axis=0)
        total += row * (max(row @ others / np.linalg.norm(others), 0) if len(rows) > 2 else 1)
    assume(np.linalg.norm(total) > 0.05)  # templates that agree on nothing are another test's
    return np.asarray(total / np.linalg.norm(total), np.float32)


@given(st.integers(1, 2), seeds)
def test_one_or_two_templates_give_the_plain_mean_to_the_last_bit(count: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    templates = around(direction(generator), count, 1.0, generator)
    total = templates.sum(axis=0)
    assert alone(templates) == pytest.approx(plain(templates), abs=1e-6)
    beside_others = np.concatenate([templates, around(direction(generator), 5, 1.0, generator)])
    rows = np.array([0] * count + [1] * 5)
    assert (centres(beside_others, rows, 2)[0] == total / np.sqrt(np.einsum("i,i->", total, total))).all()


@given(st.integers(3, 20), seeds)
def test_each_counts_by_how_it_agrees_with_the_others(count: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    templates = around(direction(generator), count, 2.0, generator)
    found = alone(templates)
    assert found == pytest.approx(one_by_one(templates), abs=1e-5)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-6)


@given(st.integers(3, 20), seeds)
def test_where_all_agree_it_is_nearly_the_plain_mean(count: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    templates = around(direction(generator), count, 0.7, generator)
    assert float(alone(templates) @ plain(templates)) > 0.995


@given(st.integers(2, 19), seeds)
def test_somebody_else_s_template_moves_it_less_than_the_plain_mean(right: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    person, stranger = direction(generator), direction(generator)
    assume(abs(float(person @ stranger)) < 0.3)
    templates = around(person, right, 0.8, generator)
    mixed = np.concatenate([templates, stranger[None]])
    assert float(alone(mixed) @ stranger) < float(plain(mixed) @ stranger)
    assert float(alone(mixed) @ plain(templates)) > float(plain(mixed) @ plain(templates))


@given(st.integers(0, 19), seeds)
def test_the_order_does_not_matter(first: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    templates = around(direction(generator), 20, 1.5, generator)
    assert alone(np.roll(templates, first, axis=0)) == pytest.approx(alone(templates), abs=1e-5)


def test_a_whole_gallery_gives_what_each_person_alone_would() -> None:
    """Templates of one person lie anywhere in it, on both sides of a block."""
    generator = np.random.default_rng(1)
    people = 300
    rows: npt.NDArray[np.intp] = generator.integers(0, people, 3 * BLOCK)
    rows[:people] = np.arange(people)
    directions = [direction(generator) for _ in range(people)]
    templates = np.concatenate([around(directions[row], 1, 1.0, generator) for row in rows])
    found = centres(templates, rows, people)
    assert found.dtype == np.float32
    for person in range(people):
        assert found[person] == pytest.approx(alone(templates[rows == person]), abs=1e-5)


def test_templates_that_agree_on_nothing_resemble_nobody() -> None:
    corners = np.eye(DIMENSION, dtype=np.float32)
    assert np.linalg.norm(alone(np.array([corners[0], -corners[0]]))) < 1e-3
    assert np.linalg.norm(alone(corners[:3])) < 1e-3
    assert np.linalg.norm(alone(np.array([corners[0], -corners[0], corners[1]]))) < 1e-3


def test_nobody_has_no_centre() -> None:
    assert centres(np.zeros((0, 4), np.float32), np.zeros(0, np.intp), 0).shape == (0, 4)
