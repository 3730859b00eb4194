"""``facelatch run`` as two real processes on a replayed camera: who gets in, and what a kill at any moment leaves
behind."""

import json
import os
import select
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

from edge.devices.clock import SystemClock
from edge.settings import Config
from edge.store.sqlite import SqliteStore
from edge.types import LoggedEvent, Rgb
from tests.cli.facelatch import command, ok, ok_json, run

pytestmark = pytest.mark.alone

Photos = dict[str, Path]
Notice = dict[str, Any]
FPS = 10


def walk_past(path: Path, pictures: list[tuple[Rgb | None, float]]) -> Path:
    """A video of people (or nobody) for so many seconds each, with a moving hand and noise."""
    generator = np.random.default_rng(3)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (640, 480))
    for face, seconds in pictures:
        for number in range(round(seconds * FPS)):
            frame = generator.integers(100, 112, (480, 640, 3), dtype=np.uint8)
            if face is not None:
                x, y = 220 + 2 * (number % 9), 120 + number % 7
                frame[y : y + face.shape[0], x : x + face.shape[1]] = face
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


class Lock:
    """A running lock, and what it has said so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.notices: list[Notice] = []

    def next(self) -> Notice:
        """The next notice; the lock's end fails the test."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.notices
        self.notices.append(json.loads(line))
        return self.notices[-1]

    def until(self, kind: str) -> Notice:
        """Read on until a notice of this kind."""
        while self.next()["kind"] != kind:
            continue
        return self.notices[-1]

    def to_the_end(self) -> int:
        assert self.process.stdout is not None
        self.notices += [json.loads(line) for line in self.process.stdout]
        return self.process.wait(60)

    def kinds(self) -> list[str]:
        return [notice["kind"] for notice in self.notices]

    def eyes_pid(self) -> int:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        (pid,) = children
        return int(pid)


@contextmanager
def running(house: Config, replay: Path) -> Iterator[Lock]:
    arguments = command(house, "run", "--simulate", "--json", "--replay", replay)
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Lock(process)
        finally:
            process.kill()


def logged(house: Config) -> list[LoggedEvent]:
    """The audit log, newest first."""
    with SqliteStore.open(house.store_path, "mobilefacenet-192-1", 192, SystemClock()) as store:
        return store.events(100)


def unlocking_for(house: Config, seconds: float) -> Config:
    return msgspec.structs.replace(house, door=msgspec.structs.replace(house.door, unlock_s=seconds))


def test_the_owner_gets_in_and_a_stranger_does_not(
    house: Config, photos: Photos, cut_out: Callable[[str], Rgb], tmp_path: Path
) -> None:
    house = unlocking_for(house, 1.0)
    ok(house, "enroll", "Barack", photos["obama.jpg"])
    stranger, owner = cut_out("biden.jpg"), cut_out("obama2.jpg")
    replay = walk_past(tmp_path / "door.avi", [(None, 1), (stranger, 1.5), (None, 1.3), (owner, 1.5), (None, 0.5)])
    with running(house, replay) as lock:
        assert lock.to_the_end() == 0
    assert lock.kinds().count("released") == 1
    released = next(notice for notice in lock.notices if notice["kind"] == "released")
    assert released["name"] == "Barack"
    assert 38 <= released["frame"] <= 53
    assert "refused" in lock.kinds()[: lock.kinds().index("released")]
    assert lock.kinds().index("secured") > lock.kinds().index("released")
    assert all("simulated" in notice["status"] and "liveness off" in notice["status"] for notice in lock.notices)
    assert not house.control_path.exists()


def test_eyes_killed_while_the_door_is_open_do_not_hold_it_and_come_back(
    house: Config, photos: Photos, cut_out: Callable[[str], Rgb], tmp_path: Path
) -> None:
    house = unlocking_for(house, 2.0)
    ok(house, "enroll", "Barack", photos["obama.jpg"])
    replay = walk_past(tmp_path / "door.avi", [(cut_out("obama2.jpg"), 30)])
    with running(house, replay) as lock:
        lock.until("released")
        os.kill(lock.eyes_pid(), signal.SIGKILL)
        lock.until("eyes_away")
        assert ok_json(house, "status")["door"] == "UNLOCKED"
        while lock.kinds().count("secured") < 1 or lock.kinds().count("eyes_present") < 2:
            lock.next()
        lock.process.terminate()
        assert lock.to_the_end() == 0
    assert lock.kinds()[-1] == "stopped"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_a_lock_that_is_stopped_while_open_secures_first(
    house: Config, photos: Photos, cut_out: Callable[[str], Rgb], tmp_path: Path, number: signal.Signals
) -> None:
    house = unlocking_for(house, 30.0)
    ok(house, "enroll", "Barack", photos["obama.jpg"])
    replay = walk_past(tmp_path / "door.avi", [(cut_out("obama2.jpg"), 10)])
    with running(house, replay) as lock:
        lock.until("released")
        pid = lock.eyes_pid()
        lock.process.send_signal(signal.SIGTSTP)  # Ctrl-Z: a guardian that stands still could not relock
        for _ in range(50):
            lock.process.send_signal(number)
        assert lock.to_the_end() == 0
    kinds = [kind for kind in lock.kinds() if kind not in {"log_head", "backed_up"}]
    assert kinds[-2:] in (["secured", "stopped"], ["eyes_away", "stopped"])
    assert "LOCKED" in lock.notices[-1]["status"]
    assert not Path(f"/proc/{pid}").exists()


