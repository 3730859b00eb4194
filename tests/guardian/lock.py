"""A lock as it is installed, as far as a test can have it: the guardian's real process, a real store, the relay's line
as a file, and eyes in a process of their own that can be killed, stopped and made to lie."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from edge.devices.clock import SystemClock
from edge.models.manifest import template_space
from edge.settings import Config, DoorConfig, InputsConfig, KeypadConfig
from edge.store.sqlite import SqliteStore
from tests.cli.facelatch import command
from tests.store.helpers import vectors

UNLOCK_S = 1.0
"""What every release here is promised to last at most."""

WAIT_S = 30.0
BUTTON, CONTACT, TAMPER = 22, 23, 24


def fitted(house: Config) -> Config:
    """The house with everything that can be wired to it, and Ada living there."""
    config = msgspec.structs.replace(
        house,
        door=DoorConfig(unlock_s=UNLOCK_S, held_open_s=5.0, held_open_warning_s=2.0),
        inputs=InputsConfig(exit_button=BUTTON, door_contact=CONTACT, tamper=TAMPER, debounce_ms=20),
        keypad=KeypadConfig(device="simulated"),
    )
    with SqliteStore.open(config.store_path, *template_space("cpu", "none", None), SystemClock()) as store:
        store.enroll("Ada", vectors(1, 1))
    return config


@dataclass
class Relay:
    """Looks at the relay's line without end. ``moves``: when it went to which level, monotonic."""

    line: Path
    moves: list[tuple[float, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._closing = threading.Event()
        self._moved = threading.Condition()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @property
    def released(self) -> bool:
        return bool(self.moves) and self.moves[-1][1]

    def becomes(self, released: bool, since: int = 0) -> float:
        """Wait until it moves there, among the moves from number ``since`` on; when that was."""

        def when() -> float | None:
            return next((at_s for at_s, level in self.moves[since:] if level is released), None)

        with self._moved:
            assert self._moved.wait_for(lambda: when() is not None, WAIT_S), (released, self.moves)
        at_s = when()
        assert at_s is not None
        return at_s

    def close(self) -> None:
        self._closing.set()
        self._thread.join()

    def _watch(self) -> None:
        level: bool | None = None
        while not self._closing.wait(0.001):
            with suppress(OSError):
                now = self.line.read_bytes()[:1] == b"1"
                if now is not level:
                    level = now
                    with self._moved:
                        self.moves.append((time.monotonic(), now))
                        self._moved.notify_all()


class Lock:
    """One guardian after the other on one store; ``said`` is what they announced."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.said: list[dict[str, Any]] = []
        self.failures = 0
        self._heard = threading.Condition()
        self._eyes: list[subprocess.Popen[bytes]] = []
        folder = Path(config.paths.runtime)
        folder.mkdir(mode=0o750, exist_ok=True)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(folder / "notify.sock"))
        self.start()
        self.relay = Relay(config.lines_path / str(config.bolt.pin))

    def start(self) -> None:
        """A guardian, ready."""
        environment = {
            **os.environ,
            "NOTIFY_SOCKET": self.notify.getsockname(),
            "WATCHDOG_USEC": "2000000",
        }
        began_s = time.monotonic()
        self._log = Path(self.config.paths.runtime).parent / "stderr"
        with self._log.open("ab") as stderr:
            self.process = subprocess.Popen(
                command(self.config, "door", "--json"), stdout=subprocess.PIPE, stderr=stderr, env=environment
            )
        threading.Thread(target=self._listen, args=(self.process,), daemon=True).start()
        while not self.notify.recv(4096).startswith(b"READY=1"):
            pass
        self.ready_s = time.monotonic() - began_s

    def told(self, kind: str, **values: object) -> dict[str, Any]:
        """Wait for a notice with such values; it is taken away with all before it."""

        def at() -> int | None:
            return next(
                (
                    number
                    for number, notice in enumerate(self.said)
                    if notice["kind"] == kind and all(str(v) in str(notice.get(k)) for k, v in values.items())
                ),
                None,
            )

        with self._heard:
            assert self._heard.wait_for(lambda: at() is not None, WAIT_S), (kind, values, self.said, self.stderr())
            number = at()
            assert number is not None
            notice = self.said[number]
            del self.said[: number + 1]
        return notice

    def stderr(self) -> str:
        return self._log.read_text()

    def eyes(self, mode: str = "honest") -> subprocess.Popen[bytes]:
        """Eyes that see Ada, in one of the ways of ``seeing``."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.guardian.seeing", str(self.config.looks_path), mode],
            stderr=subprocess.DEVNULL,
        )
        self._eyes.append(process)
        return process

    def opens(self) -> float:
        """Ada comes before honest eyes: when the relay was released by it."""
        since = len(self.relay.moves)
        self.eyes()
        at_s = self.relay.becomes(True, since)
        self.told("released")
        return at_s

    def blind(self) -> None:
        """All eyes end."""
        for process in self._eyes:
            process.send_signal(signal.SIGKILL)
            process.wait()
        self._eyes.clear()

    def serves(self) -> None:
        """Normal service: Ada comes in, and the bolt is secured on time."""
        self.blind()
        wait_until(lambda: not self.relay.released)  # whoever comes while the door is open gets no grant of their own
        released_s = self.opens()
        secured_s = self.relay.becomes(False, self.relay.moves.index((released_s, True)))
        assert secured_s - released_s < UNLOCK_S + 1.0
        self.blind()

    def close(self) -> None:
        self.blind()
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGCONT)
        self.process.terminate()
        self.process.wait(20)
        self.relay.close()
        self.notify.close()
        assert not self.relay.released

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                with self._heard:
                    self.said.append(json.loads(line))
                    self.failures += self.said[-1]["kind"] == "log_failed"
                    self._heard.notify_all()


def wait_until(true: Callable[[], bool]) -> None:
    end_s = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.005)
