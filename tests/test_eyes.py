"""The eyes with real networks: what they report of frames, and when they give up."""

import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge import wire
from edge.core.living.judge import UNDECIDED, Weights
from edge.core.quality import MIN_BRIGHTNESS
from edge.core.scene import FROZEN_S
from edge.errors import CameraError
from edge.eyes import Eyes
from edge.images import read_rgb
from edge.models.judging import judge_weights
from edge.models.liveness import LivenessNet
from edge.models.manifest import Shelf
from edge.models.mobilefacenet import MobileFaceNet
from edge.models.mtcnn import Mtcnn
from edge.types import Face, Frame, Rgb
from edge.vigil import Vigil

CAMERA = "given pictures", "made of pictures 320x300"


class Line:
    """Keeps what was sent, as the wire would carry it."""

    def __init__(self) -> None:
        self.sent: list[wire.FromEyes] = []
        self.reported = threading.Semaphore(0)

    def __call__(self, message: wire.FromEyes) -> None:
        self.sent.append(wire.from_eyes(wire.encode(message)))
        if isinstance(message, wire.Report):
            self.reported.release()

    @property
    def reports(self) -> list[wire.Report]:
        return [message for message in self.sent if isinstance(message, wire.Report)]


class Pictures:
    """A camera that shows given pictures, ``step_s`` apart by its own clock."""

    name, identity = CAMERA

    def __init__(self, pictures: list[Rgb], step_s: float = 0.1) -> None:
        self._pictures, self._step_s = pictures, step_s
        self.closed = False

    def frames(self) -> Iterator[Frame]:
        for number, rgb in enumerate(self._pictures):
            yield Frame(rgb, 50 + number * self._step_s, number)

    def close(self) -> None:
        self.closed = True


class Paced(Pictures):
    """Shows the next picture when the one before it was reported, so that none is dropped."""

    def __init__(self, pictures: list[Rgb], line: Line, identity: str) -> None:
        super().__init__(pictures)
        self._line, self.identity = line, identity

    def frames(self) -> Iterator[Frame]:
        for frame in super().frames():
            if frame.number > 0:
                self._line.reported.acquire()
            yield frame


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def eyes(line: Line, detector: Mtcnn, embedder: MobileFaceNet) -> Eyes:
    return Eyes(detector, embedder, line, judge="judge 1")


@pytest.fixture
def portrait(photos: dict[str, Path]) -> Rgb:
    return read_rgb(photos["astronaut.png"])[:300, 60:380].copy()


def shaken(rgb: Rgb, count: int) -> list[Rgb]:
    return [np.roll(rgb, shift, axis=1) for shift in range(count)]


def centred(rgb: Rgb, detector: Mtcnn) -> Rgb:
    """The largest face, always in the same place and of the same size."""
    box = max(detector.detect(rgb), key=lambda face: face.size_px).box
    middle_x, middle_y, half = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2, box.height_px
    crop = Image.fromarray(rgb).crop(
        (int(middle_x - half), int(middle_y - half), int(middle_x + half), int(middle_y + half))
    )
    return np.asarray(crop.resize((320, 320)), dtype=np.uint8)


def test_a_person_becomes_looks_of_one_track(eyes: Eyes, line: Line, portrait: Rgb) -> None:
    for number, rgb in enumerate(shaken(portrait, 4)):
        eyes.see(Frame(rgb, 10 + number / 10, number))
    looks = [look for report in line.reports for look in wire.to_looks(report, 192)]
    assert [look.track for look in looks] == [1, 1, 1, 1]
    assert [look.frame for look in looks] == [0, 1, 2, 3]
    assert all(look.faces_in_frame == 1 and look.liveness is None for look in looks)
    assert all(float(a.embedding @ b.embedding) > 0.9 for a, b in itertools.pairwise(looks))
    assert {"pnet", "rnet", "onet", "align", "embed"} <= set(looks[0].timings_ms)


def test_somebody_else_in_the_same_place_is_another_track(
    eyes: Eyes, line: Line, detector: Mtcnn, photos: dict[str, Path]
) -> None:
    people = [centred(read_rgb(photos[name]), detector) for name in ("astronaut.png", "biden.jpg")]
    shown = [rgb for person in people for rgb in shaken(person, 3)]
    for number, rgb in enumerate(shown):
        eyes.see(Frame(rgb, 10 + number / 10, number))
    assert [look.track for report in line.reports for look in report.looks] == [1, 1, 1, 2, 2, 2]


