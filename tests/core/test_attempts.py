"""Attempts, waiting grants and liveness: what evidence says beside yes and no."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.evidence import APPROACH_S, GONE_S, GRANT_S, TRACKS_MAX, Attempt, Evidence, Recognised, Refused, Terms
from edge.types import Look, Match
from tests.core.looks import look

TERMS = Terms(0.6, 0.05, looks_needed=3, looks_window=5, window_s=2.0, look_age_max_s=0.5, near_miss=0.1)
LIVE = replace(TERMS, liveness_min=0.5)
ADA = Match(1, "Ada", 0.8, 0.5)
BOB = Match(2, "Bob", 0.8, 0.5)
NEAR = Match(1, "Ada", 0.55, 0.3)
FAR = Match(1, "Ada", 0.49, 0.3)
TWINS = Match(1, "Ada", 0.8, 0.01)


def shown(evidence: Evidence, match: Match | None, start_s: float, looks: int = 5, track: int = 1) -> list[object]:
    return [evidence.add(look(start_s + i / 10, track=track), match, start_s + i / 10) for i in range(looks)]


def live(captured_s: float, liveness: float | None) -> Look:
    return replace(look(captured_s), liveness=liveness)


def test_a_near_miss_is_one_attempt_when_the_approach_is_over() -> None:
    evidence = Evidence(TERMS)
    shown(evidence, NEAR, 100.0)
    assert evidence.attempts(100.5) == []
    assert evidence.attempts(100.4 + GONE_S + 0.01) == [Attempt(1, "Ada", 0.55, 1)]
    assert evidence.attempts(200.0) == []


@pytest.mark.parametrize("match", [FAR, TWINS, None, replace(NEAR, similarity=float("nan"))])
def test_a_clear_stranger_a_twin_and_an_empty_gallery_count_for_nothing(match: Match | None) -> None:
    evidence = Evidence(TERMS)
    shown(evidence, match, 100.0)
    assert evidence.attempts(200.0) == []


def test_whoever_is_recognised_in_the_end_was_no_attempt() -> None:
    evidence = Evidence(TERMS)
    shown(evidence, NEAR, 100.0)
    shown(evidence, ADA, 100.5)
    assert evidence.attempts(200.0) == []


def test_one_good_look_that_was_not_enough_is_an_attempt() -> None:
    evidence = Evidence(TERMS)
    shown(evidence, ADA, 100.0, looks=2)
    assert evidence.attempts(200.0) == [Attempt(1, "Ada", 0.8, 1)]


def test_an_attempt_is_at_whom_the_best_look_resembled() -> None:
    evidence = Evidence(TERMS)
    for number, match in enumerate((NEAR, replace(BOB, similarity=0.57), replace(NEAR, similarity=0.56))):
        evidence.add(look(100.0 + number / 10), match, 100.0 + number / 10)
    assert evidence.attempts(200.0) == [Attempt(2, "Bob", 0.57, 1)]


def test_who_stays_in_front_of_the_camera_makes_one_attempt_after_the_other() -> None:
    evidence = Evidence(TERMS)
    counted = 0
    for i in range(600):
        now_s = 100 + i / 10
        evidence.add(look(now_s), NEAR, now_s)
        counted += len(evidence.attempts(now_s))
    assert counted == pytest.approx(60 / APPROACH_S, abs=1)


def test_a_new_track_ends_the_approach_before_it() -> None:
    evidence = Evidence(TERMS)
    shown(evidence, NEAR, 100.0, track=1)
    shown(evidence, FAR, 100.5, track=2)
    assert evidence.attempts(101.0) == [Attempt(1, "Ada", 0.55, 1)]


def test_eyes_that_start_anew_do_not_wipe_an_attempt() -> None:
    evidence = Evidence(TERMS)
    shown(evidence, NEAR, 100.0)
    evidence.forget_all()
    assert len(evidence.attempts(100.5)) == 1


def test_a_million_tracks_are_not_remembered() -> None:
    evidence = Evidence(TERMS)
    for track in range(1000):
        shown(evidence, NEAR, 100.0 + track, looks=1, track=track)
    assert len(evidence.attempts(2000.0)) <= TRACKS_MAX


@given(st.lists(st.tuples(st.sampled_from([ADA, NEAR, FAR, None]), st.integers(1, 3)), max_size=60))
def test_there_are_never_more_attempts_than_approaches(history: list[tuple[Match | None, int]]) -> None:
    evidence, now_s, tracks, attempts = Evidence(TERMS), 100.0, 0, 0
    before = 0
    for match, track in history:
        now_s += 0.1
        tracks += track != before
        before = track
        evidence.add(look(now_s, track=track), match, now_s)
        attempts += len(evidence.attempts(now_s))
    assert attempts + len(evidence.attempts(now_s + 100)) <= tracks


def test_a_grant_that_waits_stands_while_the_face_is_looking_and_no_longer() -> None:
    evidence = Evidence(TERMS)
    assert isinstance(shown(evidence, ADA, 100.0)[2], Recognised)
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
        lambda evidence: evidence.add(look(100.5), BOB, 100.5),
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
        evidence.add(look(100.4 + i / 100), ADA, 102.0)
    assert evidence.standing(102.0) is None


@pytest.mark.parametrize("liveness", [None, 0.0, 0.49, float("nan")])
def test_a_face_that_is_not_live_opens_nothing_and_is_an_attempt(liveness: float | None) -> None:
    evidence = Evidence(LIVE)
    said = [evidence.add(live(100 + i / 10, liveness), ADA, 100 + i / 10) for i in range(10)]
    assert said[0] == Refused("not a living face", 1, 0, 0.8)
    assert not any(isinstance(each, Recognised) for each in said)
    assert len(evidence.attempts(200.0)) == 1


def test_a_look_that_is_not_live_among_live_ones_starts_the_count_anew() -> None:
    evidence = Evidence(LIVE)
    said = [
        evidence.add(live(100 + i / 10, p), ADA, 100 + i / 10) for i, p in enumerate((0.9, 0.9, 0.1, 0.9, 0.9, 0.9))
    ]
    assert [isinstance(each, Recognised) for each in said] == [False] * 5 + [True]


def test_a_grant_dies_when_the_face_is_no_longer_live() -> None:
    evidence = Evidence(LIVE)
    for i in range(5):
        evidence.add(live(100 + i / 10, 0.9), ADA, 100 + i / 10)
    for now_s in (100.5, 101.0, 101.5):
        evidence.add(live(now_s, 0.1), ADA, now_s)
    assert evidence.standing(101.6) is None


UNSURE = replace(LIVE, liveness_min=0.6, attack_max=0.3)


def test_what_is_not_decided_yet_counts_for_nothing() -> None:
    evidence = Evidence(UNSURE)
    said = [evidence.add(live(100 + i / 10, 0.45), ADA, 100 + i / 10) for i in range(10)]
    assert said == [None] * 10
    assert len(evidence.attempts(200.0)) == 1  # and whoever goes away undecided tried


def test_looks_that_are_undecided_first_do_not_hinder_live_ones() -> None:
    evidence = Evidence(UNSURE)
    said = [evidence.add(live(100 + i / 10, p), ADA, 100 + i / 10) for i, p in enumerate((0.5, 0.5, 0.9, 0.9, 0.9))]
    assert [isinstance(each, Recognised) for each in said] == [False] * 4 + [True]
    assert evidence.attempts(200.0) == []


@pytest.mark.parametrize("liveness", [None, 0.29, float("nan")])
def test_a_picture_among_undecided_looks_is_refused(liveness: float | None) -> None:
    evidence = Evidence(UNSURE)
    said = [
        evidence.add(live(100 + i / 10, p), ADA, 100 + i / 10) for i, p in enumerate((0.9, 0.9, 0.45, liveness, 0.9))
    ]
    assert said == [None, None, None, Refused("not a living face", 1, 0, 0.8), None]