def test_people_are_enrolled_and_forgotten_while_the_lock_runs(
    house: Config, photos: Photos, cut_out: Callable[[str], Rgb], tmp_path: Path
) -> None:
    replay = walk_past(tmp_path / "door.avi", [(cut_out("obama2.jpg"), 60)])
    with running(house, replay) as lock:
        lock.until("refused")
        ok(house, "enroll", "Barack", photos["obama.jpg"])
        released = lock.until("released")
        assert released["name"] == "Barack"
        assert ok_json(house, "look", photos["obama3.jpg"])["pictures"][0]["faces"][0]["person"] == "Barack"
        assert [person["name"] for person in ok_json(house, "people")] == ["Barack"]
        second = run(house, "run", "--simulate", "--replay", replay)
        assert second.returncode == 9  # the bolt's line is taken
        ok(house, "forget", "Barack", "--yes")
        lock.until("forgotten")


def test_a_guardian_that_is_killed_takes_its_eyes_along(
    house: Config, cut_out: Callable[[str], Rgb], tmp_path: Path
) -> None:
    replay = walk_past(tmp_path / "door.avi", [(None, 30)])
    with running(house, replay) as lock:
        lock.until("eyes_present")
        descriptor = os.pidfd_open(lock.eyes_pid())
        lock.process.kill()
        assert _ends(descriptor)
        os.close(descriptor)


def _ends(descriptor: int) -> bool:
    """Whether a process ends within 20 s."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(20_000))


def test_a_reader_that_goes_away_does_not_stop_the_lock(
    house: Config, cut_out: Callable[[str], Rgb], tmp_path: Path
) -> None:
    replay = walk_past(tmp_path / "door.avi", [(cut_out("biden.jpg"), 6)])
    for as_json in ([], ["--json"]):
        arguments = command(house, "run", "--simulate", *as_json, "--replay", replay)
        with subprocess.Popen(arguments, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            process.stdout.close()
            assert process.wait(60) == 0
            assert "Traceback" not in process.stderr.read()
    assert "stopped" in {event.event.kind for event in logged(house)}


def test_a_file_in_the_working_directory_does_not_become_the_eyes(house: Config, tmp_path: Path) -> None:
    replay = walk_past(tmp_path / "door.avi", [(None, 1)])
    (tmp_path / "edge.py").write_text("raise SystemExit(7)")
    arguments = command(house, "run", "--simulate", "--replay", str(replay))
    arguments.insert(1, "-P")
    assert subprocess.run(arguments, cwd=tmp_path, check=False, timeout=60).returncode == 0


def test_the_childs_configuration_is_never_written_through_a_link(house: Config, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    Path(house.paths.runtime).mkdir(parents=True)
    (Path(house.paths.runtime) / "run.toml").symlink_to(precious)
    replay = walk_past(tmp_path / "door.avi", [(None, 1)])
    ok(house, "run", "--simulate", "--replay", replay)
    assert precious.read_text() == "precious"


def test_a_camera_that_does_not_open_ends_the_run_with_its_reason(house: Config, tmp_path: Path) -> None:
    done = run(house, "run", "--simulate", "--replay", tmp_path / "absent.avi")
    assert done.returncode == 8
    assert "absent.avi" in done.stderr
    assert "stopped" in done.stdout


def test_a_camera_that_repeats_one_frame_ends_the_run_with_its_reason(house: Config, tmp_path: Path) -> None:
    for number in range(40):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((480, 640, 3), 90, dtype=np.uint8))
    done = run(house, "run", "--simulate", "--replay", tmp_path, FACELATCH_CAMERA__FPS="10")
    assert done.returncode == 8
    assert "repeats one frame" in done.stderr
    assert "repeats one frame" in done.stdout
