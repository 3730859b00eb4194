"""Evidence, against a plain restatement of its rule over random histories."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.evidence import APPROACH_S, GONE_S, PAUSE_S, SPOILT_S, Evidence, Recognised, Refused, Terms
from edge.core.match import Index
from edge.core.stopping import STANDARD
from edge.types import Embedding, Gallery
from tests.core.looks import ADA_AND_BOB, NOBODY, like, look

TERMS = Terms(similarity_min=0.6, margin_min=0.05, look_age_max_s=0.5)
ADA, BOB, STRANGER, TWINS = like(0.9), like(0, 0.9), like(0.1, 0.1), like(0.7, 0.68)
DOUBTFUL = like(0.63)
"""Above the threshold, and not above what is asked for early."""

SHORT = like(0.5)


def outcomes(
    *embeddings: Embedding,
    evidence: Evidence | None = None,
    index: Index = ADA_AND_BOB,
    start_s: float = 100.0,
    every_s: float = 0.1,
    track: int = 1,
) -> list[Recognised | Refused | None]:
    evidence = evidence or Evidence(TERMS)
    times = [start_s + i * every_s for i in range(len(embeddings))]
    return [
        evidence.add(look(at_s, frame=i, embedding=e, track=track), index.best, at_s)
        for i, (at_s, e) in enumerate(zip(times, embeddings, strict=True))
    ]


def granted(said: Sequence[object]) -> list[int]:
    """At which looks somebody was recognised."""
    return [number for number, each in enumerate(said) if isinstance(each, Recognised)]


def test_a_clear_case_takes_two_looks_and_the_pooled_similarity_is_told() -> None:
    said = outcomes(like(0.9), like(0.7))
    assert isinstance(said[1], Recognised)
    assert (said[1].person_id, said[1].name, said[1].looks, said[1].track, said[1].frame) == (1, "Ada", 2, 1, 1)
    assert said[1].similarity == pytest.approx(0.8, abs=1e-6)
    assert said[0] is None


def test_a_doubtful_case_takes_as_many_looks_as_the_rule_asks_for() -> None:
    assert granted(outcomes(*[DOUBTFUL] * 20)) == [5]  # six looks
    assert granted(outcomes(*[like(0.605)] * 20)) == [6]


def test_whoever_stays_below_the_threshold_is_refused_once_and_for_all_looks() -> None:
    said = outcomes(*[SHORT] * 40)
    assert [number for number, each in enumerate(said) if each is not None] == [STANDARD.looks_max - 1]
    refused = said[STANDARD.looks_max - 1]
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.track, refused.frame) == ("not recognised", 1, STANDARD.looks_max - 1)
    assert refused.similarity == pytest.approx(0.5, abs=1e-6)


def test_one_grant_a_track() -> None:
    assert granted(outcomes(*[ADA] * 40)) == [1]


def test_an_unclear_look_between_does_not_spoil_an_approach() -> None:
    assert granted(outcomes(ADA, STRANGER, ADA, ADA, ADA)) == [3]


def test_a_look_that_clearly_names_somebody_else_takes_everything_gathered_away() -> None:
    assert granted(outcomes(like(0.75), BOB, ADA, BOB, ADA, BOB)) == []
    said = outcomes(ADA, BOB, ADA, ADA)
    assert isinstance(said[3], Recognised)
    assert said[3].looks == 2


def test_looks_that_together_resemble_another_than_one_of_them_names_open_nothing() -> None:
    others = [like(0.66, 0.7), like(0.3, 0.59)] * 9  # none of them names anybody; their mean resembles Bob
    assert granted(outcomes(*others)) != []
    assert granted(outcomes(like(0.62, 0.5), *others)) == []


def test_looks_that_name_somebody_by_turns_never_open_and_end_like_others() -> None:
    said = outcomes(*[ADA, BOB] * 20)
    assert granted(said) == []
    assert [each.reason for each in said if isinstance(each, Refused)] == ["not recognised"]


def test_a_clear_stranger_is_told_at_once_and_only_once() -> None:
    said = outcomes(*[STRANGER] * 40)
    assert isinstance(said[1], Refused)
    assert said[1].reason == "not recognised"
    assert [each for each in said if each is not None] == [said[1]]


def test_who_was_told_so_too_early_still_gets_in() -> None:
    assert granted(outcomes(STRANGER, STRANGER, *[ADA] * 8)) == [5]


def test_two_people_too_alike_are_nobody() -> None:
    said = outcomes(*[TWINS] * 30)
    assert [each.reason for each in said if isinstance(each, Refused)] == ["two people are too alike to tell"]
    assert granted(said) == []


def test_an_empty_gallery_is_said_so() -> None:
    assert outcomes(ADA, ADA, ADA, index=NOBODY)[1:] == [Refused("nobody is enrolled", 1, 1, None), None]


@pytest.mark.parametrize("delay_s", [0.51, 5.0, -0.06])
def test_a_late_look_or_one_from_the_future_never_counts(delay_s: float) -> None:
    evidence = Evidence(TERMS)
    for i in range(5):
        captured_s = 100 + i / 10
        verdict = evidence.add(look(captured_s, embedding=ADA), ADA_AND_BOB.best, captured_s + delay_s)
        assert not isinstance(verdict, Recognised)


def test_looks_of_two_tracks_are_never_added_up() -> None:
    evidence = Evidence(TERMS)
    said = [
        evidence.add(look(100 + i / 10, track=i % 2, embedding=ADA), ADA_AND_BOB.best, 100 + i / 10) for i in range(10)
    ]
    assert granted(said) == []


def test_one_look_sent_again_and_again_counts_once() -> None:
    evidence = Evidence(TERMS)
    said = [evidence.add(look(100.0, embedding=ADA), ADA_AND_BOB.best, 100.0) for _ in range(10)]
    assert granted(said) == []


@pytest.mark.parametrize("every_s", [1 / 30, 0.2, 0.7, 1.2])
def test_how_fast_the_looks_come_does_not_matter(every_s: float) -> None:
    assert granted(outcomes(*[ADA] * 10, every_s=every_s)) == [1]
    assert granted(outcomes(*[DOUBTFUL] * 10, every_s=every_s)) == [5]


def test_looks_too_far_apart_are_of_different_approaches() -> None:
    assert granted(outcomes(*[ADA] * 6, every_s=GONE_S + 0.1)) == []


def test_an_approach_has_an_end_however_slowly_the_looks_come() -> None:
    said = outcomes(*[SHORT] * 10, every_s=2.9)
    refused = [number for number, each in enumerate(said) if isinstance(each, Refused)]
    assert refused == [int(APPROACH_S / 2.9) + 1]


def test_whoever_was_refused_and_stays_has_to_wait_before_another_try() -> None:
    evidence = Evidence(TERMS)
    outcomes(*[SHORT] * STANDARD.looks_max, evidence=evidence, every_s=0.02)
    assert granted(outcomes(*[ADA] * 20, evidence=evidence, start_s=100.4, every_s=0.2)) == []
    assert granted(outcomes(*[ADA] * 4, evidence=evidence, start_s=100.4 + PAUSE_S, every_s=0.1)) == [1]


def test_a_second_refusal_after_the_pause_is_told_again() -> None:
    said = outcomes(*[SHORT] * 150)
    assert len([each for each in said if each is not None]) == 2


def test_whoever_was_refused_and_comes_back_on_another_track_tries_at_once() -> None:
    evidence = Evidence(TERMS)
    outcomes(*[SHORT] * 40, evidence=evidence)
    assert granted(outcomes(ADA, ADA, evidence=evidence, start_s=104.0, track=2)) == [1]


def test_somebody_enrolled_meanwhile_need_not_wait() -> None:
    evidence = Evidence(TERMS)
    outcomes(*[SHORT] * 20, evidence=evidence)
    evidence.weigh_anew()
    carla = Index(Gallery(SHORT[None], np.array([3]), {3: "Carla"}))
    assert granted(outcomes(*[SHORT] * 2, evidence=evidence, index=carla, start_s=102.0)) == [1]


def test_a_second_face_spoils_what_was_gathered_and_what_follows() -> None:
    evidence = Evidence(TERMS)
    outcomes(ADA, evidence=evidence)
    assert evidence.spoil("several", 100.2, 3) is not None
    assert evidence.spoil("several", 100.3, 4) is None
    times = [100.4 + i / 10 for i in range(30)]
    said = [evidence.add(look(at_s, embedding=ADA), ADA_AND_BOB.best, at_s) for at_s in times]
    (first,) = granted(said)
    assert times[first - 1] > 100.3 + SPOILT_S


@dataclass(frozen=True)
class Step:
    """One look of a random history: how long after the one before, how old on arrival, whose track, what it shows."""

    after_s: float
    age_s: float
    track: int
    embedding: Embedding


steps = st.builds(
    Step,
    after_s=st.sampled_from([0.0, 0.1, 0.1, 0.1, 0.4, 3.5]),
    age_s=st.sampled_from([0.0, 0.1, 0.49, 0.51, -0.2]),
    track=st.sampled_from([1, 1, 1, 2]),
    embedding=st.sampled_from([ADA, ADA, ADA, DOUBTFUL, BOB, SHORT, TWINS, STRANGER]),
)


@given(st.lists(steps, max_size=60))
def test_whoever_is_recognised_earned_it(history: list[Step]) -> None:
    """The rule restated: the mean of the track's last looks, at least ``looks_min`` fresh ones, resembles the person as
    much as is asked for, and none of them clearly names somebody else."""
    evidence, now_s = Evidence(TERMS), 1000.0
    fresh: list[tuple[float, Step]] = []
    counted: set[int] = set()
    for step in history:
        now_s += step.after_s
        captured_s = now_s - step.age_s
        is_newer = not fresh or fresh[-1][1].track != step.track or captured_s > fresh[-1][0]
        if -0.05 <= step.age_s <= TERMS.look_age_max_s and step.track not in counted and is_newer:
            fresh.append((captured_s, step))
        verdict = evidence.add(look(captured_s, track=step.track, embedding=step.embedding), ADA_AND_BOB.best, now_s)
        if isinstance(verdict, Recognised):
            used = [each for _, each in fresh[-verdict.looks :]]
            assert len(used) == verdict.looks >= STANDARD.looks_min
            assert {each.track for each in used} == {verdict.track} == {step.track}
            mean = np.mean([each.embedding for each in used], axis=0)
            similarities = mean[:2]
            assert float(similarities[verdict.person_id - 1]) == pytest.approx(verdict.similarity, abs=1e-5)
            assert verdict.similarity >= STANDARD.needed(verdict.looks, TERMS.similarity_min)
            assert 2 * verdict.similarity - float(similarities.sum()) >= TERMS.margin_min - 1e-5
            other = 2 - verdict.person_id
            assert not any(float(each.embedding[other]) >= 0.7 for each in used)
            assert verdict.track not in counted
            counted.add(verdict.track)


@given(st.lists(st.sampled_from([0.3, 0.5, 0.62, 0.9]), min_size=2, max_size=STANDARD.looks_max))
def test_a_face_taking_anothers_place_on_a_new_track_inherits_nothing(similarities: list[float]) -> None:
    """What the eyes make of a swap: however much the first had gathered, the second is judged by itself."""
    alone = outcomes(*[DOUBTFUL] * 12, start_s=200.0, track=2)
    evidence = Evidence(TERMS)
    outcomes(*[like(each) for each in similarities], evidence=evidence, start_s=199.0, every_s=0.02)
    after = outcomes(*[DOUBTFUL] * 12, evidence=evidence, start_s=200.0, track=2)
    assert granted(after) == granted(alone)


@given(st.permutations([0.9, 0.8, 0.7, 0.5, 0.4, 0.3]), st.floats(0.02, 1.0), st.floats(0, 1e6))
def test_an_approach_is_decided_by_its_looks_and_not_by_the_clock(
    similarities: list[float], every_s: float, start_s: float
) -> None:
    shown = [like(each) for each in similarities]
    usual = granted(outcomes(*shown))
    assert granted(outcomes(*shown, start_s=start_s, every_s=every_s)) == usual
    for at in usual:
        mean = sum(similarities[: at + 1]) / (at + 1)
        assert mean >= STANDARD.needed(at + 1, TERMS.similarity_min) - 1e-5
