"""The process that decodes photographs: what kills it kills nothing else, and it has nothing to take."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge import darkroom
from edge.darkroom import FILES_MAX, MEMORY_MAX_BYTES, Darkroom
from edge.errors import ImageError
from edge.images import read_rgb


@pytest.fixture
def dark() -> Iterator[Darkroom]:
    with closing(Darkroom(4_000_000)) as room:
        yield room


def test_pictures_come_out_as_they_are_read_otherwise(dark: Darkroom, photos: dict[str, Path]) -> None:
    for name in ("obama.jpg", "astronaut.png"):
        assert np.array_equal(dark.develop(photos[name].read_bytes(), name), read_rgb(photos[name]))


@pytest.mark.parametrize("data", [b"", b"rubbish", b"\xff\xd8\xff\xe0" + bytes(1000), b"GIF89a" + b"\xff" * 100])
def test_what_is_no_picture_is_refused_and_the_next_one_is_read(
    dark: Darkroom, photos: dict[str, Path], data: bytes
) -> None:
    with pytest.raises(ImageError):
        dark.develop(data, "rubbish")
    assert dark.develop(photos["obama.jpg"].read_bytes(), "obama.jpg").shape[2] == 3


def test_a_picture_larger_than_allowed_is_refused_before_it_is_decoded(dark: Darkroom) -> None:
    buffer = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(buffer, "PNG")
    with pytest.raises(ImageError, match="million"):
        dark.develop(buffer.getvalue(), "bomb.png")


def test_one_that_dies_is_named_and_started_again(dark: Darkroom, photos: dict[str, Path]) -> None:
    dark.start()
    assert dark._process is not None
    dark._process.kill()
    dark._process.wait()
    with pytest.raises(ImageError, match=r"'a\.jpg' cannot be decoded"):
        dark.develop(b"x" * 100_000, "a.jpg")
    assert dark.develop(photos["obama.jpg"].read_bytes(), "obama.jpg").shape[2] == 3


def test_one_that_hangs_is_given_up(dark: Darkroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(darkroom, "PICTURE_S", 0.2)
    dark.start()
    assert dark._process is not None
    os.kill(dark._process.pid, 19)  # SIGSTOP
    with pytest.raises(ImageError, match="took longer"):
        dark.develop(b"x", "slow.jpg")


CONFINED = """
import sys, resource
from edge.darkroom import confine
confine()
what = sys.argv[1]
if what == "memory":
    bytearray(2**30)
elif what == "file":
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with open(sys.argv[2], "wb", buffering=0) as file:
        file.write(b"x")
elif what == "files":
    kept = [open("/dev/null") for _ in range(100)]
elif what == "lift":
    resource.setrlimit(resource.RLIMIT_DATA, (2**40, 2**40))
"""


@pytest.mark.parametrize(
    ("what", "words"),
    [("memory", "MemoryError"), ("file", "File too large"), ("files", "Too many open files")],
)
def test_its_limits_hold(tmp_path: Path, what: str, words: str) -> None:
    command = [sys.executable, "-c", CONFINED, what, str(tmp_path / "written")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert words in done.stderr


def test_the_limits_are_those_that_are_stated() -> None:
    code = CONFINED + "print([resource.getrlimit(r) for r in (resource.RLIMIT_DATA, resource.RLIMIT_NOFILE)])"
    done = subprocess.run([sys.executable, "-c", code, ""], capture_output=True, text=True, check=True)
    data, files = eval(done.stdout)  # noqa: S307 - what was printed above
    assert data[0] == data[1] <= MEMORY_MAX_BYTES
    assert files[0] == files[1] <= FILES_MAX
