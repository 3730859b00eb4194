"""Lines that are files: nothing is driven, and everything else is as on a board.

A line is ``FOLDER/NUMBER`` and holds its electrical level, 0 or 1. ``echo 0 > 22`` presses a button between line 22
and ground; a file of the bolt shows what a relay would see. As on recent Raspberry Pi kernels a level outlives the
process that drove it.
"""

import fcntl
import os
from pathlib import Path

from edge.errors import LineError


class SimulatedLine:
    """One file, kept open."""

    def __init__(self, path: Path, *, active_high: bool, level: bool | None = None) -> None:
        """``level``: what a file that is made is given; None: the line is an output, and driven to its inactive
        level. Raises LineError."""
        self.name = "simulated (nothing is driven)"
        self._active_high = active_high
        try:
            for folder in (path.parent.parent, path.parent):  # mkdir's mode is not for parents
                folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
            try:
                if level is None:
                    fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as the kernel: one process an output
                    self.drive(False)
                elif not os.pread(self._file, 1, 0):
                    self._write(level)
            except OSError:
                self.close()
                raise
        except OSError as error:
            raise LineError(
                f"The simulated line {path} cannot be had ({error}). Check paths.runtime, and for another guardian."
            ) from error

    def drive(self, active: bool) -> None:
        """See the protocol."""
        self._write(active == self._active_high)

    def reads(self) -> bool:
        """See the protocol."""
        return self.high() == self._active_high

    def high(self) -> bool:
        """See the protocol. Raises OSError for a file that holds anything else than 0 or 1."""
        levels = {b"1": True, b"0": False}
        level = levels.get(os.pread(self._file, 2, 0).strip())
        if level is None:
            raise OSError("the file of a simulated line holds neither 0 nor 1")
        return level

    def close(self) -> None:
        """See the protocol; may be called twice."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _write(self, high: bool) -> None:
        os.pwrite(self._file, b"1\n" if high else b"0\n", 0)


class SimulatedLines:
    """A folder of lines."""

    name = "a folder"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def output(self, number: int, *, active_high: bool) -> SimulatedLine:
        """See the protocol."""
        return SimulatedLine(self._folder / str(number), active_high=active_high)

    def input(self, number: int, *, high_at_rest: bool) -> SimulatedLine:
        """See the protocol."""
        return SimulatedLine(self._folder / str(number), active_high=True, level=high_at_rest)

    def close(self) -> None:
        """Nothing to give back."""
