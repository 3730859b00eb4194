import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.core.track import GAP_MAX_S, SAME_FACE_MIN, SLOW_GAP_MAX_S, Tracker
from edge.types import Box, Face, FloatArray
from tests.core.looks import like


def face(x: float, size: float = 100) -> Face:
    return Face(Box(x, 0, x + size, size), np.zeros((5, 2), dtype=np.float32), 0.99)


def test_a_face_that_moves_a_little_stays_on_its_track() -> None:
    tracker = Tracker()
    ids = [tracker.update([face(x)], i * 0.1) for i, x in enumerate([0, 20, 40, 60])]
    assert ids == [[1]] * 4


def test_another_face_at_another_place_is_another_track() -> None:
    tracker = Tracker()
    assert tracker.update([face(0)], 0.0) == [1]
    assert tracker.update([face(300)], 0.1) == [2]


def test_a_face_that_was_away_is_a_new_approach() -> None:
    tracker = Tracker()
    tracker.update([face(0)], 0.0)
    tracker.update([], 0.5)
    assert tracker.update([face(0)], 0.9) == [1]
    tracker.update([], 1.0)
    assert tracker.update([face(0)], 0.9 + GAP_MAX_S + 0.01) == [2]


def test_eyes_that_are_slow_do_not_lose_a_face_between_two_frames() -> None:
    tracker = Tracker()
    assert tracker.update([face(0)], 0.0) == [1]
    assert tracker.update([face(0)], SLOW_GAP_MAX_S) == [1]
    assert tracker.update([face(0)], 2 * SLOW_GAP_MAX_S + 0.1) == [2]


def test_another_face_in_the_same_place_is_another_track_and_stays_it() -> None:
    tracker = Tracker()
    seen = []
    for number, embedding in enumerate([like(1), like(0.9), like(0.2), like(0.3), like(1), like(0.9)]):
        (track,) = tracker.update([face(0)], number * 0.1)
        seen.append(tracker.confirm(track, embedding, 1.0))
    assert seen == [1, 1, 2, 2, 3, 3]


def test_looks_that_could_not_be_used_in_between_do_not_hide_that_the_face_changed() -> None:
    tracker = Tracker()
    tracker.confirm(tracker.update([face(0)], 0.0)[0], like(1), 1.0)
    for number in range(1, 5):
        assert tracker.update([face(0)], number * 0.1) == [1]
    (track,) = tracker.update([face(0)], 0.5)
    assert tracker.confirm(track, like(0), 1.0) == 2


@given(st.lists(st.sampled_from([1.0, 0.95, 0.8, 0.0, -0.5]), min_size=1, max_size=30))
def test_a_track_never_holds_a_look_that_disagrees_with_those_before_it(similarities: list[float]) -> None:
    tracker, held = Tracker(), dict[int, FloatArray]()
    for number, similarity in enumerate(similarities):
        embedding = like(similarity)
        (track,) = tracker.update([face(0)], number * 0.1)
        track = tracker.confirm(track, embedding, 1.0)
        if track in held:
            cosine = float(held[track] @ embedding) / float(np.linalg.norm(held[track]))
            assert cosine >= SAME_FACE_MIN - 1e-6
        held[track] = held.get(track, np.zeros(4, np.float32)) + embedding


def test_time_that_runs_backwards_starts_anew() -> None:
    tracker = Tracker()
    tracker.update([face(0)], 10.0)
    assert tracker.update([face(0)], 9.0) == [2]


@given(st.lists(st.lists(st.floats(0, 600), max_size=4), max_size=15))
def test_no_two_faces_of_a_frame_share_a_track_and_ids_are_never_used_again(frames: list[list[float]]) -> None:
    tracker = Tracker()
    last_seen: dict[int, int] = {}
    for number, places in enumerate(frames):
        ids = tracker.update([face(x) for x in places], number * 0.1)
        assert len(set(ids)) == len(places)
        for track in ids:
            assert number - last_seen.get(track, number) <= GAP_MAX_S * 10 + 1
            last_seen[track] = number
