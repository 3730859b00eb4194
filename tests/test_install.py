"""The installer: what it says it would do, what it refuses, and its way back. That it does it is the lab's to show."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from edge.errors import StoreError
from tests.store.helpers import open_store, vectors

ROOT = Path(__file__).parents[1]
INSTALL = ROOT / "systemd" / "install.sh"
NOBODY = 65534

needs_debian = pytest.mark.skipif(shutil.which("dpkg") is None, reason="this is no Debian")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def release() -> Iterator[Path]:
    """What the installer needs of an unpacked release, and a wheel that a dry run only looks at from outside."""
    with tempfile.TemporaryDirectory(prefix="fl-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copytree(INSTALL.parent, folder / "systemd")
        shutil.copy(ROOT / "requirements-product.lock", folder)
        (folder / "wheels").mkdir()
        (folder / "wheels" / "facelatch-9.8.7-py3-none-any.whl").write_bytes(b"")
        yield folder


def install(
    folder: Path, *options: str, system: str = "debian 13 trixie", user: int | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """One run of ``folder``'s installer on the system that ``system`` says it is: id, version, name."""
    name, number, code = system.split()
    (folder / "os-release").write_text(f'ID={name}\nVERSION_ID="{number}"\nPRETTY_NAME="{name} {number} ({code})"\n')
    environment = {"PATH": os.environ["PATH"], "FACELATCH_OS_RELEASE": f"{folder}/os-release", **environment}
    command = ["bash", str(folder / "systemd" / "install.sh"), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, user=user)


