"""One connection to a lock: opens the port, shakes hands, asks and waits for answers."""

import secrets
import time
from collections.abc import Callable, Iterator
from typing import Protocol

import edge.errors
from edge import wire
from edge.cable import talk
from edge.cable.channel import DeadLineError
from edge.cable.ends import LaptopEnd
from edge.errors import FacelatchError, WireError

HANDSHAKE_S = 12.0
"""A lock that is still starting answers late: loading its networks takes seconds on a small board."""

ANSWER_S = 60.0
"""Between two replies: a photograph takes the smallest board some seconds."""


class SerialPort(Protocol):
    """``edge.cable.port.Port``."""

    def read(self, *, wait: bool = True) -> bytes: ...

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


class Line:
    """A port with a laptop's end on it. ``close`` it."""

    def __init__(self, port: SerialPort, private: bytes, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._port, self._private, self._now_s = port, private, now_s
        self._end: LaptopEnd | None = None

    def greet(self, lock: bytes) -> None:
        """Begin a connection with the lock of this public key. Raises RefusedError, WireError, UnpluggedError."""
        self._begin(LaptopEnd(secrets.randbits(32), self._private, lock=lock))

    def pair(self, secret: bytes, label: str) -> bytes:
        """Pair; the lock's public key, once the lock has answered over it. Raises as ``greet``."""
        self._begin(LaptopEnd(secrets.randbits(32), self._private, secret=secret, label=label))
        self.ask(talk.Status(), wire.Status)
        return self._ready().lock

    def ask(self, request: talk.Request, kind: "type[talk.Answered]") -> "talk.Answered":
        """The one answer to a request. Raises the FacelatchError that the lock answered with, WireError."""
        for reply in self.replies(request):
            if isinstance(reply, kind):
                return reply
            break
        raise WireError("The lock answered something else than was asked. Use one release on both ends.")

    def replies(self, request: talk.Request) -> Iterator[talk.Reply]:
        """Every reply to a request; whoever reads stops at the last. Raises as ``ask``."""
        self.send(request)
        quiet_s = self._now_s()
        while self._now_s() - quiet_s < ANSWER_S:
            for reply in self._turn():
                quiet_s = self._now_s()
                if isinstance(reply, wire.Failure):
                    raise failure(reply)
                yield reply
        raise DeadLineError("The lock does not answer any more. Look at its journal: journalctl -u 'facelatch-link@*'.")

    def send(self, request: talk.Request) -> None:
        """Ask without waiting."""
        self._ready().ask(request)

    def drain(self, until_bytes: int, progress: Callable[[int], None]) -> None:
        """Write until at most so many bytes are not acknowledged; ``progress`` is told how many are not. Raises as
        ``ask``."""
        end = self._ready()
        while end.unsent_bytes > until_bytes:
            for reply in self._turn():
                raise (
                    failure(reply)
                    if isinstance(reply, wire.Failure)
                    else WireError("The lock answered what was not asked. Use one release on both ends.")
                )
            progress(end.unsent_bytes)

    def close(self) -> None:
        self._port.close()

    def _begin(self, end: LaptopEnd) -> None:
        self._end = end
        self._port.read(wait=False)  # what is left of a connection before
        until_s = self._now_s() + HANDSHAKE_S
        while not end.ready:
            if self._now_s() > until_s:
                raise DeadLineError(
                    "Nothing answers at this port. Look whether the cable carries data, and whether "
                    "facelatch-link@.service runs on the lock."
                )
            self._turn()

    def _turn(self) -> list[talk.Reply]:
        end = self._end
        if end is None:
            return []
        data = end.outgoing(self._now_s())
        if data:
            self._port.write(data)
        return end.receive(self._port.read(), self._now_s())

    def _ready(self) -> LaptopEnd:
        if self._end is None:
            raise WireError("There is no connection yet. Begin one first.")
        return self._end


def failure(answer: wire.Failure) -> FacelatchError:
    """The lock's error, of the class that it names."""
    kind = getattr(edge.errors, answer.error, FacelatchError)
    is_ours = isinstance(kind, type) and issubclass(kind, FacelatchError)
    error: FacelatchError = kind(answer.message) if is_ours else FacelatchError(answer.message)
    return error
