"""The borders of the pure core: what hardware, models, storage and time look like from inside.

Adapters live in ``devices``, ``models`` and ``store``; hand-written fakes in ``tests/fakes.py`` pass the same
conformance tests.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edge.types import (
    Consent,
    Embedding,
    Event,
    Face,
    Frame,
    Gallery,
    LogCheck,
    LoggedEvent,
    Permission,
    Person,
    PinHash,
    Rgb,
    Sensed,
    Sign,
)


class Camera(Protocol):
    """A source of frames. ``name`` says what it is, "simulated" included when it is no camera. ``identity``: what this
    very device can be told by after it was plugged in again, with the size of its pictures; empty for a replay."""

    @property
    def name(self) -> str: ...

    @property
    def identity(self) -> str: ...

    def frames(self) -> Iterator[Frame]:
        """Yield frames as they are captured, each a copy of the driver's buffer.

        Ends only where the source has an end (a replay). Raises CameraError when the camera does not open or stops.
        """
        ...

    def close(self) -> None:
        """Release the device; may be called twice, and from another thread to end ``frames``."""
        ...


class Detector(Protocol):
    """Finds faces. ``timings_ms`` holds the stages of the last call."""

    @property
    def timings_ms(self) -> dict[str, float]: ...

    def detect(self, rgb: Rgb) -> list[Face]:
        """Faces in an (H, W, 3) uint8 RGB picture of any size of at least 12 px, largest first."""
        ...


class Embedder(Protocol):
    """Describes a face. ``model_id`` names the space that its embeddings live in: templates carry it."""

    @property
    def model_id(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    def align(self, rgb: Rgb, landmarks: npt.NDArray[np.float32]) -> Rgb:
        """(112, 112, 3) uint8: the face turned upright by the five-point similarity transform."""
        ...

    def embed(self, aligned: Rgb) -> Embedding:
        """(D,) float32, unit norm, of an aligned (112, 112, 3) uint8 face. The result is the caller's own."""
        ...


class Liveness(Protocol):
    """Tells a live face from its picture by its appearance in one frame. One sign among several."""

    def probability(self, rgb: Rgb, face: Face) -> float:
        """How probable a live face is, 0..1, for a face that was detected in this (H, W, 3) uint8 RGB frame.

        The box may reach beyond the frame. Raises FaceError when it is no face in this frame or too small to judge,
        and ModelError when the network cannot run: both count as not live.
        """
        ...


