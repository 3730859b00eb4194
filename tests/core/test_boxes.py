import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge.core import boxes as bx
from edge.types import FloatArray

corners = arrays(np.float32, st.tuples(st.integers(1, 12), st.just(4)), elements=st.floats(0, 200, width=32))


def ordered(raw: FloatArray) -> FloatArray:
    return np.concatenate([np.minimum(raw[:, :2], raw[:, 2:]), np.maximum(raw[:, :2], raw[:, 2:])], axis=1)


def test_overlap_of_two_known_boxes() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30], [2, 2, 4, 4]], dtype=np.float32)
    assert np.allclose(bx.overlaps(boxes, boxes)[0], [1, 1 / 3, 0, 0.04])
    assert np.allclose(bx.overlaps(boxes, boxes, of_smaller=True)[0], [1, 0.5, 0, 1])


@given(corners)
def test_overlap_is_a_share_and_symmetric(raw: FloatArray) -> None:
    boxes = ordered(raw)
    shares = bx.overlaps(boxes, boxes)
    assert ((shares >= 0) & (shares <= 1 + 1e-5)).all()
    assert np.allclose(shares, shares.T, atol=1e-5)


@given(corners, st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_suppression_leaves_no_two_boxes_that_share_too_much_and_explains_every_loss(
    raw: FloatArray, limit: float, seed: int
) -> None:
    boxes = ordered(raw)
    probabilities = np.random.default_rng(seed).random(len(boxes)).astype(np.float32)
    kept = bx.suppress(boxes, probabilities, limit)
    assert kept[0] == np.argmax(probabilities)
    assert (np.diff(probabilities[kept]) <= 0).all()
    for place, index in enumerate(kept):
        assert (bx.overlaps(boxes[[index]], boxes[kept[place + 1 :]]) <= limit).all()
    for index in set(range(len(boxes))) - set(kept.tolist()):
        better = kept[probabilities[kept] >= probabilities[index]]
        assert (bx.overlaps(boxes[[index]], boxes[better]) > limit - 1e-6).any()


@given(corners, st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_groups_are_suppressed_as_if_they_were_alone(raw: FloatArray, limit: float, seed: int) -> None:
    boxes, generator = ordered(raw), np.random.default_rng(seed)
    probabilities = generator.permutation(len(boxes)).astype(np.float32)
    groups = generator.integers(0, 3, len(boxes))
    kept = set(bx.suppress(boxes, probabilities, limit, groups=groups).tolist())
    for group in range(3):
        own = np.nonzero(groups == group)[0]
        alone = own[bx.suppress(boxes[own], probabilities[own], limit)]
        assert kept & set(own.tolist()) == set(alone.tolist())


def test_suppressing_nothing_gives_nothing() -> None:
    assert bx.suppress(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), 0.5).tolist() == []


def test_regression_moves_edges_by_fractions_of_the_sides() -> None:
    moved = bx.regress(np.array([[10, 20, 30, 60]], np.float32), np.array([[0.1, -0.5, 0.0, 0.25]], np.float32))
    assert np.allclose(moved, [[12, 0, 30, 70]])


@given(corners)
def test_squared_keeps_the_centre_and_the_longer_side(raw: FloatArray) -> None:
    boxes = ordered(raw)
    square = bx.squared(boxes)
    sides = square[:, 2:] - square[:, :2]
    assert np.allclose(sides[:, 0], sides[:, 1], atol=1e-3)
    assert np.allclose(sides[:, 0], (boxes[:, 2:] - boxes[:, :2]).max(axis=1), atol=1e-3)
    assert np.allclose(square[:, :2] + square[:, 2:], boxes[:, :2] + boxes[:, 2:], atol=1e-3)
