"""The replay camera and the newest-frame slot, on real pictures and videos."""

import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.devices.camera_replay import ReplayCamera
from edge.devices.camera_v4l2 import V4l2Camera
from edge.errors import CameraError, ImageError
from edge.slot import NewestFrame
from edge.types import Frame


def write_video(path: Path, count: int, fps: float = 50) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (64, 48))
    for shade in range(count):
        writer.write(np.full((48, 64, 3), (shade * 20, 0, 0), dtype=np.uint8))  # blue, in OpenCV's order
    writer.release()


def test_a_video_is_played_in_order_in_rgb_and_ends(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.avi", 10)
    frames = list(ReplayCamera(tmp_path / "clip.avi", fps=10).frames())
    assert [frame.number for frame in frames] == list(range(10))
    assert np.all(np.diff([frame.captured_s for frame in frames]) > 0)
    assert frames[9].rgb.shape == (48, 64, 3)
    assert frames[9].rgb[24, 32, 2] > 150  # blue is last in RGB
    assert frames[9].rgb[24, 32, 0] < 30


def test_a_folder_is_played_in_the_order_of_its_names(tmp_path: Path) -> None:
    for number in (10, 9, 1):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((20, 30, 3), number * 20, dtype=np.uint8))
    frames = list(ReplayCamera(tmp_path, fps=100).frames())
    assert [int(frame.rgb[0, 0, 0]) for frame in frames] == [20, 180, 200]


def test_it_says_that_it_is_simulated(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.avi", 1)
    assert "simulated" in ReplayCamera(tmp_path / "clip.avi", fps=10).name


def test_what_cannot_be_played_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="does not exist"):
        ReplayCamera(tmp_path / "absent.avi", fps=10)
    with pytest.raises(CameraError, match="no pictures"):
        ReplayCamera(tmp_path, fps=10)
    (tmp_path / "rubbish.avi").write_bytes(b"rubbish" * 100)
    with pytest.raises(CameraError, match="no video"):
        list(ReplayCamera(tmp_path / "rubbish.avi", fps=10).frames())


def test_a_damaged_picture_in_the_folder_ends_the_replay_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(ImageError, match=r"1\.png"):
        list(ReplayCamera(tmp_path, fps=100).frames())


def test_closing_ends_the_frames(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.avi", 10, fps=1)
    camera = ReplayCamera(tmp_path / "clip.avi", fps=1)
    frames = camera.frames()
    next(frames)
    camera.close()
    assert next(frames, None) is None
    camera.close()


def test_a_device_that_is_not_there_is_a_clear_error() -> None:
    with pytest.raises(CameraError, match="plugged in"):
        V4l2Camera("/dev/video99", width=640, height=480, fps=15)
    with pytest.raises(CameraError, match="no device"):
        V4l2Camera("rtsp://somewhere", width=640, height=480, fps=15)


class Scripted:
    """A camera whose frames come when the test says so."""

    name = "a scripted camera"
    identity = ""

    def __init__(self, ending: Exception | None = None) -> None:
        self.give = threading.Semaphore(0)
        self.given = threading.Semaphore(0)
        self._ending, self._left = ending, 3

    def frames(self) -> Iterator[Frame]:
        for number in range(self._left):
            self.give.acquire()
            yield Frame(np.full((2, 2, 3), number, dtype=np.uint8), float(number), number)
            self.given.release()
        if self._ending:
            raise self._ending

    def close(self) -> None:
        for _ in range(3):
            self.give.release()


def test_the_newest_frame_wins_and_the_others_are_counted() -> None:
    camera = Scripted()
    slot = NewestFrame(camera)
    for _ in range(3):
        camera.give.release()
    for _ in range(3):
        assert camera.given.acquire(timeout=20)
    frame = slot.take(timeout_s=20)
    assert frame is not None
    assert frame.number == 2
    assert slot.dropped == 2
    assert slot.take(timeout_s=20) is None
    slot.close()


def test_a_camera_that_gives_nothing_is_an_error_and_nobody_waits_for_ever() -> None:
    slot = NewestFrame(Scripted())
    with pytest.raises(CameraError, match="no frame"):
        slot.take(timeout_s=0.05)
    slot.close()


def test_what_the_camera_raises_is_raised_where_frames_are_taken() -> None:
    camera = Scripted(ending=CameraError("The camera stopped. Check it."))
    slot = NewestFrame(camera)
    camera.close()
    with pytest.raises(CameraError, match="stopped"):
        list(iter(lambda: slot.take(timeout_s=20), None))
    slot.close()
