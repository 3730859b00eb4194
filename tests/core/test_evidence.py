"""Evidence, against a plain restatement of its rule over random histories."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.evidence import Evidence, Recognised, Refused, Terms
from edge.types import Match
from tests.core.looks import look

TERMS = Terms(similarity_min=0.6, margin_min=0.05, looks_needed=3, looks_window=5, window_s=2.0, look_age_max_s=0.5)
ADA = Match(1, "Ada", 0.8, 0.5)
BOB = Match(2, "Bob", 0.7, 0.5)
NOBODY = Match(1, "Ada", 0.3, 0.1)
TWINS = Match(1, "Ada", 0.8, 0.01)


def outcomes(*matches: Match | None, evidence: Evidence | None = None) -> list[object]:
    evidence = evidence or Evidence(TERMS)
    return [evidence.add(look(100 + i / 10, frame=i), m, 100 + i / 10) for i, m in enumerate(matches)]


def test_three_agreeing_looks_recognise_and_the_weakest_similarity_is_told() -> None:
    weak = Match(1, "Ada", 0.65, 0.5)
    assert outcomes(ADA, weak, ADA)[2] == Recognised(1, "Ada", 0.65, 3, 1, 2, 100.2)


def test_two_looks_are_not_enough() -> None:
    assert outcomes(ADA, ADA) == [None, None]


def test_one_grant_a_track() -> None:
    said = outcomes(*[ADA] * 12)
    assert [isinstance(each, Recognised) for each in said] == [False, False, True] + [False] * 9


def test_an_unclear_look_between_does_not_spoil_an_approach_but_another_person_does() -> None:
    assert isinstance(outcomes(ADA, NOBODY, ADA, ADA)[3], Recognised)
    assert not any(isinstance(each, Recognised) for each in outcomes(ADA, ADA, BOB, ADA, ADA))
    assert isinstance(outcomes(ADA, ADA, BOB, ADA, ADA, ADA, ADA, ADA)[7], Recognised)


def test_a_stranger_is_refused_once() -> None:
    said = outcomes(*[NOBODY] * 9)
    assert said[2] == Refused("not recognised", 1, 2, 0.3)
    assert [each for each in said if each is not None] == [said[2]]


def test_two_people_too_alike_are_nobody() -> None:
    assert outcomes(TWINS, TWINS, TWINS)[2] == Refused("two people are too alike to tell", 1, 2, 0.8)


def test_an_empty_gallery_is_said_so() -> None:
    assert outcomes(None, None, None)[2] == Refused("nobody is enrolled", 1, 2, None)


@pytest.mark.parametrize("delay_s", [0.51, 5.0, -0.06])
def test_a_late_look_or_one_from_the_future_never_counts(delay_s: float) -> None:
    evidence = Evidence(TERMS)
    for i in range(5):
        captured_s = 100 + i / 10
        assert not isinstance(evidence.add(look(captured_s), ADA, captured_s + delay_s), Recognised)


def test_looks_of_two_tracks_are_never_added_up() -> None:
    evidence = Evidence(TERMS)
    said = [evidence.add(look(100 + i / 10, track=i % 2), ADA, 100 + i / 10) for i in range(10)]
    assert not any(isinstance(each, Recognised) for each in said)


def test_one_look_sent_again_and_again_counts_once() -> None:
    evidence = Evidence(TERMS)
    assert not any(isinstance(evidence.add(look(100.0), ADA, 100.0), Recognised) for _ in range(10))


def test_looks_too_far_apart_do_not_agree() -> None:
    evidence = Evidence(TERMS)
    said = [evidence.add(look(100 + i * 1.1), ADA, 100 + i * 1.1) for i in range(6)]
    assert not any(isinstance(each, Recognised) for each in said)


def test_a_second_face_spoils_what_was_gathered_and_the_window_that_follows() -> None:
    evidence = Evidence(TERMS)
    outcomes(ADA, ADA, evidence=evidence)
    assert evidence.spoil("several", 100.2, 3) is not None
    assert evidence.spoil("several", 100.3, 4) is None
    said = [evidence.add(look(100.4 + i / 10), ADA, 100.4 + i / 10) for i in range(30)]
    first = next(i for i, each in enumerate(said) if isinstance(each, Recognised))
    assert 100.4 + (first - 2) / 10 > 100.3 + TERMS.window_s


@dataclass(frozen=True)
class Step:
    """One look of a random history: how long after the one before, how old on arrival, whose track, whom it names."""

    after_s: float
    age_s: float
    track: int
    match: Match | None


steps = st.builds(
    Step,
    after_s=st.sampled_from([0.0, 0.1, 0.1, 0.1, 0.4, 2.5]),
    age_s=st.sampled_from([0.0, 0.1, 0.49, 0.51, -0.2]),
    track=st.sampled_from([1, 1, 1, 2]),
    match=st.sampled_from([ADA, ADA, ADA, BOB, NOBODY, TWINS, None]),
)


@given(st.lists(steps, max_size=40))
def test_whoever_is_recognised_earned_it(history: list[Step]) -> None:
    """The rule restated: three fresh looks of that track, within the window, name the person."""
    evidence, now_s = Evidence(TERMS), 1000.0
    fresh: list[tuple[float, Step]] = []
    granted: set[int] = set()
    for step in history:
        now_s += step.after_s
        captured_s = now_s - step.age_s
        if -0.05 <= step.age_s <= TERMS.look_age_max_s:
            fresh.append((captured_s, step))
        verdict = evidence.add(look(captured_s, track=step.track), step.match, now_s)
        if isinstance(verdict, Recognised):
            window = [
                s for at, s in fresh if s.track == verdict.track and captured_s - at <= TERMS.window_s and s.match
            ]
            agreeing = [
                s for s in window if s.match and s.match.person_id == verdict.person_id and s.match is not TWINS
            ]
            assert len(agreeing) >= TERMS.looks_needed
            assert verdict.track not in granted
            granted.add(verdict.track)
