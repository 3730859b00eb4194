"""The units start commands that exist, as users of their own without a network, and as closed as systemd can tell."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from edge import cli
from edge.cable import port
from edge.peers import CABLE, EYES, OPERATORS
from edge.settings import Config

SYSTEMD = Path(__file__).parents[1] / "systemd"
UNITS = sorted(SYSTEMD.glob("*.service"))
EXPOSURE_MAX = {
    "facelatch-door.service": 1.5,
    "facelatch-eyes.service": 2.5,
    "facelatch-gadget.service": 3.5,
    "facelatch-link@.service": 1.5,
    "facelatch-stick@.service": 1.5,
}

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def service(unit: Path) -> Mapping[str, list[str]]:
    """Every setting of ``[Service]``, by its name in lower case, with its values in order."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in unit.read_text().splitlines():
        if line.startswith("["):
            section = line
        elif section == "[Service]" and line and not line.startswith("#"):
            name, value = line.split("=", 1)
            found.setdefault(name.lower(), []).append(value)
    return found


def test_the_services_are_there() -> None:
    assert [unit.name for unit in UNITS] == list(EXPOSURE_MAX)


@pytest.mark.parametrize("unit", [unit for unit in UNITS if "gadget" not in unit.name], ids=lambda unit: unit.name)
def test_a_unit_starts_a_command_that_exists_without_a_network(unit: Path) -> None:
    settings = service(unit)
    commands = [each.split() for each in settings["execstart"] + settings.get("execstoppost", [])]
    ours = [words[1] for words in commands if words[0].endswith("/facelatch")]
    assert ours
    assert set(ours) <= set(cli.VERBS)
    assert settings["user"] == [CABLE if unit.stem == "facelatch-stick@" else unit.stem.removesuffix("@")]
    assert "AF_INET" not in str(settings["restrictaddressfamilies"])
    assert settings["privatenetwork"] == ["yes"]


def test_the_guardian_is_watched_and_secured_when_it_ends() -> None:
    settings = service(SYSTEMD / "facelatch-door.service")
    assert settings["type"] == ["notify"]
    assert float(settings["watchdogsec"][0]) <= 2
    assert settings["execstoppost"][0].endswith("facelatch secure")
    assert settings["restart"] == ["always"]


def test_the_guardian_and_what_secures_come_before_the_eyes() -> None:
    """A board whose eyes take every core, as while they load, delays no write to the bolt."""
    door, eyes = (service(SYSTEMD / f"facelatch-{name}.service") for name in ("door", "eyes"))
    default = 100
    assert int(eyes["cpuweight"][0]) < default < int(door["cpuweight"][0])
    assert int(eyes["nice"][0]) > 0 > int(door["nice"][0])


def test_devices_are_a_list_for_each_and_not_shared() -> None:
    door, eyes, _, link, stick = (service(SYSTEMD / name) for name in EXPOSURE_MAX)
    assert link["devicepolicy"] == stick["devicepolicy"] == ["closed"]
    assert stick["deviceallow"] == ["/dev/%I r"]  # for the mount: its user may not open it
    assert all(rule.startswith("char-tty") for rule in link["deviceallow"])
    assert door["devicepolicy"] == eyes["devicepolicy"] == ["closed"]
    assert door["deviceallow"] == ["char-gpiochip rw"]
    assert not set(door["deviceallow"]) & set(eyes["deviceallow"])
    assert {"char-video4linux rw", "char-media rw", "char-dma_heap rw"} <= set(eyes["deviceallow"])
    assert EYES not in str(door.get("supplementarygroups")) + str(door.get("group"))
    assert eyes["supplementarygroups"] == ["video"]


def test_the_process_on_the_cable_has_the_store_nowhere_and_its_own_key() -> None:
    link = service(SYSTEMD / "facelatch-link@.service")
    assert f"-{Config().paths.state}" in link["inaccessiblepaths"][0].split()
    assert link["statedirectory"] == [Config().paths.usb.removeprefix("/var/lib/")]
    assert OPERATORS not in str(link)


def test_a_stick_is_mounted_so_that_nothing_on_it_counts_but_bytes() -> None:
    stick = service(SYSTEMD / "facelatch-stick@.service")
    (mount,) = stick["execstartpre"]
    assert "-t vfat" in mount
    options = set(mount.split(" -o ")[1].split()[0].split(","))
    assert {"ro", "nosuid", "nodev", "noexec"} <= options
    assert f"-{Config().paths.state}" in stick["inaccessiblepaths"][0].split()
    rules = (SYSTEMD / "facelatch.rules").read_text()
    assert 'ENV{ID_BUS}=="usb", ENV{ID_FS_USAGE}=="filesystem"' in rules


def test_the_gadget_is_what_a_laptop_looks_for() -> None:
    script = (SYSTEMD / "gadget.sh").read_text()
    vendor, product = port.GADGET
    assert f"echo 0x{vendor:04x} >" in script
    assert f"echo 0x{product:04x} >" in script
    assert f'echo "{port.PRODUCT}" >' in script
    assert subprocess.run(["sh", "-n", str(SYSTEMD / "gadget.sh")], check=False).returncode == 0


def test_the_guardian_may_ask_whether_ntp_holds_the_clock() -> None:
    """ProtectClock= and a filter without these calls make `Clock.trusted` false for ever on a board without battery."""
    settings = service(SYSTEMD / "facelatch-door.service")
    assert "protectclock" not in settings
    assert {"adjtimex", "clock_adjtime"} <= set(settings["systemcallfilter"][-1].split())


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_every_setting_of_the_sandbox_is_explained(unit: Path) -> None:
    """A comment stands above each group, and a group is no longer than one reads at a glance."""
    explained, since = False, 0
    for line in unit.read_text().split("[Service]")[1].split("[Install]")[0].splitlines():
        if line.startswith("# "):
            explained, since = True, 0
        elif not line:
            explained = False
        elif not line.startswith("#"):
            since += 1
            assert explained, line
            assert since <= 9, line


def test_the_folders_are_those_of_the_configuration_each_with_its_one_group() -> None:
    rows = [line.split() for line in (SYSTEMD / "facelatch.tmpfiles").read_text().splitlines() if line[0] == "d"]
    assert {path: (mode, user, group) for _, path, mode, user, group, _ in rows} == {
        Config().paths.state: ("0700", "facelatch-door", "facelatch-door"),
        Config().paths.runtime: ("2751", "facelatch-door", OPERATORS),
        str(Config().looks_path.parent): ("2750", "facelatch-door", EYES),
        str(Config().cable_path.parent): ("2750", "facelatch-door", CABLE),
    }
    assert str(Config().control_path.parent) == Config().paths.runtime


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_exposure_that_systemd_computes_is_small(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(unit)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", told)
    assert found, told
    assert float(found[1]) <= EXPOSURE_MAX[unit.name], told


@needs_systemd
def test_systemd_finds_nothing_to_say_of_the_units(tmp_path: Path) -> None:
    """All but that facelatch is not installed here: a program that is stands in its place."""
    for unit in UNITS:
        (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/facelatch/bin/facelatch", "/bin/true"))
    command = ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert [line for line in (told.stdout + told.stderr).splitlines() if "facelatch" in line] == []
