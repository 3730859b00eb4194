"""Which looks are kept at the camera, and what the person is told."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.quality import enrolment_flaw
from edge.core.sitting import APART_S, GOOD_BYE, LIKE_MIN, PATIENCE_S, Sitting, Wish
from edge.types import SAME_PERSON_MIN, SAME_PICTURE_SIMILARITY, Embedding, Look
from tests.core.looks import look

STEP_S = 0.2


def portrait(seed: int, spread: float = 0.35, person: int = 0) -> Embedding:
    """One person's face, a little different with every seed."""
    vector = np.random.default_rng(seed).normal(size=16) * spread / 4
    vector[person] += 1
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def seen(at_s: float, embedding: Embedding, yaw_deg: float = 0, face_px: float = 120, **poor: float) -> Look:
    quality = replace(look(yaw_deg=yaw_deg, face_px=face_px).quality, **poor)
    return replace(look(at_s), embedding=embedding, quality=quality)


class Person:
    """Somebody before the camera, one look every ``STEP_S``."""

    def __init__(self, sitting: Sitting) -> None:
        self.sitting, self.now_s, self.seed = sitting, 100.0, 0

    def gives(self, yaw_deg: float = 0, face_px: float = 120, **poor: float) -> bool:
        self.now_s += STEP_S
        self.seed += 1
        return self.sitting.add([seen(self.now_s, portrait(self.seed), yaw_deg, face_px, **poor)], 1)

    def stays(self, for_s: float, yaw_deg: float = 0, face_px: float = 120) -> None:
        for _ in range(round(for_s / STEP_S)):
            self.gives(yaw_deg, face_px)


OBEYED = {
    Wish.AHEAD.value: (0.0, 120.0),
    Wish.LEFT.value: (15.0, 120.0),
    Wish.RIGHT.value: (-15.0, 120.0),
    Wish.NEAR.value: (0.0, 160.0),
    Wish.FAR.value: (0.0, 95.0),
}


def test_who_does_as_told_gives_five_poses_within_seconds() -> None:
    sitting = Sitting(5, 60)
    person = Person(sitting)
    pose = (0.0, 120.0)
    while not sitting.complete:
        pose = OBEYED.get(sitting.guidance, pose)
        person.gives(*pose)
    assert [each.wish for each in sitting.kept] == list(Wish)
    assert sitting.guidance == GOOD_BYE
    assert person.now_s - 100 < 10
    assert not sitting.refused
    assert not person.gives()


def test_left_is_the_persons_own() -> None:
    """Which is the picture's right, where yaw is positive."""
    sitting = Sitting(3, 60)
    person = Person(sitting)
    person.stays(2)
    assert sitting.guidance == "turn a little left"
    assert not person.gives(-15)
    assert person.gives(15)


def test_who_cannot_turn_or_move_is_enrolled_all_the_same() -> None:
    sitting = Sitting(5, 60)
    person = Person(sitting)
    person.stays(5 * (PATIENCE_S + APART_S))
    assert sitting.complete
    assert [each.wish for each in sitting.kept] == [Wish.AHEAD, None, None, None, None]


def test_a_head_that_is_always_turned_is_enrolled_too() -> None:
    sitting = Sitting(3, 60)
    Person(sitting).stays(30, yaw_deg=18)
    assert sitting.complete


def test_one_look_gives_one_template_until_a_second_has_passed() -> None:
    sitting = Sitting(5, 60)
    person = Person(sitting)
    person.gives()
    assert not person.gives(15)
    assert sitting.guidance == "hold still"
    person.stays(APART_S, 15)
    assert len(sitting.kept) == 2


def test_the_same_picture_never_counts_twice() -> None:
    sitting = Sitting(3, 60)
    for number in range(200):
        sitting.add([seen(100 + number * STEP_S, portrait(1))], 1)
    assert len(sitting.kept) == 1
    assert sitting.refused["the same picture again"] == 199


def test_a_frame_that_comes_again_or_late_is_not_kept() -> None:
    sitting = Sitting(3, 60)
    sitting.add([seen(100, portrait(1))], 1)
    for number in range(100):
        sitting.add([seen(100 - number, portrait(number + 2))], 1)
    assert len(sitting.kept) == 1
    assert not sitting.refused


def test_somebody_else_is_not_taken_into_the_set() -> None:
    sitting = Sitting(3, 60)
    person = Person(sitting)
    person.stays(1)
    for number in range(100):
        sitting.add([seen(200 + number * STEP_S, portrait(number, person=1))], 1)
    assert len(sitting.kept) == 1
    assert "somebody else than in the looks kept" in sitting.refused
    assert "one person only" in sitting.guidance


