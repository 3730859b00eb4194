"""The demonstration's verdict: it must notice every way in which the lock could have been wrong."""

from collections.abc import Sequence
from typing import Any

import pytest

from tools.demo.verdict import faults, openings, taken_for_alive
from tools.demo.visitors import FPS, SCENES, scene_of

OWNER = "Ada"
STARTS = [sum(scene.frames for scene in SCENES[:number]) for number in range(len(SCENES))]
OPENING = [number for number, scene in enumerate(SCENES) if scene.opens]


def said(kind: str, second: float, **values: Any) -> dict[str, Any]:
    return {"kind": kind, "at_utc": f"2026-01-01T00:00:{second:06.3f}+00:00", **values}


def visit(scene: int, name: str = OWNER, lasts_s: float = 2.0) -> list[dict[str, Any]]:
    frame = STARTS[scene] + 5
    return [said("released", frame / FPS, frame=frame, name=name), said("secured", frame / FPS + lasts_s)]


def refusals() -> list[dict[str, Any]]:
    """One in every scene with somebody in it who must stay outside."""
    return [
        said(
            "refused", 0, frame=STARTS[number] + 4, reason="several faces" if len(scene.photographs) > 1 else "unknown"
        )
        for number, scene in enumerate(SCENES)
        if scene.photographs and not scene.opens
    ]


def judged(notices: Sequence[dict[str, Any]]) -> list[str]:
    return faults([*notices, *refusals(), said("stopped", 59)], OWNER, 2.0)


def test_the_owner_alone_is_right() -> None:
    notices = [notice for scene in OPENING for notice in visit(scene)]
    assert judged(notices) == []
    assert [opening.last_frame - opening.first_frame for opening in openings(notices)] == [20] * len(OPENING)


@pytest.mark.parametrize("scene", [number for number in range(len(SCENES)) if number not in OPENING])
def test_an_opening_at_any_other_time_is_wrong(scene: int) -> None:
    notices = [notice for number in sorted([*OPENING, scene]) for notice in visit(number)]
    assert any(SCENES[scene].title in fault for fault in judged(notices))


def test_the_owner_left_outside_is_wrong() -> None:
    assert len(judged([])) == len(OPENING)


def test_somebody_elses_name_and_a_door_that_stays_open_and_a_crash_are_wrong() -> None:
    rest = [notice for scene in OPENING[1:] for notice in visit(scene)]
    assert "Mallory" in judged([*visit(OPENING[0], "Mallory"), *rest])[0]
    assert "stayed open" in judged([*visit(OPENING[0], lasts_s=9), *rest])[0]
    whole = [notice for scene in OPENING for notice in visit(scene)]
    assert "end" in faults([*whole, *refusals()], OWNER, 2.0)[0]


def test_a_lock_that_sees_nobody_is_no_proof() -> None:
    whole = [notice for scene in OPENING for notice in visit(scene)]
    assert len(faults([*whole, said("stopped", 59)], OWNER, 2.0)) == len(refusals()) + 1


def test_every_frame_has_its_scene() -> None:
    assert [scene_of(start) for start in STARTS] == list(range(len(SCENES)))
    assert scene_of(10**6) == len(SCENES) - 1


def test_the_owner_is_never_shown_the_picture_that_was_enrolled() -> None:
    assert all("obama.jpg" not in scene.photographs for scene in SCENES)


def not_alive() -> list[dict[str, Any]]:
    return [said("refused", 0, frame=STARTS[number] + 4, reason="not a living face") for number in OPENING]


def test_with_liveness_every_photograph_is_refused_as_one() -> None:
    assert taken_for_alive([*not_alive(), said("stopped", 59)]) == []
    assert len(taken_for_alive([*not_alive(), *visit(OPENING[0]), said("stopped", 59)])) == 1
    assert len(taken_for_alive([*not_alive()[1:], said("stopped", 59)])) == 1
    assert len(taken_for_alive(not_alive())) == 1
