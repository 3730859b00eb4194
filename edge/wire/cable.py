"""What the process on the USB cable asks of the guardian.

It has a socket of its own and these questions alone: with them nobody opens the door, and every one but those of a
pairing names the key of the laptop that asks. The guardian decides what that key may.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge.wire.answers import REPORT_MAX, ReportLine
from edge.wire.fields import Key, Text, Utc
from edge.wire.questions import (
    AskCamera,
    AskCameraCancel,
    AskCameraPicture,
    AskCameraProgress,
    AskEnroll,
    AskForget,
    AskLog,
    AskPeople,
    AskStatus,
)

CableQuestion = (
    AskStatus
    | AskPeople
    | AskEnroll
    | AskForget
    | AskLog
    | AskCamera
    | AskCameraProgress
    | AskCameraPicture
    | AskCameraCancel
)
"""What a laptop may have asked. Nothing that moves the door is among it."""


class CableAsk(msgspec.Struct, tag="cable-ask", frozen=True, forbid_unknown_fields=True):
    """A laptop's question. Answered as the question is."""

    key: Key
    question: CableQuestion


class CableAdmit(msgspec.Struct, tag="cable-admit", frozen=True, forbid_unknown_fields=True):
    """Whether a key may talk. Answered by ``UsbKeys`` with that one."""

    key: Key


class CableCode(msgspec.Struct, tag="cable-code", frozen=True, forbid_unknown_fields=True):
    """The code of the pairing that is open; each question is one try. Answered by ``PairCode``."""


class CablePaired(msgspec.Struct, tag="cable-paired", frozen=True, forbid_unknown_fields=True):
    """A laptop has proved the code: list its key. Answered by ``UsbKeys`` with that one."""

    key: Key
    label: Text


class StickBundle(msgspec.Struct, tag="stick-bundle", frozen=True, forbid_unknown_fields=True):
    """Take a bundle, made by the laptop of this key: used up by that. Answered by ``UsbKeys`` with that one."""

    key: Key
    id: Annotated[bytes, Meta(min_length=16, max_length=16)]
    created_utc: Utc
    expires_utc: Utc


class StickWindow(msgspec.Struct, tag="stick-window", frozen=True, forbid_unknown_fields=True):
    """Whether plain folders are taken now. Answered by ``UsbWindow``."""


class StickEnroll(msgspec.Struct, tag="stick-enroll", frozen=True, forbid_unknown_fields=True):
    """Enrol somebody of a plain folder, while such are taken. Answered by ``People``."""

    question: AskEnroll


class StickProgress(msgspec.Struct, tag="stick-progress", frozen=True, forbid_unknown_fields=True):
    """How far the reading is, for lights and buzzer: a photograph is looked at, or a person is done with, ``kept`` or
    not. Answered by an empty ``UsbReport``."""

    sign: Literal["looking", "kept", "refused"]


class StickReport(msgspec.Struct, tag="stick-report", frozen=True, forbid_unknown_fields=True):
    """What became of a stick. Answered by ``UsbReport``."""

    lines: Annotated[list[ReportLine], Meta(max_length=REPORT_MAX)]


FromCable = (
    CableAsk
    | CableAdmit
    | CableCode
    | CablePaired
    | StickBundle
    | StickWindow
    | StickEnroll
    | StickProgress
    | StickReport
)
