"""A door that wants living faces: photographs, posters, shirts and mirrors before it."""

from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest

from edge import wire
from edge.core.living.judge import LOOKS_MAX, LOOKS_NEEDED, UNDECIDED, Judge, Signs, Weights
from edge.settings import Config, FacesConfig, LivenessConfig
from edge.store.sqlite import SqliteStore
from edge.types import Embedding, Sign
from tests.core.looks import look
from tests.fakes import FakeClock
from tests.guardian.household import ADA, DIMENSION, MODEL, FailingBolt, Household, settle, unit

LIVE, PICTURE = 0.95, 0.05
POSTER = unit(2)
"""Somebody on a poster, a shirt, or the own photograph: to the lock another face."""


@pytest.fixture
def strict(house: Config, request: pytest.FixtureRequest) -> Iterator[Household]:
    """Liveness is required; parametrised by ``faces.several``."""
    faces = FacesConfig(several=getattr(request, "param", "refuse"))
    config = msgspec.structs.replace(house, liveness=LivenessConfig(mode="required", drill="waived"), faces=faces)
    clock = FakeClock()
    with SqliteStore.open(house.store_path, MODEL, DIMENSION, clock) as store:
        store.enroll("Ada", [ADA])
        yield settle(config, store, clock, FailingBolt())


def see(door: Household, *faces: tuple[Embedding, float | None, float], track: int = 1, yaw_deg: float = 0.0) -> None:
    """One frame with these faces: who, how probably alive, and how large."""
    door.clock.advance(0.1)
    door.frame += 1
    now_s = door.clock.now_s()
    looks = [
        replace(
            look(now_s, track=track + i, faces=len(faces), face_px=px, frame=door.frame, yaw_deg=yaw_deg),
            embedding=who,
            liveness=alive,
        )
        for i, (who, alive, px) in enumerate(faces)
    ]
    door.guardian.eyes_say(wire.to_report(door.frame, now_s, len(faces), looks))
    door.guardian.tick()


def test_required_is_what_a_lock_is_by_default() -> None:
    assert Config().liveness.mode == "required"


def test_a_living_face_opens_and_the_notice_says_what_was_asked(strict: Household) -> None:
    for _ in range(3):
        see(strict, (ADA, LIVE, 120))
    assert strict.is_open()
    assert strict.told("released")[0]["liveness"] == "required"
    assert "liveness required" in strict.guardian.status().line()


@pytest.mark.parametrize("alive", [PICTURE, None])
def test_a_photograph_and_a_face_that_nothing_measured_are_refused_with_the_reason(
    strict: Household, alive: float | None
) -> None:
    for _ in range(10):
        see(strict, (ADA, alive, 120))
    assert not strict.is_open()
    assert [told["reason"] for told in strict.told("refused")] == ["not a living face"]


def test_what_is_not_decided_neither_opens_nor_is_refused(strict: Household) -> None:
    for _ in range(20):
        see(strict, (ADA, UNDECIDED, 120))
    assert not strict.is_open()
    assert strict.told("refused") == []


def test_the_undecided_are_asked_by_the_lights_and_come_in_when_they_do_it(
    strict: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here the side is known, as it is never at a door."""
    monkeypatch.setattr(strict.guardian._approaches.examiner, "_below", lambda count: 0)
    for _ in range(22):
        see(strict, (ADA, UNDECIDED, 120))
    assert Sign.TURN_GREEN in strict.lamps.shown
    assert not strict.is_open()
    for _ in range(6):
        see(strict, (ADA, UNDECIDED, 120), yaw_deg=-20)
    assert Sign.KEPT in strict.lamps.shown
    assert strict.is_open()


def test_photographs_again_and_again_lock_that_face_out(strict: Household) -> None:
    for track in range(1, 7):
        for _ in range(4):
            see(strict, (ADA, PICTURE, 120), track=track)
        strict.passes(2)
    assert strict.told("lockout")


@pytest.mark.parametrize("strict", ["refuse"], indirect=True)
@pytest.mark.parametrize("poster", [ADA, POSTER])
def test_a_second_face_on_a_poster_a_shirt_or_in_a_mirror_stops_everything(
    strict: Household, poster: Embedding
) -> None:
    for _ in range(6):
        see(strict, (ADA, LIVE, 120), (poster, PICTURE, 80))
    assert not strict.is_open()
    assert "several faces" in str(strict.told("refused")[0]["reason"])


@pytest.mark.parametrize("strict", ["nearest"], indirect=True)
def test_where_the_nearest_face_is_judged_the_photograph_held_before_a_person_is_it(strict: Household) -> None:
    for _ in range(6):
        see(strict, (ADA, PICTURE, 150), (POSTER, LIVE, 120))
    assert not strict.is_open()
    for _ in range(3):
        see(strict, (ADA, LIVE, 150), (POSTER, PICTURE, 80), track=5)
    assert strict.is_open()


def test_a_photograph_taken_away_on_one_track_begins_again() -> None:
    """The judge of the eyes: the person behind it has to be seen alone for long enough."""
    judge = Judge(Weights(bias=4.0, appearance=0.5, edges=-0.5, parallax=-1.0))
    live, picture = Signs(0.99, 4.0, -0.5), Signs(0.01, 11.0, 0.5)
    said = [judge.add(1, picture if i < LOOKS_MAX else live, 100 + i / 10) or 0.0 for i in range(3 * LOOKS_MAX)]
    first = next(i for i, answer in enumerate(said) if answer > UNDECIDED)
    assert first >= LOOKS_MAX + LOOKS_NEEDED - 1
    back = [judge.add(1, picture, 103 + i / 10) or 0.0 for i in range(LOOKS_NEEDED)]
    assert back[-1] < 0.1