def test_what_covers_the_face_is_to_be_taken_off() -> None:
    sitting = Sitting(3, 60)
    first = portrait(1, spread=0)
    sitting.add([seen(100, first)], 1)
    covered = np.zeros_like(first)
    covered[:2] = 0.5, np.sqrt(0.75)
    assert SAME_PERSON_MIN < float(first @ covered) < LIKE_MIN
    for number in range(1, 100):
        sitting.add([seen(100 + number, covered)], 1)
    assert len(sitting.kept) == 1
    assert "take off what covers your face" in sitting.guidance


@pytest.mark.parametrize(
    ("poor", "words"),
    [
        ({"face_px": 60.0}, "come closer"),
        ({"brightness": 40.0}, "more light"),
        ({"brightness": 240.0}, "less light"),
        ({"sharpness": 0.01}, "hold still"),
        ({"eyes": 0.2}, "take off dark glasses"),
        ({"yaw_deg": 30.0}, "look at the camera"),
    ],
)
def test_a_poor_look_is_not_kept_and_its_remedy_is_said(poor: dict[str, float], words: str) -> None:
    sitting = Sitting(5, 60)
    person = Person(sitting)
    for _ in range(100):
        assert not person.gives(**poor)
    assert words in sitting.guidance
    assert sum(sitting.refused.values()) == 100


def test_who_turned_too_far_turns_back_a_little() -> None:
    sitting = Sitting(5, 60)
    person = Person(sitting)
    person.gives()
    person.gives(40)
    assert sitting.guidance == "turn back a little"


def test_one_person_only() -> None:
    sitting = Sitting(5, 60)
    two = [seen(100, portrait(1)), seen(100, portrait(2), face_px=100)]
    assert not sitting.add(two, 2)
    assert sitting.guidance == "one person only"
    assert not sitting.add([seen(101, portrait(1))], 2)  # one whom the eyes send no look of
    assert sitting.guidance == "one person only"
    assert not sitting.add([], 0)
    assert sitting.guidance == "come before the camera"


def test_passers_by_and_what_is_no_face_do_not_disturb() -> None:
    sitting = Sitting(5, 60)
    behind = seen(100, portrait(2), face_px=40)
    shirt = seen(100, portrait(3), face_px=400, probability=0.8)
    assert sitting.add([shirt, seen(100, portrait(1)), behind], 3)


def test_who_is_too_far_to_step_back_is_not_asked_to() -> None:
    sitting = Sitting(5, 60)
    person = Person(sitting)
    said = set()
    for _ in range(400):
        person.gives(face_px=85)
        said.add(sitting.guidance)
    assert sitting.complete
    assert Wish.FAR.value not in said


frames = st.lists(
    st.tuples(
        st.floats(-0.5, 8),  # seconds since the frame before
        st.integers(0, 30),  # whose face, and how it looks
        st.integers(0, 1),
        st.sampled_from([0.0, 15.0, -15.0, 30.0]),
        st.sampled_from([70.0, 95.0, 120.0, 160.0]),
        st.sampled_from([0.01, 0.2]),
    ),
    max_size=60,
)


@given(frames, st.integers(3, 8))
def test_whatever_is_shown_only_good_looks_of_one_person_that_differ_are_kept(
    shown: list[tuple[float, int, int, float, float, float]], wanted: int
) -> None:
    sitting, now_s, kept_s = Sitting(wanted, 60), 100.0, []
    for pause_s, seed, person, yaw_deg, face_px, sharpness in shown:
        now_s += pause_s
        before = len(sitting.kept)
        look = seen(now_s, portrait(seed, person=person), yaw_deg, face_px, sharpness=sharpness)
        if sitting.add([look], 1):
            kept_s.append(now_s)
        assert len(sitting.kept) - before == (kept_s[-1:] == [now_s] and len(kept_s) > before)
        assert sitting.guidance
    assert len(sitting.kept) == len(kept_s) <= wanted
    assert all(enrolment_flaw(each.quality, 60) is None for each in sitting.kept)
    assert all(later - earlier >= APART_S for earlier, later in pairwise(kept_s))
    if sitting.kept:
        rows = np.stack([each.embedding for each in sitting.kept])
        others = (rows @ rows.T)[~np.eye(len(rows), dtype=bool)]
        assert not others.size or others.min() >= SAME_PERSON_MIN
        assert not others.size or others.max() <= SAME_PICTURE_SIMILARITY
