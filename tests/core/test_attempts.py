"""Attempts, waiting grants and liveness: what evidence says beside yes and no."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.evidence import (
    APPROACH_S,
    GONE_S,
    GRANT_S,
    PAUSE_S,
    TRACKS_MAX,
    Attempt,
    Evidence,
    Recognised,
    Refused,
    Terms,
)
from edge.core.match import Index
from edge.core.stopping import STANDARD
from edge.types import Embedding
from tests.core.looks import ADA_AND_BOB, NOBODY, like, look

TERMS = Terms(0.6, 0.05, look_age_max_s=0.5, near_miss=0.1)
LIVE = replace(TERMS, liveness_min=0.5)
ADA, BOB, NEAR, FAR, TWINS = like(0.8), like(0, 0.8), like(0.55), like(0.49), like(0.7, 0.68)


def shown(
    evidence: Evidence,
    embedding: Embedding,
    start_s: float,
    looks: int = 5,
    track: int = 1,
    index: Index = ADA_AND_BOB,
    every_s: float = 0.1,
) -> list[object]:
    times = [start_s + i * every_s for i in range(looks)]
    return [
        evidence.add(look(at_s, track=track, frame=i, embedding=embedding), index.best, at_s)
        for i, at_s in enumerate(times)
    ]


def judged_live(evidence: Evidence, liveness: list[float | None], start_s: float = 100.0) -> list[object]:
    return [
        evidence.add(look(at_s, liveness=p, embedding=ADA, frame=i), ADA_AND_BOB.best, at_s)
        for i, p in enumerate(liveness)
        for at_s in [start_s + i / 10]
    ]


def told(evidence: Evidence, now_s: float) -> list[tuple[int, float, int]]:
    """Attempts at whom, how close, by which track."""
    return [(each.person_id, round(each.similarity, 5), each.track) for each in evidence.attempts(now_s)]


def test_a_near_miss_is_one_attempt_when_the_approach_is_over() -> None:
    evidence = Evidence(TERMS)
    shown(evidence, NEAR, 100.0)
    assert evidence.attempts(100.5) == []
    (attempt,) = evidence.attempts(100.4 + GONE_S + 0.01)
    assert replace(attempt, similarity=0.55) == Attempt(1, "Ada", 0.55, 1)
    assert attempt.similarity == pytest.approx(0.55, abs=1e-5)
    assert evidence.attempts(200.0) == []


@pytest.mark.parametrize(("embedding", "index"), [(FAR, ADA_AND_BOB), (TWINS, ADA_AND_BOB), (ADA, NOBODY)])
def test_a_clear_stranger_a_twin_and_an_empty_gallery_count_for_nothing(embedding: Embedding, index: Index) -> None:
    evidence = Evidence(TERMS)
    shown(evidence, embedding, 100.0, index=index)
    assert evidence.attempts(200.0) == []


def test_whoever_is_recognised_in_the_end_was_no_attempt() -> None:
    evidence = Evidence(TERMS)
    shown(evidence, NEAR, 100.0)
    shown(evidence, ADA, 100.5)
    assert evidence.attempts(200.0) == []


def test_an_approach_that_ends_before_anybody_could_be_recognised_is_no_attempt() -> None:
    """As eyes on a busy board make many of an owner who is walking up: they must lock nobody out."""
    evidence = Evidence(TERMS)
    for number in range(20):
        shown(evidence, ADA, 100.0 + 5 * number, looks=STANDARD.looks_min - 1, track=number)
        assert evidence.attempts(104.9 + 5 * number) == []


@pytest.mark.parametrize("every_s", [0.7, 1.0, 2.9])
def test_an_owner_before_slow_eyes_comes_in_and_is_no_attempt(every_s: float) -> None:
    evidence = Evidence(TERMS)
    said = shown(evidence, ADA, 100.0, every_s=every_s)
    assert isinstance(said[1], Recognised)
    assert evidence.attempts(200.0) == []


def test_what_was_not_clear_enough_so_early_is_an_attempt() -> None:
    evidence = Evidence(TERMS)
    shown(evidence, like(0.65), 100.0, looks=2)
    assert told(evidence, 200.0) == [(1, 0.65, 1)]


def test_an_attempt_is_at_whom_the_looks_resembled_most() -> None:
    evidence = Evidence(TERMS)
    for number, embedding in enumerate((NEAR, NEAR, like(0, 0.57), like(0, 0.57), like(0, 0.57), like(0, 0.57))):
        shown(evidence, embedding, 100.0 + number / 10, looks=1)
    assert told(evidence, 200.0) == [(1, 0.55, 1)]
    for number, embedding in enumerate((like(0, 0.59), like(0, 0.59), like(0, 0.5), like(0, 0.5))):
        shown(evidence, embedding, 300.0 + number / 10, looks=1)
    assert told(evidence, 400.0) == [(2, 0.59, 1)]


def test_who_stays_in_front_of_the_camera_makes_one_attempt_after_the_other() -> None:
    evidence = Evidence(TERMS)
    counted = 0
    for i in range(600):
        now_s = 100 + i / 10
        shown(evidence, NEAR, now_s, looks=1)
        counted += len(evidence.attempts(now_s))
    assert counted == pytest.approx(60 / (STANDARD.looks_max / 10 + PAUSE_S), abs=1)


def test_who_stays_and_is_hardly_seen_makes_attempts_as_well() -> None:
    evidence = Evidence(TERMS)
    counted = 0
    for i in range(60):
        now_s = 100 + 2 * i
        shown(evidence, NEAR, now_s, looks=1)
        counted += len(evidence.attempts(now_s))
    assert counted == pytest.approx(120 / (APPROACH_S + PAUSE_S), abs=1)


def test_a_new_track_ends_the_approach_before_it() -> None:
    evidence = Evidence(TERMS)
    shown(evidence, NEAR, 100.0, track=1)
    shown(evidence, FAR, 100.5, track=2)
    assert told(evidence, 101.0) == [(1, 0.55, 1)]


def test_a_second_face_ends_the_approach_and_wipes_no_attempt() -> None:
    evidence = Evidence(TERMS)
    shown(evidence, NEAR, 100.0)
    evidence.spoil("several", 100.5, 5)
    assert told(evidence, 100.6) == [(1, 0.55, 1)]


def test_eyes_that_start_anew_do_not_wipe_an_attempt() -> None:
    evidence = Evidence(TERMS)
    shown(evidence, NEAR, 100.0)
    evidence.forget_all()
    assert len(evidence.attempts(100.5)) == 1


def test_a_million_tracks_are_not_remembered() -> None:
    evidence = Evidence(TERMS)
    for track in range(1000):
        shown(evidence, NEAR, 100.0 + track, looks=STANDARD.looks_max, track=track, every_s=0.01)
    assert len(evidence.attempts(2000.0)) <= TRACKS_MAX
    assert len(evidence._pauses) <= TRACKS_MAX
    assert len(evidence._said) <= TRACKS_MAX


@given(st.lists(st.tuples(st.sampled_from([ADA, NEAR, FAR]), st.integers(1, 3)), max_size=60))
def test_there_are_never_more_attempts_than_approaches(history: list[tuple[Embedding, int]]) -> None:
    evidence, now_s, tracks, attempts = Evidence(TERMS), 100.0, 0, 0
    before = 0
    for embedding, track in history:
        now_s += 0.1
        tracks += track != before
        before = track
        shown(evidence, embedding, now_s, looks=1, track=track)
        attempts += len(evidence.attempts(now_s))
    assert attempts + len(evidence.attempts(now_s + 100)) <= tracks


def test_a_grant_that_waits_stands_while_the_face_is_looking_and_no_longer() -> None:
    evidence = Evidence(TERMS)
    assert isinstance(shown(evidence, ADA, 100.0)[1], Recognised)
    standing = evidence.standing(100.4 + GRANT_S)
    assert standing is not None
    assert standing.person_id == 1
    assert evidence.standing(100.4 + GRANT_S + 0.01) is None
    assert evidence.standing(100.5) is None


def test_a_grant_dies_when_the_face_turns_away() -> None:
    evidence = Evidence(TERMS)
    shown(evidence, ADA, 100.0)
    evidence.unusable("turned away", look(100.5))
    assert evidence.standing(100.5) is None
    assert shown(evidence, ADA, 100.6) == [None] * 5  # who wants in again steps aside and comes back
    assert evidence.standing(101.0) is None


def test_a_grant_dies_when_another_face_takes_its_place_or_joins() -> None:
    ways: list[Callable[[Evidence], object]] = [
        lambda evidence: evidence.spoil("several", 100.5, 5),
        lambda evidence: shown(evidence, BOB, 100.5, looks=1),
        lambda evidence: evidence.weigh_anew(),
        lambda evidence: evidence.forget_all(),
    ]
    for spoil in ways:
        evidence = Evidence(TERMS)
        shown(evidence, ADA, 100.0)
        spoil(evidence)
        assert evidence.standing(100.5) is None


def test_a_stale_look_does_not_keep_a_grant_alive() -> None:
    evidence = Evidence(TERMS)
    shown(evidence, ADA, 100.0)
    for i in range(20):
        evidence.add(look(100.4 + i / 100, embedding=ADA), ADA_AND_BOB.best, 102.0)
    assert evidence.standing(102.0) is None


@pytest.mark.parametrize("liveness", [None, 0.0, 0.49, float("nan")])
def test_a_face_that_is_not_live_opens_nothing_and_is_an_attempt(liveness: float | None) -> None:
    evidence = Evidence(LIVE)
    said = judged_live(evidence, [liveness] * 10)
    assert isinstance(said[0], Refused)
    assert (said[0].reason, said[0].track, said[0].frame) == ("not a living face", 1, 0)
    assert not any(isinstance(each, Recognised) for each in said)
    assert len(evidence.attempts(200.0)) == 1


def test_a_stranger_who_is_not_live_is_no_attempt() -> None:
    evidence = Evidence(LIVE)
    assert shown(evidence, FAR, 100.0) == [None] * 5
    assert evidence.attempts(200.0) == []


def test_a_look_that_is_not_live_among_live_ones_starts_the_count_anew() -> None:
    said = judged_live(Evidence(LIVE), [0.9, 0.1, 0.9, 0.1, 0.9, 0.9])
    assert [isinstance(each, Recognised) for each in said] == [False] * 5 + [True]


def test_looks_that_are_not_live_in_between_give_nobody_more_looks() -> None:
    evidence = Evidence(LIVE)
    said = judged_live(evidence, [0.9, 0.1] * STANDARD.looks_max)
    assert [each.reason for each in said if isinstance(each, Refused)] == ["not a living face", "not recognised"]
    assert not any(isinstance(each, Recognised) for each in judged_live(evidence, [0.9] * 10, 104.1))


def test_a_grant_dies_when_the_face_is_no_longer_live() -> None:
    evidence = Evidence(LIVE)
    judged_live(evidence, [0.9] * 5)
    for now_s in (100.5, 101.0, 101.5):
        judged_live(evidence, [0.1], now_s)
    assert evidence.standing(101.6) is None
