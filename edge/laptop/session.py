"""Finding the lock, and an enrolment that goes on where it was when the cable was pulled."""

import time
from collections.abc import Callable, Mapping
from contextlib import closing

from edge.cable import talk
from edge.cable.channel import DeadLineError
from edge.cable.ends import RefusedError
from edge.cable.frames import Reason
from edge.cable.noise import NoiseError
from edge.cable.port import Port, UnpluggedError, found, the_one
from edge.errors import InputError, WireError
from edge.laptop.keys import Keys, Lock
from edge.laptop.line import Line

AHEAD_BYTES = 2 * talk.PIECE_MAX_BYTES
"""So much is queued ahead of what the lock has acknowledged."""

REPLUG_S = 120.0
"""How long a cable that was pulled is waited for."""

LOOK_EVERY_S = 0.5

FAILURES_MAX = 10
"""Connections that were lost one after another without a byte getting through."""


def open_line(port: str | None, keys: Keys) -> Line:
    """A line at this port, or at the one that leads to a lock. Raises WireError."""
    return Line(Port(port or the_one(found())), keys.private)


def greet(line: Line, keys: Keys) -> Lock:
    """Shake hands with whichever of the paired locks it is. Raises WireError, InputError when none is paired."""
    if not keys.locks:
        raise InputError("This laptop is paired with no lock. Run `facelatch usb pair` on the lock, then here.")
    for number, lock in enumerate(keys.locks, 1):
        try:
            line.greet(lock.key)
        except RefusedError as error:
            if error.reason is not Reason.OTHER_LOCK or number == len(keys.locks):
                raise
            continue
        return lock
    raise AssertionError("the loop ends in one of its branches")


class Enrolment:
    """One person's photographs over a cable that may be pulled at any moment."""

    def __init__(
        self,
        connect: Callable[[], Line],
        *,
        progress: Callable[[int], None],
        looked: Callable[[talk.Looked], None],
        lost: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """``connect`` gives a line that has shaken hands. ``progress`` is told how many bytes the lock has, ``looked``
        what it said of a photograph, ``lost`` why the line was lost."""
        self._connect, self._progress, self._looked, self._lost = connect, progress, looked, lost
        self._sleep, self._now_s = sleep, now_s
        self._asked = self._was_connected = False
        self._failures = 0

    def run(self, request: talk.Enroll, files: Mapping[bytes, bytes]) -> talk.Enrolled:
        """Raises the FacelatchError that the lock answered with, WireError when the cable stays away."""
        until_s = self._now_s() + REPLUG_S
        while True:
            try:
                with closing(self._connected()) as line:
                    return self._over(line, request, files)
            except (UnpluggedError, DeadLineError, NoiseError, RefusedError) as error:
                if isinstance(error, RefusedError) and error.reason is not Reason.BROKEN:
                    raise
                if self._failures == 0:
                    until_s = self._now_s() + REPLUG_S
                self._failures += 1
                if self._now_s() > until_s or self._failures * LOOK_EVERY_S > REPLUG_S:
                    raise
                self._lost(str(error))
                self._sleep(LOOK_EVERY_S)

    def _connected(self) -> Line:
        """A port that is not there, or cannot be opened, is one that was pulled once it has been there."""
        try:
            line = self._connect()
        except (RefusedError, UnpluggedError, DeadLineError, NoiseError):
            raise
        except WireError as error:
            if not self._was_connected:
                raise
            raise UnpluggedError(str(error)) from error
        self._was_connected = True
        return line

    def _over(self, line: Line, request: talk.Enroll, files: Mapping[bytes, bytes]) -> talk.Enrolled:
        if self._asked:
            # The lock may have done it, and its answer was lost: it is asked before anything is sent again.
            try:
                return self._enrol(line, request)
            except InputError:
                self._asked = False
        held = line.ask(talk.Offer(request.photos), talk.Held).bytes
        total = sum(photo.size for photo in request.photos)
        queued = sum(held)
        for photo, start in zip(request.photos, held, strict=True):
            data = files[photo.digest]
            for offset in range(start, len(data), talk.PIECE_MAX_BYTES):
                piece = data[offset : offset + talk.PIECE_MAX_BYTES]
                line.send(talk.Piece(photo.digest, offset, piece))
                queued += len(piece)
                self._drain(line, AHEAD_BYTES, queued)
        self._drain(line, 0, total)
        self._asked = True
        return self._enrol(line, request)

    def _drain(self, line: Line, until_bytes: int, queued: int) -> None:
        def told(unsent: int) -> None:
            self._failures = 0
            self._progress(max(queued - unsent, 0))

        line.drain(until_bytes, told)

    def _enrol(self, line: Line, request: talk.Enroll) -> talk.Enrolled:
        for reply in line.replies(request):
            if isinstance(reply, talk.Enrolled):
                return reply
            if not isinstance(reply, talk.Looked):
                break
            self._looked(reply)
        raise WireError("The lock answered something else than was asked. Use one release on both ends.")
