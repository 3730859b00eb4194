"""Prints notices in a thread of its own: a terminal that stands still, or is gone, must not hold the door's loop."""

import os
import queue
import sys
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

WAITING_MAX = 1000
"""Notices that wait for a slow terminal; beyond it they are dropped here, never in the log."""

FLUSH_S = 2.0
"""How long an ending lock waits for its terminal; the bolt is secured before."""


class Printer(Generic[T]):
    """Hands items to ``write`` in order. ``close`` waits a moment for what is still to be printed."""

    def __init__(self, write: Callable[[T], None]) -> None:
        self._items: queue.Queue[T | None] = queue.Queue(WAITING_MAX)
        self._write = write
        self._thread = threading.Thread(target=self._print, name="printer", daemon=True)
        self._thread.start()

    def __call__(self, item: T) -> None:
        if self._thread.is_alive():
            try:
                self._items.put_nowait(item)
            except queue.Full:
                return

    def close(self) -> None:
        try:
            self._items.put(None, timeout=FLUSH_S)
        except queue.Full:
            return
        self._thread.join(FLUSH_S)

    def _print(self) -> None:
        try:
            while (item := self._items.get()) is not None:
                self._write(item)
                sys.stdout.flush()
        except (OSError, UnicodeError, SystemExit):  # rich leaves by SystemExit when the reader is gone
            # Python would complain once more when it flushes standard output at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
