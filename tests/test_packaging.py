"""What a user installs: the wheel, the lock files, the licence."""

import hashlib
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCKS = {
    "requirements.lock": ("test",),
    "requirements-tools.lock": ("test", "tools"),
    "requirements-product.lock": ("device", "build"),
}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the real backend without network."""
    folder = tmp_path_factory.mktemp("dist")
    build = ["wheel", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run([sys.executable, "-m", "pip", *build], check=True, capture_output=True)
    (built,) = folder.iterdir()
    return built


def pins(lock: str) -> list[tuple[Requirement, int]]:
    """Every requirement of a lock file with its number of sha256 hashes."""
    blocks = re.sub(r"^\s*#.*\n", "", (ROOT / lock).read_text(), flags=re.MULTILINE).replace("\\\n", "").splitlines()
    return [
        (Requirement(block.split(" --hash")[0]), len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", block)))
        for block in blocks
    ]


def test_the_wheel_holds_the_networks_that_its_manifest_names(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        manifest = tomllib.loads(opened.read("edge/_models/manifest.toml").decode())
        assert {"pnet", "rnet", "onet", "mobilefacenet"} <= manifest["models"].keys()
        for model in manifest["models"].values():
            assert model["variants"].keys() == {"cpu", "edgetpu"}
            for card in model["variants"].values():
                network = opened.read(f"edge/_models/{card['file']}")
                assert hashlib.sha256(network).hexdigest() == card["sha256"]


def test_the_wheel_holds_the_product_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
        metadata = opened.read("facelatch-0.1.0.dist-info/METADATA").decode()
        commands = opened.read("facelatch-0.1.0.dist-info/entry_points.txt").decode()
    assert {name.split("/")[0] for name in names} == {"edge", "facelatch-0.1.0.dist-info"}
    assert {f"facelatch-0.1.0.dist-info/licenses/{name}" for name in ("LICENSE", "NOTICE")} <= set(names)
    assert "edge/py.typed" in names
    assert "facelatch = edge.cli:main" in commands
    assert "License-Expression: Apache-2.0" in metadata


def test_the_notice_names_every_source_of_a_shipped_network() -> None:
    notice = (ROOT / "NOTICE").read_text()
    manifest = tomllib.loads((ROOT / "models_tflite" / "manifest.toml").read_text())
    for card in manifest["models"].values():
        assert f"{card['source']['package']} {card['source']['version']}" in notice


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_pins_every_package_by_hash_and_names_no_index(lock: str) -> None:
    for requirement, hashes in pins(lock):
        assert str(requirement.specifier).startswith("=="), requirement
        assert requirement.url is None
        assert hashes >= 1, requirement
    assert not re.search(r"://|--(extra-)?index|--find-links|--trusted-host", (ROOT / lock).read_text())


@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("machine", ["x86_64", "aarch64", "armv7l"])
def test_a_lock_file_has_what_the_project_asks_for(lock: str, python: str, machine: str) -> None:
    """On each machine one release of each package, one that satisfies pyproject.toml: the lock is up to date."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    here = {
        "python_version": python,
        "python_full_version": f"{python}.4",
        "platform_machine": machine,
        "sys_platform": "linux",
        "platform_python_implementation": "CPython",
    }

    def applies(requirement: Requirement) -> bool:
        return requirement.marker is None or requirement.marker.evaluate(here)

    locked: dict[str, str] = {}
    for requirement, _ in pins(lock):
        if applies(requirement):
            assert canonicalize_name(requirement.name) not in locked, requirement
            locked[canonicalize_name(requirement.name)] = str(requirement.specifier).removeprefix("==")

    extras = [line for extra in LOCKS[lock] for line in project["optional-dependencies"][extra]]
    for wanted in filter(applies, map(Requirement, [*project["dependencies"], *extras])):
        assert wanted.specifier.contains(locked[canonicalize_name(wanted.name)]), wanted


def test_what_runs_at_the_door_is_what_the_tests_run_with() -> None:
    """requirements-product.lock holds no version that requirements.lock does not; lgpio alone is the board's."""
    tested = {str(requirement).split(";", maxsplit=1)[0] for requirement, _ in pins("requirements.lock")}
    installed = {str(requirement).split(";", maxsplit=1)[0] for requirement, _ in pins("requirements-product.lock")}
    assert {each.split("==", maxsplit=1)[0] for each in installed - tested} == {"lgpio"}
