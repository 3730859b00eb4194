"""Whole messages, in order and once each, over a line that loses and doubles: go-back-N (RFC 3366, section 2.4).

No port and no clock inside: bytes that were read come in, bytes to write come out, time is an argument. What is not
acknowledged is sent again; nobody sends further ahead of the acknowledgements than ``WINDOW`` frames, which is the flow
control as well: a frame is acknowledged when it was taken out of the line.
"""

from collections import deque
from dataclasses import dataclass, field

from edge.cable.frames import PAYLOAD_MAX_BYTES, Decoder, Frame, Kind, Reason, encode
from edge.errors import WireError

WINDOW = 8
"""Frames on their way: 8 kB, 0.7 s at 115,200 baud; at a USB adapter's latency of 16 ms still 500 kB/s."""

AGAIN_S = 2.0
"""Without an acknowledgement for so long all is sent again: three windows at 115,200 baud. It is never made longer:
there is no network that could be congested."""

DEAD_S = 30.0
"""Without one for so long the other end is gone."""

MESSAGE_MAX_BYTES = 65535
"""A Noise message (specification, section 3)."""

REFUSALS_A_SECOND = 2.0


class DeadLineError(WireError):
    """Nobody has answered for too long."""


@dataclass(slots=True)
class _Sender:
    """What is on its way and what waits: ``base`` is the number of the first of ``waiting``, ``sent`` how many of them
    were written to the line."""

    waiting: deque[tuple[Kind, bytes]] = field(default_factory=deque)
    base: int = 0
    sent: int = 0
    again_s: float = float("inf")
    progress_s: float | None = None
    went_back: int | None = None

    def due(self, now_s: float) -> list[tuple[int, Kind, bytes]]:
        """The frames to write now, with their numbers. Raises DeadLineError when none was acknowledged for too long."""
        if self.waiting and self.progress_s is not None:
            if now_s - self.progress_s > DEAD_S:
                raise DeadLineError(
                    "The other end of the cable does not answer any more. Look at the plug, and try again."
                )
            if now_s >= self.again_s:
                self.sent = 0
        first, self.sent = self.sent, min(WINDOW, len(self.waiting))
        if first == self.sent:
            return []
        if not first:
            self.again_s = now_s + AGAIN_S
        if self.progress_s is None:
            self.progress_s = now_s
        return [(self.base + number, *self.waiting[number]) for number in range(first, self.sent)]

    def acknowledged(self, frame: Frame, now_s: float) -> None:
        count = frame.ack - self.base
        if 0 < count <= min(WINDOW, len(self.waiting)):
            for _ in range(count):
                self.waiting.popleft()
            self.base, self.sent = frame.ack, max(self.sent - count, 0)
            self.again_s = now_s + AGAIN_S
            self.progress_s = now_s if self.waiting else None
            self.went_back = None
        if frame.kind is Kind.NAK and frame.ack == self.base and self.went_back != self.base:
            self.went_back, self.sent = self.base, 0  # once for each frame: a second loss waits for its time


@dataclass(slots=True)
class _Receiver:
    """What has come of the message that is not complete yet, and what is owed to the other end."""

    expected: int = 0
    parts: bytearray = field(default_factory=bytearray)
    owes: Kind | None = None
    missed: int | None = None

    def take(self, frame: Frame) -> bytes | None:
        """A message that is complete. Raises OverflowError for one that is too long."""
        if frame.sequence > self.expected:
            self.miss()
            return None
        self.owes = Kind.ACK
        if frame.sequence < self.expected:
            return None
        self.expected += 1
        self.missed = None
        self.parts += frame.payload
        if len(self.parts) > MESSAGE_MAX_BYTES:
            self.parts.clear()
            raise OverflowError
        if frame.kind is not Kind.END:
            return None
        message = bytes(self.parts)
        self.parts.clear()
        return message

    def miss(self) -> None:
        """Something is missing: said once for each frame that is expected."""
        if self.missed != self.expected:
            self.missed, self.owes = self.expected, Kind.NAK


