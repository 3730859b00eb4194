"""Flatbuffers made to do harm: refused by their digest, and where a manifest vouches for them, contained."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge.errors import ModelError
from edge.models import device
from edge.models.interpreter import Net
from edge.models.manifest import Shelf
from tests.models.hostile import NAMES, damaged
from tests.models.runtimes import INSTALLED
from tests.models.shelves import copied, with_content

REPOSITORY = Path(__file__).parents[2]

COUNT = 30
"""Damaged networks for each runtime; thousands were run by hand with the same module."""


class Untouched:
    """A runtime that nothing may reach."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the file reached the parser ({name})")


def test_no_altered_file_reaches_the_parser(shelf: Shelf, tmp_path: Path) -> None:
    mine = Shelf.open(copied(tmp_path / "shelf"))
    for number in range(200):
        name = NAMES[number % len(NAMES)]
        content = damaged(shelf.load(name), number)
        (mine.folder / mine.card(name).file).write_bytes(content)
        if content != shelf.load(name):
            with pytest.raises(ModelError, match="not the one that its manifest describes"):
                Net(mine, name, runtime=Untouched())


@pytest.mark.parametrize("runtime", INSTALLED)
def test_a_manifest_that_vouches_for_a_damaged_network_gets_it_refused_or_run(runtime: str) -> None:
    """Whatever the native code does to its process: no exception but ModelError, and no end of time."""
    command = [sys.executable, "-m", "tests.models.hostile", runtime, "0", str(COUNT)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=300)
    ends = json.loads(done.stdout)
    assert sum(ends.values()) == COUNT
    assert set(ends) <= {"ok", "ModelError", "SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE"}, done.stderr
    assert ends["ok"] >= 5
    assert ends["ModelError"] >= 5


def test_sound_networks_of_ones_own_are_used(tmp_path: Path) -> None:
    folder = copied(tmp_path / "shelf")
    assert device.choose("cpu", "none", "", folder).shelf == Shelf.open(folder)


@pytest.mark.parametrize("runtime", INSTALLED)
@pytest.mark.parametrize("name", NAMES)
def test_a_truncated_network_of_ones_own_is_refused_whatever_it_does_to_its_process(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: str, name: str
) -> None:
    content = shelf.load(name)
    folder = with_content(copied(tmp_path / "shelf"), name, content[: len(content) // 2])
    only(runtime, tmp_path / "site", monkeypatch)
    with pytest.raises(ModelError, match=r"Correct models\.folder"):
        device.choose("cpu", "none", "", folder)


def test_a_network_that_never_answers_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file is known at which a runtime hangs: one that does stands in."""
    module = tmp_path / "site" / INSTALLED[0]
    module.mkdir(parents=True)
    (module / "__init__.py").touch()
    (module / "interpreter.py").write_text("import signal\n\n\ndef Interpreter(**options):\n    signal.pause()\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.setattr(device, "TRIAL_S", 2)
    with pytest.raises(ModelError, match=r"crash, or hang.*SIGALRM.*Correct models\.folder"):
        device.choose("cpu", "none", "", copied(tmp_path / "shelf"))


def only(runtime: str, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have processes started from here find no other runtime than this one."""
    for other in set(INSTALLED) - {runtime}:
        (site / other).mkdir(parents=True)
        (site / other / "__init__.py").write_text("raise ModuleNotFoundError\n")
    monkeypatch.setenv("PYTHONPATH", str(site))
