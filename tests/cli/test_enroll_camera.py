"""``facelatch enroll NAME --camera`` against a lock that runs: real networks, real eyes, real sockets, a replayed
camera."""

import json
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.images import decode_rgb
from edge.settings import Config
from edge.types import Rgb
from tests.cable.wires import Laptop, process
from tests.cli.facelatch import command, ok, ok_json, refused, run
from tests.cli.test_run import FPS, Lock, Photos, logged, running
from tools.demo.wires import plugged

pytestmark = pytest.mark.alone

POSES = (("obama2.jpg", 1.0), ("obama3.jpg", 1.0), ("obama2.jpg", 1.3), ("obama3.jpg", 0.8))
"""One man looking a little to one side and the other, nearer and farther."""

POSE_S = 1.2


@pytest.fixture(scope="session")
def portrait(tmp_path_factory: pytest.TempPathFactory, cut_out: Callable[[str], Rgb]) -> Path:
    """A minute and a half of one man before the camera, whose head sways a little."""
    path = tmp_path_factory.mktemp("portrait") / "portrait.avi"
    generator = np.random.default_rng(5)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (640, 480))
    faces = [(cut_out(name), scale) for name, scale in POSES]
    for number in range(90 * FPS):
        face, scale = faces[int(number / FPS / POSE_S) % len(POSES)]
        size = round(scale * face.shape[0])
        frame = generator.integers(100, 112, (480, 640, 3), dtype=np.uint8)
        swing = cv2.getRotationMatrix2D((size / 2, size / 2), 6 * np.sin(number / 3), 1.0)
        moved = cv2.warpAffine(cv2.resize(face, (size, size)), swing, (size, size), borderMode=cv2.BORDER_REPLICATE)
        x, y = 320 - size // 2 + number % 9, 240 - size // 2 + number % 7
        frame[y : y + size, x : x + size] = moved
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


@pytest.fixture
def lock(house: Config, portrait: Path) -> Iterator[Lock]:
    with running(house, portrait) as lock:
        lock.until("eyes_present")
        yield lock


def begun(house: Config, lock: Lock) -> "subprocess.Popen[str]":
    """The command, once the guardian has said that it has begun."""
    arguments = command(house, "enroll", "Barack", "--camera", "--looks", "20")
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lock.until("enrolling")
    assert "enrolling" in ok_json(house, "status")["eyes"]
    return process


def test_somebody_is_enrolled_at_the_camera_of_a_running_lock_and_then_comes_in(house: Config, lock: Lock) -> None:
    done = ok_json(house, "enroll", "Barack", "--camera")
    assert done["person"]["name"] == "Barack"
    assert done["person"]["templates"] == len(done["kept"]) == 5
    assert done["kept"][0]["pose"] in ("ahead", None)
    assert {"near", "far"} <= {look["pose"] for look in done["kept"]}
    lock.until("enrolling_ended")
    assert "released" not in lock.kinds()
    assert lock.until("released")["name"] == "Barack"
    assert "already" in refused(house, 5, "enroll", "Barack", "--camera")
    more = run(house, "enroll", "Barack", "--camera", "--add", "--looks", "3")
    assert more.returncode == 0, more.stderr
    assert "Barack is enrolled with 8 templates" in more.stdout
    assert "ahead" in more.stdout
    lock.process.terminate()
    lock.to_the_end()
    told = [each.event for each in logged(house) if each.event.kind.startswith("enrolling")]
    assert len(told) == 4
    assert all("uid" in str(event.detail["by"]) and "Barack" not in str(event.detail) for event in told)


def test_ctrl_c_cancels_and_nobody_is_enrolled(house: Config, lock: Lock) -> None:
    process = begun(house, lock)
    assert "already, by" in refused(house, 12, "enroll", "Eileen", "--camera")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "Cancelled: nobody was enrolled" in said
    assert "Traceback" not in said
    assert lock.until("enrolling_ended")["reason"] == "cancelled"
    assert ok_json(house, "people") == []


def test_a_command_that_is_killed_enrols_nobody(house: Config, lock: Lock) -> None:
    process = begun(house, lock)
    process.kill()
    process.communicate()
    assert lock.until("enrolling_ended")["reason"] == "its command has gone"
    assert ok_json(house, "people") == []


def test_the_command_says_why_when_lockdown_or_the_lock_ends_it(house: Config, lock: Lock) -> None:
    process = begun(house, lock)
    ok(house, "lockdown")
    _, said = process.communicate(timeout=30)
    assert process.returncode == 12
    assert "lockdown" in said
    ok(house, "door", "mode", "normal")
    process = begun(house, lock)
    lock.process.terminate()
    lock.to_the_end()
    _, said = process.communicate(timeout=30)
    assert process.returncode in (10, 12)
    assert "Traceback" not in said


def test_without_a_guardian_or_without_eyes_there_is_nothing_to_look_with(house: Config) -> None:
    assert "No guardian runs" in refused(house, 10, "enroll", "Barack", "--camera")
    assert not house.store_path.exists()
    with subprocess.Popen(command(house, "door", "--json"), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while json.loads(process.stdout.readline())["kind"] != "log_head":
            pass
        assert "eyes are away" in refused(house, 8, "enroll", "Barack", "--camera")
        process.terminate()


def test_photographs_folder_and_camera_are_three_ways(house: Config, photos: Photos) -> None:
    assert run(house, "enroll", "Barack", photos["obama.jpg"], "--camera").returncode == 2
    assert run(house, "enroll", "Barack", "--camera", "--looks", "2").returncode == 2
    assert "names from the folders" in refused(house, 4, "enroll", "--folder", photos["obama.jpg"].parent, "--camera")


def test_over_a_cable_with_what_the_camera_sees_in_a_file(house: Config, lock: Lock, tmp_path: Path) -> None:
    laptop, preview = Laptop(tmp_path), tmp_path / "preview.jpg"
    with plugged() as cable, process(house, "link", cable.lock):
        code = ok_json(house, "usb", "pair")["code"]
        laptop.ok("pair", code, port=cable.laptop)
        with watched(preview) as pictures:
            said = laptop.ok("enroll", "Barack", "--live", "--preview", preview, port=cable.laptop)
        assert "Barack is enrolled with 5 templates" in said
        assert not preview.exists(), "no face stays on the laptop"
        assert pictures
        for picture in pictures:
            assert decode_rgb(picture, "the preview").shape[1] == 240
        preview.write_text("somebody's")
        there = laptop.run("enroll", "Ada", "--live", "--preview", preview, port=cable.laptop)
        assert there.returncode == 4
        assert preview.read_text() == "somebody's"
    assert ok_json(house, "people")[0]["name"] == "Barack"


@contextmanager
def watched(path: Path) -> Iterator[list[bytes]]:
    """Every picture that is in a file meanwhile."""
    seen: list[bytes] = []
    ending = threading.Event()

    def watch() -> None:
        while not ending.wait(0.05):
            with suppress(FileNotFoundError):
                data = path.read_bytes()
                if data and data not in seen:
                    seen.append(data)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        ending.set()
        thread.join()
