"""How an adapter's thread hands what it has to the guardian's loop, which waits on files and on nothing else."""

import os
import threading
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")

KEPT_MAX = 1000
"""For a guardian that is busy; what comes then is lost, as nothing may grow without end."""


class Mailbox(Generic[T]):
    """Filled by one thread, emptied by another; ``fileno`` is readable while there is something in it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: list[T] = []
        self._event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def fileno(self) -> int:
        return self._event

    def put(self, *items: T) -> None:
        if not items:
            return
        with self._lock:
            self._kept += items[: KEPT_MAX - len(self._kept)]
        os.eventfd_write(self._event, 1)

    def take(self) -> list[T]:
        """Everything, oldest first."""
        with suppress(BlockingIOError):
            os.eventfd_read(self._event)
        with self._lock:
            kept, self._kept = self._kept, []
        return kept

    def close(self) -> None:
        os.close(self._event)
