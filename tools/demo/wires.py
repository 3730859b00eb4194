"""A USB serial cable that is none: two pseudo-terminals, and what is written to one comes out at the other, as fast as
a named throttle lets it."""

import os
import pty
import select
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress

UART_BYTES_S = 115_200 / 10
"""The simulated throttle: 115,200 baud with a start and a stop bit for eight (8N1). Each direction has its own."""

SLICE_S = 0.005


class Cable:
    """Two ports, ``lock`` and ``laptop``, until ``unplug``; ``passed`` counts the bytes towards each."""

    def __init__(self, bytes_s: float | None = None) -> None:
        self._bytes_s = bytes_s
        self._masters, self._slaves = zip(*(pty.openpty() for _ in range(2)), strict=True)
        for slave in self._slaves:
            tty.setraw(slave)
        self.lock, self.laptop = (os.ttyname(slave) for slave in self._slaves)
        self.passed = {"lock": 0, "laptop": 0}
        self._ending = threading.Event()
        self._threads = [
            threading.Thread(target=self._carry, args=(self._masters[0], self._masters[1], "laptop")),
            threading.Thread(target=self._carry, args=(self._masters[1], self._masters[0], "lock")),
        ]
        for thread in self._threads:
            thread.start()

    def unplug(self) -> None:
        """Both ports hang up."""
        self._ending.set()
        for thread in self._threads:
            thread.join()
        for descriptor in (*self._masters, *self._slaves):
            with suppress(OSError):
                os.close(descriptor)

    def _carry(self, source: int, target: int, name: str) -> None:
        """The token bucket holds what a UART's buffer does, 64 bytes, and no more."""
        tokens, filled_s = 64.0, time.monotonic()
        while not self._ending.is_set():
            if not select.select([source], [], [], 0.05)[0]:
                continue
            count = 4096
            if self._bytes_s is not None:
                now_s = time.monotonic()
                tokens = min(64 + self._bytes_s * SLICE_S, tokens + (now_s - filled_s) * self._bytes_s)
                filled_s = now_s
                if tokens < 1:
                    self._ending.wait(SLICE_S)
                    continue
                count = int(tokens)
            data = os.read(source, count)
            tokens -= len(data)
            self.passed[name] += len(data)
            while data and not self._ending.is_set():
                if select.select([], [target], [], 0.05)[1]:
                    data = data[os.write(target, data) :]


@contextmanager
def plugged(bytes_s: float | None = None) -> Iterator[Cable]:
    cable = Cable(bytes_s)
    try:
        yield cable
    finally:
        cable.unplug()
