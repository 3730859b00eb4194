"""What the guardian answers."""

import msgspec

from edge.core.names import shown
from edge.types import Permission, Person
from edge.wire.fields import ConsentLine

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
    """``mark`` tells one master key from another; ``people`` have a key, ``destroyed`` ones are of the forgotten;
    ``without_person`` counts keys in use of nobody in the store."""

    mark: str
    people: int
    destroyed: int
    without_person: int = 0


class Status(msgspec.Struct, tag="status", frozen=True):
    """What the lock says of itself; every field is for people, and for ``--json``.

    ``people`` counts who can be recognised, ``enrol_again`` those besides who cannot, as their templates are of another
    model. ``threshold`` says where ``similarity_min`` comes from, and what it comes to. ``drill``: whether a face alone
    opens the door, and why; empty where liveness is off.
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
    threshold: str = ""
    drill: str = ""

    def line(self) -> str:
        """The status line, with the simulated bolt and the liveness mode always named."""
        again = f" · {self.enrol_again} must enrol again" if self.enrol_again else ""
        mode = "" if self.mode == "normal" else f" · mode {self.mode}"
        leaf = " · the door stands open" if self.is_open else ""
        latched = " · latched: `facelatch clear` ends it" if self.latched else ""
        drill = f" · {self.drill}" if self.drill else ""
        return (
            f"{self.door} ({self.reason}){latched}{leaf}{mode} · bolt {self.bolt} · liveness {self.liveness}{drill} · "
            f"eyes {self.eyes} · {self.people} enrolled{again} · similarity at least "
            f"{self.similarity_min:.3f} ({self.threshold})"
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


class DrillCount(msgspec.Struct, frozen=True):
    """``opened``: for how many of those ``shown`` the door would have opened."""

    kind: str
    shown: int
    opened: int


class DrillReport(msgspec.Struct, tag="drill-report", frozen=True):
    """What drills have shown of the camera that is there, by ``judge`` and settings as they are. ``lacking``: why no
    face opens alone (unless that is ``waived``), empty when a drill was passed and holds."""

    camera: str
    judge: str
    liveness: str
    counts: list[DrillCount]
    lacking: str
    waived: bool
    began_utc: str | None
    last_utc: str | None


class Presented(msgspec.Struct, frozen=True):
    """What became of a presentation. ``reason``: why it was not counted, empty where it was; ``looks``: how many the
    judge measured; ``seen``: whether there was a face at all."""

    kind: str
    opened: bool
    looks: int
    reason: str
    seen: bool


class Drilling(msgspec.Struct, tag="drilling", frozen=True):
    """A drill that goes on: what is ``presenting``, what to say to whoever presents it, and the one before.
    ``in_view``: whether a face is, or was a moment ago."""

    report: DrillReport
    in_view: bool
    presenting: str | None
    guidance: str
    presented: Presented | None


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
    | Drilling
    | DrillReport
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
