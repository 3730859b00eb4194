"""Who is alive, over frames: the network's part is played, the signs and the judge are real."""

import numpy as np
import pytest

from edge.core.living.judge import LOOKS_NEEDED, UNDECIDED, Weights
from edge.errors import FaceError, ModelError
from edge.types import Box, Face, FloatArray, Frame, Rgb
from edge.vigil import Vigil

WEIGHTS = Weights(bias=0.0, appearance=1.0, edges=0.0, parallax=-1.0)
"""Blind to edges, so that the test pictures may be simple."""

LANDMARKS = np.array([[285, 200], [355, 200], [320, 240], [292, 280], [348, 280]], dtype=np.float32)


class Says:
    """A liveness network that always answers the same, or fails."""

    def __init__(self, answer: float | Exception) -> None:
        self.answer = answer

    def probability(self, rgb: Rgb, face: Face) -> float:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def face(landmarks: FloatArray = LANDMARKS) -> Face:
    return Face(Box(240, 130, 400, 350), landmarks, 1.0)


def frame(number: int) -> Frame:
    rgb = np.random.default_rng(number).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    return Frame(rgb, 100 + number / 10, number)


def watched(vigil: Vigil, frames: int, start: int = 0) -> list[float | None]:
    return [vigil.see(frame(start + i), {1: face()})[1] for i in range(frames)]


def test_a_live_face_is_live_once_there_are_enough_looks() -> None:
    said = watched(Vigil(Says(0.99), WEIGHTS), LOOKS_NEEDED + 1)
    assert [p is not None and p > UNDECIDED for p in said] == [False] * (LOOKS_NEEDED - 1) + [True] * 2


def test_a_picture_is_none() -> None:
    assert all(p is not None and p < 0.1 for p in watched(Vigil(Says(0.01), WEIGHTS), 5))


@pytest.mark.parametrize("error", [FaceError("The face is too small."), ModelError("The network does not run.")])
def test_a_network_that_cannot_judge_makes_nobody_live(error: Exception) -> None:
    network = Says(0.99)
    vigil = Vigil(network, WEIGHTS)
    watched(vigil, 5)
    network.answer = error
    assert watched(vigil, 1, 5) == [None]
    network.answer = 0.99
    assert watched(vigil, 1, 6) == [UNDECIDED]


def test_landmarks_that_are_none_make_nobody_live() -> None:
    same = np.zeros((5, 2), dtype=np.float32)
    assert Vigil(Says(0.99), WEIGHTS).see(frame(0), {1: face(same)}) == {1: None}


def test_a_track_left_out_of_a_frame_has_nothing_to_compare_with_after_it() -> None:
    """Its next look has no parallax, which counts as the worst, and is not compared with somebody else's."""
    vigil = Vigil(Says(0.99), WEIGHTS)
    watched(vigil, 2)
    vigil.see(frame(2), {})
    assert vigil.see(frame(3), {2: face()}) == {2: UNDECIDED}


def test_faces_of_one_frame_are_judged_apart() -> None:
    vigil = Vigil(Says(0.99), WEIGHTS)
    watched(vigil, 5)
    said = vigil.see(frame(5), {1: face(), 2: face(LANDMARKS + np.float32(40))})
    assert said[2] == UNDECIDED
    assert (said[1] or 0) > UNDECIDED
