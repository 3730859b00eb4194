"""``facelatch doctor`` on what hangs on the board's lines."""

import json
import subprocess
import threading
from pathlib import Path

import msgspec
import pytest

from edge.cli.doctor import _guardian, killed
from edge.settings import BoltConfig, Config, InputsConfig, KeypadConfig
from tests.cli.facelatch import command, run


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
