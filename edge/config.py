"""One frozen ``Config`` from defaults < file < environment < flags. The annotations are the schema, the template and
the docs.

Every fault is reported at once, with where it stands and what was probably meant.
"""

import difflib
import math
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from edge.core.names import harmless
from edge.core.schedule import Schedule
from edge.errors import ConfigError, InputError

DEFAULT_PATH = Path("/etc/facelatch/facelatch.toml")
ENVIRONMENT_PREFIX = "FACELATCH_"
FILE_MAX_BYTES = 100_000
"""The annotated template has under 3,000; a file this large is no configuration."""


class DoorConfig(msgspec.Struct, frozen=True):
    """What a person who is let in gets, and when the door is free or closed to faces."""

    unlock_s: Annotated[float, Meta(ge=0.5, le=30, description="seconds the bolt is released, 0.5 to 30")] = 5.0
    free: Annotated[
        str, Meta(max_length=500, description='hours without a lock, as "Mon-Fri 09:00-17:00; Hol closed"; "": never')
    ] = ""
    night: Annotated[str, Meta(max_length=500, description='hours when face and PIN are both needed; "": never')] = ""
    time_zone: Annotated[
        str, Meta(max_length=100, description='of every schedule, as "Europe/London"; "": the system\'s')
    ] = ""
    clock_untrusted: Annotated[
        Literal["closed", "open"],
        Meta(description='people with a schedule or dates, before the clock is known: refuse ("closed") or let in'),
    ] = "closed"


class BoltConfig(msgspec.Struct, frozen=True):
    """The relay that drives the strike."""

    driver: Annotated[
        Literal["gpio", "simulated"], Meta(description='"gpio", or "simulated": drives nothing and says so')
    ] = "gpio"
    pin: Annotated[int, Meta(ge=0, le=27, description="BCM number, 0 to 27, not the header's")] = 17
    active: Annotated[
        Literal["high", "low"], Meta(description='"high" or "low": the level that releases the strike')
    ] = "high"
    external_pull: Annotated[
        bool, Meta(description="true when a resistor holds the pin secure while the board boots")
    ] = False


class CameraConfig(msgspec.Struct, frozen=True):
    """Where the pictures come from."""

    driver: Annotated[
        Literal["pi", "v4l2", "replay"],
        Meta(description='"pi" (ribbon cable), "v4l2" (USB), or "replay": a recording'),
    ] = "pi"
    source: Annotated[
        str, Meta(max_length=4096, description='v4l2: "/dev/video0"; replay: a video file or a folder of pictures')
    ] = ""
    width: Annotated[int, Meta(ge=160, le=1920, description="pixels")] = 640
    height: Annotated[int, Meta(ge=120, le=1080, description="pixels")] = 480
    fps: Annotated[float, Meta(ge=1, le=60, description="frames a second asked of the camera")] = 15.0


class FacesConfig(msgspec.Struct, frozen=True):
    """Which faces are looked at."""

    min_px: Annotated[
        float, Meta(ge=40, le=400, description="smallest face in pixels; smaller ones are not looked for")
    ] = 60.0
    several: Annotated[
        Literal["refuse", "nearest"],
        Meta(description='several people in view: "refuse" everybody, or judge the "nearest"'),
    ] = "refuse"
    threads: Annotated[int, Meta(ge=1, le=4, description="processor cores for the networks")] = 2


class ModelsConfig(msgspec.Struct, frozen=True):
    """Which networks, and what runs them."""

    device: Annotated[Literal["cpu", "edgetpu"], Meta(description='"cpu", or "edgetpu": a Coral accelerator')] = "cpu"
    fallback: Annotated[
        Literal["none", "cpu"], Meta(description='"cpu": without the accelerator go on more slowly; "none": refuse')
    ] = "none"
    delegate: Annotated[str, Meta(min_length=1, max_length=4096, description="the accelerator's library")] = (
        "libedgetpu.so.1"
    )
    folder: Annotated[
        str, Meta(max_length=4096, description='networks of your own with their manifest; "": the ones shipped')
    ] = ""
    flip_average: Annotated[
        bool, Meta(description="describe a face and its mirror image: more exact, twice the time")
    ] = False


class MatchConfig(msgspec.Struct, frozen=True):
    """When a face resembles an enrolled person enough."""

    similarity_min: Annotated[
        float, Meta(ge=0.3, le=0.95, description="cosine; 0.60 is FAR 1e-5 for one comparison of strangers (LFW)")
    ] = 0.60
    margin_min: Annotated[
        float, Meta(ge=0.0, le=0.5, description="lead over the next person; closer than this is nobody")
    ] = 0.05


