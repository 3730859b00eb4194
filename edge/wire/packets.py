"""Messages as packets, and back."""

from typing import TypeVar

import msgspec

from edge.core.names import shown
from edge.errors import WireError
from edge.wire.answers import Answer
from edge.wire.cable import FromCable
from edge.wire.fields import PACKET_MAX_BYTES, VERSION
from edge.wire.looks import FromEyes, ToEyes
from edge.wire.questions import Question

T = TypeVar("T")

_encoder = msgspec.msgpack.Encoder()
_from_eyes: "msgspec.msgpack.Decoder[FromEyes]" = msgspec.msgpack.Decoder(FromEyes)
_to_eyes: "msgspec.msgpack.Decoder[ToEyes]" = msgspec.msgpack.Decoder(ToEyes)
_from_cable: "msgspec.msgpack.Decoder[FromCable]" = msgspec.msgpack.Decoder(FromCable)
_question: "msgspec.msgpack.Decoder[Question]" = msgspec.msgpack.Decoder(Question)
_answer: "msgspec.msgpack.Decoder[Answer]" = msgspec.msgpack.Decoder(Answer)


def encode(message: FromEyes | ToEyes | FromCable | Question | Answer) -> bytes:
    """One packet. Raises WireError when the message is larger than a packet."""
    data = _encoder.encode(message)
    if len(data) > PACKET_MAX_BYTES:
        raise WireError(f"A message of {len(data)} bytes does not fit a packet. Ask for less at a time.")
    return data


def from_eyes(data: bytes) -> FromEyes:
    """Raises WireError."""
    return _decoded(_from_eyes, data)


def to_eyes(data: bytes) -> ToEyes:
    """Raises WireError."""
    return _decoded(_to_eyes, data)


def from_cable(data: bytes) -> FromCable:
    """Raises WireError."""
    return _decoded(_from_cable, data)


def question(data: bytes) -> Question:
    """Raises WireError."""
    return _decoded(_question, data)


def answer(data: bytes) -> Answer:
    """Raises WireError."""
    return _decoded(_answer, data)


def _decoded(decoder: "msgspec.msgpack.Decoder[T]", data: bytes) -> T:
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        reason = shown(str(error), 120)[1:-1]
        raise WireError(f"Not a message of version {VERSION} ({reason}). Restart both services.") from error
