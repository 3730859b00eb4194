"""The signs of a living face, on scenes whose answer is known, and the judge over a track."""

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.living.edges import STEP_MAX, edges
from edge.core.living.judge import (
    CLEAR,
    GAP_MAX_S,
    HOLDS_S,
    LOOKS_MAX,
    LOOKS_NEEDED,
    MEASURE_EVERY,
    TRACKS_MAX,
    UNDECIDED,
    Judge,
    Signs,
    Weights,
    is_measured,
    judged,
    pooled,
    probability,
)
from edge.core.living.parallax import parallax
from edge.core.living.view import SIDE_PX, View, view
from edge.types import FloatArray, Rgb

WEIGHTS = Weights(bias=4.0, appearance=0.5, edges=-0.5, parallax=-1.0)
LIVE, ATTACK = Signs(0.99, 4.0, -0.5), Signs(0.01, 11.0, 0.5)

FACE = np.array([[-35, -40], [35, -40], [0, 0], [-28, 40], [28, 40]], dtype=np.float32)
"""Landmarks about their middle, of a face some 190 px high."""

signs = st.builds(
    Signs,
    st.floats(0, 1),
    st.none() | st.floats(0, STEP_MAX),
    st.none() | st.floats(-5, 5),
)


def room(seed: int = 0) -> npt.NDArray[np.float32]:
    """A wall with blotches of some 20 px, 480x640, and no straight line."""
    noise = np.random.default_rng(seed).normal(size=(480, 640))
    reach = np.hypot(np.fft.fftfreq(480)[:, None], np.fft.fftfreq(640)[None])
    smooth = np.fft.ifft2(np.fft.fft2(noise) * np.exp(-((reach * 60) ** 2))).real
    return np.asarray(110 + 10 * smooth / smooth.std(), dtype=np.float32)


def shown(grey: npt.NDArray[np.float32], seed: int = 1) -> Rgb:
    """As a camera sees it, with a sensor's noise."""
    noisy = grey[:, :, None] + np.random.default_rng(seed).normal(0, 2, (*grey.shape, 3))
    return noisy.clip(0, 255).astype(np.uint8)


def at(x: float, y: float, scale: float = 1.0) -> FloatArray:
    return (FACE * np.float32(scale) + np.array([x, y], dtype=np.float32)).astype(np.float32)


def seen(rgb: Rgb, landmarks: FloatArray) -> View:
    found = view(rgb, landmarks)
    assert found is not None
    return found


def sheet(tilt: float = 0.0) -> npt.NDArray[np.float32]:
    """A white sheet 280 px wide before the wall, about the middle, leaning by the tangent ``tilt``."""
    grey = room()
    y, x = np.mgrid[:480, :640]
    across, down = (x - 320) - tilt * (y - 240), (y - 240) + tilt * (x - 320)
    return np.where((np.abs(across) < 140) & (np.abs(down) < 170), 180 + 0.3 * (grey - 110), grey).astype(np.float32)


@pytest.mark.parametrize("tilt", [-0.25, 0.0, 0.12])
def test_a_sheet_has_edges_and_a_wall_has_none(tilt: float) -> None:
    assert edges(seen(shown(room()), at(320, 240))) < 5
    assert edges(seen(shown(sheet(tilt)), at(320, 240))) > 7


def test_one_edge_alone_is_no_sheet() -> None:
    grey = room()
    grey[:, 440:] += 60  # a door frame, at one side
    assert edges(seen(shown(grey), at(320, 240))) < 5


def test_a_sheet_is_as_straight_from_far_away() -> None:
    near = shown(sheet())
    far = np.full((480, 640, 3), 110, np.uint8)
    far[120:360, 160:480] = near[::2, ::2]
    assert edges(seen(far, at(320, 240, 0.5))) > 7


def test_a_person_moves_before_the_wall_and_a_sheet_takes_its_wall_along() -> None:
    wall, sheet_of_wall = room(), np.roll(room(), 15, axis=1)
    before = seen(shown(wall), at(310, 240))
    person = shown(wall, 2)
    assert (parallax(before, seen(person, at(325, 240)), person) or 0) < -0.5
    picture = shown(sheet_of_wall, 2)
    assert (parallax(before, seen(picture, at(325, 240)), picture) or 0) > 0.5


