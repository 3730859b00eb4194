"""Real photographs, the committed networks, and a house of its own for every test."""

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from edge import config as configuration
from edge.core.quality import measure
from edge.images import read_rgb
from edge.models.manifest import Shelf
from edge.models.mobilefacenet import MobileFaceNet
from edge.models.mtcnn import Mtcnn
from edge.settings import Config
from edge.types import Embedding, Quality, Rgb
from tools.photos import fetch

# Deadlines would make a slow machine fail tests that say nothing about time.
settings.register_profile("facelatch", deadline=None)
settings.load_profile("facelatch")

# A job in a shell's background ignores Ctrl-C, and so would every process that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own FACELATCH_... variables must not decide what a test finds."""
    import os

    for name in list(os.environ):
        if name.startswith(configuration.ENVIRONMENT_PREFIX):
            monkeypatch.delenv(name)


@pytest.fixture
def house() -> Iterator[Config]:
    """A configuration whose store and sockets live in a folder of a short path, with a simulated bolt."""
    with tempfile.TemporaryDirectory(prefix="fl-") as folder:
        paths = {"state": f"{folder}/state", "runtime": f"{folder}/run", "usb": f"{folder}/usb"}
        still = {"mode": "off"}  # tests hold photographs before the camera
        flags = {"paths": paths, "bolt": {"driver": "simulated"}, "liveness": still}
        yield configuration.load(None, environment={}, flags=flags)


@pytest.fixture(scope="session")
def photos() -> dict[str, Path]:
    """obama*.jpg (one man), biden.jpg, astronaut.png (a woman), and pictures without a face."""
    return fetch()


@pytest.fixture(scope="session")
def shelf() -> Shelf:
    return Shelf.open()


@pytest.fixture(scope="session")
def detector(shelf: Shelf) -> Mtcnn:
    return Mtcnn(shelf, min_face_px=40)


@pytest.fixture(scope="session")
def embedder(shelf: Shelf) -> MobileFaceNet:
    return MobileFaceNet(shelf)


@pytest.fixture(scope="session")
def describe(detector: Mtcnn, embedder: MobileFaceNet, photos: dict[str, Path]) -> "Describe":
    return Describe(detector, embedder, photos)


class Describe:
    """A photograph's largest face as an embedding, by the real networks."""

    def __init__(self, detector: Mtcnn, embedder: MobileFaceNet, photos: dict[str, Path]) -> None:
        self._detector, self._embedder, self._photos = detector, embedder, photos

    def rgb(self, name: str) -> Rgb:
        return read_rgb(self._photos[name])

    def aligned(self, name: str) -> Rgb:
        rgb = self.rgb(name)
        return self._embedder.align(rgb, self._detector.detect(rgb)[0].landmarks)

    def quality(self, name: str) -> Quality:
        return measure(self._detector.detect(self.rgb(name))[0], self.aligned(name))

    def __call__(self, name: str) -> Embedding:
        return self._embedder.embed(self.aligned(name))
