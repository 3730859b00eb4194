"""What a laptop asks over the cable, and what the lock answers; msgpack, checked field by field.

There is no question here that moves the door, and none that carries an embedding: what becomes a template is computed
on the lock, of photographs. Answers are those of the guardian (``edge.wire``) where it has one.
"""

from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from edge import wire
from edge.core.names import shown
from edge.core.sitting import LOOKS_DEFAULT, LOOKS_MIN
from edge.errors import WireError
from edge.types import TEMPLATES_MAX

PHOTO_MAX_BYTES = 256 * 1024
"""Of one photograph on the cable: several times what ``prepare`` makes of one."""

PHOTOS_MAX = 20
"""Of one person, as many as there can be templates."""

PIECE_MAX_BYTES = 16 * 1024

LABEL_MAX_CHARS = 60
"""Of what a laptop calls itself."""

Digest = Annotated[bytes, Meta(min_length=32, max_length=32)]
Bytes = Annotated[int, Meta(ge=1, le=PHOTO_MAX_BYTES)]


class Photo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A photograph by the SHA-256 of its file; ``source`` names it to whoever enrols."""

    source: wire.Text
    digest: Digest
    size: Bytes


class Status(msgspec.Struct, tag="status", frozen=True, forbid_unknown_fields=True):
    """Answered by ``wire.Status``."""


class People(msgspec.Struct, tag="people", frozen=True, forbid_unknown_fields=True):
    """Answered by ``wire.People``."""

    start: wire.Count = 0


class Forget(msgspec.Struct, tag="forget", frozen=True, forbid_unknown_fields=True):
    """Answered by ``wire.People`` with who was forgotten."""

    name: wire.Name


class Log(msgspec.Struct, tag="log", frozen=True, forbid_unknown_fields=True):
    """Answered by ``wire.Log``."""

    last: Annotated[int, Meta(ge=1, le=100)] = 50


class Doctor(msgspec.Struct, tag="doctor", frozen=True, forbid_unknown_fields=True):
    """Answered by ``Findings``."""


class Settings(msgspec.Struct, tag="config", frozen=True, forbid_unknown_fields=True):
    """Answered by ``SettingsText``."""


class Offer(msgspec.Struct, tag="offer", frozen=True, forbid_unknown_fields=True):
    """Which photographs are to come. Answered by ``Held``."""

    photos: Annotated[list[Photo], Meta(min_length=1, max_length=PHOTOS_MAX)]


class Piece(msgspec.Struct, tag="piece", frozen=True, forbid_unknown_fields=True):
    """The next bytes of a photograph that was offered. Answered only when they cannot be taken."""

    digest: Digest
    offset: wire.Count
    data: Annotated[bytes, Meta(min_length=1, max_length=PIECE_MAX_BYTES)]


class Enroll(msgspec.Struct, tag="enroll", frozen=True, forbid_unknown_fields=True):
    """Enrol a person from photographs that were sent. Answered by ``Looked`` for each, then by ``Enrolled``.

    ``ticket``: made up by the laptop for this person; asked with it again, as after the cable was pulled, nobody is
    enrolled twice, and the answer is what it was.
    ``consent``: the person has agreed to the lock's wording; the day comes from the lock's clock."""

    ticket: wire.Word
    name: wire.Name
    photos: Annotated[list[Photo], Meta(min_length=1, max_length=PHOTOS_MAX)]
    add: bool = False
    pin_required: bool = False
    consent: bool = False
    looks: Annotated[int, Meta(ge=LOOKS_MIN, le=TEMPLATES_MAX)] = LOOKS_DEFAULT


class Live(msgspec.Struct, tag="live", frozen=True, forbid_unknown_fields=True):
    """Enrol whoever is before the lock's camera. Answered by ``wire.Sitting`` again and again, the last with the
    person; with ``preview`` by ``wire.Picture`` in between. ``Cancel`` ends it."""

    name: wire.Name
    add: bool = False
    pin_required: bool = False
    consent: bool = False
    looks: Annotated[int, Meta(ge=LOOKS_MIN, le=TEMPLATES_MAX)] = LOOKS_DEFAULT
    preview: bool = False


class Cancel(msgspec.Struct, tag="cancel", frozen=True, forbid_unknown_fields=True):
    """Ends what is being answered; that is answered by a failure."""


Request = Status | People | Forget | Log | Doctor | Settings | Offer | Piece | Enroll | Live | Cancel


class Held(msgspec.Struct, tag="held", frozen=True):
    """How many bytes of each photograph are there already, in the order of the offer."""

    bytes: list[int]


class Looked(msgspec.Struct, tag="looked", frozen=True):
    """One photograph was looked at; ``refused``: why it was not kept, as far as that is known by now."""

    source: str
    refused: str | None


class Enrolled(msgspec.Struct, tag="enrolled", frozen=True):
    """Who was enrolled, and the last word on every photograph."""

    person: wire.PersonLine
    photos: list[Looked]


class Finding(msgspec.Struct, frozen=True):
    """One check of ``doctor``. ``state``: ok, note or fault."""

    check: str
    state: str
    detail: str


class Findings(msgspec.Struct, tag="findings", frozen=True):
    findings: list[Finding]


class SettingsText(msgspec.Struct, tag="settings", frozen=True):
    """The settings in force, as a facelatch.toml."""

    text: str


Reply = (
    wire.Status
    | wire.People
    | wire.Log
    | wire.Sitting
    | wire.Picture
    | wire.Failure
    | Held
    | Looked
    | Enrolled
    | Findings
    | SettingsText
)

Answered = TypeVar("Answered", bound=Reply)
T = TypeVar("T")

_encoder = msgspec.msgpack.Encoder()
_request: "msgspec.msgpack.Decoder[Request]" = msgspec.msgpack.Decoder(Request)
_reply: "msgspec.msgpack.Decoder[Reply]" = msgspec.msgpack.Decoder(Reply)


def encode(message: Request | Reply) -> bytes:
    return _encoder.encode(message)


def request(data: bytes) -> Request:
    """Raises WireError."""
    return _decoded(_request, data)


def reply(data: bytes) -> Reply:
    """Raises WireError."""
    return _decoded(_reply, data)


def _decoded(decoder: "msgspec.msgpack.Decoder[T]", data: bytes) -> T:
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        reason = shown(str(error), 120)[1:-1]
        raise WireError(f"A message that the cable does not know ({reason}). Use one release on both ends.") from error
