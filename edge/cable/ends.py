"""The two ends of the cable: handshake, then sealed messages. Bytes in, bytes out, time an argument.

The first message of a connection says whether it is to pair (XXpsk0) or to talk (IK); it goes into the prologue, as the
version does, so that neither can be changed on the way.
"""

from collections.abc import Callable

from edge import wire
from edge.cable import talk
from edge.cable.channel import MESSAGE_MAX_BYTES, Channel
from edge.cable.frames import VERSION, Reason
from edge.cable.noise import CipherState, Handshake, NoiseError
from edge.errors import DoorError, FacelatchError, WireError

TALK, PAIR = b"S", b"P"
_PATTERN = {TALK: "IK", PAIR: "XXpsk0"}
_TAG_BYTES = 16

REFUSED = {
    Reason.VERSION: "The lock and this laptop speak different versions on the cable. Use one release on both.",
    Reason.UNKNOWN_KEY: "The lock does not know this laptop: it was never paired, its key was revoked, or it has "
    "expired. Pair it again: `facelatch usb pair` on the lock, then here.",
    Reason.OTHER_LOCK: "This is not the lock that this laptop was paired with, or it got a new key. Pair it again.",
    Reason.NOT_PAIRING: "The lock does not wait for a laptop. Run `facelatch usb pair` there first; its code is good "
    "for one laptop, and for a few minutes.",
    Reason.WRONG_CODE: "That is not the code that the lock shows. Look again; after three wrong ones it takes none.",
    Reason.BROKEN: "The lock received something that was changed on the way. Try again.",
    Reason.NO_GUARDIAN: "The lock's guardian does not answer. See `systemctl status facelatch-door` there.",
}


class RefusedError(WireError):
    """The lock does not go on; ``reason`` says why, unauthenticated."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(REFUSED[reason])
        self.reason = reason


def prologue(mode: bytes) -> bytes:
    return b"facelatch cable" + bytes([VERSION]) + mode


class LaptopEnd:
    """The end that begins."""

    def __init__(
        self,
        connection: int,
        private: bytes,
        *,
        lock: bytes | None = None,
        secret: bytes | None = None,
        label: str = "",
    ) -> None:
        """To talk with the lock whose public key is ``lock``; or, with the ``secret`` of a pairing code, to pair and
        to be listed as ``label``."""
        self._channel = Channel(connection)
        mode = PAIR if secret is not None else TALK
        start = prologue(mode)
        self._handshake = Handshake(_PATTERN[mode], private, begins=True, prologue=start, remote=lock, psk=secret)
        self._label = label[: talk.LABEL_MAX_CHARS].encode() if mode == PAIR else b""
        self._ciphers: tuple[CipherState, CipherState] | None = None
        self._channel.send(mode + self._handshake.write())

    @property
    def ready(self) -> bool:
        """Whether the lock has proved its key: questions may be asked."""
        return self._ciphers is not None

    @property
    def lock(self) -> bytes:
        """The lock's public key, once it has proved it."""
        return self._handshake.remote or b""

    @property
    def unsent_bytes(self) -> int:
        return self._channel.unsent_bytes

    def ask(self, request: talk.Request) -> None:
        """Queue a question. Raises WireError before ``ready``."""
        if self._ciphers is None:
            raise WireError("The lock has not answered yet. Wait for it.")
        self._channel.send(self._ciphers[0].encrypt(talk.encode(request)))

    def receive(self, data: bytes, now_s: float) -> list[talk.Reply]:
        """Raises WireError when the lock refuses, or what came was not made by it."""
        replies = []
        for message in self._channel.receive(data, now_s):
            if self._ciphers is None:
                self._answered(message)
            else:
                replies.append(talk.reply(self._ciphers[1].decrypt(message)))
        if self._channel.refused is not None:
            raise RefusedError(self._channel.refused)
        return replies

    def outgoing(self, now_s: float) -> bytes:
        """What is to be written now. Raises WireError when the lock has been silent for too long."""
        return self._channel.outgoing(now_s)

    def next_s(self) -> float:
        return self._channel.next_s()

    def _answered(self, message: bytes) -> None:
        self._handshake.read(message)
        if not self._handshake.done:
            self._channel.send(self._handshake.write(self._label))
        self._ciphers = self._handshake.split()


