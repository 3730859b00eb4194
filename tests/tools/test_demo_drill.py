"""The recorded drill: what is put before the camera, and that the README's text still says what the command says."""

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.cli.drill import said
from edge.core.drill import plan
from edge.errors import InputError
from edge.wire import Presented
from tools.demo.drill import LOOKS, WITHOUT, Stage, stretches, visitors
from tools.liveness.sets import Sequence

RECORDED = Path(__file__).parents[2] / "tools/demo/drill.txt"


def recording(folder: Path, name: str, frames: int, kind: str = "live") -> Sequence:
    paths = []
    for number in range(frames):
        paths.append(folder / f"{name} {number}.png")
        cv2.imwrite(str(paths[-1]), np.full((16, 16, 3), number, np.uint8))
    return Sequence("nuaa", kind, "one", name, name, tuple(paths), 0.2)


def test_a_presentation_is_some_frames_and_then_nobody_and_no_frame_repeats_another(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "stage")
    (part, *_) = stretches(recording(tmp_path, "day", 2 * LOOKS + 3))
    assert len(part) == LOOKS
    stage.shows(part)
    frames = [cv2.imread(str(path)) for path in sorted(stage.folder.iterdir())]
    assert [int(frame[0, 0, 0]) for frame in frames[:LOOKS]] == list(range(LOOKS))
    assert all(not np.array_equal(one, two) for one, two in itertools.pairwise(frames))


def test_too_few_recordings_are_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="too few recordings"):
        visitors([recording(tmp_path, "day", LOOKS), recording(tmp_path, "photo", LOOKS, "print")])


def test_the_recorded_drill_says_what_the_command_says() -> None:
    text = RECORDED.read_text()
    assert f"print 1 of {plan(WITHOUT)['print']}: " in text
    assert said(Presented("print", False, 10, "", True)) in text
    for word in ("NO FACE OPENS ALONE: no drill yet", "EXPIRED (liveness.live_min was 0.5", "drill WAIVED"):
        assert word in text
