"""Each guard of the decision, taken away on purpose, makes a test fail."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.mutants import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package and its tests once more, to be mutated."""
    folder = tmp_path_factory.mktemp("mutants")
    for part in ("edge", "tests"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def run(folder: Path, tests: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        *(f"tests/{each}" for each in tests),
    ]
    # The copy goes before the installed package; bytecode of a file changed within a second would be taken for fresh.
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_copy_itself_passes(copy: Path) -> None:
    """And is what runs: otherwise no mutant would mean anything."""
    where = "import edge; print(edge.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", where],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.startswith(str(copy))
    done = run(copy, tuple(sorted({test for mutant in MUTANTS.values() for test in mutant.tests})))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("mutant", [pytest.param(mutant, id=name) for name, mutant in MUTANTS.items()])
def test_without_a_guard_a_test_fails(copy: Path, mutant: Mutant) -> None:
    source = copy / "edge" / mutant.file
    text = source.read_text()
    assert text.count(mutant.before) == 1, "the guard is not there, or not only once"
    source.write_text(text.replace(mutant.before, mutant.after))
    try:
        done = run(copy, mutant.tests)
    finally:
        source.write_text(text)
    assert done.returncode == 1, "no test noticed"
    assert "failed" in done.stdout
