"""Photographs of unknown origin are developed in a process of their own, which has nothing and may die of them.

``python -P -m edge.darkroom`` reads a file's bytes on standard input and writes pixels, or why there are none, on
standard output, again and again. It gets no path and opens no file: its limits on memory, processor time and files are
set before the first byte of a photograph is read.
"""

import os
import resource
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import BinaryIO

import numpy as np

from edge.core.names import harmless, shown
from edge.errors import ImageError
from edge.types import Rgb

MEMORY_MAX_BYTES = 768 * 2**20
"""Pillow and numpy, and three times the largest picture as RGB (``edge.images.MAX_PIXELS``)."""

PICTURE_S = 20
"""Of one picture, on a slow board: 48 megapixels take 1 s on a desktop."""

FILES_MAX = 32
"""Descriptors; none of them a file that could be written: their size may be 0."""

_ASKED = struct.Struct(">III")  # bytes, pixels at most, longest side or 0
_TOLD = struct.Struct(">BIII")  # kind, height, width, bytes
_PIXELS, _REFUSED = 1, 2
_MESSAGE_MAX_BYTES = 1000


class Darkroom:
    """The process, started when it is first needed and again after it died."""

    def __init__(self, max_pixels: int, longest_px: int | None = None) -> None:
        """``max_pixels``: larger pictures are refused. ``longest_px``: longer sides are scaled down to it."""
        self._max_pixels, self._longest_px = max_pixels, longest_px
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Have it ready: its imports take a second on a small board."""
        if self._process is None:
            command = [sys.executable, "-P", "-m", "edge.darkroom"]
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(
                command, env=_environment(), bufsize=0, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
            )

    def develop(self, data: bytes, source: str) -> Rgb:
        """The picture in a file's bytes, as ``edge.images.decode_rgb`` gives it. Raises ImageError, also when the
        process died of it or took too long."""
        self.start()
        try:
            return self._exchange(data)
        except _Spoilt as error:
            self.close()
            raise ImageError(
                f"{shown(source)} cannot be decoded within the limits ({error}). Export it anew, as JPEG."
            ) from error

    def close(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    def _exchange(self, data: bytes) -> Rgb:
        end_s = time.monotonic() + PICTURE_S
        self._write(_ASKED.pack(len(data), self._max_pixels, self._longest_px or 0) + data, end_s)
        kind, height, width, count = _TOLD.unpack(self._read(_TOLD.size, end_s))
        if kind == _PIXELS and 0 < height * width <= self._max_pixels and count == 3 * height * width:
            pixels = np.frombuffer(self._read(count, end_s), dtype=np.uint8)
            return pixels.reshape(height, width, 3).copy()
        if kind == _REFUSED and count <= _MESSAGE_MAX_BYTES:
            raise ImageError(harmless(self._read(count, end_s).decode(errors="replace")))
        raise _Spoilt("what it answered is no picture")

    def _write(self, data: bytes, end_s: float) -> None:
        view = memoryview(data)
        while view:
            pipe = self._ready(end_s, writing=True)
            try:
                view = view[os.write(pipe, view[: select.PIPE_BUF]) :]
            except OSError as error:
                raise _Spoilt(self._died()) from error

    def _read(self, count: int, end_s: float) -> bytes:
        read = bytearray()
        while len(read) < count:
            piece = os.read(self._ready(end_s, writing=False), min(count - len(read), 2**20))
            if not piece:
                raise _Spoilt(self._died())
            read += piece
        return bytes(read)

    def _ready(self, end_s: float, *, writing: bool) -> int:
        process = self._process
        pipe = None if process is None else process.stdin if writing else process.stdout
        if pipe is None:
            raise _Spoilt("it does not run")
        waiting: tuple[list[int], list[int]] = ([], [pipe.fileno()]) if writing else ([pipe.fileno()], [])
        if not any(select.select(*waiting, [], max(end_s - time.monotonic(), 0))):
            raise _Spoilt(f"it took longer than {PICTURE_S} s")
        return pipe.fileno()

    def _died(self) -> str:
        if self._process is None:
            return "it does not run"
        code = self._process.wait()
        return f"it died of it: {signal.Signals(-code).name if code < 0 else f'exit code {code}'}"


class _Spoilt(Exception):  # noqa: N818 - it never leaves this module
    """The process is of no use any more."""


def _environment() -> dict[str, str]:
    """Nothing that the process needs not have."""
    return {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ}


def confine() -> None:
    """Limits that hold from here on for this process, and that it cannot lift."""
    for limit, wanted in (
        (resource.RLIMIT_DATA, MEMORY_MAX_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, FILES_MAX),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hardest = resource.getrlimit(limit)
        allowed = wanted if hardest == resource.RLIM_INFINITY else min(wanted, hardest)
        resource.setrlimit(limit, (allowed, allowed))


def main() -> None:
    """Develop until standard input ends."""
    from PIL import Image

    from edge.images import decode_rgb

    Image.preinit()
    confine()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    asked, told = sys.stdin.buffer, sys.stdout.buffer
    while head := asked.read(_ASKED.size):
        count, max_pixels, longest_px = _ASKED.unpack(head)
        # Both end the process in the middle of native code: the time on the clock, and the processor's.
        signal.alarm(PICTURE_S)
        spent = resource.getrusage(resource.RUSAGE_SELF)
        budget = int(spent.ru_utime + spent.ru_stime) + PICTURE_S
        resource.setrlimit(resource.RLIMIT_CPU, (budget, resource.getrlimit(resource.RLIMIT_CPU)[1]))
        data = asked.read(count)
        _answer(told, partial(decode_rgb, data, "the photograph", max_pixels, longest_px or None))
        signal.alarm(0)


def _answer(told: BinaryIO, develop: Callable[[], Rgb]) -> None:
    try:
        rgb = develop()
    except (ImageError, MemoryError) as error:
        words = str(error) or "It takes more memory than is allowed. Export it smaller."
        message = words.encode()[:_MESSAGE_MAX_BYTES]
        told.write(_TOLD.pack(_REFUSED, 0, 0, len(message)) + message)
    else:
        height, width, _ = rgb.shape
        told.write(_TOLD.pack(_PIXELS, height, width, rgb.size))
        told.write(rgb.tobytes())
    told.flush()


if __name__ == "__main__":
    main()