def test_who_stands_still_shows_nothing_by_it() -> None:
    first, second = shown(room(), 1), shown(room(), 2)
    found = parallax(seen(first, at(320, 240)), seen(second, at(320, 240)), second)
    assert found == pytest.approx(0, abs=0.1)


def test_a_face_that_fills_the_frame_has_no_surroundings() -> None:
    rgb = shown(room())[140:340, 220:420]
    now = seen(rgb, at(100, 100))
    assert parallax(now, now, rgb) is None


def test_colours_are_not_looked_at() -> None:
    """A camera without an infra-red filter gives grey pictures."""
    rgb = shown(sheet())
    grey = np.repeat(rgb[:, :, 1:2], 3, axis=2)
    assert edges(seen(rgb, at(320, 240))) == edges(seen(grey, at(320, 240)))


@given(st.floats(allow_nan=True), st.floats(allow_nan=True), st.floats(-10, 1000))
def test_any_landmarks_give_a_view_or_none(x: float, y: float, scale: float) -> None:
    rgb = np.full((120, 160, 3), 90, np.uint8)
    with np.errstate(all="ignore"):
        points = at(x, y, scale)
        found = view(rgb, points)
    if found is not None:
        assert found.grey.shape == found.inside.shape == (SIDE_PX, SIDE_PX)
        assert found.grey.min() == found.grey.max() == 90
        assert edges(found) == 0


def test_a_face_at_the_edge_of_the_frame_is_seen_with_what_there_is() -> None:
    rgb = shown(room())
    found = seen(rgb, at(5, 240))
    assert not found.inside[:, :30].any()
    assert found.inside[:, 60:].all()
    assert view(rgb, at(-1, 240)) is None


@given(st.lists(signs, min_size=1, max_size=20))
def test_the_answer_is_a_probability_whatever_the_signs(looks: list[Signs]) -> None:
    assert 0 <= judged(looks, WEIGHTS) <= 1
    if len(looks) < LOOKS_NEEDED:
        assert judged(looks, WEIGHTS) <= UNDECIDED


@given(st.lists(signs, min_size=LOOKS_NEEDED, max_size=LOOKS_MAX))
def test_a_missing_sign_counts_as_the_worst(looks: list[Signs]) -> None:
    whole = probability(looks, WEIGHTS) + 1e-9
    assert probability([replace(each, edges=None) for each in looks], WEIGHTS) <= whole
    assert probability([replace(each, parallax=None) for each in looks], WEIGHTS) <= whole


@given(st.lists(signs, max_size=LOOKS_MAX))
def test_whoever_was_live_does_not_vouch_for_a_picture(before: list[Signs]) -> None:
    """The last looks decide alone, too: three of a picture are enough."""
    assert judged([*before, *[ATTACK] * LOOKS_NEEDED], WEIGHTS) < 0.1


def test_nothing_is_live_before_enough_looks() -> None:
    judge = Judge(WEIGHTS)
    said = [judge.add(1, LIVE, 100 + i / 10) for i in range(LOOKS_NEEDED)]
    assert said[:-1] == [UNDECIDED] * (LOOKS_NEEDED - 1)
    assert said[-1] is not None
    assert said[-1] > 0.95


def test_a_picture_is_an_attack_at_once() -> None:
    assert (Judge(WEIGHTS).add(1, ATTACK, 100.0) or 1) < 0.1


@pytest.mark.parametrize(
    "bad",
    [None, replace(LIVE, appearance=math.nan), replace(LIVE, appearance=1.5), replace(LIVE, edges=math.inf)],
)
def test_a_look_that_was_not_measured_makes_the_track_begin_again(bad: Signs | None) -> None:
    judge = Judge(WEIGHTS)
    for i in range(5):
        judge.add(1, LIVE, 100 + i / 10)
    assert judge.add(1, bad, 100.5) is None
    assert judge.add(1, LIVE, 100.6) == UNDECIDED


