"""The plain, frozen values that cross module borders. No behaviour beyond what one value says of itself.

Images are ``(H, W, 3) uint8`` RGB unless the name says ``bgr`` or ``gray``. Coordinates are frame pixels, x to the
right and y down. Boxes are edges (the first pixel is the box 0, 0, 1, 1), points are pixel centres (the first is 0,
0). Times ending in ``_s`` are seconds of ``CLOCK_MONOTONIC``, common to both processes; ``_utc`` are ISO-8601 strings.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Rgb: TypeAlias = npt.NDArray[np.uint8]
"""(H, W, 3) uint8, red first."""

Embedding: TypeAlias = npt.NDArray[np.float32]
"""(D,) float32 of unit Euclidean norm."""

FloatArray: TypeAlias = npt.NDArray[np.float32]


TEMPLATES_MAX = 20
"""Templates of one person. TAR at FAR 1e-5 goes from 95.4 % with one to 98.3 with three and 99.7 with the mean of five
(measured, 70 people); 20 leaves four sessions of five, with glasses, beard or other light. Each template is
one more chance for a stranger, so there has to be an end."""


SAME_PERSON_MIN = 0.4
"""Cosine below which two pictures are hardly of one person: 98 of 100 pairs of one person lie above 0.458 (LFW View
1)."""


SAME_PICTURE_SIMILARITY = 0.999
"""Two templates so alike come from one picture: they say nothing new and would outweigh the others in the mean.
Frames of one person a second apart stay below 0.99 (400 pairs, NUAA)."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One captured picture. ``captured_s`` is stamped when the driver hands it over; ``number`` counts from 0."""

    rgb: Rgb
    captured_s: float
    number: int


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned rectangle in frame pixels, ``x0 <= x1`` and ``y0 <= y1``; it may reach beyond the frame."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width_px(self) -> float:
        return self.x1 - self.x0

    @property
    def height_px(self) -> float:
        return self.y1 - self.y0


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A detected face.

    ``landmarks``: (5, 2) float32, frame pixels: the eye at the picture's left, the eye at its right, nose tip, the
    mouth's left and right corner. ``probability``: the detector's, 0..1.
    """

    box: Box
    landmarks: FloatArray
    probability: float

    @property
    def size_px(self) -> float:
        """The longer side of the box, the size that ``min_face_px`` speaks of."""
        return max(self.box.width_px, self.box.height_px)


@dataclass(frozen=True, slots=True)
class Quality:
    """What makes a look usable. ``yaw_deg`` is signed, positive towards the picture's right; ``brightness`` is
    0..255.

    ``probability``: the detector's, 0..1. ``sharpness``: 0 and more, as ``core.quality`` measures it. ``eyes``: how
    bright the brighter eye and its surroundings are, as a multiple of the cheeks' brightness.
    """

    face_px: float
    eye_distance_px: float
    yaw_deg: float
    brightness: float
    probability: float
    sharpness: float
    eyes: float


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What the eyes report of one face in one frame. ``liveness`` is 0..1, or None when nothing measured it."""

    track: int
    embedding: Embedding
    liveness: float | None
    quality: Quality
    box: Box
    faces_in_frame: int
    frame: int
    captured_s: float
    timings_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Consent:
    """That somebody agreed to be recognised by face: when, ISO-8601 in UTC, and to which version of the wording."""

    given_utc: str
    wording: int


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody enrolled. ``id`` is the store's key and is never used again after the person is forgotten.

    ``templates`` counts those of the embedding model in use: only they are ever compared. ``former_model`` is None
    while there are any; otherwise it names the model that the newest of the person's templates is of. ``expires``: an
    ISO date in the door's time zone, the last day on which the person is known; then all of the person is erased.
    """

    id: int
    name: str
    templates: int
    enrolled_utc: str
    former_model: str | None = None
    consent: Consent | None = None
    expires: str | None = None

    @property
    def enrol_again(self) -> bool:
        """Whether nothing can be compared with this person until new pictures are given."""
        return self.templates == 0


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """Every template of the embedding model in use, of every person.

    ``templates``: (N, D) float32, unit rows. ``person_ids``: (N,) int64, whose template each row is. ``names``: id
    to name, of the people who have such a template.
    """

    templates: FloatArray
    person_ids: npt.NDArray[np.int64]
    names: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Match:
    """The best person of a gallery for one probe.

    ``similarity``: cosine, -1..1. ``margin``: similarity minus that of the best *other* person; infinite when there
    is no other.
    """

    person_id: int
    name: str
    similarity: float
    margin: float


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the audit log. ``detail`` holds plain JSON values, nothing biometric."""

    kind: str
    person_id: int | None = None
    detail: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event as the log holds it: ``id`` counts up without gaps, ``at_utc`` is ISO-8601."""

    id: int
    at_utc: str
    event: Event


@dataclass(frozen=True, slots=True)
class LogCheck:
    """A stretch of the log that is as it was written: ``checked`` entries up to ``last_id``. ``digest``: hexadecimal,
    stands for all entries up to that one. ``more``: the log goes on."""

    checked: int
    last_id: int
    digest: str
    more: bool


@dataclass(frozen=True, slots=True)
class Permission:
    """What the owner allows one person, beside the face. Everything is open when nothing was set.

    ``valid_from_utc``, ``valid_until_utc``: ISO-8601 in UTC, to the second; the end is not included. ``uses_left``: how
    often the face still opens. ``schedule``: the text of a ``core.schedule.Schedule``. ``pin_required``: the face alone
    opens nothing, as somebody else enrolled looks alike; the PIN does.
    """

    disabled: bool = False
    valid_from_utc: str | None = None
    valid_until_utc: str | None = None
    uses_left: int | None = None
    schedule: str | None = None
    pin_required: bool = False


@dataclass(frozen=True, slots=True)
class PinHash:
    """A person's PIN as it is kept: ``text`` is salt and digest as ``edge.pin`` writes them. ``duress``: typed under
    threat, it opens as usual and calls for help in silence."""

    person_id: int
    text: str
    duress: bool


class Input(Enum):
    """What can be wired to the guardian."""

    EXIT_BUTTON = "exit button"
    DOOR_CONTACT = "door contact"
    TAMPER = "tamper switch"


@dataclass(frozen=True, slots=True)
class Sensed:
    """An input's settled state: the button pressed, the door open, the case tampered with, or not.

    ``fault`` says why an input that cannot be trusted counts as it does.
    """

    input: Input
    active: bool
    fault: str = ""


class Sign(Enum):
    """The vocabulary of lights and buzzer."""

    READY = "ready"
    LOOKING = "looking"
    WELCOME = "welcome"
    GUIDANCE = "do as the screen says"
    KEPT = "a look was kept"
    TURN_GREEN = "turn to the green light"
    TURN_RED = "turn to the red light"
    CLOSER = "come closer"
    REFUSED = "refused"
    WARNING = "the door is open for long"
    ALARM = "alarm"
    FAULT = "fault"
    OFF = "off"
