"""The units start commands that exist, as two users, neither with a network."""

from configparser import ConfigParser
from pathlib import Path

import pytest

from edge import cli

UNITS = sorted((Path(__file__).parents[1] / "systemd").glob("*.service"))


def service(unit: Path) -> dict[str, str]:
    parser = ConfigParser(strict=False, interpolation=None)
    parser.read(unit)
    return dict(parser["Service"])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_starts_a_command_that_exists_without_a_network(unit: Path) -> None:
    settings = service(unit)
    verb = settings["execstart"].split()[-1]
    assert verb in cli.facelatch.commands
    assert settings["user"] == unit.stem
    assert settings["restrictaddressfamilies"] == "AF_UNIX"
    assert settings["privatenetwork"] == "yes"


def test_guardian_and_eyes_are_there() -> None:
    assert [unit.name for unit in UNITS] == ["facelatch-door.service", "facelatch-eyes.service"]
