"""Enrolled on one occasion, recognised on another: who is enrolled, what counts, and what a wrong template does."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.match import Index, acceptable
from edge.types import FloatArray, Gallery
from tests.tools.test_evaluate_identification import data_set
from tools.evaluate import templates
from tools.evaluate.sets import DataSet, Picture
from tools.evaluate.templates import LIMITS, WAYS, Line, Turn, chosen, judge_right, judge_wrong, turn_of

DIMENSION = 64


def people_of(count: int, pictures: int, spread: float, seed: int, alike: float = 0) -> tuple[FloatArray, Turn]:
    """So many people with ``pictures`` in each of two sessions: embeddings, and a turn that enrols the first.
    ``alike``: how much all people have in common."""
    generator = np.random.default_rng(seed)
    common = alike * generator.normal(size=DIMENSION)
    centres = np.repeat(generator.normal(size=(count, DIMENSION)) + common, 2 * pictures, axis=0)
    rows = centres + spread * generator.normal(size=centres.shape)
    embeddings = np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)
    each = [np.arange(2 * pictures) + 2 * pictures * person for person in range(count)]
    return embeddings, Turn([rows[:pictures] for rows in each], [rows[pictures:] for rows in each])


@given(st.integers(2, 5), st.sampled_from([1, 3, 5]), st.floats(0.2, 1.2), st.integers(0, 1000))
def test_the_robust_mean_is_judged_as_the_lock_would(people: int, count: int, spread: float, seed: int) -> None:
    embeddings, turn = people_of(people, 6, spread, seed)
    line = Line(count, 0, "robust mean")
    judge_right(line, turn, embeddings)

    own = [chosen(rows, embeddings, count) for rows in turn.enrolled]
    ids = np.repeat(np.arange(people), [len(rows) for rows in own])
    index = Index(Gallery(np.concatenate(own), ids, {person: str(person) for person in range(people)}))
    found = [(person, index.best(embeddings[row])) for person, looks in enumerate(turn.looks) for row in looks]
    let_in = [
        (person, match.person_id)
        for person, match in found
        if match is not None and acceptable(match, LIMITS.similarity_min, LIMITS.margin_min)
    ]
    assert line.looks == len(found) == 6 * people
    assert line.nearest == sum(match is not None and match.person_id == person for person, match in found)
    assert line.let_in == sum(person == named for person, named in let_in)
    assert line.mistaken == sum(person != named for person, named in let_in)


def test_the_best_of_the_templates_lets_a_wrong_one_in_and_the_robust_mean_hardly() -> None:
    embeddings, turn = people_of(5, 6, 0.5, 1, alike=0.7)
    lines = {way: Line(3, 1, way) for way in WAYS}
    for line in lines.values():
        judge_wrong(line, turn, embeddings)
        assert line.looks == line.wrong_looks == 5 * 4 * 6  # each person with a template of each other one
    assert lines["best template"].wrong_let_in == 120
    assert lines["robust mean"].wrong_let_in < lines["plain mean"].wrong_let_in
    assert lines["robust mean"].let_in >= lines["plain mean"].let_in


def test_a_picture_of_somebody_else_in_the_folder_is_not_chosen() -> None:
    embeddings, turn = people_of(2, 6, 0.3, 3)
    mixed = np.concatenate([turn.enrolled[0], turn.enrolled[1][:1]])
    found = chosen(mixed, embeddings, 7)
    assert len(found) == 6
    assert (found @ embeddings[turn.enrolled[1][0]]).max() < 0.5


def test_the_first_session_is_enrolled_or_the_last_and_looks_come_in_the_order_of_their_numbers() -> None:
    names = ["1_1_1_98", "1_1_1_100", "1_1_2_7", "1_1_2_9", "1_1_2_10", "2_1_1_5", "3_1_1_1", "3_1_2_1"]
    pictures = [Picture(name[0], name[4], f"{name}.jpg") for name in names]
    people = DataSet("a set", Path("nowhere"), tuple(sorted(pictures)))
    places = {picture.name.removesuffix(".jpg"): row for row, picture in enumerate(people.pictures)}
    found = np.ones(8, np.bool_)
    found[places["3_1_1_1"]] = False
    by_name = {row: name for name, row in places.items()}

    first, last = turn_of(people, found, last=False), turn_of(people, found, last=True)
    assert [[by_name[row] for row in rows] for rows in first.enrolled] == [names[:2], names[5:6], names[7:]]
    assert [[by_name[row] for row in rows] for rows in first.looks] == [names[2:5], [], []]
    assert [[by_name[row] for row in rows] for rows in last.enrolled] == [names[2:5], names[5:6], names[7:]]
    assert [[by_name[row] for row in rows] for rows in last.looks] == [names[:2], [], []]


def test_looks_without_a_second_occasion_are_refused_with_advice() -> None:
    from edge.errors import InputError

    with pytest.raises(InputError, match="two occasions"):
        templates.several(data_set([0, 0, 1, 1]), None)  # type: ignore[arg-type]  # not reached
