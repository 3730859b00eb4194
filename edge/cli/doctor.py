"""``facelatch doctor``: what works on this machine, what does not, and what to do about it."""

import grp
import os
import platform
import pwd
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path

import click
import msgspec
import numpy as np

from edge import app, fittings, household, wire
from edge import config as configuration
from edge.cli.output import console, json_option, print_json, table
from edge.core.door import State
from edge.errors import ConfigError, FacelatchError, ModelError
from edge.link import ask
from edge.peers import OPERATORS
from edge.settings import Config

HUMANS_FROM = 1000
"""The first number of a person's account (Debian policy 9.2.2); those below are services."""

MODULES = Path("/sys/module")
"""Where the kernel shows its modules' parameters."""


class Finding(msgspec.Struct):
    """One check. ``state``: ok, note (works, but should be known) or fault."""

    check: str
    state: str
    detail: str


@click.command()
@click.option("--camera", "try_camera", is_flag=True, help="Also open the camera and take one picture.")
@json_option
@click.pass_obj
def doctor(config_path: Path | None, try_camera: bool, as_json: bool) -> None:
    """Check this machine: Python, packages, networks, configuration, store, keys, guardian, camera. Moves no bolt.

    The exit code is 1 when something is at fault.
    """
    try:
        config = configuration.load(config_path)
        findings = [Finding("configuration", "ok", _origin(config_path))]
    except ConfigError as error:
        config, findings = Config(), [Finding("configuration", "fault", str(error))]
    findings += [_try(name, check, config) for name, check in CHECKS.items()]
    if try_camera:
        findings.append(_try("camera", _camera, config))
    if as_json:
        print_json(findings)
    else:
        table("facelatch doctor", ("check", "state", "detail"), [(f.check, f.state, f.detail) for f in findings])
    faults = sum(finding.state == "fault" for finding in findings)
    if faults:
        sys.exit(1)
    if not as_json:
        console.print("Nothing is at fault.")


def _try(name: str, check: Callable[[Config], tuple[str, str]], config: Config) -> Finding:
    try:
        return Finding(name, *check(config))
    except FacelatchError as error:
        return Finding(name, "fault", str(error))


def _origin(config_path: Path | None) -> str:
    if config_path is None and not configuration.DEFAULT_PATH.exists():
        return f"defaults and environment (there is no {configuration.DEFAULT_PATH})"
    return f"{config_path or configuration.DEFAULT_PATH}, and the environment"


def _python(config: Config) -> tuple[str, str]:
    return "ok", f"{platform.python_version()} on {platform.machine()}, Linux {platform.release()}"


def _packages(config: Config) -> tuple[str, str]:
    names = ("numpy", "opencv-python-headless", "ai-edge-litert", "tflite-runtime", "picamera2", "lgpio", "gpiod")
    found = []
    for name in names:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return "ok", ", ".join(found)


def _networks(config: Config) -> tuple[str, str]:
    """Load the real networks and run them on a picture without a face."""
    rgb = np.full((120, 160, 3), 128, dtype=np.uint8)
    if app.detector(config).detect(rgb):
        raise ModelError("The detector finds a face in a grey wall. Reinstall facelatch.")
    embedder = app.embedder(config)
    embedder.embed(rgb[:112, :112].copy())
    return "ok", f"digests match; {embedder.model_id}, {embedder.dimension} numbers a face"


def _accelerator(config: Config) -> tuple[str, str]:
    """The device in use: it is not chosen before the networks have run on it."""
    models = config.models
    if models.device == "cpu":
        return "ok", "none is configured: the networks run on the processor"
    if fallback := app.networks(models).fallback:
        return "note", f"not in use: the networks run on the processor, as models.fallback says. {fallback}"
    return "ok", f"{models.device} through {models.delegate}"


def _people(config: Config) -> tuple[str, str]:
    if not config.control_path.exists() and household.is_none_yet(config):
        return "note", f"no store at {config.store_path} yet. `facelatch enroll NAME PHOTO` makes it."
    everybody = app.people(config)
    again = [person.name for person in everybody if person.enrol_again]
    if again:
        return "fault", (
            f"{len(again)} of {len(everybody)} must enrol again, as their templates are of another model: "
            f"{', '.join(again)}. `facelatch enroll NAME PHOTOS` for each, or `facelatch forget NAME`."
        )
    return "ok", f"{len(everybody)} enrolled in {config.store_path}"


def _keys(config: Config) -> tuple[str, str]:
    """Asking opens every key, in the guardian or here."""
    keys = app.answer(config, wire.AskKeys())
    if not isinstance(keys, wire.Keys) or not keys.mark:
        return "note", "no keys yet: the first person enrolled gets one"
    where = config.paths.master_key or f"{config.store_path}.master"
    return "ok", f"master key {keys.mark} ({where}) opens the keys of {keys.people} people"


def _backups(config: Config) -> tuple[str, str]:
    if not config.backup.keep:
        return "note", "none is made (backup.keep = 0): a damaged card takes everybody's enrolment with it"
    if config.store_path.parent.exists() and not os.access(config.paths.state, os.X_OK, effective_ids=True):
        return "note", f"only root can look into {config.paths.state}: `sudo facelatch doctor`"
    newest_utc = household.newest_backup_utc(config)
    if newest_utc is None:
        return "note", f"none yet in {config.backups_path}; a running lock makes one a day"
    age = datetime.now(UTC) - datetime.fromisoformat(newest_utc)
    return "note" if age > timedelta(days=2) else "ok", f"the newest is of {newest_utc[:16]} UTC"


