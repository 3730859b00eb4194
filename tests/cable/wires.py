"""The real commands at both ends of a cable of pseudo-terminals."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge.settings import Config
from tests.cli.facelatch import command
from tools.demo.wires import Cable


@dataclass
class Laptop:
    """Somebody's laptop: the real command with a home of its own."""

    home: Path

    def run(self, *arguments: str | Path, port: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return self.command("usb", *arguments, "--port", port, typed=typed)

    def command(self, *arguments: str | Path, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Any command of this laptop's."""
        return subprocess.run(
            [sys.executable, "-P", "-m", "edge", *map(str, arguments)],
            capture_output=True,
            text=True,
            input=typed,
            check=False,
            timeout=180,
            env=self.environment,
        )

    def begun(self, *arguments: str | Path, port: str) -> "subprocess.Popen[str]":
        """A command that goes on beside."""
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "edge", "usb", *map(str, arguments), "--port", port],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
        )

    @property
    def environment(self) -> dict[str, str]:
        home = {"HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config")}
        return {**os.environ, **home, "COLUMNS": "120"}

    def ok(self, *arguments: str | Path, port: str, typed: str = "") -> str:
        done = self.run(*arguments, port=port, typed=typed)
        assert done.returncode == 0, (done.stdout, done.stderr)
        return done.stdout


@contextmanager
def process(config: Config, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A service's real process, ended at the end."""
    running = subprocess.Popen(command(config, *arguments), stdout=subprocess.DEVNULL)
    try:
        yield running
    finally:
        running.terminate()
        running.wait(30)


@contextmanager
def lock(config: Config, cable: Cable) -> Iterator[None]:
    """The guardian's process, and the one on the cable."""
    with guardian(config), process(config, "link", cable.lock):
        yield


@contextmanager
def guardian(config: Config) -> Iterator[None]:
    """The guardian's process, once it serves."""
    with process(config, "door"):
        end_s = time.monotonic() + 60
        while not config.cable_path.exists():
            assert time.monotonic() < end_s
            time.sleep(0.02)
        yield
