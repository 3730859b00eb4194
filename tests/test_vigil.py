"""Who is alive, over frames: the network's part is played, the signs and the judge are real."""

import numpy as np
import pytest

from edge.core.living.judge import LOOKS_NEEDED, MEASURE_EVERY, UNDECIDED, Weights
from edge.errors import FaceError, ModelError
from edge.types import Box, Embedding, Face, FloatArray, Frame, Rgb
from edge.vigil import SAME_FACE_MIN, Vigil

WEIGHTS = Weights(bias=0.0, appearance=1.0, edges=0.0, parallax=-1.0)
"""Blind to edges, so that the test pictures may be simple."""

LANDMARKS = np.array([[285, 200], [355, 200], [320, 240], [292, 280], [348, 280]], dtype=np.float32)


def like(cosine: float) -> Embedding:
    """A face as much like ``ADA`` as that."""
    return np.array([cosine, np.sqrt(1 - cosine**2), 0], dtype=np.float32)


ADA = like(1)


class Says:
    """A liveness network that always answers the same, or fails."""

    def __init__(self, answer: float | Exception) -> None:
        self.answer = answer
        self.asked = 0

    def probability(self, rgb: Rgb, face: Face) -> float:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def face(landmarks: FloatArray = LANDMARKS) -> Face:
    return Face(Box(240, 130, 400, 350), landmarks, 1.0)


def frame(number: int) -> Frame:
    rgb = np.random.default_rng(number).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    return Frame(rgb, 100 + number / 10, number)


def watched(vigil: Vigil, frames: int, start: int = 0, who: Embedding = ADA) -> list[float | None]:
    return [vigil.see(frame(start + i), {1: (face(), who)})[1] for i in range(frames)]


def is_live(answer: float | None) -> bool:
    return answer is not None and answer > UNDECIDED


def test_a_live_face_is_live_once_there_are_enough_looks() -> None:
    said = watched(Vigil(Says(0.99), WEIGHTS), LOOKS_NEEDED + 1)
    assert [p is not None and p > UNDECIDED for p in said] == [False] * (LOOKS_NEEDED - 1) + [True] * 2


def test_a_picture_is_none() -> None:
    assert all(p is not None and p < 0.1 for p in watched(Vigil(Says(0.01), WEIGHTS), 5))


@pytest.mark.parametrize("error", [FaceError("The face is too small."), ModelError("The network does not run.")])
def test_a_network_that_cannot_judge_makes_nobody_live(error: Exception) -> None:
    network = Says(0.99)
    vigil = Vigil(network, WEIGHTS)
    watched(vigil, LOOKS_NEEDED - 1)
    network.answer = error
    assert watched(vigil, 2, 5) == [None, None]
    network.answer = 0.99
    assert watched(vigil, 1, 7) == [UNDECIDED]


def test_landmarks_that_are_none_make_nobody_live() -> None:
    same = np.zeros((5, 2), dtype=np.float32)
    assert Vigil(Says(0.99), WEIGHTS).see(frame(0), {1: (face(same), ADA)}) == {1: None}


def test_a_track_left_out_of_a_frame_has_nothing_to_compare_with_after_it() -> None:
    """Its next look has no parallax, which counts as the worst, and is not compared with somebody else's."""
    vigil = Vigil(Says(0.99), WEIGHTS)
    watched(vigil, 2)
    vigil.see(frame(2), {})
    assert vigil.see(frame(3), {2: (face(), ADA)}) == {2: UNDECIDED}


def test_faces_of_one_frame_are_judged_apart() -> None:
    vigil = Vigil(Says(0.99), WEIGHTS)
    watched(vigil, 5)
    said = vigil.see(frame(5), {1: (face(), ADA), 2: (face(LANDMARKS + np.float32(40)), ADA)})
    assert said[2] == UNDECIDED
    assert is_live(said[1])


def test_the_network_is_not_asked_about_every_look_of_a_face() -> None:
    network = Says(0.99)
    said = watched(Vigil(network, WEIGHTS), LOOKS_NEEDED + 2 * MEASURE_EVERY)
    assert network.asked == LOOKS_NEEDED + 2
    assert all(is_live(answer) for answer in said[LOOKS_NEEDED - 1 :])


@pytest.mark.parametrize("cosine", [0.0, 0.5, SAME_FACE_MIN - 0.01, float("nan")])
@pytest.mark.parametrize("at", range(LOOKS_NEEDED, LOOKS_NEEDED + MEASURE_EVERY))
def test_a_photograph_held_before_a_live_face_gains_nothing_by_what_was_said_of_it(at: int, cosine: float) -> None:
    """Whichever look it comes in at, also where the tracker takes it for the same face: not one of its looks is live.
    It may be of somebody as much like the one who holds it as two people ever were in a row."""
    network = Says(0.99)
    vigil = Vigil(network, WEIGHTS)
    assert is_live(watched(vigil, at)[-1])
    network.answer = 0.01
    said = watched(vigil, 10, at, like(cosine))
    assert not any(is_live(answer) for answer in said)
    assert all(answer is not None and answer < 0.1 for answer in said[1:])


def test_a_photograph_taken_away_leaves_the_face_behind_it_to_begin_anew() -> None:
    network = Says(0.01)
    vigil = Vigil(network, WEIGHTS)
    watched(vigil, 10, 0, like(0.5))
    network.answer = 0.99
    said = watched(vigil, LOOKS_NEEDED, 10)
    assert [is_live(answer) for answer in said] == [False] * (LOOKS_NEEDED - 1) + [True]


def test_the_same_face_with_another_expression_goes_on() -> None:
    vigil = Vigil(Says(0.99), WEIGHTS)
    watched(vigil, LOOKS_NEEDED)
    assert is_live(watched(vigil, 1, LOOKS_NEEDED, like(SAME_FACE_MIN + 0.01))[0])


def test_a_look_missed_in_between_changes_nothing() -> None:
    """A hand before the face, a turned head: the tracker goes on for as long, too."""
    vigil = Vigil(Says(0.99), WEIGHTS)
    watched(vigil, LOOKS_NEEDED)
    vigil.see(frame(LOOKS_NEEDED), {})
    assert is_live(watched(vigil, 1, LOOKS_NEEDED + 1)[0])
