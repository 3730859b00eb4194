import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.pool import Pool
from edge.core.quality import WEIGHT_MIN, weight
from edge.types import FloatArray
from tests.core.looks import like, look

looks = st.lists(st.tuples(st.floats(-1, 1), st.floats(0.1, 1)), min_size=1, max_size=20)


def pooled(found: list[tuple[float, float]]) -> Pool:
    (first, worth), *more = found
    pool = Pool(like(first), worth)
    for each, worth in more:
        pool.add(like(each), worth)
    return pool


@given(looks)
def test_what_is_pooled_resembles_a_person_as_the_looks_do_on_average(found: list[tuple[float, float]]) -> None:
    pool = pooled(found)
    similarities, weights = np.array(found).T
    assert float(pool.mean @ like(1)) == pytest.approx(np.average(similarities, weights=weights), abs=1e-5)
    assert float(np.linalg.norm(pool.mean)) <= 1 + 1e-5
    assert pool.looks == len(found)


@given(looks, st.randoms())
def test_the_order_of_the_looks_does_not_matter(
    found: list[tuple[float, float]], random: "np.random.Generator"
) -> None:
    again = list(found)
    random.shuffle(again)
    np.testing.assert_allclose(pooled(found).mean, pooled(again).mean, atol=1e-5)


def test_looks_that_cancel_out_agree_with_nobody() -> None:
    pool = Pool(like(1), 1)
    pool.add(-like(1), 1)
    assert pool.agreement(like(1)) == 0


@pytest.mark.parametrize(
    "flawed", [{"sharpness": 0.01}, {"probability": 0.9}, {"sharpness": 0.0}, {"probability": 0.0}]
)
def test_a_blurred_look_and_what_is_hardly_a_face_are_worth_less(flawed: dict[str, float]) -> None:
    good = look()
    assert weight(good.quality) == 1
    poor = look(sharpness=flawed.get("sharpness", 0.2), probability=flawed.get("probability", 1.0))
    assert WEIGHT_MIN <= weight(poor.quality) < 0.5


def test_a_poor_look_pulls_the_pool_less_than_a_good_one() -> None:
    both: list[FloatArray] = []
    for sharpness in (0.2, 0.01):
        pool = Pool(like(1), 1)
        pool.add(like(0.2), weight(look(sharpness=sharpness).quality))
        both.append(pool.mean)
    assert float(both[1] @ like(1)) > float(both[0] @ like(1))
