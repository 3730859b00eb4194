"""The guardian's sockets: one thread, one loop, nobody waited for.

A flood from one side must not starve the door: each turn of the loop lets time pass first, then takes a bounded
number of packets from every connection.
"""

import fcntl
import os
import selectors
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge import peers, wire
from edge.core.door import State
from edge.errors import DoorError, FacelatchError, WireError
from edge.guardian import Guardian
from edge.notify import Notifier
from edge.ports import Clock

Watch = Callable[[State], str | None]
"""Called at every turn of the loop with the door's state; a reason to stop ends the loop."""

PACKETS_A_TURN = 16
"""At most sixty a second are expected of a camera; a flood gets no more than this before the door's turn."""

REPORTS_A_SECOND, QUESTIONS_A_SECOND = 120.0, 20.0
"""What the eyes and one operator may send, on average over a second: twice the fastest camera, and more than any
command asks. The rest of the eyes' packets is read and dropped unparsed; an operator waits."""

CONTROL_MAX = 8
"""Operators' commands at a time; the next one takes the place of the longest connected."""

BREATH_S = 0.25
"""For so long a listener rests whose connection could not be taken, as when files run out: it stays readable, and would
turn the loop without end."""

TICK_MAX_S = 0.5
"""The loop turns at least this often, so that a wrong deadline shows soon."""


@dataclass(slots=True)
class _Allowance:
    """A bucket of packets: ``rate`` a second, and as many at once."""

    rate: float
    tokens: float
    filled_s: float

    def take(self, now_s: float) -> bool:
        self.tokens = min(self.rate, self.tokens + (now_s - self.filled_s) * self.rate)
        self.filled_s = now_s
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass(slots=True)
class _Operator:
    """``name`` None: a process on a USB cable, whose questions are those of ``wire.FromCable`` alone."""

    name: str | None
    allowance: _Allowance


