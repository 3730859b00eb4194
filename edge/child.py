"""The eyes as a child of ``facelatch run``, and the signals that end a process in order."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from edge import config as configuration
from edge.core.door import State
from edge.errors import CameraError
from edge.settings import Config
from edge.teller import Announce

RESTART_S, RESTART_MAX_S = 1.0, 30.0
"""Eyes that crashed are started again after this pause, doubled with every crash in a row up to the longest."""

CRASHES_MAX = 5
"""Crashes in a row, each within ``STEADY_S`` of the start, after which a recording is given up. A real camera never
is: the door works on by its other inputs, and looks for its eyes for as long as it takes."""

STEADY_S = 20.0
"""Eyes that lived so long had a sound start."""

CRASH_CODES = {1}
"""Beside death by a signal: what Python ends with on an exception that nobody expected. A camera that was pulled out
after ``STEADY_S`` counts, too: it may be plugged in again; one that never worked is told and ends the run."""


class EyesChild:
    """The eyes' process: started once the guardian serves, started again when it crashes."""

    def __init__(self, config: Config, announce: Announce) -> None:
        self._config, self._announce = config, announce
        self._process: subprocess.Popen[bytes] | None = None
        self._started_s = 0.0
        self._restart_s = 0.0
        self._crashes = 0
        self.exit_code = 0

    def watch(self, door: State) -> str | None:
        """Called at every turn of the guardian's loop. Why to stop, or None."""
        if self._process is None:
            return self._start() if time.monotonic() >= self._restart_s else None
        code = self._process.poll()
        if code is None:
            return None
        if code < 0 or code in CRASH_CODES or (code == CameraError.exit_code and self._lived_s() >= STEADY_S):
            return self._crashed(code)
        if door is State.UNLOCKED:
            return None  # whoever was let in may still walk through
        self.exit_code = code
        return "the recording ended" if code == 0 else f"the eyes gave up with exit code {code}"

    def end(self) -> None:
        """Stop the eyes, by force if they do not listen."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout=3)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._path.unlink(missing_ok=True)

    @property
    def _path(self) -> Path:
        return Path(self._config.paths.runtime) / "run.toml"

    def _crashed(self, code: int) -> str | None:
        self._crashes = 1 if self._lived_s() >= STEADY_S else self._crashes + 1
        died = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        self._announce("eyes_crashed", {"reason": died, "count": self._crashes})
        if self._crashes >= CRASHES_MAX and self._config.camera.driver == "replay":
            self.exit_code = 1
            return f"the eyes crashed {self._crashes} times in a row, last by {died}"
        pause_s = min(RESTART_S * 2.0 ** min(self._crashes - 1, 10), RESTART_MAX_S)
        self._process, self._restart_s = None, time.monotonic() + pause_s
        return None

    def _lived_s(self) -> float:
        return time.monotonic() - self._started_s

    def _start(self) -> str | None:
        """The child reads the configuration as resolved here, flags included, and nothing else."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(configuration.ENVIRONMENT_PREFIX)}
        # -P: a file edge.py in the working directory must not become the eyes.
        command = [sys.executable, "-P", "-m", "edge", "--config", str(self._path), "eyes"]
        self._started_s = time.monotonic()
        try:
            self._path.unlink(missing_ok=True)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w") as file:
                file.write(configuration.template(self._config))
            # A process group of its own: the terminal's Ctrl-C is the guardian's, who ends the eyes in order.
            self._process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, process_group=0)
        except OSError as error:
            self.exit_code = 1
            return f"the eyes cannot be started ({error})"
        return None


@contextmanager
def ending_signals() -> Iterator[Callable[[], str | None]]:
    """Turn the signals that end a process into a question: which of them came, or None.

    Ctrl-Z is ignored: a guardian that stands still could not relock.
    """
    came: list[str] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(f"{signal.Signals(number).name} came")

    ending = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
    before = {number: signal.signal(number, note) for number in ending}
    before[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    try:
        yield lambda: came[0] if came else None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
