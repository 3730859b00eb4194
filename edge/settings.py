"""Every setting: its type, bounds, default and what it means. ``config.py`` reads them from file and environment."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class DoorConfig(msgspec.Struct, frozen=True):
    """What a person who is let in gets, and when the door is free or closed to faces."""

    strangers_admitted_max: Annotated[
        str,
        Meta(
            max_length=60,
            description='the risk: "1 in 10000 approaches", "standard" (that) or "strict" (1 in 100000)',
        ),
    ] = "standard"
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
    relock: Annotated[
        Literal["open", "close"], Meta(description="secure as the door opens, or not before it is shut again")
    ] = "open"
    held_open_s: Annotated[
        float, Meta(ge=5, le=3600, description="a door that stands open for so many seconds is an alarm ...")
    ] = 60.0
    held_open_warning_s: Annotated[
        float, Meta(ge=0, le=3600, description="... that is announced so many seconds before")
    ] = 15.0


class BoltConfig(msgspec.Struct, frozen=True):
    """The relay, and the pins of everything else. `facelatch wiring` draws what is configured here."""

    kind: Annotated[
        Literal["strike", "maglock"],
        Meta(description='"strike": stays shut without power; "maglock": opens without power'),
    ] = "strike"
    driver: Annotated[
        Literal["gpio", "gpiod", "simulated"],
        Meta(description='"gpio": a Raspberry Pi; "gpiod": another board; "simulated": drives nothing and says so'),
    ] = "gpio"
    chip: Annotated[
        str, Meta(max_length=100, description="gpiod: the label of the chip, as `gpiodetect` prints it in brackets")
    ] = ""
    pin: Annotated[
        int, Meta(ge=0, le=1023, description="BCM number, 0 to 27, not the header's; gpiod: the chip's line")
    ] = 17
    active: Annotated[
        Literal["high", "low"], Meta(description='"high" or "low": the level that releases the strike')
    ] = "high"
    external_pull: Annotated[
        bool, Meta(description="true when a resistor holds the pin secure while the board boots")
    ] = False


class InputsConfig(msgspec.Struct, frozen=True):
    """Buttons and contacts, each between its pin and ground. -1: not fitted."""

    exit_button: Annotated[int, Meta(ge=-1, le=1023, description="pin; closes when pressed")] = -1
    exit_action: Annotated[
        Literal["unlock", "shunt"],
        Meta(description='"shunt": the door opens from inside by itself, and the button only mutes the alarm'),
    ] = "unlock"
    door_contact: Annotated[int, Meta(ge=-1, le=1023, description="pin")] = -1
    door_contact_type: Annotated[
        Literal["nc", "no"], Meta(description='"nc": closed while the door is shut (a cut wire reads open); or "no"')
    ] = "nc"
    tamper: Annotated[int, Meta(ge=-1, le=1023, description="pin; closed while the case is shut")] = -1
    debounce_ms: Annotated[
        int, Meta(ge=20, le=500, description="an input counts when it has been still for so long")
    ] = 40


class IndicatorConfig(msgspec.Struct, frozen=True):
    """Lights and buzzer, on while their pin is high. -1: not fitted."""

    green: Annotated[int, Meta(ge=-1, le=1023, description="pin")] = -1
    red: Annotated[int, Meta(ge=-1, le=1023, description="pin")] = -1
    buzzer: Annotated[int, Meta(ge=-1, le=1023, description="pin, of a buzzer that sounds by itself")] = -1


class KeypadConfig(msgspec.Struct, frozen=True):
    """A USB keypad for PINs."""

    device: Annotated[
        str,
        Meta(
            max_length=4096,
            description='"/dev/input/by-id/...-event-kbd"; "simulated": a pipe in paths.runtime; "": none',
        ),
    ] = ""


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
        float,
        Meta(ge=0, le=0.95, description="cosine; 0: derived from door.strangers_admitted_max, see `facelatch risk`"),
    ] = 0.0
    margin_min: Annotated[
        float, Meta(ge=0.0, le=0.5, description="lead over the next person; closer than this is nobody")
    ] = 0.05


class EvidenceConfig(msgspec.Struct, frozen=True):
    """Which looks count."""

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
        Literal["required", "off"],
        Meta(description='"required": a face must be found alive; "off": a photograph opens the door'),
    ] = "required"
    live_min: Annotated[
        float, Meta(gt=0.4, lt=1, description="probability from which a face is alive (operating points: README)")
    ] = 0.5
    attack_max: Annotated[
        float, Meta(gt=0, le=0.4, description="below it a face is taken for a picture; between the two: not yet")
    ] = 0.3
    challenge: Annotated[
        Literal["when unsure", "always", "never"],
        Meta(description="lights ask the visitor to turn the head or come closer; needs both lights"),
    ] = "when unsure"
    drill: Annotated[
        Literal["required", "waived"],
        Meta(description='"required": no face opens alone before a passed `facelatch drill`; "waived": it does'),
    ] = "required"


class LogConfig(msgspec.Struct, frozen=True):
    """The audit log."""

    keep_days: Annotated[int, Meta(ge=1, le=3650, description="older entries are removed")] = 365
    keep_rows: Annotated[
        int, Meta(ge=1000, le=1_000_000, description="the oldest entries beyond so many are removed")
    ] = 100_000
    snapshots_days: Annotated[
        int, Meta(ge=0, le=90, description="pictures of refused visitors are kept for so many days; 0: none is kept")
    ] = 0
    head_every_s: Annotated[
        float, Meta(ge=10, le=86400, description="how often the log's count and digest go to the journal")
    ] = 3600.0


class PrivacyConfig(msgspec.Struct, frozen=True):
    """What people agreed to, and for how long they are known."""

    consent: Annotated[
        Literal["optional", "required"],
        Meta(description='"required": nobody is enrolled without --consent (`facelatch consent` prints the wording)'),
    ] = "optional"
    consent_days: Annotated[
        int, Meta(ge=1, le=3650, description="so long a consent holds; then everything of the person is erased ...")
    ] = 730
    remind_days: Annotated[
        int, Meta(ge=0, le=365, description="... which is announced every day from so many days before")
    ] = 30
    keep_pictures: Annotated[
        bool,
        Meta(description="keep the faces behind the templates, sealed, for another model (`people reembed`)"),
    ] = False


class BackupConfig(msgspec.Struct, frozen=True):
    """Copies of the store, made once a day while the lock runs. They hold no key: only this lock can read them."""

    keep: Annotated[int, Meta(ge=0, le=365, description="so many are kept in backups/ of paths.state; 0: none")] = 7
    when_damaged: Annotated[
        Literal["refuse", "restore"],
        Meta(description='a damaged store at the start: "refuse", or "restore" the newest good copy and say so'),
    ] = "refuse"


class PathsConfig(msgspec.Struct, frozen=True):
    """Where files live."""

    state: Annotated[str, Meta(min_length=1, description="the store: people, templates, log")] = "/var/lib/facelatch"
    runtime: Annotated[str, Meta(min_length=1, description="the sockets")] = "/run/facelatch"
    usb: Annotated[str, Meta(min_length=1, description="the key of the USB cable")] = "/var/lib/facelatch-link"
    master_key: Annotated[
        str,
        Meta(
            max_length=4096, description='32 bytes that open all keys; "": beside the store; "credential": systemd\'s'
        ),
    ] = ""


class Config(msgspec.Struct, frozen=True):
    """The whole configuration. Units are in the names."""

    door: DoorConfig = DoorConfig()
    bolt: BoltConfig = BoltConfig()
    inputs: InputsConfig = InputsConfig()
    indicator: IndicatorConfig = IndicatorConfig()
    keypad: KeypadConfig = KeypadConfig()
    camera: CameraConfig = CameraConfig()
    faces: FacesConfig = FacesConfig()
    models: ModelsConfig = ModelsConfig()
    match: MatchConfig = MatchConfig()
    evidence: EvidenceConfig = EvidenceConfig()
    attempts: AttemptsConfig = AttemptsConfig()
    liveness: LivenessConfig = LivenessConfig()
    log: LogConfig = LogConfig()
    privacy: PrivacyConfig = PrivacyConfig()
    backup: BackupConfig = BackupConfig()
    paths: PathsConfig = PathsConfig()

    @property
    def store_path(self) -> Path:
        return Path(self.paths.state) / "facelatch.db"

    @property
    def keys_path(self) -> Path:
        return Path(self.paths.state) / "facelatch.db.keys"

    @property
    def backups_path(self) -> Path:
        return Path(self.paths.state) / "backups"

    @property
    def snapshots_path(self) -> Path:
        return Path(self.paths.state) / "snapshots"

    @property
    def lines_path(self) -> Path:
        """Where simulated lines are files."""
        return Path(self.paths.runtime) / "lines"

    @property
    def keypad_path(self) -> Path:
        """Where a simulated keypad is a pipe."""
        return Path(self.paths.runtime) / "keypad"

    @property
    def looks_path(self) -> Path:
        """In a folder of its own, the only one that the eyes' group may enter (systemd/facelatch.tmpfiles)."""
        return Path(self.paths.runtime) / "looks" / "looks.sock"

    @property
    def control_path(self) -> Path:
        return Path(self.paths.runtime) / "control.sock"

    @property
    def cable_path(self) -> Path:
        """Likewise, for the process on the USB cable."""
        return Path(self.paths.runtime) / "cable" / "cable.sock"