def _guardian(config: Config) -> tuple[str, str]:
    status = ask(config.control_path, wire.AskStatus())
    if not isinstance(status, wire.Status):
        return "note", "not running. Start it with `facelatch run`, or `sudo systemctl start facelatch-door`."
    return "fault" if status.door == State.FAULT.value else "ok", status.line()


def _eyes(config: Config) -> tuple[str, str]:
    """What the running guardian says of them; whether a camera works shows `--camera`."""
    status = ask(config.control_path, wire.AskStatus())
    if not isinstance(status, wire.Status):
        return "note", "nobody to report to: no guardian runs"
    if status.eyes.startswith("away"):
        return "note", (
            "away: no face opens the door. `journalctl -u facelatch-eyes` says why; the camera is set in [camera], and "
            "`facelatch doctor --camera` tries it while the service is stopped."
        )
    return "ok", status.eyes


def _operators(config: Config) -> tuple[str, str]:
    """Human members only: a service among them could open the door."""
    try:
        members = grp.getgrnam(OPERATORS).gr_mem
    except KeyError:
        return "note", f"there is no group {OPERATORS}: only root operates the door"
    services = [name for name in members if _is_service(name)]
    if services:
        return "fault", f"{', '.join(services)} in {OPERATORS} is no human: `sudo gpasswd -d NAME {OPERATORS}`"
    return "ok", f"root, and of {OPERATORS}: {', '.join(members) or 'nobody'} (`sudo usermod -aG {OPERATORS} NAME`)"


def _is_service(name: str) -> bool:
    try:
        return pwd.getpwnam(name).pw_uid < HUMANS_FROM
    except KeyError:
        return False


def _bolt(config: Config) -> tuple[str, str]:
    bolt = config.bolt
    with closing(fittings.lines(config)) as board:  # finds the chip, and takes no line of it
        chip = board.name
    if bolt.driver == "simulated":
        return "note", f"simulated (nothing is driven; the lines are files in {config.lines_path})"
    return "ok", f"{bolt.kind} on {bolt.pin}, active {bolt.active}: {chip} opens (no line was moved)"


def killed(config: Config, modules: Path = MODULES) -> tuple[str, str]:
    """What the relay does when the guardian is killed while the bolt is released."""
    for module in ("pinctrl_bcm2835", "pinctrl_rp1"):
        parameter = modules / module / "parameters/persist_gpio_outputs"
        try:
            keeps = parameter.read_text().strip() in {"Y", "1"}
        except OSError:
            continue
        if not keeps:
            return "ok", "this kernel lets go of a killed guardian's pin: the external pull secures the relay"
        return "note", (
            "this kernel keeps driving a killed guardian's pin (persist_gpio_outputs): the relay stays as it is until "
            "the guardian is started again. `dtparam=strict_gpiod` in config.txt, or a relay with its own timer, "
            "shortens that."
        )
    return "note", "whether this kernel keeps driving a killed guardian's pin is not known: fit a relay with a timer"


def _inputs(config: Config) -> tuple[str, str]:
    """What is fitted; whether it works shows when somebody presses it: `facelatch log --follow`."""
    pins = configuration.fitted(config.bolt, config.inputs, config.indicator)
    said = ", ".join(f"{name} {pin}" for name, pin in pins.items() if name != "bolt.pin") or "none is configured"
    keypad = config.keypad.device
    if keypad.startswith("/") and not os.access(keypad, os.R_OK):
        return "fault", f"{said}; the keypad {keypad} cannot be read. See /dev/input/by-id, and the group input."
    return "ok", f"{said}; keypad {keypad or 'none'}"


def _liveness(config: Config) -> tuple[str, str]:
    if config.liveness.mode == "off":
        return "note", "off: a photograph of an enrolled person opens the door"
    app.vigil(config)
    return "ok", f"required: a face must be found alive ({config.liveness.live_min:.2f} sure)"


def _drill(config: Config) -> tuple[str, str]:
    """Whether a face alone opens the door, as the running guardian says."""
    if config.liveness.mode == "off":
        return "note", "none can be passed with liveness off"
    waived = config.liveness.drill == "waived"
    status = ask(config.control_path, wire.AskStatus())
    if not isinstance(status, wire.Status):
        return "note", "waived (liveness.drill)" if waived else "no guardian runs that knows what was shown"
    return "ok" if status.drill.startswith("drill passed") else "note", status.drill


def _camera(config: Config) -> tuple[str, str]:
    source = app.camera(config)
    try:
        for frame in source.frames():
            height, width = frame.rgb.shape[:2]
            return "ok", f"{source.name}: {width}x{height}, mean brightness {frame.rgb.mean():.0f} of 255"
        return "fault", f"{source.name} gives no picture"
    finally:
        source.close()


CHECKS: dict[str, Callable[[Config], tuple[str, str]]] = {
    "python": _python,
    "packages": _packages,
    "accelerator": _accelerator,
    "networks": _networks,
    "people": _people,
    "keys": _keys,
    "backups": _backups,
    "guardian": _guardian,
    "eyes": _eyes,
    "operators": _operators,
    "bolt": _bolt,
    "killed guardian": killed,
    "inputs": _inputs,
    "liveness": _liveness,
    "drill": _drill,
}
