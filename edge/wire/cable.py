"""What the process on the USB cable asks of the guardian.

It has a socket of its own and these questions alone: with them nobody opens the door, and every one but those of a
pairing names the key of the laptop that asks. The guardian decides what that key may.
"""

import msgspec

from edge.wire.fields import Key, Text
from edge.wire.questions import (
    AskCamera,
    AskCameraCancel,
    AskCameraProgress,
    AskEnroll,
    AskForget,
    AskLog,
    AskPeople,
    AskStatus,
)

CableQuestion = AskStatus | AskPeople | AskEnroll | AskForget | AskLog | AskCamera | AskCameraProgress | AskCameraCancel
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


FromCable = CableAsk | CableAdmit | CableCode | CablePaired
