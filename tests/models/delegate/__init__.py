"""The test delegate, compiled: a real shared library behind the runtime's external delegate interface."""

import shutil
import subprocess
from pathlib import Path
from typing import Literal, TypeAlias

import pytest

Mode: TypeAlias = Literal["CORRECT", "WITHOUT_SLOPE", "TAKES_NOTHING", "NOT_CREATED", "NOT_PREPARED"]

SOURCE = Path(__file__).with_name("delegate.c")


def compiled(mode: Mode, folder: Path) -> Path:
    """The library of ``delegate.c`` in one of its modes, built into ``folder``; skips where no C compiler is."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler (cc) to build the test delegate with")
    library = folder / f"libtestdelegate_{mode.lower()}.so"
    flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", f"-DMODE={mode}"]
    subprocess.run([compiler, *flags, str(SOURCE), "-o", str(library), "-lm"], check=True)
    return library