class LockEnd:
    """The end that answers. Whoever begins a connection ends the one before."""

    def __init__(
        self,
        private: bytes,
        admit: Callable[[bytes], bool],
        code: Callable[[], bytes | None],
        paired: Callable[[bytes, str], None],
    ) -> None:
        """``admit``: whether this public key may talk. ``code``: the secret of the pairing that is open, each call one
        try. ``paired``: store this key under that label. All may raise a FacelatchError: DoorError when the answer is
        no, another one when there was none."""
        self._private, self._admit, self._code, self._paired = private, admit, code, paired
        self._channel = Channel()
        self._begun = 0
        self._forget()

    @property
    def peer(self) -> bytes | None:
        """The public key of whoever talks, proved; None while nobody does."""
        return self._peer if self._heard else None

    @property
    def begun(self) -> int:
        """Counts connections: what was asked in one before is void."""
        return self._begun

    def receive(self, data: bytes, now_s: float) -> list[talk.Request]:
        """The questions that are complete now; with one that cannot be believed the connection ends."""
        messages = self._channel.receive(data, now_s)
        if self._channel.begun != self._begun:
            self._begun = self._channel.begun
            self._forget()
        requests = []
        for message in messages:
            if self._is_over:
                break
            try:
                request = self._take(message)
            except FacelatchError as error:
                self.end(self._reason(error), now_s)
                break
            if request is not None:
                requests.append(request)
        return [] if self._is_over else requests

    def reply(self, reply: talk.Reply) -> None:
        """Queue an answer; to nobody while nobody talks."""
        if self._ciphers is None or self._is_over:
            return
        data = talk.encode(reply)
        if len(data) > MESSAGE_MAX_BYTES - _TAG_BYTES:
            error = WireError("The answer is too long for the cable. Ask for less at a time.")
            data = talk.encode(wire.Failure(type(error).__name__, str(error)))
        self._channel.send(self._ciphers[0].encrypt(data))

    def end(self, reason: Reason, now_s: float) -> None:
        """Refuse whatever else comes in this connection."""
        self._forget()
        self._is_over = True
        self._channel.refuse(reason, now_s)

    def outgoing(self, now_s: float) -> bytes:
        """What is to be written now; a laptop that was silent for too long is forgotten."""
        try:
            return self._channel.outgoing(now_s)
        except WireError:
            self.end(Reason.BROKEN, now_s)
            return b""

    def next_s(self) -> float:
        return self._channel.next_s()

    @property
    def unsent_bytes(self) -> int:
        return self._channel.unsent_bytes

    @property
    def damaged(self) -> int:
        return self._channel.damaged

    def _forget(self) -> None:
        self._handshake: Handshake | None = None
        self._ciphers: tuple[CipherState, CipherState] | None = None
        self._mode = b""
        self._peer: bytes | None = None
        self._heard = False
        self._is_over = False

    def _take(self, message: bytes) -> talk.Request | None:
        if self._ciphers is not None:
            request = talk.request(self._ciphers[1].decrypt(message))
            self._heard = True
            return request
        if self._handshake is None:
            self._begin(message)
        else:
            self._end_of_pairing(self._handshake, message)
        return None

    def _begin(self, message: bytes) -> None:
        self._mode, rest = message[:1], message[1:]
        if self._mode not in _PATTERN:
            raise NoiseError("What came is no handshake. Use one release on both ends.")
        secret = None
        if self._mode == PAIR:
            secret = self._code()
            if secret is None:
                raise DoorError("No pairing is open. Run `facelatch usb pair` on the lock.")
        start = prologue(self._mode)
        handshake = Handshake(_PATTERN[self._mode], self._private, begins=False, prologue=start, psk=secret)
        handshake.read(rest)
        if self._mode == TALK and (handshake.remote is None or not self._admit(handshake.remote)):
            raise DoorError("This key may not talk. Pair the laptop again.")
        self._channel.send(handshake.write())
        self._handshake = handshake
        if self._mode == TALK:
            self._ciphers, self._peer = handshake.split(), handshake.remote

    def _end_of_pairing(self, handshake: Handshake, message: bytes) -> None:
        label = handshake.read(message).decode(errors="replace")[: talk.LABEL_MAX_CHARS]
        self._paired(handshake.remote or b"", label)
        self._ciphers, self._peer = handshake.split(), handshake.remote

    def _reason(self, error: FacelatchError) -> Reason:
        if self._mode not in _PATTERN:
            return Reason.BROKEN
        if isinstance(error, DoorError):
            return Reason.NOT_PAIRING if self._mode == PAIR else Reason.UNKNOWN_KEY
        if isinstance(error, NoiseError) and self._ciphers is None:
            return Reason.WRONG_CODE if self._mode == PAIR else Reason.OTHER_LOCK
        return Reason.BROKEN if self._ciphers is not None or isinstance(error, NoiseError) else Reason.NO_GUARDIAN
