import numpy as np
import pytest

from edge.core.choose import SEVERAL, Unusable, choose, present
from edge.types import Box, Face, Look
from tests.core.looks import look


def face(size_px: float) -> Face:
    return Face(Box(0, 0, size_px, size_px), np.zeros((5, 2), dtype=np.float32), 0.99)


def test_nobody_is_chosen_of_nobody() -> None:
    assert choose([], 0, "refuse", 60) is None


def test_two_people_are_refused_and_the_nearest_is_taken_only_when_the_owner_says_so() -> None:
    near, far = look(face_px=200, track=1), look(face_px=90, track=2)
    assert choose([far, near], 2, "refuse", 60) == Unusable(SEVERAL, None)
    assert choose([far, near], 2, "nearest", 60) is near


def test_faces_that_were_only_counted_are_refused_too() -> None:
    assert choose([look()], 2, "refuse", 60) == Unusable(SEVERAL, None)
    assert choose([], 3, "refuse", 60) == Unusable(SEVERAL, None)
    assert choose([], 3, "nearest", 60) is None


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
def test_a_poor_look_says_what_the_person_can_do(flawed: Look, word: str) -> None:
    refused = choose([flawed], 1, "refuse", 60)
    assert isinstance(refused, Unusable)
    assert word in refused.reason
    assert ": " in refused.reason
    assert refused.look is flawed


def test_a_face_far_behind_or_on_a_poster_does_not_count_as_a_second_person() -> None:
    assert [f.size_px for f in present([face(30), face(100), face(41)])] == [100, 41]
    assert present([]) == []
