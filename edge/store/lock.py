"""One writer at a time: an advisory lock on ``<store>.lock``, given back by the kernel even after SIGKILL."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from edge.errors import StoreBusyError
from edge.store.faults import where


class StoreLock:
    """Held from construction to ``release``. The file stays behind: removing it would let two processes in.

    Raises StoreBusyError, naming the process that holds it, and OSError when the file cannot be made.
    """

    def __init__(self, store: Path) -> None:
        self.path = store.with_name(store.name + ".lock")
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor: int | None = os.open(self.path, flags, 0o600)
        try:
            os.fchmod(self._descriptor, 0o600)
            give_to_folder_owner(self._descriptor, store.parent)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, str(os.getpid()).encode(), 0)
        except BlockingIOError as error:
            holder = _holder(self._descriptor)
            self.release()
            raise StoreBusyError(
                f"{where(store)} is in use by {holder}. Ask the running guardian instead, or end that process first."
            ) from error
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Give the lock back; may be called twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def give_to_folder_owner(descriptor: int, folder: Path) -> None:
    """What root creates belongs to the folder's owner, so that an operator's sudo does not lock the guardian out.

    SQLite does the same with its ``-wal`` and ``-shm``.
    """
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _holder(descriptor: int) -> str:
    written = os.pread(descriptor, 20, 0)
    return f"process {int(written)}" if written.isdigit() else "another process"