def refused(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert done.returncode == code, done
    for word in words:
        assert word in done.stderr


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_shellcheck_has_nothing_to_say() -> None:
    done = subprocess.run(["shellcheck", str(INSTALL)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_help_names_every_option(release: Path) -> None:
    done = install(release, "--help")
    assert done.returncode == 0
    known = set(re.findall(r"--[a-z-]+(?=[ |)])", INSTALL.read_text().split("parse() {")[1].split("done")[0]))
    assert known >= {"--wheels", "--wheel", "--wait", "--dry-run", "--roll-back", "--uninstall", "--purge", "--help"}
    for option in known:
        assert option in done.stdout


@needs_debian
@pytest.mark.parametrize(
    "system", ["debian 12 bookworm", "debian 13 trixie"] if os.uname().machine in {"x86_64", "aarch64"} else []
)
def test_a_dry_run_says_every_step_in_order_and_changes_nothing(release: Path, system: str) -> None:
    before = sorted(os.listdir("/opt"))
    done = install(release, "--dry-run", "--wheels", f"{release}/wheels", system=system)
    assert done.returncode == 0, done.stderr
    steps = [line.removeprefix("- would ") for line in done.stdout.splitlines() if line.startswith("- would ")]
    assert all(line.startswith("- would ") for line in done.stdout.splitlines() if line.startswith("-"))
    order = [
        "make /opt/facelatch-9.8.7-",
        "make the users",
        "facelatch.toml",
        "/usr/local/bin",
        "enable",
        "start the lock",
    ]
    assert [step for step in steps if not step.startswith("install by apt")] == [
        next(step for step in steps if word in step) for word in order
    ]
    assert done.stdout.endswith("Nothing was changed.\n")
    assert sorted(os.listdir("/opt")) == before


@needs_debian
@needs_root
def test_a_dry_run_needs_no_root_and_the_rest_does(release: Path) -> None:
    options = ["--wheels", f"{release}/wheels"]
    assert install(release, "--dry-run", *options).returncode == 0
    assert install(release, "--dry-run", *options, user=NOBODY).returncode == 0
    refused(install(release, *options, user=NOBODY), 1, "sudo", "--wheels")


@needs_debian
@pytest.mark.parametrize("system", ["ubuntu 24.04 noble", "debian 11 bullseye", "fedora 42 none"])
def test_an_unknown_system_is_refused_by_its_name(release: Path, system: str) -> None:
    refused(install(release, "--dry-run", system=system), 1, system.split(maxsplit=1)[0], "Debian 12 and 13")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--whels", "folder"], "no option --whels"),
        (["--wheels"], "--wheels needs a value"),
        (["--wheels", "no-such-folder"], "no folder no-such-folder"),
        (["--wheel", "no-such.whl"], "no wheel no-such.whl"),
        (["--wait", "soon"], "whole seconds"),
        (["--purge"], "--uninstall"),
    ],
)
def test_a_wrong_command_line_is_refused_with_what_is_wrong(release: Path, options: list[str], words: str) -> None:
    refused(install(release, *options), 2, words, "--help")


@needs_debian
def test_no_source_and_several_are_refused(release: Path) -> None:
    refused(install(release, "--dry-run"), 1, "--wheel")
    (release / "wheels" / "facelatch-9.8.8-py3-none-any.whl").write_bytes(b"")
    refused(install(release, "--dry-run", "--wheels", f"{release}/wheels"), 1, "2 wheels", "--wheel")
    one = f"{release}/wheels/facelatch-9.8.8-py3-none-any.whl"
    assert "facelatch-9.8.8" in install(release, "--dry-run", "--wheel", one).stdout


@needs_debian
def test_another_wheel_and_another_unit_are_another_version(release: Path) -> None:
    """Whatever decides what is installed is in the name of its folder, so that a second run knows it again."""

    def folder() -> str:
        said = install(release, "--dry-run", "--wheels", f"{release}/wheels").stdout
        found = re.search(r"/opt/facelatch-9.8.7-\w{8}", said)
        assert found, said
        return found[0]

    first = folder()
    assert folder() == first
    with (release / "systemd" / "facelatch-door.service").open("a") as unit:
        unit.write("# changed\n")
    second = folder()
    (release / "wheels" / "facelatch-9.8.7-py3-none-any.whl").write_bytes(b"other")
    assert len({first, second, folder()}) == 3


@needs_debian
def test_every_file_that_belongs_to_the_system_has_its_place(release: Path) -> None:
    listed = re.findall(r"^    \[(\S+)\]=(\S+)$", INSTALL.read_text(), re.MULTILINE)
    names = {re.sub(r"^\$(\w+)$", r"facelatch-\1.service", name) for name, _ in listed}
    assert names == {each.name for each in INSTALL.parent.iterdir()} - {"install.sh", "README.md"}


FUNCTIONS = """
source "$1"
copy=$2/copy previous=/opt/facelatch-0.0.0-00000000
where=$2/state
setting() { echo "$where"; }
"""


def call(folder: Path, *lines: str) -> int:
    """The exit code of single functions of the installer, on a store in ``folder``/state."""
    script = FUNCTIONS + "\n".join(lines)
    return subprocess.run(["bash", "-c", script, "bash", str(INSTALL), str(folder)], check=False).returncode


def people(folder: Path) -> list[str]:
    with open_store(folder / "state" / "facelatch.db") as store:
        return [person.name for person in store.people()]


def contents(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in (folder / "state").iterdir() if each.suffix != ".lock"}


def test_units_are_on_the_disk_before_they_take_the_place_of_those_in_use(tmp_path: Path) -> None:
    """A plain copy, whose power is cut seconds later, leaves an empty unit: found by the lab's powercut."""
    version, system = tmp_path / "version", tmp_path / "system"
    shutil.copytree(INSTALL.parent, version / "systemd")
    system.mkdir()
    lines = (
        f'for name in "${{!targets[@]}}"; do targets[$name]={system}/$name; echo old >{system}/$name; done',
        f"link={tmp_path}/link",
        'for tool in systemctl udevadm systemd-sysusers systemd-tmpfiles; do eval "$tool() { :; }"; done',
        f"sync() {{ synced=$((synced + 1)); cp -a {system} {tmp_path}/at-sync-$synced; }}",
        f"synced=0; use {version}",
    )
    assert call(tmp_path, *lines) == 0
    for name in ("facelatch-door.service", "facelatch-eyes.service", "facelatch.rules"):
        new = (version / "systemd" / name).read_text()
        assert (tmp_path / "at-sync-1" / name).read_text() == "old\n"
        assert (tmp_path / "at-sync-1" / f"{name}.new").read_text() == new
        assert (tmp_path / "at-sync-2" / name).read_text() == new
    assert not list(system.glob("*.new"))
    assert (tmp_path / "link").resolve() == version


@pytest.fixture
def upgraded(tmp_path: Path) -> Path:
    """A store with Anna, of which a copy was kept, and which a newer version has changed since."""
    (tmp_path / "state").mkdir(mode=0o700)
    with open_store(tmp_path / "state" / "facelatch.db") as store:
        store.enroll("Anna", vectors(3, 1))
    assert call(tmp_path, "keep_a_copy") == 0
    with open_store(tmp_path / "state" / "facelatch.db") as store:
        store.enroll("Bert", vectors(2, 2))
    (tmp_path / "state" / "facelatch.db.of-the-newer").write_bytes(b"")
    return tmp_path


def test_the_store_comes_back_as_it_was_with_its_keys_and_without_what_came_since(upgraded: Path) -> None:
    kept = {
        each.name: each.read_bytes() for each in (upgraded / "copy").glob("facelatch.db*") if each.suffix != ".lock"
    }
    assert people(upgraded) == ["Anna", "Bert"]
    assert call(upgraded, "put_the_copy_back") == 0
    assert contents(upgraded) == kept
    assert people(upgraded) == ["Anna"]
    assert (upgraded / "copy").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("commands", range(1, 50))
def test_killed_on_the_way_back_the_store_is_the_old_one_or_refused_and_a_second_try_ends_well(
    upgraded: Path, commands: int
) -> None:
    """Never a mixture, never an empty one that would take its place."""
    killing = f"set -T; left={commands}; trap '((left--)) || kill -9 $$' DEBUG"
    killed = call(upgraded, killing, "put_the_copy_back; trap - DEBUG")
    if killed:
        with suppress(StoreError):
            assert people(upgraded) in (["Anna"], ["Anna", "Bert"])
    assert call(upgraded, "put_the_copy_back") == 0
    assert people(upgraded) == ["Anna"]


def test_a_copy_that_cannot_be_made_whole_does_not_count(upgraded: Path) -> None:
    """What was kept before stays, and the upgrade ends before anything is switched."""
    before = (upgraded / "copy" / "facelatch.db").read_bytes()
    assert call(upgraded, "cp() { false; }", "keep_a_copy") != 0
    assert (upgraded / "copy" / "facelatch.db").read_bytes() == before
