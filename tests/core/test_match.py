import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.match import Index, acceptable
from edge.types import Embedding, Gallery, Match


def unit(*numbers: float) -> Embedding:
    vector = np.array(numbers, dtype=np.float32)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def gallery(*rows: tuple[int, Embedding]) -> Gallery:
    templates = np.stack([row for _, row in rows]) if rows else np.zeros((0, 3), np.float32)
    ids = np.array([person for person, _ in rows], dtype=np.int64)
    return Gallery(templates, ids, {person: f"person {person}" for person, _ in rows})


def test_an_empty_gallery_knows_nobody() -> None:
    assert Index(gallery()).best(unit(1, 0, 0)) is None
    assert not acceptable(None, 0.6, 0.05)


def test_one_person_has_no_rival() -> None:
    found = Index(gallery((7, unit(1, 0, 0)))).best(unit(1, 1, 0))
    assert found is not None
    assert (found.person_id, found.name) == (7, "person 7")
    assert found.similarity == pytest.approx(np.sqrt(0.5))
    assert found.margin == float("inf")


def test_the_margin_is_over_the_best_other_person_not_over_ones_own_templates() -> None:
    index = Index(gallery((1, unit(1, 0.1, 0)), (1, unit(1, -0.1, 0)), (2, unit(0, 1, 0))))
    found = index.best(unit(1, 0, 0))
    assert found is not None
    assert found.person_id == 1
    assert found.similarity == pytest.approx(1, abs=1e-5)
    assert found.margin == pytest.approx(1, abs=1e-5)


def test_templates_that_cancel_out_resemble_nobody() -> None:
    found = Index(gallery((1, unit(1, 0, 0)), (1, unit(-1, 0, 0)))).best(unit(1, 0, 0))
    assert found is not None
    assert not acceptable(found, 0.3, 0.0)


@given(st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_the_best_person_is_the_nearest_mean(people: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    rows = [(person, unit(*generator.normal(size=8))) for person in range(people) for _ in range(2)]
    probe = unit(*generator.normal(size=8))
    means = {p: np.mean([row for q, row in rows if q == p], axis=0) for p in range(people)}
    cosines = sorted((float(m @ probe / np.linalg.norm(m)) for m in means.values()), reverse=True)
    found = Index(gallery(*rows)).best(probe)
    assert found is not None
    assert found.similarity == pytest.approx(cosines[0], abs=1e-5)
    if people > 1:
        assert found.margin == pytest.approx(cosines[0] - cosines[1], abs=1e-5)


def test_a_wrong_template_among_three_is_outvoted() -> None:
    person, stranger = unit(1, 0, 0), unit(0, 1, 0)
    found = Index(gallery((1, unit(1, 0, 0.2)), (1, unit(1, 0, -0.2)), (1, stranger)))
    assert found.similarity_to(1, person) == pytest.approx(1, abs=1e-5)
    assert found.similarity_to(1, stranger) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("similarity", [float("nan"), 0.59, -1.0])
def test_nothing_below_the_threshold_is_accepted(similarity: float) -> None:
    assert not acceptable(Match(1, "Ada", similarity, 1.0), 0.6, 0.05)
    assert not acceptable(Match(1, "Ada", 0.9, 0.04), 0.6, 0.05)
    assert acceptable(Match(1, "Ada", 0.6, 0.05), 0.6, 0.05)


@given(st.integers(0, 40), st.integers(0, 10_000), st.floats(-0.5, 0.9))
def test_pairs_are_those_of_comparing_everybody_with_everybody(people: int, seed: int, at_least: float) -> None:
    generator = np.random.default_rng(seed)
    templates = generator.normal(size=(people, 8)).astype(np.float32)
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    ids = np.arange(people, dtype=np.int64) * 3 + 1
    index = Index(Gallery(templates, ids, {int(id_): str(id_) for id_ in ids}))
    found = index.pairs(at_least, 10_000)
    expected = {
        (int(ids[a]), int(ids[b]))
        for a in range(people)
        for b in range(a + 1, people)
        if templates[a] @ templates[b] >= at_least
    }
    assert {(a, b) for a, b, _ in found} == expected
    assert [each[2] for each in found] == sorted((each[2] for each in found), reverse=True)
    assert index.pairs(at_least, 3) == found[:3]
    for a, b, similarity in found[:5]:
        probe = templates[list(ids).index(a)]
        assert dict(index.alike(probe, at_least - 1e-3))[b] == pytest.approx(similarity, abs=1e-5)


@given(st.integers(0, 2**32), st.integers(0, 6), st.integers(0, 3))
def test_an_index_that_follows_a_change_is_the_one_made_anew(seed: int, changed: int, templates: int) -> None:
    generator = np.random.default_rng(seed)
    rows = [(person, unit(*generator.normal(size=3))) for person in (1, 2, 2, 4, 5, 5, 5)]
    own = [(changed, unit(*generator.normal(size=3))) for _ in range(templates)]
    after = gallery(*(row for row in rows if row[0] != changed), *own)
    followed, anew = Index(gallery(*rows)).replaced(changed, gallery(*own)), Index(after)
    assert len(followed) == len(anew)
    probe = unit(*generator.normal(size=3))
    found, wanted = followed.best(probe), anew.best(probe)
    assert (found is None) == (wanted is None)
    if found is not None and wanted is not None:
        assert (found.person_id, found.name) == (wanted.person_id, wanted.name)
        assert found.similarity == pytest.approx(wanted.similarity, abs=1e-6)
