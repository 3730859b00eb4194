"""The lock's end of one cable: reads the port, lets the protocol and the desk work, writes the port."""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Protocol

from edge import wire
from edge.cable import talk
from edge.cable.channel import WINDOW
from edge.cable.desk import Desk, Guardian
from edge.cable.ends import LockEnd
from edge.cable.frames import Reason
from edge.core.names import harmless
from edge.errors import FacelatchError, WireError
from edge.pairing_code import secret_of

_log = logging.getLogger(__name__)

IDLE_S = 120.0
"""A laptop that has said nothing for so long, while nothing was being answered, is asked to prove its key anew."""

QUEUE_MAX = 64
"""Requests that wait: a window holds no more than ``WINDOW``, and so many are answered at a turn."""


class SerialPort(Protocol):
    """``edge.cable.port.Port``."""

    def read(self, *, wait: bool = True) -> bytes: ...

    def write(self, data: bytes) -> None: ...


class Service:
    """Serves whoever is plugged in, until the port goes away."""

    def __init__(
        self, port: SerialPort, private: bytes, desk: Desk, guardian: Guardian, now_s: Callable[[], float]
    ) -> None:
        self._port, self._desk, self._guardian, self._now_s = port, desk, guardian, now_s
        self.end = LockEnd(private, self._admit, self._code, self._paired)
        self._begun = 0
        self._queue: list[talk.Request] = []
        self._work: Iterator[talk.Reply | None] | None = None
        self._rests = True
        self._heard_s = now_s()

    def run(self, stopping: Callable[[], str | None]) -> str:
        """Until ``stopping`` says why. Raises UnpluggedError."""
        try:
            while (reason := stopping()) is None:
                self.turn()
            return reason
        finally:
            self._drop()

    def turn(self) -> None:
        """Read what came, answer a little, write what is due. Waits a moment where there is nothing to do."""
        data = self._port.read(wait=self._rests)
        requests = self.end.receive(data, self._now_s()) if data else []
        if self.end.begun != self._begun:
            self._begun = self.end.begun
            self._drop()
        if data:
            self._heard_s = self._now_s()
        for request in requests:
            if isinstance(request, talk.Cancel):
                self._stop_work()
            self._queue.append(request)
        if len(self._queue) > QUEUE_MAX:
            self._over(Reason.BROKEN)
        self._write()  # what was received is acknowledged before the work on it begins
        self._rests = any(self._answer() for _ in range(WINDOW))
        self._write()
        if self._work is None and self.end.peer is not None and self._now_s() - self._heard_s > IDLE_S:
            self._over(Reason.BROKEN)

    def _answer(self) -> bool:
        """One step of what is being answered, or of the next request; True when there is nothing more to do now."""
        peer = self.end.peer
        if self._work is None and self._queue and peer is not None:
            self._work = self._desk.answer(peer, self._queue.pop(0))
        if self._work is None:
            return True
        try:
            reply = next(self._work)
        except StopIteration:
            self._work = None
            return not self._queue
        except Exception:
            # Whatever a laptop sends must not end the service; what happened is for the journal.
            _log.exception("a request could not be answered")
            reply, self._work = wire.Failure(FacelatchError.__name__, "The lock failed. See its journal."), None
        if reply is None:
            return True
        self.end.reply(reply)
        self._write()  # progress is seen as it is made
        return False

    def _write(self) -> None:
        data = self.end.outgoing(self._now_s())
        if data:
            self._port.write(data)

    def _over(self, reason: Reason) -> None:
        self._drop()
        self.end.end(reason, self._now_s())

    def _drop(self) -> None:
        self._queue.clear()
        self._stop_work()

    def _stop_work(self) -> None:
        work, self._work = self._work, None
        if work is not None and hasattr(work, "close"):
            with suppress(FacelatchError):
                work.close()

    def _admit(self, key: bytes) -> bool:
        self._told(wire.CableAdmit(key))
        return True

    def _code(self) -> bytes | None:
        answer = self._told(wire.CableCode())
        return secret_of(answer.code) if isinstance(answer, wire.PairCode) else None

    def _paired(self, key: bytes, label: str) -> None:
        self._told(wire.CablePaired(key, label))

    def _told(self, message: wire.FromCable) -> wire.Answer:
        try:
            return self._guardian(message)
        except WireError as error:
            _log.warning("%s", harmless(str(error)))
            raise
