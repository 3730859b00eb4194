"""What the guardian's process is made of, while everything is fitted and somebody has come in."""

import platform
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.settings import Config
from tests.guardian.conftest import Table
from tests.guardian.lock import Lock, fitted

RSS_MAX_MB = 75

READY_MAX_S = 0.7
"""On x86-64; the best of some starts counts, as the machine may be busy with something else."""

FOREIGN = ("cv2", "opencv", "PIL", "pillow", "litert", "tflite", "tensorflow", "picamera2", "libcamera")
"""What decodes pictures, runs networks or drives cameras: parts of the paths of their libraries."""


@pytest.fixture
def lock(house: Config) -> Iterator[Lock]:
    lock = Lock(fitted(house))
    yield lock
    lock.close()


def test_the_guardian_is_small_and_has_no_camera_network_or_picture_in_it(lock: Lock, table: Table) -> None:
    lock.serves()
    process = Path("/proc") / str(lock.process.pid)
    mapped = {line.split()[-1] for line in (process / "maps").read_text().splitlines() if "/" in line}
    assert any("numpy" in path for path in mapped)
    assert not [path for path in mapped if any(word in path for word in FOREIGN)]
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    rss_mb = int(status["VmRSS"].split()[0]) / 1024
    assert rss_mb < RSS_MAX_MB
    ready_s = lock.ready_s
    for _ in range(4):
        lock.process.terminate()
        lock.process.wait(20)
        lock.start()
        ready_s = min(ready_s, lock.ready_s)
    if platform.machine() == "x86_64":
        assert ready_s < READY_MAX_S
    table.note(f"guardian: {rss_mb:.0f} MB RSS, ready after {ready_s:.2f} s")