class EvidenceConfig(msgspec.Struct, frozen=True):
    """How many looks must agree."""

    looks_needed: Annotated[int, Meta(ge=1, le=20, description="agreeing looks ...")] = 3
    looks_window: Annotated[int, Meta(ge=1, le=60, description="... among so many of the latest ...")] = 5
    window_s: Annotated[float, Meta(ge=0.2, le=10, description="... within so many seconds")] = 2.0
    look_age_max_ms: Annotated[
        int, Meta(ge=50, le=3000, description="a look that was captured longer ago never counts")
    ] = 500


class AttemptsConfig(msgspec.Struct, frozen=True):
    """When a face that somebody tries to pass for is locked out. Strangers who are clearly nobody do not count."""

    near_miss: Annotated[
        float, Meta(ge=0, le=0.3, description="a similarity this little below similarity_min is an attempt")
    ] = 0.1
    allowed: Annotated[int, Meta(ge=1, le=50, description="attempts at one person before that face is locked out")] = 5
    lockout_s: Annotated[
        float, Meta(ge=30, le=3600, description="the first lockout; each further one is twice as long ...")
    ] = 60.0
    lockout_max_s: Annotated[float, Meta(ge=30, le=86400, description="... and none is longer")] = 900.0
    forget_s: Annotated[float, Meta(ge=60, le=86400, description="after so long one attempt is forgotten")] = 600.0


class LivenessConfig(msgspec.Struct, frozen=True):
    """Whether a photograph is told from a person."""

    mode: Annotated[
        Literal["off"], Meta(description='"off" is the only mode yet: a photograph opens the door (README)')
    ] = "off"


class LogConfig(msgspec.Struct, frozen=True):
    """The audit log."""

    keep_days: Annotated[int, Meta(ge=1, le=3650, description="older entries are removed")] = 365
    keep_rows: Annotated[
        int, Meta(ge=1000, le=1_000_000, description="the oldest entries beyond so many are removed")
    ] = 100_000
    head_every_s: Annotated[
        float, Meta(ge=10, le=86400, description="how often the log's count and digest go to the journal")
    ] = 3600.0


class PathsConfig(msgspec.Struct, frozen=True):
    """Where files live."""

    state: Annotated[str, Meta(min_length=1, description="the store: people, templates, log")] = "/var/lib/facelatch"
    runtime: Annotated[str, Meta(min_length=1, description="the sockets")] = "/run/facelatch"


class Config(msgspec.Struct, frozen=True):
    """The whole configuration. Units are in the names."""

    door: DoorConfig = DoorConfig()
    bolt: BoltConfig = BoltConfig()
    camera: CameraConfig = CameraConfig()
    faces: FacesConfig = FacesConfig()
    models: ModelsConfig = ModelsConfig()
    match: MatchConfig = MatchConfig()
    evidence: EvidenceConfig = EvidenceConfig()
    attempts: AttemptsConfig = AttemptsConfig()
    liveness: LivenessConfig = LivenessConfig()
    log: LogConfig = LogConfig()
    paths: PathsConfig = PathsConfig()

    @property
    def store_path(self) -> Path:
        return Path(self.paths.state) / "facelatch.db"

    @property
    def looks_path(self) -> Path:
        return Path(self.paths.runtime) / "looks.sock"

    @property
    def control_path(self) -> Path:
        return Path(self.paths.runtime) / "control.sock"


SECTIONS: dict[str, type[msgspec.Struct]] = get_type_hints(Config)

Values = Mapping[str, object]


def load(path: Path | None, environment: Mapping[str, str] = os.environ, flags: Values | None = None) -> Config:
    """Read ``path`` (by default ``DEFAULT_PATH`` where that exists), the environment and the flags.

    Raises ConfigError that lists everything wrong, each with its source.
    """
    faults: list[str] = []
    layers = [
        *_file_layer(path, faults),
        ("the environment", _from_environment(environment, faults)),
        ("the command line", flags or {}),
    ]
    chosen: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    for origin, values in layers:
        for section, key, value in _checked(origin, values, faults):
            chosen[section][key] = value
    faults += _contradictions(chosen)
    if faults:
        lines = "\n".join(f"  - {fault}" for fault in faults)
        raise ConfigError(
            f"The configuration cannot be used:\n{harmless(lines)}\n"
            "Correct it, then run `facelatch config check`; `facelatch config template` shows every setting."
        )
    return msgspec.convert(chosen, Config)


def template(config: Config | None = None) -> str:
    """The configuration as annotated TOML: every setting, its value and what it means."""
    config = config or Config()
    lines: list[str] = []
    for section, schema in SECTIONS.items():
        lines += [f"[{section}]  # {str(schema.__doc__).strip()}"]
        hints = get_type_hints(schema, include_extras=True)
        for key, hint in hints.items():
            value = f"{key} = {_as_toml(getattr(getattr(config, section), key))}"
            lines.append(f"{value:<26} # {hint.__metadata__[0].description}")
        lines.append("")
    return "\n".join(lines)


