"""What the processes say to each other: one msgpack message a SOCK_SEQPACKET packet, checked field by field.

Two conversations. On the looks socket the eyes report and the guardian only listens. On the control socket an
operator's command asks and the guardian answers.
"""

from typing import Annotated, Literal, TypeVar

import msgspec
import numpy as np
from msgspec import Meta

from edge.core.names import shown
from edge.core.sitting import LOOKS_DEFAULT, LOOKS_MIN
from edge.errors import WireError
from edge.types import TEMPLATES_MAX, Box, Embedding, Look, Permission, Person, Quality

VERSION = 4
"""Of both conversations. Another version is refused: both processes come from one installation."""

PACKET_MAX_BYTES = 128 * 1024
"""Below Linux's default send buffer of 208 KiB, so that one packet always fits."""

SNAPSHOT_MAX_BYTES = 64 * 1024
"""A JPEG of 480 pixels' width takes 15 to 40 kB."""

CROP_MAX_BYTES = 5632
"""Of the face behind a template: twenty of them and as many templates stay below ``PACKET_MAX_BYTES``."""

LOOKS_MAX = 4
"""Looks in one report: the four largest faces; the others are only counted."""

NORM_TOLERANCE = 1e-3
"""How far an embedding's norm may be from 1: float32 rounding over 192 sums stays a hundred times below."""