class Says:
    """A liveness network that answers what it is told to."""

    def __init__(self) -> None:
        self.answer, self.asked = 0.99, 0

    def probability(self, rgb: Rgb, face: Face) -> float:
        self.asked += 1
        return self.answer


APPEARANCE_ALONE = Weights(bias=0.0, appearance=1.0, edges=0.0, parallax=0.0)


def test_what_was_said_of_a_live_face_says_nothing_of_a_picture_in_its_place(
    line: Line, detector: Mtcnn, embedder: MobileFaceNet, photos: dict[str, Path]
) -> None:
    """A person who holds up somebody's photograph halfway, and who takes it away again."""
    network = Says()
    eyes = Eyes(detector, embedder, line, vigil=Vigil(network, APPEARANCE_ALONE))
    person, picture = (centred(read_rgb(photos[name]), detector) for name in ("astronaut.png", "biden.jpg"))
    for number, (rgb, answer) in enumerate(
        [*((rgb, 0.99) for rgb in shaken(person, 5)), *((rgb, 0.01) for rgb in shaken(picture, 5)),
         *((rgb, 0.99) for rgb in shaken(person, 5))]
    ):  # fmt: skip
        network.answer = answer
        eyes.see(Frame(rgb, 10 + number / 10, number))
    alive = [look.liveness or 0.0 for report in line.reports for look in report.looks]
    assert [each > UNDECIDED for each in alive] == [
        *(False, False, True, True, True),
        *[False] * 5,
        *(False, False, True, True, True),
    ]


def test_looks_that_count_for_nothing_make_nobody_live_and_cost_nothing(
    line: Line, detector: Mtcnn, embedder: MobileFaceNet, photos: dict[str, Path]
) -> None:
    """Nobody knows whose they are: a face in the dark must not be the beginning of a photograph in the light."""
    network = Says()
    eyes = Eyes(detector, embedder, line, vigil=Vigil(network, APPEARANCE_ALONE))
    person = centred(read_rgb(photos["astronaut.png"]), detector)
    shown = [*((rgb * 0.15).astype(np.uint8) for rgb in shaken(person, 4)), *shaken(person, 4)[:2]]
    for number, rgb in enumerate(shown):
        eyes.see(Frame(rgb, 10 + number / 10, number))
    looks = [look for report in line.reports for look in wire.to_looks(report, 192)]
    assert [look.quality.brightness < MIN_BRIGHTNESS for look in looks] == [True] * 4 + [False] * 2
    assert [look.liveness for look in looks] == [None] * 4 + [UNDECIDED] * 2
    assert network.asked == 2


def test_two_people_are_both_counted_and_reported(eyes: Eyes, line: Line, portrait: Rgb) -> None:
    eyes.see(Frame(np.hstack([portrait, portrait[:, ::-1]]), 10.0, 0))
    assert line.reports[0].faces_in_frame == 2
    assert len({look.track for look in line.reports[0].looks}) == 2


def test_somebody_further_behind_is_counted_too(eyes: Eyes, line: Line, portrait: Rgb) -> None:
    near = np.repeat(np.repeat(portrait[:240, 100:300], 2, axis=0), 2, axis=1)
    frame = np.full((480, 640, 3), 110, dtype=np.uint8)
    frame[:, :400] = near
    frame[200:380, 430:] = portrait[40:220, 95:305]  # a third as far from the camera as the first is
    eyes.see(Frame(frame, 10.0, 0))
    assert line.reports[0].faces_in_frame == 2


def test_nobody_is_reported_too_as_a_sign_of_life(eyes: Eyes, line: Line) -> None:
    eyes.see(Frame(np.full((240, 320, 3), 90, np.uint8), 10.0, 0))
    assert line.reports[0] == wire.Report(0, 10.0, 0, [])


def test_a_repeated_frame_is_no_second_look(eyes: Eyes, line: Line, portrait: Rgb) -> None:
    for number in range(5):
        eyes.see(Frame(portrait, 10 + number / 10, number))
    assert [len(report.looks) for report in line.reports] == [1, 0, 0, 0, 0]


