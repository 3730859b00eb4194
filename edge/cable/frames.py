"""Frames on a serial line, which loses, doubles and invents bytes.

A frame is a header, at most ``PAYLOAD_MAX_BYTES`` and a CRC-32 (ISO 3309, as of zlib), delimited as in SLIP (RFC 1055):
whatever went wrong before, the next delimiter begins a frame. The CRC finds noise. Against somebody on the line it does
nothing; that is what the encryption above is for.
"""

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

VERSION = 1
"""Of everything on the cable: frames, handshake, messages. The other end is told when it differs."""

PAYLOAD_MAX_BYTES = 1024
"""0.09 s at 115,200 baud: so much is sent again when one byte is lost."""

_HEADER = struct.Struct(">BBIIIH")  # version, kind, connection, sequence, ack, length
_CRC = struct.Struct(">I")
_END, _ESC, _ESC_END, _ESC_ESC = b"\xc0", b"\xdb", b"\xdb\xdc", b"\xdb\xdd"

FRAME_MAX_BYTES = 2 * (_HEADER.size + PAYLOAD_MAX_BYTES + _CRC.size)
"""On the line, where every byte may have to be escaped."""


class Kind(IntEnum):
    """PART and END carry a message's bytes, END its last. ACK and NAK only answer; NAK says that something was missing
    or damaged. REFUSE ends the connection; its payload is one ``Reason``."""

    PART = 1
    END = 2
    ACK = 3
    NAK = 4
    REFUSE = 5


class Reason(IntEnum):
    """Why one end does not go on. Nothing of it is authenticated: it is a hint for whoever stands there."""

    VERSION = 1
    UNKNOWN_KEY = 2
    OTHER_LOCK = 3
    NOT_PAIRING = 4
    WRONG_CODE = 5
    BROKEN = 6
    NO_GUARDIAN = 7


@dataclass(frozen=True, slots=True)
class Frame:
    """``connection`` names one connection, ``sequence`` counts its PART and END frames from 0; ``ack`` is the number of
    the frame that is expected next from the other end."""

    kind: Kind
    connection: int
    sequence: int
    ack: int
    payload: bytes = b""
    version: int = VERSION


def encode(frame: Frame) -> bytes:
    """With a delimiter before and after: the one before ends what noise may have begun."""
    head = (frame.version, frame.kind, frame.connection, frame.sequence, frame.ack, len(frame.payload))
    body = _HEADER.pack(*head) + frame.payload
    raw = body + _CRC.pack(zlib.crc32(body))
    return _END + raw.replace(_ESC, _ESC_ESC).replace(_END, _ESC_END) + _END


class Decoder:
    """Bytes in, frames out. Holds at most one frame's bytes, whatever comes."""

    def __init__(self) -> None:
        self._held = b""
        self._skipping = False
        self.damaged = 0
        """Pieces between two delimiters that were no frame, so far."""
        self.of_other_version = 0
        """Sound frames of another version, so far."""

    def feed(self, data: bytes) -> list[Frame]:
        """Every frame that ends in ``data``, in order."""
        *pieces, rest = (self._held + data).split(_END)
        found = []
        for piece in pieces:
            skip, self._skipping = self._skipping, False
            frame = None if skip or not piece else self._frame(piece)
            if frame is not None:
                found.append(frame)
        if len(rest) > FRAME_MAX_BYTES:
            rest, self._skipping = b"", True
            self.damaged += 1
        self._held = rest
        return found

    def _frame(self, piece: bytes) -> Frame | None:
        raw = piece.replace(_ESC_END, _END).replace(_ESC_ESC, _ESC)
        body, crc = raw[: -_CRC.size], raw[-_CRC.size :]
        if len(body) < _HEADER.size or _CRC.pack(zlib.crc32(body)) != crc:
            self.damaged += 1
            return None
        version, kind, connection, sequence, ack, length = _HEADER.unpack_from(body)
        if version != VERSION:
            self.of_other_version += 1
            return None
        payload = body[_HEADER.size :]
        if length != len(payload) or length > PAYLOAD_MAX_BYTES or kind not in Kind.__members__.values():
            self.damaged += 1
            return None
        return Frame(Kind(kind), connection, sequence, ack, payload)
