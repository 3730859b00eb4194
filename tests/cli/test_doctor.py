"""``facelatch doctor`` on what hangs on the board's lines."""

import grp
import json
import os
import subprocess
import threading
from pathlib import Path

import msgspec
import pytest

from edge import app, wire
from edge.cli.doctor import _backups, _eyes, _guardian, _operators, killed
from edge.errors import StoreError
from edge.settings import BoltConfig, Config, InputsConfig, KeypadConfig
from tests.cli.facelatch import command, run
from tests.unprivileged import unprivileged


def findings(config: Config) -> dict[str, dict[str, str]]:
    return {each["check"]: each for each in json.loads(run(config, "doctor", "--json").stdout)}


def test_what_is_fitted_is_listed_and_a_simulated_bolt_named(house: Config) -> None:
    config = msgspec.structs.replace(house, inputs=InputsConfig(exit_button=22, door_contact=23))
    found = findings(config)
    assert found["inputs"]["detail"] == "inputs.exit_button 22, inputs.door_contact 23; keypad none"
    assert found["bolt"]["state"] == "note"
    assert str(config.lines_path) in found["bolt"]["detail"]


def test_a_keypad_that_is_not_there_and_a_chip_that_is_not_there_are_faults(house: Config) -> None:
    config = msgspec.structs.replace(
        house,
        keypad=KeypadConfig(device="/dev/input/by-id/no-such-keypad"),
        bolt=BoltConfig(driver="gpiod", chip="no such chip", external_pull=True),
    )
    found = findings(config)
    assert found["inputs"]["state"] == "fault"
    assert found["bolt"]["state"] == "fault"
    assert "no such chip" in found["bolt"]["detail"]


def test_a_door_in_fault_is_a_fault(house: Config) -> None:
    config = msgspec.structs.replace(house, inputs=InputsConfig(tamper=24))
    config.lines_path.mkdir(parents=True)
    (config.lines_path / "24").write_text("1\n")  # the case is open
    with subprocess.Popen(command(config, "door", "--json"), stdout=subprocess.DEVNULL) as guardian:
        watchdog = threading.Timer(60, guardian.kill)
        watchdog.start()
        while (found := _guardian(config))[0] == "note":  # not running yet
            assert guardian.poll() is None
        guardian.terminate()
        watchdog.cancel()
    assert found[0] == "fault"
    assert "the case was opened" in found[1]


def test_eyes_that_are_away_are_said_with_what_to_do(house: Config) -> None:
    assert "no guardian" in findings(house)["eyes"]["detail"]
    with subprocess.Popen(command(house, "door", "--json"), stdout=subprocess.DEVNULL) as guardian:
        watchdog = threading.Timer(60, guardian.kill)
        watchdog.start()
        while _guardian(house)[1].startswith("not running"):
            assert guardian.poll() is None
        state, said = _eyes(house)
        guardian.terminate()
        watchdog.cancel()
    assert state == "note"
    assert "journalctl -u facelatch-eyes" in said


def test_a_service_among_the_operators_is_a_fault(house: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    def group(members: list[str]) -> grp.struct_group:
        return grp.struct_group(("facelatch-admin", "x", 995, members))

    monkeypatch.setattr(grp, "getgrnam", lambda name: group(["somebody-human"]))
    assert _operators(house)[0] == "ok"
    monkeypatch.setattr(grp, "getgrnam", lambda name: group(["somebody-human", "daemon"]))
    state, said = _operators(house)
    assert state == "fault"
    assert said.startswith("daemon in facelatch-admin")


@pytest.mark.skipif(os.geteuid() != 0, reason="another user's folder is needed")
def test_an_operator_without_a_guardian_is_told_to_use_sudo(house: Config) -> None:
    Path(house.paths.state).mkdir(mode=0o700)
    Path(house.paths.state).parent.chmod(0o755)
    with unprivileged():
        with pytest.raises(StoreError, match="sudo"):
            app.answer(house, wire.AskStatus())
        assert "sudo" in _backups(house)[1]


@pytest.mark.parametrize(
    ("written", "state", "said"),
    [("Y\n", "note", "keeps driving"), ("N\n", "ok", "lets go"), (None, "note", "not known")],
)
def test_what_the_kernel_does_with_a_killed_guardians_pin(
    tmp_path: Path, written: str | None, state: str, said: str
) -> None:
    if written is not None:
        folder = tmp_path / "pinctrl_rp1" / "parameters"
        folder.mkdir(parents=True)
        (folder / "persist_gpio_outputs").write_text(written)
    found = killed(Config(), tmp_path)
    assert found[0] == state
    assert said in found[1]