Text = Annotated[str, Meta(max_length=500)]
Word = Annotated[str, Meta(min_length=1, max_length=100)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Vector = Annotated[bytes, Meta(max_length=4 * 4096)]


class Hello(msgspec.Struct, tag="hello", frozen=True, forbid_unknown_fields=True):
    """The eyes' first message."""

    version: int
    model_id: Word
    dimension: Annotated[int, Meta(ge=1, le=4096)]
    camera: Text


class WireLook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ``Look`` without what its report says once for all; the embedding as little-endian float32."""

    track: Count
    embedding: Vector
    liveness: Annotated[float, Meta(ge=0, le=1)] | None
    face_px: float
    eye_distance_px: float
    yaw_deg: float
    brightness: float
    probability: float
    sharpness: float
    eyes: float
    box: tuple[float, float, float, float]


class Report(msgspec.Struct, tag="report", frozen=True, forbid_unknown_fields=True):
    """What one frame showed; also sent when it showed nobody, as the eyes' heartbeat."""

    frame: Count
    captured_s: float
    faces_in_frame: Count
    looks: Annotated[list[WireLook], Meta(max_length=LOOKS_MAX)]
    timings_ms: Annotated[dict[Word, float], Meta(max_length=32)] = {}


class Trouble(msgspec.Struct, tag="trouble", frozen=True, forbid_unknown_fields=True):
    """The eyes' last message before they give up: what is wrong with the camera."""

    reason: Text


class Snapshot(msgspec.Struct, tag="snapshot", frozen=True, forbid_unknown_fields=True):
    """What the camera shows while somebody is there, as a JPEG; sent only where the owner keeps such pictures."""

    jpeg: Annotated[bytes, Meta(max_length=SNAPSHOT_MAX_BYTES)]


FromEyes = Hello | Report | Trouble | Snapshot


class AskStatus(msgspec.Struct, tag="status", frozen=True, forbid_unknown_fields=True):
    """Answered by ``Status``."""


class AskPeople(msgspec.Struct, tag="people", frozen=True, forbid_unknown_fields=True):
    """Answered by ``People``: a page of at most ``PAGE`` from ``start``."""

    start: Count = 0


Name = Annotated[str, Meta(max_length=500)]
Utc = Annotated[str, Meta(max_length=40)]
Jpeg = Annotated[bytes, Meta(max_length=CROP_MAX_BYTES)]


class ConsentLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ``Consent`` on the wire and in ``--json``."""

    given_utc: Utc
    wording: Count


class AskEnroll(msgspec.Struct, tag="enroll", frozen=True, forbid_unknown_fields=True):
    """Answered by ``People`` with the one person. ``pin_required``: let that person, and who
    looks alike, in by PIN only. ``expires``: an ISO date. ``crops``: the face of each template, or none."""

    name: Name
    model_id: Word
    templates: Annotated[list[Vector], Meta(min_length=1, max_length=TEMPLATES_MAX)]
    add: bool = False
    pin_required: bool = False
    consent: ConsentLine | None = None
    expires: Utc | None = None
    crops: Annotated[list[Jpeg], Meta(max_length=TEMPLATES_MAX)] = []


class EnrollTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is enrolled, and how: the fields of ``AskEnroll`` that are not the templates, by the same
    names."""

    name: Name
    add: bool = False
    pin_required: bool = False
    consent: ConsentLine | None = None
    expires: Utc | None = None


class AskCamera(msgspec.Struct, tag="camera", frozen=True, forbid_unknown_fields=True):
    """Begin to collect the looks of whoever is before the camera. Answered by ``Sitting``.

    ``ticket`` names this enrolment in what is asked about it later; the asker makes it up.
    """

    ticket: Word
    terms: EnrollTerms
    looks: Annotated[int, Meta(ge=LOOKS_MIN, le=TEMPLATES_MAX)] = LOOKS_DEFAULT


class AskCameraProgress(msgspec.Struct, tag="camera-progress", frozen=True, forbid_unknown_fields=True):
    """How far it is; the one that finds enough looks kept stores them. Answered by ``Sitting``."""

    ticket: Word


class AskCameraCancel(msgspec.Struct, tag="camera-cancel", frozen=True, forbid_unknown_fields=True):
    """End it; nothing is stored. Answered by ``Sitting``."""

    ticket: Word


class AskForget(msgspec.Struct, tag="forget", frozen=True, forbid_unknown_fields=True):
    """Answered by ``People`` with who was forgotten."""

    name: Annotated[str, Meta(max_length=500)]


class AskIdentify(msgspec.Struct, tag="identify", frozen=True, forbid_unknown_fields=True):
    """Whom a probe resembles; opens nothing. Answered by ``Identified``."""

    model_id: Word
    embedding: Vector


class AskUnlock(msgspec.Struct, tag="unlock", frozen=True, forbid_unknown_fields=True):
    """Release the bolt once, for ``for_s`` seconds. Answered by ``Status``."""

    for_s: Annotated[float, Meta(gt=0)]
    reason: Annotated[str, Meta(min_length=1, max_length=200)]


class AskMode(msgspec.Struct, tag="mode", frozen=True, forbid_unknown_fields=True):
    """Set the door's mode, until somebody sets another; "normal" follows the schedules. Answered by ``Status``."""

    mode: Literal["normal", "free", "night", "lockdown"]
    reason: Annotated[str, Meta(max_length=200)] = ""


class AskClear(msgspec.Struct, tag="clear", frozen=True, forbid_unknown_fields=True):
    """Acknowledge an alarm, unlatch a fault, end every lockout. Answered by ``Status``."""


class AskAllow(msgspec.Struct, tag="allow", frozen=True, forbid_unknown_fields=True):
    """Change what a person may; a field that is UNSET stays, None takes the limit away. Answered by ``People``."""

    name: Name
    disabled: bool | msgspec.UnsetType = msgspec.UNSET
    valid_from_utc: Utc | msgspec.UnsetType | None = msgspec.UNSET
    valid_until_utc: Utc | msgspec.UnsetType | None = msgspec.UNSET
    uses_left: Annotated[int, Meta(ge=0, le=1_000_000)] | msgspec.UnsetType | None = msgspec.UNSET
    schedule: Text | msgspec.UnsetType | None = msgspec.UNSET
    pin_required: bool | msgspec.UnsetType = msgspec.UNSET


class AskRename(msgspec.Struct, tag="rename", frozen=True, forbid_unknown_fields=True):
    """Give a person another name. Answered by ``People``."""

    name: Name
    new_name: Name


class AskAlike(msgspec.Struct, tag="alike", frozen=True, forbid_unknown_fields=True):
    """Which of the people enrolled look alike. Answered by ``Alike``."""


class AskAgree(msgspec.Struct, tag="agree", frozen=True, forbid_unknown_fields=True):
    """Record a person's consent, and the last day on which the person is known; a field that is UNSET stays. Answered
    by ``People``."""

    name: Name
    consent: ConsentLine | msgspec.UnsetType | None = msgspec.UNSET
    expires: Utc | msgspec.UnsetType | None = msgspec.UNSET


class AskShow(msgspec.Struct, tag="show", frozen=True, forbid_unknown_fields=True):
    """What is kept of a person. Answered by ``Shown``."""

    name: Name


class AskTemplates(msgspec.Struct, tag="templates", frozen=True, forbid_unknown_fields=True):
    """A person's templates, for the person; logged. Answered by ``Templates``."""

    name: Name


class AskCrops(msgspec.Struct, tag="crops", frozen=True, forbid_unknown_fields=True):
    """The pictures kept of a person, to be described anew by another model, or for the person; logged. Answered by
    ``Crops``."""

    name: Name


class AskKeys(msgspec.Struct, tag="keys", frozen=True, forbid_unknown_fields=True):
    """How it stands with the keys. Answered by ``Keys``."""


class AskRotate(msgspec.Struct, tag="rotate", frozen=True, forbid_unknown_fields=True):
    """Put another master key in place, ``key`` or a random one. Answered by ``Keys``."""

    key: Annotated[bytes, Meta(max_length=64)] | None = None


class AskPin(msgspec.Struct, tag="pin", frozen=True, forbid_unknown_fields=True):
    """Give a person a PIN (or with ``duress`` a second one for use under threat), None: take it away. Answered by
    ``People``."""

    name: Name
    pin: Annotated[str, Meta(max_length=64)] | None
    duress: bool = False


class AskHolidays(msgspec.Struct, tag="holidays", frozen=True, forbid_unknown_fields=True):
    """The holidays, after adding and removing some (ISO dates). Answered by ``Holidays``."""

    add: Annotated[list[Utc], Meta(max_length=400)] = []
    remove: Annotated[list[Utc], Meta(max_length=400)] = []


class AskLog(msgspec.Struct, tag="log", frozen=True, forbid_unknown_fields=True):
    """Entries of the audit log above ``after_id``, oldest first; ``last``: only so many of the newest. Answered by
    ``Log``."""

    after_id: Count = 0
    since_utc: Utc | None = None
    person: Name | None = None
    kind: Annotated[str, Meta(max_length=100)] | None = None
    last: Annotated[int, Meta(ge=1, le=100)] | None = None


class AskVerify(msgspec.Struct, tag="verify", frozen=True, forbid_unknown_fields=True):
    """Check the log's chain, a page from ``after_id`` on, which ends at ``until_id`` at the latest. Answered by
    ``Verified``."""

    after_id: Count = 0
    until_id: Count | None = None


Question = (
    AskStatus
    | AskPeople
    | AskEnroll
    | AskCamera
    | AskCameraProgress
    | AskCameraCancel
    | AskForget
    | AskIdentify
    | AskUnlock
    | AskMode
    | AskClear
    | AskAllow
    | AskRename
    | AskAlike
    | AskAgree
    | AskShow
    | AskTemplates
    | AskCrops
    | AskKeys
    | AskRotate
    | AskPin
    | AskHolidays
    | AskLog
    | AskVerify
)

ALIKE_MAX = 50
"""Pairs in one answer."""

PAGE = 200
"""People in one answer: 200 names of 64 characters, 4 bytes each, stay below ``PACKET_MAX_BYTES``."""


class PersonLine(msgspec.Struct, frozen=True):
    """A ``Person`` on the wire and in ``--json``; the former model's id as printable text that is not too long."""

    id: int
    name: str
    templates: int
    enrolled_utc: str
    enrol_again: bool = False
    former_model: str | None = None
    consent: ConsentLine | None = None
    expires: str | None = None

    @classmethod
    def of(cls, person: Person) -> "PersonLine":
        former = None if person.former_model is None else shown(person.former_model)[1:-1]
        consent = None if person.consent is None else ConsentLine(person.consent.given_utc, person.consent.wording)
        line = (person.id, person.name, person.templates, person.enrolled_utc, person.enrol_again, former)
        return cls(*line, consent, person.expires)


class PermissionLine(msgspec.Struct, frozen=True):
    """A ``Permission`` on the wire and in ``--json``."""

    disabled: bool
    valid_from_utc: str | None
    valid_until_utc: str | None
    uses_left: int | None
    schedule: str | None
    pin_required: bool

    @classmethod
    def of(cls, permission: Permission) -> "PermissionLine":
        dates = (permission.valid_from_utc, permission.valid_until_utc)
        return cls(permission.disabled, *dates, permission.uses_left, permission.schedule, permission.pin_required)


class Shown(msgspec.Struct, tag="shown", frozen=True):
    """What is kept of one person. ``pictures``: how many faces behind the templates."""

    person: PersonLine
    permission: PermissionLine
    has_pin: bool
    has_duress_pin: bool
    pictures: int


class Templates(msgspec.Struct, tag="templates", frozen=True):
    """Each float32, little-endian, of unit norm."""

    model_id: str
    templates: list[bytes]


class Crops(msgspec.Struct, tag="crops", frozen=True):
    """JPEG, 112 pixels square."""

    crops: list[bytes]


class Keys(msgspec.Struct, tag="keys", frozen=True):
    """``mark`` tells one master key from another; ``people`` have a key, ``destroyed`` ones are of the forgotten."""

    mark: str
    people: int
    destroyed: int


class Status(msgspec.Struct, tag="status", frozen=True):
    """What the lock says of itself; every field is for people, and for ``--json``.

    ``people`` counts who can be recognised, ``enrol_again`` those besides who cannot, as their templates are of another
    model.
    """

    door: str
    reason: str
    bolt: str
    liveness: str
    eyes: str
    people: int
    similarity_min: float
    enrol_again: int = 0
    mode: str = "normal"
    is_open: bool = False
    latched: bool = False

    def line(self) -> str:
        """The status line, with the simulated bolt and the liveness mode always named."""
        again = f" · {self.enrol_again} must enrol again" if self.enrol_again else ""
        mode = "" if self.mode == "normal" else f" · mode {self.mode}"
        leaf = " · the door stands open" if self.is_open else ""
        latched = " · latched: `facelatch clear` ends it" if self.latched else ""
        return (
            f"{self.door} ({self.reason}){latched}{leaf}{mode} · bolt {self.bolt} · liveness {self.liveness} · "
            f"eyes {self.eyes} · {self.people} enrolled{again} · similarity at least {self.similarity_min:.2f}"
        )


class People(msgspec.Struct, tag="people", frozen=True):
    people: list[PersonLine]
    more: bool = False


class KeptLook(msgspec.Struct, frozen=True):
    """A look kept at the camera. ``pose``: what was wished for, None where it was taken as it came."""

    pose: str | None
    face_px: float
    yaw_deg: float
    brightness: float
    sharpness: float


class Sitting(msgspec.Struct, tag="sitting", frozen=True):
    """An enrolment at the camera: the looks kept of those ``wanted``, what to say to the person, how many looks were
    not kept for which reason, and who was enrolled at the end."""

    kept: list[KeptLook]
    wanted: int
    guidance: str
    refused: dict[str, int]
    person: PersonLine | None = None


class Identified(msgspec.Struct, tag="identified", frozen=True):
    """``person`` is who the probe resembles most, ``accepted`` whether that suffices. ``margin`` None: no other
    person."""

    person: str | None
    similarity: float | None
    margin: float | None
    accepted: bool
    similarity_min: float


class AlikePair(msgspec.Struct, frozen=True):
    """Two people whose similarity is at least ``alike_min``. ``pin_required``: neither comes in by the face alone."""

    first: str
    second: str
    similarity: float
    pin_required: bool


class Alike(msgspec.Struct, tag="alike", frozen=True):
    """The pairs most alike, at most ``ALIKE_MAX``."""

    alike_min: float
    pairs: list[AlikePair]


class Holidays(msgspec.Struct, tag="holidays", frozen=True):
    dates: list[str]


class LogLine(msgspec.Struct, frozen=True):
    """One entry of the audit log on the wire and in ``--json``; ``person`` is the name while somebody has it."""

    id: int
    at_utc: str
    kind: str
    person_id: int | None
    person: str | None
    detail: dict[str, str | int | float | bool | None]


class Log(msgspec.Struct, tag="log", frozen=True):
    lines: list[LogLine]
    more: bool = False


class Verified(msgspec.Struct, tag="verified", frozen=True):
    """A page of the log is as it was written: ``checked`` entries, up to ``last_id``; ``head``: the digest there."""

    checked: int
    last_id: int
    head: str
    more: bool = False


class Failure(msgspec.Struct, tag="failure", frozen=True):
    """The question failed: the class name of a FacelatchError and its message."""

    error: str
    message: str


Answer = (
    Status
    | People
    | Sitting
    | Identified
    | Alike
    | Shown
    | Templates
    | Crops
    | Keys
    | Holidays
    | Log
    | Verified
    | Failure
)

T = TypeVar("T")

_encoder = msgspec.msgpack.Encoder()
_from_eyes: "msgspec.msgpack.Decoder[FromEyes]" = msgspec.msgpack.Decoder(FromEyes)
_question: "msgspec.msgpack.Decoder[Question]" = msgspec.msgpack.Decoder(Question)
_answer: "msgspec.msgpack.Decoder[Answer]" = msgspec.msgpack.Decoder(Answer)


def encode(message: FromEyes | Question | Answer) -> bytes:
    """One packet. Raises WireError when the message is larger than a packet."""
    data = _encoder.encode(message)
    if len(data) > PACKET_MAX_BYTES:
        raise WireError(f"A message of {len(data)} bytes does not fit a packet. Ask for less at a time.")
    return data


def from_eyes(data: bytes) -> FromEyes:
    """Raises WireError."""
    return _decoded(_from_eyes, data)


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


def to_bytes(embedding: Embedding) -> bytes:
    """(D,) float32 as 4 D bytes, little-endian."""
    return embedding.astype("<f4").tobytes()


def to_embedding(data: bytes, dimension: int) -> Embedding:
    """The inverse of ``to_bytes``. Raises WireError unless it is ``dimension`` finite numbers of unit norm."""
    if len(data) != 4 * dimension:
        raise WireError(f"An embedding of {len(data)} bytes is not one of {dimension} numbers. Restart both services.")
    raw = np.frombuffer(data, dtype="<f4")
    if not np.isfinite(raw).all():
        raise WireError("An embedding holds a number that is not finite. Restart both services.")
    vector: Embedding = raw.astype(np.float32)
    if not abs(float(np.linalg.norm(vector.astype(np.float64))) - 1) <= NORM_TOLERANCE:
        raise WireError("An embedding is not a unit vector. Restart both services.")
    return vector


def to_looks(report: Report, dimension: int) -> list[Look]:
    """The report's looks as plain values. Raises WireError when a number is not finite or an embedding not a unit
    vector."""
    looks = [_look(report, look, dimension) for look in report.looks]
    if not np.isfinite(report.captured_s):
        raise WireError("A capture time is not a number. Restart both services.")
    return looks


def _look(report: Report, look: WireLook, dimension: int) -> Look:
    figures = (
        *(look.face_px, look.eye_distance_px, look.yaw_deg, look.brightness),
        *(look.probability, look.sharpness, look.eyes),
    )
    if not np.isfinite((*figures, *look.box)).all():
        raise WireError("A look holds a number that is not finite. Restart both services.")
    return Look(
        track=look.track,
        embedding=to_embedding(look.embedding, dimension),
        liveness=look.liveness,
        quality=Quality(*figures),
        box=Box(*look.box),
        faces_in_frame=report.faces_in_frame,
        frame=report.frame,
        captured_s=report.captured_s,
        timings_ms=report.timings_ms,
    )


def to_report(frame: int, captured_s: float, faces_in_frame: int, looks: list[Look]) -> Report:
    """What the eyes send of one frame; at most ``LOOKS_MAX`` looks."""
    return Report(
        frame,
        captured_s,
        faces_in_frame,
        [
            WireLook(
                track=look.track,
                embedding=to_bytes(look.embedding),
                liveness=look.liveness,
                face_px=look.quality.face_px,
                eye_distance_px=look.quality.eye_distance_px,
                yaw_deg=look.quality.yaw_deg,
                brightness=look.quality.brightness,
                probability=look.quality.probability,
                sharpness=look.quality.sharpness,
                eyes=look.quality.eyes,
                box=(look.box.x0, look.box.y0, look.box.x1, look.box.y1),
            )
            for look in looks[:LOOKS_MAX]
        ],
        dict(looks[0].timings_ms) if looks else {},
    )
