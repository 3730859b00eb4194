"""The guardian's process from the outside: the bolt comes first, and is left secured whatever happens."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from edge import app, fittings, household
from edge.child import CRASHES_MAX, EyesChild
from edge.core.door import State
from edge.devices.bolt import TimedBolt
from edge.errors import StoreDamagedError, StoreError, WireError
from edge.settings import CameraConfig, Config
from tests.cli.facelatch import ok
from tests.devices.test_bolt import ListedPin


@pytest.fixture
def pin(monkeypatch: pytest.MonkeyPatch) -> ListedPin:
    """A pin left released by a guardian that was killed, behind the real wiring."""
    listed = ListedPin()
    listed.levels.append(True)
    monkeypatch.setattr(fittings, "bolt", lambda config, board, clock: TimedBolt(listed, clock))
    return listed


def quiet(kind: str, values: object) -> None:
    """Nobody listens."""


def test_a_damaged_store_does_not_keep_the_bolt_released(house: Config, pin: ListedPin) -> None:
    house.store_path.parent.mkdir()
    house.store_path.write_bytes(b"rubbish" * 100)
    with pytest.raises(StoreDamagedError):
        app.guard(house, quiet)
    assert pin.levels[-1] is False


def test_a_runtime_folder_that_cannot_be_had_does_not_keep_the_bolt_released(house: Config, pin: ListedPin) -> None:
    Path(house.paths.runtime).write_text("a file")
    with pytest.raises(WireError):
        app.guard(house, quiet)
    assert pin.levels[-1] is False


def test_an_unexpected_error_is_told_and_ends_secured(
    house: Config, pin: ListedPin, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[str, object]] = []
    monkeypatch.setattr(EyesChild, "watch", lambda self, door: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        app.guard(house, lambda kind, values: said.append((kind, values)), EyesChild(house, quiet))
    assert pin.levels[-1] is False
    assert said[-1][0] == "stopped"
    assert "ZeroDivisionError" in str(said[-1][1])


def test_another_process_that_has_the_store_is_named(house: Config, pin: ListedPin) -> None:
    with household.registry(house), pytest.raises(StoreError, match="process"):
        app.guard(house, quiet)


def test_eyes_of_a_recording_that_crash_again_and_again_are_given_up(
    house: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = msgspec.structs.replace(house, camera=CameraConfig(driver="replay", source="a recording"))
    said: list[str] = []
    monkeypatch.setattr("edge.child.RESTART_S", 0.0)
    monkeypatch.setattr("edge.child.sys.executable", "/bin/false")  # ends with exit code 1 at once
    Path(house.paths.runtime).mkdir()
    child = EyesChild(house, lambda kind, values: said.append(kind))
    reason = None
    while reason is None:
        reason = child.watch(State.LOCKED)
    assert said == ["eyes_crashed"] * CRASHES_MAX
    assert f"{CRASHES_MAX} times" in reason
    assert child.exit_code == 1
    child.end()


def test_eyes_of_a_real_camera_are_started_again_for_ever_ever_more_slowly(
    house: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr("edge.child.sys.executable", "/bin/false")
    waited: list[float] = []
    now_s = [0.0]
    monkeypatch.setattr("edge.child.time.monotonic", lambda: now_s[0])
    Path(house.paths.runtime).mkdir()
    child = EyesChild(house, lambda kind, values: said.append(kind))
    for crash in range(CRASHES_MAX * 2):
        while len(said) == crash:
            assert child.watch(State.LOCKED) is None
        crashed_s = now_s[0]
        while child._process is None:
            now_s[0] += 0.25
            assert child.watch(State.LOCKED) is None
        waited.append(now_s[0] - crashed_s)
    assert waited[:6] == [1, 2, 4, 8, 16, 30]
    assert set(waited[6:]) == {30}
    child.end()


def test_eyes_that_cannot_be_started_end_the_run(house: Config) -> None:
    reason = EyesChild(house, quiet).watch(State.LOCKED)  # there is no runtime folder
    assert reason is not None
    assert "cannot be started" in reason


def test_a_mistake_in_the_configuration_does_not_keep_the_bolt_from_being_secured(house: Config) -> None:
    """A guardian that ends over it, or is killed before the mistake is mended, may leave the relay driven."""
    ok(house, "secure")
    line = house.lines_path / str(house.bolt.pin)
    line.write_text("1\n")
    file = Path(house.paths.state).parent / "facelatch.toml"
    mistaken = file.read_text().replace("fps = 15.0", "fps = 990.0").replace("[door]", "[dor]")
    file.write_text(mistaken)
    arguments = [sys.executable, "-m", "edge", "--config", str(file)]
    environment = {**os.environ, "FACELATCH_NONSENSE": "1"}
    assert subprocess.run([*arguments, "status"], capture_output=True, check=False, env=environment).returncode == 3
    assert subprocess.run([*arguments, "secure"], capture_output=True, check=False, env=environment).returncode == 0
    assert line.read_text() == "0\n"
    file.write_text(mistaken.replace("pin = 17", 'pin = "17"', 1))
    assert subprocess.run([*arguments, "secure"], capture_output=True, check=False).returncode == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="only root could change the rights of its threads")
def test_a_daily_backup_of_a_guardian_that_is_root_changes_nobody_s_rights(
    house: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are the whole process's: the thread that secures the bolt would lose them, too."""
    with household.registry(house):
        pass
    os.chown(house.paths.state, 4321, 4321)

    def never(*_: int) -> None:
        raise AssertionError("the rights of the guardian were changed")

    monkeypatch.setattr(os, "seteuid", never)
    assert household.back_up_daily(house).exists()
    with pytest.raises(AssertionError):
        household.back_up(house)
