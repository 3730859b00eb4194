"""One frozen ``Config`` from defaults < file < environment < flags. The annotations are the schema, the template and
the docs.

Every fault is reported at once, with where it stands and what was probably meant.
"""

import difflib
import math
import os
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, get_type_hints
from zoneinfo import ZoneInfo

import msgspec

from edge.core.names import harmless
from edge.core.schedule import Schedule
from edge.core.share import accepted
from edge.errors import ConfigError, InputError
from edge.settings import (
    AttemptsConfig,
    BoltConfig,
    CameraConfig,
    Config,
    DoorConfig,
    IndicatorConfig,
    InputsConfig,
    KeypadConfig,
    MatchConfig,
)

DEFAULT_PATH = Path("/etc/facelatch/facelatch.toml")
ENVIRONMENT_PREFIX = "FACELATCH_"
FILE_MAX_BYTES = 100_000
"""The annotated template has under 10,000; a file this large is no configuration."""

BY_HAND_MIN = 0.3
"""The lowest threshold that an owner may set: one comparison of strangers in 35 exceeds it."""

BCM_MAX = 27
"""The highest BCM number on the 40-pin header."""


SECTIONS: dict[str, type[msgspec.Struct]] = get_type_hints(Config)

_LOOKS = "how many looks an approach takes follows from how clear they are"
GONE = {("evidence", key): _LOOKS for key in ("looks_needed", "looks_window", "window_s")}
"""Settings of former versions, which wrote them all into the file, and why there is nothing to set any more."""

Values = Mapping[str, object]


def load(
    path: Path | None,
    environment: Mapping[str, str] = os.environ,
    flags: Values | None = None,
    only: Collection[str] | None = None,
) -> Config:
    """Read ``path`` (by default ``DEFAULT_PATH`` where that exists), the environment and the flags.

    ``only``: these sections alone; whatever is wrong elsewhere is passed over, and everything else is as by default.
    Raises ConfigError that lists everything wrong, each with its source.
    """
    faults: list[str] = []
    layers = [
        *_file_layer(path, faults),
        ("the environment", _from_environment(environment, faults if only is None else [])),
        ("the command line", flags or {}),
    ]
    chosen: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    for origin, values in layers:
        wanted = {name: each for name, each in values.items() if only is None or name in only}
        for section, key, value in _checked(origin, wanted, faults):
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
                if (section, key) in GONE:
                    faults.append(f"{origin}: {section}.{key} is no longer set: {GONE[section, key]}; delete the line")
                    continue
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
    camera = CameraConfig(**chosen["camera"])
    keypad = KeypadConfig(**chosen["keypad"])
    similarity_min = MatchConfig(**chosen["match"]).similarity_min
    found = [*_calendar_faults(door), *_risk_faults(door)]
    if 0 < similarity_min < BY_HAND_MIN:
        found.append(f"match.similarity_min = {similarity_min}: 0 is derived, by hand it is {BY_HAND_MIN} to 0.95")
    found += _pin_faults(
        BoltConfig(**chosen["bolt"]), InputsConfig(**chosen["inputs"]), IndicatorConfig(**chosen["indicator"])
    )
    if door.held_open_warning_s > door.held_open_s:
        found.append("door.held_open_warning_s is more than door.held_open_s")
    if keypad.device not in {"", "simulated"} and not keypad.device.startswith("/dev/input/"):
        found.append(f"keypad.device = {_excerpt(keypad.device)} is no input device: see `ls /dev/input/by-id`")
    if attempts.lockout_s > attempts.lockout_max_s:
        found.append("attempts.lockout_s is more than attempts.lockout_max_s")
    if camera.driver == "replay" and not camera.source:
        found.append("camera.source must name the recording that camera.driver = 'replay' plays")
    return found


def _pin_faults(bolt: BoltConfig, inputs: InputsConfig, indicator: IndicatorConfig) -> Iterator[str]:
    used = fitted(bolt, inputs, indicator)
    for number in sorted(set(used.values())):
        users = [name for name, each in used.items() if each == number]
        if len(users) > 1:
            yield f"pin {number} is given to {' and '.join(users)}: each needs its own"
        if bolt.driver == "gpio" and number > BCM_MAX:
            yield f"{users[0]} = {number} is not on the header: BCM 0 to {BCM_MAX}"
    if bolt.driver == "gpiod" and not bolt.chip:
        yield "bolt.chip must name the chip's label for bolt.driver = 'gpiod': `gpiodetect` prints it in brackets"
    # Broadcom's power-up state: BCM 0-8 are pulled up, 9-27 down (BCM2835 ARM Peripherals, section 6.2).
    fires_at_boot = (bolt.active == "high") == (bolt.pin <= 8)
    if bolt.driver == "gpio" and bolt.pin <= BCM_MAX and fires_at_boot and not bolt.external_pull:
        safe = "9 to 27" if bolt.active == "high" else "0 to 8"
        yield (
            f"bolt.pin = {bolt.pin} is pulled {bolt.active} while the board boots, which releases the {bolt.kind}: "
            f"use a pin of {safe}, or fit a pull resistor and set bolt.external_pull = true"
        )
    if bolt.driver == "gpiod" and not bolt.external_pull:
        yield (
            "bolt.external_pull must be true with bolt.driver = 'gpiod': how this board pulls its lines while it boots "
            "is not known, so a resistor has to hold the relay secure. Fit it, then set it"
        )


def fitted(bolt: BoltConfig, inputs: InputsConfig, indicator: IndicatorConfig) -> dict[str, int]:
    """The pins in use, by the setting that names each."""
    pins = {
        "bolt.pin": bolt.pin,
        "inputs.exit_button": inputs.exit_button,
        "inputs.door_contact": inputs.door_contact,
        "inputs.tamper": inputs.tamper,
        "indicator.green": indicator.green,
        "indicator.red": indicator.red,
        "indicator.buzzer": indicator.buzzer,
    }
    return {name: pin for name, pin in pins.items() if pin >= 0}


def _risk_faults(door: DoorConfig) -> Iterator[str]:
    try:
        accepted(door.strangers_admitted_max)
    except InputError as error:
        yield f"door.strangers_admitted_max: {error}"


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
