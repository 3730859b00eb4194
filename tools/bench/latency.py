"""From the deciding look's arrival to the relay's command, while somebody hostile sends as fast as it can.

The guardian, its sockets and its store are real; the relay is a line that notes when it is driven. Senders are
processes of their own (``python -m tools.bench.senders``), and a look's frame number is the microsecond when it was
sent.
"""

import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import numpy as np

from edge import config as configuration
from edge.core.risk import Limits
from edge.devices.bolt import TimedBolt
from edge.devices.clock import SystemClock
from edge.guardian import Guardian
from edge.registry import Registry
from edge.serve import Server
from edge.settings import Config
from edge.store.sqlite import SqliteStore
from edge.teller import Plain
from tools.bench.senders import DIMENSION, MODEL, OWNER

UNLOCK_S = 0.5
"""The shortest release: the next approach waits for its end."""

WAIT_S = 30.0

SCENES: Mapping[str, tuple[str, ...]] = {
    "eyes at 15 a second": ("eyes",),
    "eyes at 10,000 a second": ("flood",),
    "and an operator at 10,000": ("eyes", "operator"),
}
"""What sends at the same time."""


class Latency(msgspec.Struct):
    """Milliseconds from sending the deciding look to the relay's command. ``ratio``: p99 to the first scene's."""

    scene: str
    releases: int
    p50_ms: float
    p99_ms: float
    worst_ms: float
    ratio: float
    dropped: int


class NotedLine:
    """The relay's line: when it was driven to release, and nothing else."""

    name = "simulated (its moves are timed)"

    def __init__(self) -> None:
        self._active = False
        self.released_s: float = 0.0

    def drive(self, active: bool) -> None:
        if active and not self._active:
            self.released_s = time.monotonic()
        self._active = active

    def reads(self) -> bool:
        return self._active

    def close(self) -> None:
        """Nothing to give back."""


def measure(repeats: int, progress: Callable[[], None]) -> list[Latency]:
    """Every scene, ``repeats`` releases each."""
    found: list[Latency] = []
    for scene, senders in SCENES.items():
        with tempfile.TemporaryDirectory(prefix="fl-") as folder:
            taken_ms, dropped = _scene(Path(folder), senders, repeats, progress)
        p50, p99, worst = (float(np.percentile(taken_ms, each)) for each in (50, 99, 100))
        quiet = found[0].p99_ms if found else p99
        found.append(Latency(scene, len(taken_ms), p50, p99, worst, p99 / quiet, dropped))
    return found


def _scene(
    folder: Path, senders: tuple[str, ...], repeats: int, progress: Callable[[], None]
) -> tuple[list[float], int]:
    paths = {"state": str(folder / "state"), "runtime": str(folder / "run")}
    config = configuration.load(
        None, environment={}, flags={"paths": paths, "bolt": {"driver": "simulated"}, "door": {"unlock_s": UNLOCK_S}}
    )
    taken_ms: list[float] = []
    line = NotedLine()
    releases: queue.Queue[float] = queue.Queue()
    dropped = [0]

    def heard(kind: str, values: Mapping[str, Plain]) -> None:
        if kind == "released":
            releases.put(line.released_s - float(str(values["frame"])) / 1e6)
        elif kind == "malformed":
            dropped[0] = int(str(values["count"]))

    with _served(config, line, heard), _sending(config, senders):
        while len(taken_ms) < repeats:
            taken_ms.append(releases.get(timeout=WAIT_S) * 1000)
            progress()
    return taken_ms, dropped[0]


@contextmanager
def _served(config: Config, line: NotedLine, heard: Callable[[str, Mapping[str, Plain]], None]) -> Iterator[None]:
    ready, over = threading.Event(), threading.Event()

    def serve() -> None:
        clock = SystemClock()
        with SqliteStore.open(config.store_path, MODEL, DIMENSION, clock) as store:
            store.enroll("Ada", [OWNER])
            household = Registry(store, MODEL, DIMENSION, Limits(0.6), config.match.margin_min)
            with closing(TimedBolt(line, clock)) as bolt:
                guardian = Guardian(config, household, store, bolt, clock, heard)
                with closing(Server(guardian, config.looks_path, config.control_path, clock)) as server:
                    ready.set()
                    server.run(lambda _: "measured" if over.is_set() else None)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        if not ready.wait(WAIT_S):
            raise TimeoutError("The guardian does not start.")
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def _sending(config: Config, senders: tuple[str, ...]) -> Iterator[None]:
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tools.bench.senders", each, str(config.looks_path), str(config.control_path)]
        )
        for each in senders
    ]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()
