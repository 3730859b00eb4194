import numpy as np
import pytest

from edge.core.choose import Unusable, choose, present
from edge.types import Box, Face
from tests.core.looks import look


def face(size_px: float) -> Face:
    return Face(Box(0, 0, size_px, size_px), np.zeros((5, 2), dtype=np.float32), 0.99)


def test_nobody_is_chosen_of_nobody() -> None:
    assert choose([], "refuse", 60) is None


def test_two_people_are_refused_and_the_nearest_is_taken_only_when_the_owner_says_so() -> None:
    near, far = look(face_px=200, track=1, faces=2), look(face_px=90, track=2, faces=2)
    assert choose([far, near], "refuse", 60) == Unusable("several faces in view: one person at a time", several=True)
    assert choose([far, near], "nearest", 60) is near


def test_a_face_that_was_only_counted_is_refused_too() -> None:
    refused = choose([look(faces=2)], "refuse", 60)
    assert isinstance(refused, Unusable)
    assert refused.several


@pytest.mark.parametrize(
    ("flawed", "word"),
    [
        (look(face_px=59), "too small"),
        (look(face_px=float("nan")), "too small"),
        (look(yaw_deg=36), "turned away"),
        (look(yaw_deg=-80), "turned away"),
        (look(yaw_deg=float("nan")), "turned away"),
        (look(brightness=3), "too dark"),
        (look(brightness=250), "too bright"),
    ],
)
def test_a_poor_look_says_what_the_person_can_do(flawed: object, word: str) -> None:
    refused = choose([flawed], "refuse", 60)  # type: ignore[list-item]
    assert isinstance(refused, Unusable)
    assert word in refused.reason
    assert ": " in refused.reason
    assert not refused.several


def test_a_face_far_behind_or_on_a_poster_does_not_count_as_a_second_person() -> None:
    assert [f.size_px for f in present([face(30), face(100), face(41)])] == [100, 41]
    assert present([]) == []