@pytest.mark.parametrize("later_s", [GAP_MAX_S + 0.1, 0.0, -1.0])
def test_a_gap_makes_the_track_begin_again(later_s: float) -> None:
    judge = Judge(WEIGHTS)
    for i in range(5):
        judge.add(1, LIVE, 100 + i / 10)
    assert judge.add(1, LIVE, 100.4 + later_s) == UNDECIDED


def test_tracks_do_not_vouch_for_each_other() -> None:
    judge = Judge(WEIGHTS)
    for i in range(5):
        judge.add(1, LIVE, 100 + i / 10)
        assert (judge.add(2, ATTACK, 100 + i / 10) or 1) < 0.1
    assert judge.add(3, LIVE, 100.5) == UNDECIDED


def test_a_flood_of_tracks_is_forgotten() -> None:
    judge = Judge(WEIGHTS)
    for track in range(10 * TRACKS_MAX):
        judge.add(track, LIVE, 100 + track / 100)
    assert len(judge._tracks) == TRACKS_MAX


def walked(judge: Judge, looks: int, step_s: float) -> list[bool]:
    """Which looks of a live face were measured."""
    measured = []
    for i in range(looks):
        captured_s = 100 + i * step_s
        measured.append(judge.held(1, captured_s) is None)
        if measured[-1]:
            judge.add(1, LIVE, captured_s)
    return measured


@pytest.mark.parametrize("step_s", [1 / 15, 0.1, 0.2])
def test_once_there_are_enough_looks_an_answer_holds_for_the_next_few(step_s: float) -> None:
    measured = walked(Judge(WEIGHTS), 40, step_s)
    assert measured == [is_measured(i) for i in range(40)]
    assert measured[: LOOKS_NEEDED + 2] == [*[True] * LOOKS_NEEDED, False, False]
    assert sum(measured[LOOKS_NEEDED:]) == (40 - LOOKS_NEEDED) // MEASURE_EVERY


def test_an_answer_that_is_not_clear_holds_for_no_other_look() -> None:
    judge = Judge(WEIGHTS)
    for appearance, held in ((0.99, True), (0.5, False), (0.01, True)):
        for i in range(LOOKS_NEEDED):
            answer = judge.add(1, Signs(appearance, 8.0, 0.0), 100 + i / 10)
        assert answer is not None
        assert (CLEAR < answer < 1 - CLEAR) != held
        assert (judge.held(1, 100.3) is not None) == held
        judge.forget(1)


def test_on_a_slow_board_every_look_is_measured() -> None:
    assert all(walked(Judge(WEIGHTS), 10, HOLDS_S + 0.05))


def test_an_answer_that_holds_is_the_last_one_and_holds_for_its_track_alone() -> None:
    judge = Judge(WEIGHTS)
    said = [judge.add(1, LIVE, 100 + i / 10) for i in range(LOOKS_NEEDED)]
    assert judge.held(2, 100.3) is None
    assert judge.held(1, 100.3) == said[-1]
    assert judge.held(1, 100.3) is None  # not twice for one moment, nor for one before it
    judge.forget(1)
    assert judge.held(1, 100.4) is None
    assert judge.add(1, LIVE, 100.4) == UNDECIDED


@pytest.mark.parametrize("answers", [[LIVE], [LIVE, LIVE], [LIVE, LIVE, LIVE, None], [LIVE, LIVE, LIVE, "gap"]])
def test_nothing_holds_before_there_are_enough_looks_nor_after_an_interruption(
    answers: list[Signs | str | None],
) -> None:
    judge = Judge(WEIGHTS)
    now_s = 100.0
    for answer in answers:
        now_s += 0.1
        if isinstance(answer, str):
            now_s += GAP_MAX_S
        else:
            judge.add(1, answer, now_s)
    assert judge.held(1, now_s + 0.1) is None


def test_signs_are_means_of_what_was_seen() -> None:
    looks = [Signs(0.5, 2.0, None), Signs(0.5, 4.0, -9.0)]
    assert pooled(looks) == pytest.approx((0.0, 3.0, -1.0))