class Channel:
    """One end of the line. The end with a ``connection`` begins; the other follows whoever begins last."""

    def __init__(self, connection: int | None = None) -> None:
        """``connection``: a random number of 32 bits, for the end that begins."""
        self._begins = connection is not None
        self.connection = connection
        self.refused: Reason | None = None
        """Why the other end does not go on."""
        self.begun = 0
        """How many connections have begun here: when it changes, all of the one before is void."""
        self._decoder = Decoder()
        self._sender, self._receiver = _Sender(), _Receiver()
        self._refusal = b""
        self._refused_s = float("-inf")

    def receive(self, data: bytes, now_s: float) -> list[bytes]:
        """The messages that are complete now, in order; none of a connection before the newest."""
        damaged, others = self._decoder.damaged, self._decoder.of_other_version
        messages: list[bytes] = []
        for frame in self._decoder.feed(data):
            if frame.connection != self.connection:
                if self._begins and frame.kind is Kind.REFUSE and frame.connection == 0:
                    self.refused = Reason.VERSION
                if self._begins or frame.sequence != 0 or frame.kind not in {Kind.PART, Kind.END}:
                    continue
                self.connection, self.refused = frame.connection, None
                self.begun += 1
                self._sender, self._receiver = _Sender(), _Receiver()
                messages.clear()
            message = self._take(frame, now_s)
            if message is not None:
                messages.append(message)
        if self._decoder.damaged != damaged and self.connection is not None:
            self._receiver.miss()
        if self._decoder.of_other_version != others:
            if self._begins:
                self.refused = Reason.VERSION
            else:
                self.refuse(Reason.VERSION, now_s)
        return messages

    def send(self, message: bytes) -> None:
        """Queue one message of 1 to ``MESSAGE_MAX_BYTES`` bytes."""
        if not 0 < len(message) <= MESSAGE_MAX_BYTES:
            raise ValueError(f"a message of {len(message)} bytes")
        starts = range(0, len(message), PAYLOAD_MAX_BYTES)
        for start in starts:
            kind = Kind.END if start == starts[-1] else Kind.PART
            self._sender.waiting.append((kind, message[start : start + PAYLOAD_MAX_BYTES]))

    def refuse(self, reason: Reason, now_s: float) -> None:
        """Say why this end does not go on, and drop what waits; said at most twice a second."""
        if now_s - self._refused_s >= 1 / REFUSALS_A_SECOND:
            self._refused_s = now_s
            # Whose frame it was that nobody could read is not known: that goes to everybody.
            whom = 0 if reason is Reason.VERSION else self.connection or 0
            self._refusal = encode(Frame(Kind.REFUSE, whom, 0, 0, bytes([reason])))
        self._sender.waiting.clear()
        self._sender.sent = 0

    def outgoing(self, now_s: float) -> bytes:
        """What is to be written to the line now. Raises DeadLineError when the other end was silent for too long."""
        out, self._refusal = bytearray(self._refusal), b""
        for number, kind, payload in self._sender.due(now_s):
            out += self._encoded(kind, number, payload)
            self._receiver.owes = self._receiver.owes if self._receiver.owes is Kind.NAK else None
        if self._receiver.owes is not None:
            out += self._encoded(self._receiver.owes, self._sender.base)
            self._receiver.owes = None
        return bytes(out)

    def next_s(self) -> float:
        """When ``outgoing`` may have something to say though nothing came; infinity: never."""
        return self._sender.again_s if self._sender.waiting else float("inf")

    @property
    def unsent_bytes(self) -> int:
        """What is queued and not acknowledged yet."""
        return sum(len(payload) for _, payload in self._sender.waiting)

    @property
    def damaged(self) -> int:
        """How much came that was no frame."""
        return self._decoder.damaged

    def _take(self, frame: Frame, now_s: float) -> bytes | None:
        if frame.kind is Kind.REFUSE:
            code = frame.payload[0] if frame.payload else 0
            self.refused = Reason(code) if code in Reason.__members__.values() else Reason.BROKEN
            return None
        self._sender.acknowledged(frame, now_s)
        if frame.kind not in {Kind.PART, Kind.END}:
            return None
        try:
            return self._receiver.take(frame)
        except OverflowError:
            self.refuse(Reason.BROKEN, now_s)
            return None

    def _encoded(self, kind: Kind, sequence: int, payload: bytes = b"") -> bytes:
        return encode(Frame(kind, self.connection or 0, sequence, self._receiver.expected, payload))