class Store(Protocol):
    """People, their templates and the audit log. Every writing call is one transaction: all of it or nothing.

    A store is opened for one embedding model: its id and its dimension. Templates of another model are kept until
    their person enrols anew or is forgotten, and are neither handed out nor counted.
    """

    def people(self) -> list[Person]:
        """Everybody enrolled, by name; who has templates of another model only is marked ``enrol_again``."""
        ...

    def gallery(self, person_id: int | None = None) -> Gallery:
        """Every template of the store's embedding model, for matching; or only those of one person."""
        ...

    def enroll(
        self,
        name: str,
        templates: Sequence[Embedding],
        *,
        add: bool = False,
        pin_required: bool = False,
        consent: Consent | None = None,
        expires: str | None = None,
        crops: Sequence[bytes] = (),
    ) -> Person:
        """Store a person with one or more templates, and with ``pin_required`` that the face alone opens nothing.

        ``consent`` and ``expires`` are kept in place of former ones. ``crops``: the aligned face of each template as a
        JPEG, or none. With ``add`` the person must exist and gains templates; without it nobody may have the name yet
        (compared by case folding), unless that person must enrol again. Either way the person keeps the id, and the
        person's templates of another model are deleted. Raises PersonNameError, PersonError, InputError, StoreError.
        """
        ...

    def forget(self, name: str) -> Person:
        """Delete a person and all templates, of whatever model; returns who it was.

        Raises PersonError when nobody has the name.
        """
        ...

    def rename(self, name: str, new_name: str) -> Person:
        """Give a person another name; the id, templates and rules stay. Raises PersonNameError, PersonError."""
        ...

    def agree(self, name: str, consent: Consent | None, expires: str | None) -> Person:
        """Keep a person's consent and last day (an ISO date) in place of the former ones. Raises PersonError,
        StoreError."""
        ...

    def crops(self, name: str) -> list[bytes]:
        """The faces kept of a person, JPEG, in the order of storing. Raises PersonError, StoreError."""
        ...

    def rotate_keys(self) -> None:
        """Put another master key in place of the present one. Raises StoreError."""
        ...

    def drop_keys(self) -> int:
        """Destroy the keys of people who are not in the store (any more): how many. Raises StoreError."""
        ...

    def key_state(self) -> tuple[str, int, int, int]:
        """What the master key can be told by (hexadecimal); how many keys are in use, how many destroyed, and how many
        of those in use are of nobody in the store."""
        ...

    def permissions(self) -> Mapping[int, Permission]:
        """What each person may, by the person's id; who is not in it has no limits. Raises StoreError."""
        ...

    def permit(self, name: str, permission: Permission) -> Person:
        """Set what a person may, in place of what was set. Raises PersonError, StoreError."""
        ...

    def spend_use(self, person_id: int) -> None:
        """Take one of the person's uses away, where they are counted and any is left. Raises StoreError."""
        ...

    def pins(self) -> list[PinHash]:
        """Every PIN, by person and duress. Raises StoreError."""
        ...

    def set_pin(self, name: str, text: str | None, *, duress: bool) -> Person:
        """Keep a PIN in place of the former one of that kind, None: take it away. Raises PersonError, StoreError."""
        ...

    def holidays(self) -> list[str]:
        """ISO dates, ascending. Raises StoreError."""
        ...

    def set_holidays(self, add: Sequence[str], remove: Sequence[str]) -> None:
        """Add and remove ISO dates (checked by the caller). Raises StoreError."""
        ...

    def setting(self, key: str) -> str | None:
        """What was kept under a key: the door's mode, the lockouts. Raises StoreError."""
        ...

    def keep(self, key: str, value: str) -> None:
        """Keep a text of at most 10,000 characters under a key. Raises StoreError."""
        ...

    def log(self, event: Event) -> None:
        """Append to the audit log. Raises StoreError."""
        ...

    def log_page(
        self,
        after_id: int = 0,
        since_utc: str | None = None,
        person_id: int | None = None,
        kind: str | None = None,
        last: int | None = None,
        *,
        limit: int = 100,
    ) -> list[LoggedEvent]:
        """The first ``limit`` entries above ``after_id`` that fit, oldest first; with ``last`` the newest so many.

        ``since_utc`` is written as the log's times are (``Clock.utc``) and included. Raises StoreError.
        """
        ...

    def log_head(self) -> tuple[int, str]:
        """The newest entry's id (0: none yet) and the digest that stands for it and all before it.

        Kept elsewhere, it shows a file that was put back as a whole. Raises LogError, StoreError.
        """
        ...

    def verify_log(self, after_id: int = 0, *, until_id: int | None = None, limit: int = 1000) -> LogCheck:
        """Check up to ``limit`` entries above ``after_id``, which was the ``last_id`` of the call before.

        Ends at ``until_id`` where that is given; at the log's end its length is checked too. Raises LogError naming
        the first entry that is wrong, and StoreError.
        """
        ...

    def prune_log(self, keep_days: int, keep_rows: int) -> int:
        """Remove some of the oldest entries that are older or more than that; returns how many. Raises StoreError.

        A bounded number a call: until it returns 0 there may be more. Entries count as too old only while the calendar
        can be believed.
        """
        ...

    def close(self) -> None: ...


class Bolt(Protocol):
    """The relay. ``name`` says what it is, "simulated" included when nothing is driven."""

    @property
    def name(self) -> str: ...

    @property
    def released(self) -> bool: ...

    def obeys(self) -> bool:
        """Whether the line reads as it was driven last; False where it cannot be read."""
        ...

    def release(self, until_s: float) -> None:
        """Let the door open until the monotonic time ``until_s``; the bolt then secures *itself*, whatever the
        caller does.

        Raises BoltError, in which case the bolt has been driven to its secure level as far as that is possible.
        """
        ...

    def secure(self) -> None:
        """Drive the secure level. Raises BoltError."""
        ...

    def close(self) -> None:
        """Secure and give the pin back; may be called twice."""
        ...


class Clock(Protocol):
    """Time as an argument of everything else."""

    def now_s(self) -> float:
        """Seconds of CLOCK_MONOTONIC."""
        ...

    def utc(self) -> str:
        """ISO-8601, to the millisecond."""
        ...

    def local(self) -> datetime:
        """The calendar time in the door's time zone, aware."""
        ...

    def trusted(self) -> bool:
        """Whether the calendar can be right: the clock is synchronised, or a battery kept it."""
        ...


class Sensors(Protocol):
    """Exit button, door contact and tamper switch, debounced."""

    def states(self) -> list[Sensed]:
        """How every input that is fitted stood when the sensors were opened."""
        ...

    def fileno(self) -> int:
        """A file that is readable when ``read`` has news."""
        ...

    def read(self) -> list[Sensed]:
        """What changed since the last call, in order. Never raises: what cannot be read counts as an alarm."""
        ...

    def close(self) -> None: ...


class Keypad(Protocol):
    """Keys for a PIN."""

    def fileno(self) -> int:
        """A file that is readable when ``read`` has keys."""
        ...

    def read(self) -> str:
        """Digits, ENTER and CLEAR of ``core.keys``, as they were typed since the last call. Never raises."""
        ...

    def close(self) -> None: ...


class Indicator(Protocol):
    """Lights and buzzer. What it shows is for people only: a fault of it stops nothing."""

    def show(self, sign: Sign) -> None:
        """Play a sign until another is shown; signs that end go back to the last that does not. Never raises."""
        ...

    def close(self) -> None: ...
