"""What the lock said, held against who was really there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tools.demo.visitors import FPS, SCENES, scene_of

Notice = dict[str, Any]
"""One line of ``facelatch run --json``."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The bolt was released: from which frame to which, for whom, in which scene."""

    first_frame: int
    last_frame: int
    name: str
    scene: int


def openings(notices: Sequence[Notice]) -> list[Opening]:
    """Every release with the frame at which the bolt was secured again (by the clock: frames come ``FPS`` a second)."""
    found = []
    for index, notice in enumerate(notices):
        if notice["kind"] == "released":
            secured = next((n for n in notices[index:] if n["kind"] in {"secured", "fault", "stopped"}), notices[-1])
            lasted_s = (_at(secured) - _at(notice)).total_seconds()
            frame = int(notice["frame"])
            found.append(Opening(frame, frame + round(lasted_s * FPS), str(notice["name"]), scene_of(frame)))
    return found


def faults(notices: Sequence[Notice], owner: str, unlock_s: float) -> list[str]:
    """What went wrong, in words; empty when the owner, and nobody else, got in."""
    found = []
    opened = openings(notices)
    for opening in opened:
        scene = SCENES[opening.scene]
        if not scene.opens or opening.name != owner:
            found.append(f"the door opened for {opening.name} while there was: {scene.title}")
        if opening.last_frame - opening.first_frame > (unlock_s + 0.5) * FPS:
            found.append(f"the door stayed open for more than {unlock_s} s: {scene.title}")
    for number, scene in enumerate(SCENES):
        if scene.opens and number not in {opening.scene for opening in opened}:
            found.append(f"the door did not open for: {scene.title}")
    for number, scene in enumerate(SCENES):
        refusals = [n for n in notices if n["kind"] == "refused" and scene_of(int(n["frame"])) == number]
        if scene.photographs and not scene.opens and not refusals:
            found.append(f"nobody was seen and refused while there was: {scene.title}")
        if len(scene.photographs) > 1 and not any("several faces" in str(n["reason"]) for n in refusals):
            found.append(f"the second face was not noticed: {scene.title}")
    if not any(notice["kind"] == "stopped" for notice in notices):
        found.append("the lock did not come to its end")
    return found


def taken_for_alive(notices: Sequence[Notice]) -> list[str]:
    """What went wrong with liveness required, when every visitor is a photograph; empty when nobody got in, and those
    who would have were refused for that reason."""
    found = [f"a photograph was taken for a person: {SCENES[opening.scene].title}" for opening in openings(notices)]
    dead = {scene_of(int(n["frame"])) for n in notices if n["kind"] == "refused" and "living" in str(n["reason"])}
    for number, scene in enumerate(SCENES):
        if scene.opens and number not in dead:
            found.append(f"no photograph was refused as one: {scene.title}")
    if not any(notice["kind"] == "stopped" for notice in notices):
        found.append("the lock with liveness did not come to its end")
    return found


def _at(notice: Notice) -> datetime:
    return datetime.fromisoformat(notice["at_utc"])