def test_a_camera_that_repeats_one_frame_is_given_up_and_told(eyes: Eyes, line: Line, portrait: Rgb) -> None:
    for number in range(int(FROZEN_S * 10)):
        eyes.see(Frame(portrait, 10 + number / 10, number))
    with pytest.raises(CameraError, match="repeats one frame"):
        eyes.see(Frame(portrait, 10 + FROZEN_S, 99))


def test_a_watch_begins_with_hello_and_ends_with_the_recording(eyes: Eyes, line: Line, portrait: Rgb) -> None:
    camera = Pictures(shaken(portrait, 3))
    eyes.run(camera, lambda: False)
    assert line.sent[0] == wire.Hello(wire.VERSION, "mobilefacenet-192-1", 192, *CAMERA, "judge 1")
    assert line.reports
    assert camera.closed


def test_a_camera_that_fails_is_told_and_closed(eyes: Eyes, line: Line) -> None:
    class Failing(Pictures):
        def frames(self) -> Iterator[Frame]:
            raise CameraError("The camera stopped. Check its cable.")

    camera = Failing([])
    with pytest.raises(CameraError, match="stopped"):
        eyes.run(camera, lambda: False)
    assert line.sent[-1] == wire.Trouble("The camera stopped. Check its cable.")
    assert camera.closed


def test_a_camera_whose_pictures_change_their_size_is_given_up_and_told(eyes: Eyes, line: Line, portrait: Rgb) -> None:
    """What starts again in its place says its size with its identity, which the guardian holds against the camera's."""
    smaller = np.ascontiguousarray(portrait[::2, ::2])
    with pytest.raises(CameraError, match="changed their size"):
        eyes.run(Paced([portrait, smaller], line, "some camera 320x300"), lambda: False)
    assert [type(each) for each in line.sent] == [wire.Hello, wire.Report, wire.Trouble]


def test_a_folder_of_pictures_may_hold_several_sizes(eyes: Eyes, line: Line, portrait: Rgb) -> None:
    eyes.run(Paced([portrait, np.ascontiguousarray(portrait[::2, ::2])], line, ""), lambda: False)
    assert len(line.reports) == 2


FRAMES: dict[str, Callable[[Rgb], Rgb]] = {
    "upright": lambda rgb: rgb,
    "grey": lambda rgb: np.repeat(rgb[..., 1:2], 3, axis=2),
    "a quarter turn": np.rot90,
    "upside down": lambda rgb: np.rot90(rgb, 2),
    "mirrored": lambda rgb: rgb[:, ::-1],
    "leaning": lambda rgb: np.asarray(Image.fromarray(rgb).rotate(20), dtype=np.uint8),
    "a tenth of it beyond the edge": lambda rgb: rgb[:, 130:],
    "dark": lambda rgb: (rgb * 0.3).astype(np.uint8),
    "faint": lambda rgb: (rgb * 0.1 + 110).astype(np.uint8),
}
NO_FACE = {"a quarter turn", "upside down", "faint"}
"""The detector knows upright faces with some contrast."""


@pytest.mark.parametrize("kind", FRAMES)
def test_whatever_becomes_of_the_frame_a_look_is_judged_or_there_is_none(
    kind: str, line: Line, detector: Mtcnn, embedder: MobileFaceNet, shelf: Shelf, portrait: Rgb
) -> None:
    eyes = Eyes(detector, embedder, line, vigil=Vigil(LivenessNet(shelf), judge_weights(shelf)))
    for number, rgb in enumerate(shaken(portrait, 8)):
        eyes.see(Frame(np.ascontiguousarray(FRAMES[kind](rgb)), 10 + number / 10, number))
    looks = [look for report in line.reports for look in wire.to_looks(report, 192)]
    assert len(line.reports) == 8
    assert len(looks) == (0 if kind in NO_FACE else 8)
    assert all(look.liveness is not None and 0 <= look.liveness <= 1 for look in looks)
    assert all((look.liveness or 0) <= UNDECIDED for look in looks[:2])


def test_the_eyes_stop_when_told(eyes: Eyes, line: Line, portrait: Rgb) -> None:
    eyes.run(Pictures(shaken(portrait, 3)), lambda: True)
    assert line.reports == []