def _file_layer(path: Path | None, faults: list[str]) -> list[tuple[str, Values]]:
    if path is None and not DEFAULT_PATH.exists():
        return []
    path = path or DEFAULT_PATH
    try:
        with path.open("rb") as file:
            content = file.read(FILE_MAX_BYTES + 1)
        if len(content) > FILE_MAX_BYTES:
            faults.append(f"{path}: larger than {FILE_MAX_BYTES} bytes")
            return []
        return [(str(path), tomllib.loads(content.decode()))]
    except OSError as error:
        faults.append(f"{path}: cannot be read ({error.strerror})")
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, a number of 5000 digits, brackets for ever
        faults.append(f"{path}: not TOML ({error})")
    return []


def _from_environment(environment: Mapping[str, str], faults: list[str]) -> dict[str, dict[str, Any]]:
    """``FACELATCH_DOOR__UNLOCK_S=3`` sets ``door.unlock_s``; a value that is not TOML is taken as text."""
    values: dict[str, dict[str, Any]] = {}
    for name, text in environment.items():
        if not name.startswith(ENVIRONMENT_PREFIX):
            continue
        section, separator, key = name.removeprefix(ENVIRONMENT_PREFIX).lower().partition("__")
        if not separator:
            faults.append(f"the environment: {name} names no setting; it wants {ENVIRONMENT_PREFIX}SECTION__KEY")
            continue
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except (ValueError, RecursionError):
            value = text
        values.setdefault(section, {})[key] = value
    return values


def _checked(origin: str, values: Values, faults: list[str]) -> Iterator[tuple[str, str, Any]]:
    """Every setting that is known and well-typed; the others go to ``faults``."""
    for section, entries in values.items():
        if section not in SECTIONS:
            faults.append(f"{origin}: there is no section [{section}]{_meant(section, SECTIONS)}")
        elif not isinstance(entries, Mapping):
            faults.append(f"{origin}: {section} is a section: write [{section}]")
        else:
            hints = get_type_hints(SECTIONS[section], include_extras=True)
            for key, value in entries.items():
                if key not in hints:
                    faults.append(f"{origin}: there is no setting {section}.{key}{_meant(key, hints)}")
                    continue
                try:
                    yield section, key, _converted(value, hints[key])
                except (msgspec.ValidationError, ValueError) as error:
                    faults.append(f"{origin}: {section}.{key} = {_excerpt(value)}: {error}")


def _converted(value: Any, hint: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("Expected a finite number")
    if isinstance(value, str) and not value.isprintable():
        raise ValueError("Expected text without control characters")
    return msgspec.convert(value, hint)


def _contradictions(chosen: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is wrong between settings that are each right."""
    door = DoorConfig(**chosen["door"])
    attempts = AttemptsConfig(**chosen["attempts"])
    evidence = EvidenceConfig(**chosen["evidence"])
    bolt = BoltConfig(**chosen["bolt"])
    camera = CameraConfig(**chosen["camera"])
    found = [*_calendar_faults(door)]
    if attempts.lockout_s > attempts.lockout_max_s:
        found.append("attempts.lockout_s is more than attempts.lockout_max_s")
    if evidence.looks_needed > evidence.looks_window:
        found.append("evidence.looks_needed is more than evidence.looks_window: nobody could ever come in")
    # Broadcom's power-up state: BCM 0-8 are pulled up, 9-27 down (BCM2835 ARM Peripherals, section 6.2).
    fires_at_boot = (bolt.active == "high") == (bolt.pin <= 8)
    if bolt.driver == "gpio" and fires_at_boot and not bolt.external_pull:
        safe = "9 to 27" if bolt.active == "high" else "0 to 8"
        found.append(
            f"bolt.pin = {bolt.pin} is pulled {bolt.active} while the board boots, which releases the strike: "
            f"use a pin of {safe}, or fit a pull resistor and set bolt.external_pull = true"
        )
    if camera.driver == "replay" and not camera.source:
        found.append("camera.source must name the recording that camera.driver = 'replay' plays")
    return found


def _calendar_faults(door: DoorConfig) -> Iterator[str]:
    for key in ("free", "night"):
        text = getattr(door, key)
        try:
            if text:
                Schedule.parse(text)
        except InputError as error:
            yield f"door.{key}: {error}"
    try:
        if door.time_zone:
            ZoneInfo(door.time_zone)
    except (KeyError, ValueError, OSError):  # unknown; a path out of the zones; a folder of zones
        yield f'door.time_zone = {_excerpt(door.time_zone)} is not known; write it as "Europe/London"'


def _excerpt(value: Any) -> str:
    try:
        return f"{value!r:.60}"
    except ValueError:  # an integer of more digits than Python prints
        return "that number"


def _meant(word: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(known)}"


def _as_toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    # JSON's text escapes are a subset of TOML's.
    return msgspec.json.encode(value).decode()
