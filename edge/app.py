"""The only wiring: which adapter stands behind which port. Everything else gets what it needs handed over.

Imports of adapters are local to the function that needs them, so that the guardian's process never loads OpenCV, a
model or a camera, and the eyes' process never the store or a relay.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from edge import config as configuration
from edge import wire
from edge.config import Config
from edge.core.door import State
from edge.errors import WireError
from edge.guardian import Announce, Guardian
from edge.link import EyesLink, ask
from edge.ports import Bolt, Camera, Detector, Embedder, Store
from edge.registry import Registry
from edge.serve import Server, Watch
from edge.types import Embedding

PHOTOGRAPH_MIN_FACE_PX = 40
"""In photographs smaller faces are searched too, so that a face too small is named as such instead of not found."""

EYES_RESTART_S = 1.0
"""Eyes that crashed are started again after this pause."""


def detector(config: Config, *, photographs: bool = False) -> Detector:
    """MTCNN for the camera, or for photographs. Raises ModelError."""
    from edge.models.manifest import Shelf
    from edge.models.mtcnn import Mtcnn

    smallest = PHOTOGRAPH_MIN_FACE_PX if photographs else config.faces.min_px
    return Mtcnn(Shelf.open(), min_face_px=smallest, threads=config.faces.threads)


def embedder(config: Config) -> Embedder:
    """MobileFaceNet. Raises ModelError."""
    from edge.models.manifest import Shelf
    from edge.models.mobilefacenet import MobileFaceNet

    return MobileFaceNet(Shelf.open(), threads=config.faces.threads)


def camera(config: Config) -> Camera:
    """The configured camera. Raises CameraError."""
    wanted = config.camera
    size = {"width": wanted.width, "height": wanted.height}
    if wanted.driver == "replay":
        from edge.devices.camera_replay import ReplayCamera

        return ReplayCamera(Path(wanted.source), wanted.fps)
    if wanted.driver == "v4l2":
        from edge.devices.camera_v4l2 import V4l2Camera

        return V4l2Camera(wanted.source, fps=wanted.fps, **size)
    from edge.devices.camera_pi import PiCamera

    return PiCamera(fps=wanted.fps, **size)


def bolt(config: Config) -> Bolt:
    """The configured bolt, secured. Raises BoltError; a simulated one only when it is named."""
    from edge.devices.bolt import SimulatedPin, TimedBolt
    from edge.devices.clock import SystemClock

    if config.bolt.driver == "simulated":
        return TimedBolt(SimulatedPin(), SystemClock())
    from edge.devices.gpio import GpioPin

    return TimedBolt(GpioPin(config.bolt.pin, active_high=config.bolt.active == "high"), SystemClock())


@contextmanager
def registry(config: Config) -> Iterator[tuple[Registry, Store]]:
    """The people and their store, locked for this process alone. Raises StoreError."""
    from edge.devices.clock import SystemClock
    from edge.models.manifest import Shelf
    from edge.store.sqlite import SqliteStore

    model_id, dimension = Shelf.open().template_space()
    with SqliteStore.open(config.store_path, model_id, dimension, SystemClock()) as store:
        yield Registry(store, model_id, dimension, config.match.similarity_min, config.match.margin_min), store


def answer(config: Config, question: wire.Question) -> wire.Answer:
    """The running guardian's answer; where none runs, the store's own. Raises FacelatchError."""
    heard = ask(config.control_path, question)
    if heard is not None:
        return heard
    with registry(config) as (people, _):
        return people.answer(question)


def people(config: Config) -> list[wire.PersonLine]:
    """Everybody enrolled, by name, over as many questions as it takes."""
    found: list[wire.PersonLine] = []
    while True:
        page = answer(config, wire.AskPeople(start=len(found)))
        if not isinstance(page, wire.People):
            raise WireError("The guardian answered something else than people. Use one release for both.")
        found += page.people
        if not page.more:
            return found


def identify(config: Config, model_id: str, embedding: Embedding) -> wire.Identified:
    """Whom a probe resembles; where there is no store yet, nobody, and none is made."""
    question = wire.AskIdentify(model_id, wire.to_bytes(embedding))
    if not config.control_path.exists() and not config.store_path.exists():
        return wire.Identified(None, None, None, False, config.match.similarity_min)
    found = answer(config, question)
    if not isinstance(found, wire.Identified):
        raise WireError("The guardian answered something else than a person. Use one release for both.")
    return found


def guard(config: Config, announce: Announce, watch: Watch | None = None) -> None:
    """Be the guardian until SIGTERM or SIGINT, or until ``watch`` says why to stop. The bolt ends secured.

    Raises FacelatchError when the store, the bolt or the sockets cannot be had.
    """
    from edge.devices.clock import SystemClock

    clock = SystemClock()
    with registry(config) as (household, store):
        latch = bolt(config)
        try:
            guardian = Guardian(config, household, store, latch, clock, announce)
            server = Server(guardian, config.looks_path, config.control_path, clock)
            try:
                with _stopped_by_signals(server):
                    reason = server.run(watch or (lambda _: None))
                guardian.stop(reason)
            finally:
                server.close()
        finally:
            latch.close()


def watch_door(config: Config) -> None:
    """Be the eyes: connect to the guardian, open the camera, report until it ends, the guardian goes, or SIGTERM."""
    from edge.eyes import Eyes

    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    eyes_link = EyesLink(config.looks_path)
    source = camera(config)
    try:
        Eyes(detector(config), embedder(config), eyes_link).run(source, stopping.is_set)
    finally:
        source.close()
        eyes_link.close()


def run(config: Config, announce: Announce) -> int:
    """Guardian and eyes in the foreground, the eyes as a child: for a bench, a demonstration, a laptop.

    Ends with the recording, where a replay is played. Returns the eyes' exit code where they gave up, else 0.
    """
    child = EyesChild(config)
    try:
        guard(config, announce, child.watch)
    finally:
        child.end()
    return child.exit_code


class EyesChild:
    """The eyes' process: started once the guardian listens, started again when it crashes."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None
        self._file: Path | None = None
        self._restart_s = 0.0
        self.exit_code = 0

    def watch(self, door: State) -> str | None:
        """Called at every turn of the guardian's loop. Why to stop, or None."""
        if self._process is None:
            if time.monotonic() >= self._restart_s:
                self._start()
            return None
        code = self._process.poll()
        if code is None:
            return None
        if code < 0:  # a signal: a crash of the native libraries, or somebody's kill
            self._process, self._restart_s = None, time.monotonic() + EYES_RESTART_S
            return None
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
        if self._file is not None:
            self._file.unlink(missing_ok=True)

    def _start(self) -> None:
        """The child reads the configuration as resolved here, flags included, and nothing else."""
        self._file = Path(self._config.paths.runtime) / "run.toml"
        self._file.write_text(configuration.template(self._config))
        environment = {k: v for k, v in os.environ.items() if not k.startswith(configuration.ENVIRONMENT_PREFIX)}
        command = [sys.executable, "-m", "edge", "--config", str(self._file), "eyes"]
        self._process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)


@contextmanager
def _stopped_by_signals(server: Server) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        server.stopping = f"{signal.Signals(number).name} came"

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
