"""Runs the real command in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from edge import config as configuration
from edge.settings import Config


def command(house: Config, *arguments: str | Path) -> list[str]:
    """``facelatch`` with the house's configuration written to a file."""
    path = Path(house.paths.state).parent / "facelatch.toml"
    path.write_text(configuration.template(house))
    return [sys.executable, "-m", "edge", "--config", str(path), *map(str, arguments)]


def run(house: Config, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(house, *arguments),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **environment},
    )


def ok(house: Config, *arguments: str | Path) -> str:
    done = run(house, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ok_json(house: Config, *arguments: str | Path) -> Any:
    return json.loads(ok(house, *arguments, "--json"))


def refused(house: Config, exit_code: int, *arguments: str | Path) -> str:
    """The message of a command that must fail so: no traceback, nothing that a terminal would obey."""
    done = run(house, *arguments)
    assert done.returncode == exit_code, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert "facelatch: " in done.stderr
    assert not any(ord(character) < 32 and character != "\n" for character in done.stdout + done.stderr)
    return done.stderr