class Server:
    """Owns the two listening sockets and serves until told to stop."""

    def __init__(
        self,
        guardian: Guardian,
        looks_path: Path,
        control_path: Path,
        clock: Clock,
        notifier: Notifier | None = None,
        *,
        cable_path: Path | None = None,
    ) -> None:
        """``cable_path``: where the processes on USB cables come to, None: nowhere. Raises WireError when a socket
        cannot be made, as when another guardian serves there."""
        self._guardian, self._clock, self._notifier = guardian, clock, notifier
        self._selector = selectors.DefaultSelector()
        self._eyes: socket.socket | None = None
        self._told_eyes = wire.Preview(False)
        self._reports = _Allowance(REPORTS_A_SECOND, REPORTS_A_SECOND, clock.now_s())
        self._resting: dict[socket.socket, tuple[float, Callable[[socket.socket], None]]] = {}
        self._operators: dict[socket.socket, _Operator] = {}
        self._paths = [looks_path, control_path]
        self._lock = _only_one(control_path.with_name("guardian.lock"))
        self._listen(looks_path, self._accept_eyes)
        self._listen(control_path, self._accept_operator)
        if cable_path is not None:
            self._paths.append(cable_path)
            self._listen(cable_path, self._accept_cable)
        self.stopping: str | None = None

    def run(self, watch: Watch) -> str:
        """Serve until ``stopping`` or ``watch`` says why; returns it. The bolt is left to the caller."""
        if self._notifier is not None:
            self._notifier.ready(self._guardian.status().line())
        while self.stopping is None:
            self._guardian.tick()
            self._wake_listeners()
            self._tell_eyes()
            self._feed_watchdog()
            self.stopping = self.stopping or watch(self._guardian.door.state)
            wait_s = min(self._guardian.next_tick_s() - self._clock.now_s(), TICK_MAX_S)
            for key, _ in self._selector.select(max(wait_s, 0)):
                # Whoever was let go for somebody else of the same turn is heard no more.
                if self._selector.get_map().get(key.fd) is key:
                    key.data(key.fileobj)
        return self.stopping

    def attend(self, file: int, handle: Callable[[], None]) -> None:
        """Also call ``handle`` whenever a file is readable: sensors and keypad. The file stays the caller's."""
        self._selector.register(file, selectors.EVENT_READ, lambda _: handle())

    def _feed_watchdog(self) -> None:
        """The loop has come round: that, and a bolt as commanded, is what the watchdog is fed for."""
        if self._notifier is not None and self._clock.now_s() >= self._notifier.due_s() and self._guardian.sound():
            self._notifier.alive(self._guardian.status().line())

    def close(self) -> None:
        """Close every socket and take their names away."""
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                self._drop(key.fileobj)
        for listener in self._resting:
            listener.close()
        self._selector.close()
        for path in self._paths:
            path.unlink(missing_ok=True)
        os.close(self._lock)

    def _listen(self, path: Path, accept: Callable[[socket.socket], None]) -> None:
        try:
            path.parent.mkdir(mode=0o750, exist_ok=True)
            path.unlink(missing_ok=True)  # left behind by a guardian that was killed: the lock is ours
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
            before = os.umask(0o117)  # the socket's own mode is 0660
            try:
                listener.bind(str(path))
            finally:
                os.umask(before)
            listener.listen(CONTROL_MAX)
        except OSError as error:
            raise _unusable(path, error) from error
        self._selector.register(listener, selectors.EVENT_READ, accept)

    def _accepted(self, listener: socket.socket) -> socket.socket | None:
        """The connection that waits, or None when it cannot be had (gone again, or no file left for it)."""
        try:
            connection, _ = listener.accept()
        except OSError:
            accept = self._selector.unregister(listener).data
            self._resting[listener] = (self._clock.now_s() + BREATH_S, accept)
            return None
        connection.setblocking(False)
        return connection

    def _wake_listeners(self) -> None:
        for listener, (until_s, accept) in list(self._resting.items()):
            if self._clock.now_s() >= until_s:
                del self._resting[listener]
                self._selector.register(listener, selectors.EVENT_READ, accept)

    def _accept_eyes(self, listener: socket.socket) -> None:
        """The newest eyes are the ones: those before them have died or hang."""
        connection = self._accepted(listener)
        if connection is None:
            return
        if not peers.is_eyes(connection):
            connection.close()
            self._guardian.malformed(WireError("Somebody who is not the eyes came to their socket. Look who it is."))
            return
        if self._eyes is not None:
            self._lose_eyes(self._eyes, "other eyes took their place")
        self._eyes, self._told_eyes = connection, wire.Preview(False)
        self._selector.register(connection, selectors.EVENT_READ, self._hear_eyes)

    def _hear_eyes(self, connection: socket.socket) -> None:
        for _ in range(PACKETS_A_TURN):
            if connection is not self._eyes or self.stopping is not None:
                return
            try:
                data = _receive(connection)
                if data is None:
                    return
                if not data:
                    self._lose_eyes(connection, "they closed the connection")
                    return
                if not self._reports.take(self._clock.now_s()):
                    raise WireError(f"The eyes send more than {REPORTS_A_SECOND:.0f} messages a second. Restart them.")
                self._guardian.eyes_say(wire.from_eyes(data))
            except WireError as error:
                self._guardian.malformed(error)
            self._guardian.tick()

    def _tell_eyes(self) -> None:
        """Whether pictures are wanted, when that has changed. Eyes that do not read are not waited for."""
        wanted = wire.Preview(self._guardian.wants_pictures())
        if self._eyes is not None and wanted != self._told_eyes and _send(self._eyes, wanted):
            self._told_eyes = wanted

    def _lose_eyes(self, connection: socket.socket, reason: str) -> None:
        self._drop(connection)
        self._eyes = None
        self._guardian.eyes_gone(reason)

    def _accept_operator(self, listener: socket.socket) -> None:
        connection = self._accepted(listener)
        if connection is None:
            return
        name = peers.operator(connection)
        if name is None:
            refusal = DoorError(f"Only root and members of the group {peers.OPERATORS} operate the door. Use sudo.")
            _send(connection, wire.Failure(type(refusal).__name__, str(refusal)))
            connection.close()
            return
        self._welcome(connection, name)

    def _accept_cable(self, listener: socket.socket) -> None:
        connection = self._accepted(listener)
        if connection is None:
            return
        if not peers.is_cable(connection):
            refusal = DoorError(f"Only the user {peers.CABLE} may ask here. Operators ask at control.sock.")
            _send(connection, wire.Failure(type(refusal).__name__, str(refusal)))
            connection.close()
            return
        self._welcome(connection, None)

    def _welcome(self, connection: socket.socket, name: str | None) -> None:
        """The oldest connection of the same kind makes room: no cable keeps operators out."""
        same = [each for each, known in self._operators.items() if (known.name is None) is (name is None)]
        if len(same) >= CONTROL_MAX:
            self._drop(same[0])
        allowance = _Allowance(QUESTIONS_A_SECOND, QUESTIONS_A_SECOND, self._clock.now_s())
        self._operators[connection] = _Operator(name, allowance)
        self._selector.register(connection, selectors.EVENT_READ, self._hear_operator)

    def _hear_operator(self, connection: socket.socket) -> None:
        operator = self._operators[connection]
        try:
            data = _receive(connection)
        except WireError:
            data = b""
        if data is None:
            return
        # Nothing is done any more for a command that has given up, as while the guardian was stopped; whoever asks and
        # does not read the answer is let go, too.
        if not data or _is_gone(connection) or not _send(connection, self._answered(data, operator)):
            self._drop(connection)

    def _answered(self, data: bytes, operator: _Operator) -> wire.Answer:
        try:
            if not operator.allowance.take(self._clock.now_s()):
                raise WireError(f"That were more than {QUESTIONS_A_SECOND:.0f} questions a second. Ask more slowly.")
            if operator.name is None:
                return self._guardian.cable_says(wire.from_cable(data))
            return self._guardian.answer(wire.question(data), operator.name)
        except FacelatchError as error:
            return wire.Failure(type(error).__name__, str(error))

    def _drop(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        self._operators.pop(connection, None)
        connection.close()


def _send(connection: socket.socket, message: wire.Answer | wire.ToEyes) -> bool:
    """Whether the message went off; nobody is waited for."""
    try:
        connection.send(wire.encode(message))
    except (OSError, WireError):
        return False
    return True


def _is_gone(connection: socket.socket) -> bool:
    """Whether the other end has hung up, though what it sent can still be read."""
    try:
        return not connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _receive(connection: socket.socket) -> bytes | None:
    """One packet, empty at the end, None when there is none yet. Raises WireError for one that is too large."""
    try:
        data, _, flags, _ = connection.recvmsg(wire.PACKET_MAX_BYTES)
    except BlockingIOError:
        return None
    except OSError:
        return b""
    if flags & socket.MSG_TRUNC:
        raise WireError(f"A packet of more than {wire.PACKET_MAX_BYTES} bytes came. Restart both services.")
    return data


def _only_one(path: Path) -> int:
    """The descriptor of a lock that one guardian of a runtime directory holds. Raises WireError."""
    try:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        if os.geteuid() == 0:  # `sudo facelatch run` must not lock the service's user out
            owner = path.parent.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
    except (OSError, ValueError) as error:
        raise _unusable(path, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise WireError(f"Another guardian serves in {path.parent}. End it before starting this one.") from error
    return descriptor


def _unusable(path: Path, error: Exception) -> WireError:
    return WireError(f"{path} cannot be made ({error}). Set paths.runtime to a short path that this user may write.")
