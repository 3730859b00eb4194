"""The other end of the guardian's sockets: the eyes' line, and an operator's question."""

import select
import socket
import struct
from pathlib import Path

import edge.errors
from edge import wire
from edge.errors import FacelatchError, WireError

ANSWER_TIMEOUT_S = 10.0
"""The guardian answers in milliseconds; a store on a slow card may take seconds to write."""


class EyesLink:
    """The eyes' connection to the guardian."""

    def __init__(self, path: Path) -> None:
        """Raises WireError when no guardian listens."""
        self._socket = _connected(path)
        self._previewed = False

    def __call__(self, message: wire.FromEyes) -> None:
        """Send one message. Raises WireError when the guardian is gone."""
        try:
            self._socket.send(wire.encode(message))
        except OSError as error:
            raise WireError(f"The guardian is gone ({error}). Start facelatch-door, then facelatch-eyes.") from error

    def previewed(self) -> bool:
        """Whether somebody watches what the eyes see, as the guardian last said. Never waits."""
        try:
            while select.select([self._socket], [], [], 0)[0] and (data := self._socket.recv(wire.PACKET_MAX_BYTES)):
                self._previewed = wire.to_eyes(data).wanted
        except OSError:  # a guardian that is gone is noticed with the next report; what it said is no message
            self._previewed = False
        return self._previewed

    def close(self) -> None:
        self._socket.close()


def ask(path: Path, question: wire.Question | wire.FromCable) -> wire.Answer | None:
    """The guardian's answer, or None when no guardian listens at ``path``.

    Raises the FacelatchError that the guardian answered with, and WireError when it does not answer.
    """
    try:
        connection = _connected(path)
    except WireError as error:
        if isinstance(error.__cause__, FileNotFoundError | ConnectionRefusedError):
            return None
        raise
    with connection:
        try:
            connection.send(wire.encode(question))
            packet = connection.recv(wire.PACKET_MAX_BYTES)
            if not packet:
                raise WireError(
                    "The guardian ended before it answered: what was asked may be done, or not. Ask again when it "
                    "serves, and look at its log: journalctl -u facelatch-door."
                )
            answer = wire.answer(packet)
        except OSError as error:
            if isinstance(error, FacelatchError):
                raise
            raise WireError(
                f"The guardian does not answer ({error}). Look at its log: journalctl -u facelatch-door."
            ) from error
    if isinstance(answer, wire.Failure):
        kind = getattr(edge.errors, answer.error, FacelatchError)
        raise kind(answer.message)
    return answer


def _connected(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        # Python's own timeout makes the socket non-blocking, and a full backlog would then refuse at once.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", int(ANSWER_TIMEOUT_S), 0))
        connection.connect(str(path))
        connection.settimeout(ANSWER_TIMEOUT_S)
    except OSError as error:
        connection.close()
        raise WireError(
            f"No connection to the guardian at {path} ({error.strerror or error}). Start it with `facelatch run`; "
            "one that runs is reached by its own user, by root, and by operators (the group facelatch-admin)."
        ) from error
    return connection
