"""What an operator's command asks."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge.core.sitting import LOOKS_DEFAULT, LOOKS_MIN
from edge.types import TEMPLATES_MAX
from edge.wire.fields import ConsentLine, Count, Jpeg, Name, Text, Utc, Vector, Word


class AskStatus(msgspec.Struct, tag="status", frozen=True, forbid_unknown_fields=True):
    """Answered by ``Status``."""


class AskPeople(msgspec.Struct, tag="people", frozen=True, forbid_unknown_fields=True):
    """Answered by ``People``: a page of at most ``PAGE`` from ``start``."""

    start: Count = 0


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


class AskDrill(msgspec.Struct, tag="drill", frozen=True, forbid_unknown_fields=True):
    """Begin a drill, or go on with one; ``anew``: forget what was shown before. Faces open nothing until it ends.
    Answered by ``Drilling``.

    ``ticket`` names this drill in what is asked about it later; the asker makes it up.
    """

    ticket: Word
    anew: bool = False


class AskPresent(msgspec.Struct, tag="present", frozen=True, forbid_unknown_fields=True):
    """Take the next approach for a presentation of this kind (``core.drill.KINDS``). Answered by ``Drilling``."""

    ticket: Word
    kind: Word


class AskDrillProgress(msgspec.Struct, tag="drill-progress", frozen=True, forbid_unknown_fields=True):
    """How far it is. Answered by ``Drilling``."""

    ticket: Word


class AskDrillEnd(msgspec.Struct, tag="drill-end", frozen=True, forbid_unknown_fields=True):
    """End it; what was counted is kept, and a presentation that is not over is not counted. Answered by
    ``Drilling``."""

    ticket: Word


class AskDrillReport(msgspec.Struct, tag="drill-report", frozen=True, forbid_unknown_fields=True):
    """What drills have shown, without one. Answered by ``DrillReport``."""


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
    """Acknowledge an alarm, unlatch a fault, end every lockout; with ``camera`` accept the camera that is there.
    Answered by ``Status``."""

    camera: bool = False


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
    """Put another master key in place. Answered by ``Keys``."""


class AskDropKeys(msgspec.Struct, tag="drop-keys", frozen=True, forbid_unknown_fields=True):
    """Destroy the keys of people who are not in the store: they were enrolled after a backup that was restored.
    Answered by ``Keys``."""


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
    | AskDrill
    | AskPresent
    | AskDrillProgress
    | AskDrillEnd
    | AskDrillReport
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
    | AskDropKeys
    | AskPin
    | AskHolidays
    | AskLog
    | AskVerify
)
