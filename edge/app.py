"""The only wiring: which adapter stands behind which port. Everything else gets what it needs handed over.

Imports of adapters are local to the function that needs them, so that the guardian's process never loads OpenCV, a
model or a camera, and the eyes' process never the store or a relay.
"""

import functools
import os
import time
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge import config as configuration
from edge import consent, fittings, household, wire
from edge.child import EyesChild, ending_signals
from edge.daily import DailyBackup
from edge.errors import FacelatchError, StoreBusyError, StoreKeyError, WireError
from edge.guardian import Guardian
from edge.link import EyesLink, ask
from edge.notify import Notifier
from edge.ports import Camera, Clock, Detector, Embedder
from edge.registry import status_without_guardian
from edge.serve import Server
from edge.settings import Config, ModelsConfig
from edge.teller import Announce, Teller
from edge.types import Embedding

if TYPE_CHECKING:
    from edge.models.device import Networks
    from edge.vigil import Vigil

BUSY_S, BUSY_EVERY_S = 3.0, 0.05
"""How long a command waits for another one, which has the store for tens of milliseconds, and how often it looks; a
guardian that starts meanwhile is asked instead."""

PHOTOGRAPH_MIN_FACE_PX = 40
"""In photographs smaller faces are searched too, so that a face too small is named as such instead of not found."""


@functools.cache
def networks(models: ModelsConfig) -> "Networks":
    """The networks and what runs them, chosen once a process: an accelerator is opened once. Raises ModelError."""
    from edge.models import device

    return device.choose(models.device, models.fallback, models.delegate, _folder(models))


def detector(config: Config, *, photographs: bool = False) -> Detector:
    """MTCNN for the camera, or for photographs. Raises ModelError."""
    from edge.models.mtcnn import Mtcnn

    smallest = PHOTOGRAPH_MIN_FACE_PX if photographs else config.faces.min_px
    chosen = networks(config.models)
    return Mtcnn(chosen.shelf, min_face_px=smallest, threads=config.faces.threads, delegate=chosen.delegate)


def embedder(config: Config) -> Embedder:
    """MobileFaceNet. Raises ModelError."""
    from edge.models.mobilefacenet import MobileFaceNet

    chosen = networks(config.models)
    return MobileFaceNet(
        chosen.shelf,
        threads=config.faces.threads,
        delegate=chosen.delegate,
        flip_average=config.models.flip_average,
    )


def vigil(config: Config) -> "Vigil | None":
    """Who tells a picture from a person, None where ``liveness.mode`` is off. Raises ModelError."""
    if config.liveness.mode == "off":
        return None
    from edge.models.judging import judge_weights
    from edge.models.liveness import LivenessNet
    from edge.vigil import Vigil

    chosen = networks(config.models)
    network = LivenessNet(chosen.shelf, threads=config.faces.threads, delegate=chosen.delegate)
    return Vigil(network, judge_weights(chosen.shelf))


def judge(config: Config) -> str:
    """Stands for all that tells who is alive, empty where nothing does. Raises ModelError."""
    if config.liveness.mode == "off":
        return ""
    from edge.models.judging import digest

    return digest(networks(config.models).shelf)


def camera(config: Config) -> Camera:
    """The configured camera. Raises CameraError."""
    wanted = config.camera
    size = {"width": wanted.width, "height": wanted.height}
    if wanted.driver == "replay":
        from edge.devices.camera_replay import ReplayCamera

        return ReplayCamera(Path(wanted.source), wanted.fps)
    if wanted.driver == "v4l2":
        from edge.devices.camera_v4l2 import V4l2Camera

        return V4l2Camera(wanted.source, fps=wanted.fps, **size)
    from edge.devices.camera_pi import PiCamera

    return PiCamera(fps=wanted.fps, **size)


def clock(config: Config) -> Clock:
    """The system's clocks, the calendar in the door's time zone. Raises ConfigError."""
    from edge.devices.clock import SystemClock

    return SystemClock(config.door.time_zone)


def answer(config: Config, question: wire.Question) -> wire.Answer:
    """The running guardian's answer; where none runs, the store's own. Raises FacelatchError.

    A question that changes nothing makes no store where there is none yet.
    """
    end_s = time.monotonic() + BUSY_S
    while True:
        heard = ask(config.control_path, question)
        if heard is not None:
            return heard
        if household.is_none_yet(config) and (nothing := _of_no_store(config, question)) is not None:
            return _as_configured(config, nothing)
        try:
            with household.registry(config) as (people, _):
                return _as_configured(config, people.answer(question))
        except StoreBusyError:
            if time.monotonic() >= end_s:
                raise
        time.sleep(BUSY_EVERY_S)


def _as_configured(config: Config, answer: wire.Answer) -> wire.Answer:
    """A status without a guardian says what it would be with one, as far as the configuration tells."""
    if not isinstance(answer, wire.Status):
        return answer
    live = config.liveness
    waived = "drill WAIVED" if live.mode == "required" and live.drill == "waived" else ""
    return msgspec.structs.replace(answer, liveness=live.mode, drill=waived)


def _of_no_store(config: Config, question: wire.Question) -> wire.Answer | None:
    """The answer where there is no store yet, None to a question that makes one."""
    decision = household.limits(config).decide([])
    similarity_min = decision.similarity_min
    answers: dict[type[wire.Question], wire.Answer] = {
        wire.AskStatus: status_without_guardian(0, decision),
        wire.AskPeople: wire.People([]),
        wire.AskIdentify: wire.Identified(None, None, None, False, similarity_min),
        wire.AskAlike: wire.Alike(similarity_min - config.match.margin_min, []),
        wire.AskLog: wire.Log([]),
        wire.AskVerify: wire.Verified(0, 0, "0" * 64),
        wire.AskKeys: wire.Keys("", 0, 0),
    }
    return answers.get(type(question))


def people(config: Config) -> list[wire.PersonLine]:
    """Everybody enrolled, by name, over as many questions as it takes."""
    found: list[wire.PersonLine] = []
    while True:
        page = answer(config, wire.AskPeople(start=len(found)))
        if not isinstance(page, wire.People):
            raise WireError("The guardian answered something else than people. Use one release for both.")
        found += page.people
        if not page.more:
            return found


def status(config: Config) -> wire.Status:
    """How the door is, and the threshold in force. Raises FacelatchError."""
    found = answer(config, wire.AskStatus())
    if not isinstance(found, wire.Status):
        raise WireError("The guardian answered something else than its status. Use one release for both.")
    return found


def identify(config: Config, model_id: str, embedding: Embedding) -> wire.Identified:
    """Whom a probe resembles. Raises FacelatchError."""
    found = answer(config, wire.AskIdentify(model_id, wire.to_bytes(embedding)))
    if not isinstance(found, wire.Identified):
        raise WireError("The guardian answered something else than a person. Use one release for both.")
    return found


def sit(config: Config, question: wire.AskCamera | wire.AskCameraProgress | wire.AskCameraCancel) -> wire.Sitting:
    """The running guardian's answer about an enrolment at the camera. Raises FacelatchError, WireError without one."""
    heard = _heard(config, question)
    if not isinstance(heard, wire.Sitting):
        raise WireError("The guardian answered something else than an enrolment. Use one release for both.")
    return heard


def drill(
    config: Config, question: wire.AskDrill | wire.AskPresent | wire.AskDrillProgress | wire.AskDrillEnd
) -> wire.Drilling:
    """The running guardian's answer about a drill. Raises FacelatchError, WireError without one."""
    heard = _heard(config, question)
    if not isinstance(heard, wire.Drilling):
        raise WireError("The guardian answered something else than a drill. Use one release for both.")
    return heard


def drill_report(config: Config) -> wire.DrillReport:
    """What drills have shown, by the running guardian. Raises FacelatchError, WireError without one."""
    heard = _heard(config, wire.AskDrillReport())
    if not isinstance(heard, wire.DrillReport):
        raise WireError("The guardian answered something else than a drill's report. Use one release for both.")
    return heard


def _heard(config: Config, question: wire.Question) -> wire.Answer:
    heard = ask(config.control_path, question)
    if heard is None:
        raise WireError(
            "No guardian runs that could look. Start facelatch-door and facelatch-eyes, or `facelatch run`."
        )
    return heard


def guard(config: Config, announce: Announce, eyes: EyesChild | None = None) -> None:
    """Be the guardian until a signal, or until the ``eyes`` started by this process end. The bolt ends secured.

    The bolt comes first, before the store that may be damaged and the sockets that may be taken: a guardian that was
    killed while the bolt was released is started again, and must secure it whatever else is wrong. Raises
    FacelatchError.
    """
    from edge.devices.clock import SystemClock

    with ending_signals() as signalled, ExitStack() as opened:
        board = opened.enter_context(closing(fittings.lines(config)))
        bolt = opened.enter_context(closing(fittings.bolt(config, board, SystemClock())))
        bolt.secure()
        now = clock(config)
        notifier = opened.enter_context(closing(Notifier(now)))
        sensors = opened.enter_context(closing(fittings.sensors(config, board, now)))
        lights = opened.enter_context(closing(fittings.indicator(config, board, now)))
        people, store = opened.enter_context(household.registry(config, announce))
        backups = functools.partial(_daily_backup, config, now) if config.backup.keep else None
        guardian = Guardian(config, people, store, bolt, now, announce, lights, sensors.states(), backups)
        paths = config.looks_path, config.control_path
        server = opened.enter_context(closing(Server(guardian, *paths, now, notifier, cable_path=config.cable_path)))
        server.attend(sensors.fileno(), lambda: guardian.sense(sensors.read()))
        keypad = fittings.keypad(config)
        if keypad is not None:
            opened.callback(keypad.close)
            server.attend(keypad.fileno(), lambda: guardian.keys(keypad.read()))
        if eyes:
            opened.callback(eyes.end)
        try:
            reason = server.run(lambda door: signalled() or (eyes.watch(door) if eyes else None))
        except BaseException as error:
            guardian.stop(f"{type(error).__name__} in the guardian")
            raise
        guardian.stop(reason)
        notifier.stopping(reason)


def _daily_backup(config: Config, now: Clock, teller: Teller) -> DailyBackup:
    return DailyBackup(lambda: household.back_up_daily(config).name, household.newest_backup_utc(config), now, teller)


def watch_door(config: Config) -> None:
    """Be the eyes: connect to the guardian, open the camera, report until it ends, the guardian goes, or SIGTERM.

    The camera comes before the networks: one that is missing is told at once, and being started again and again
    costs no loading of networks; one that is there warms up meanwhile.
    """
    from edge.eyes import Eyes

    with ending_signals() as signalled, ExitStack() as opened:
        eyes_link = EyesLink(config.looks_path)
        opened.callback(eyes_link.close)
        try:
            source = camera(config)
            opened.callback(source.close)
            eyes = Eyes(
                detector(config),
                embedder(config),
                eyes_link,
                _fallback(config),
                snapshots=config.log.snapshots_days > 0,
                vigil=vigil(config),
                judge=judge(config),
                previewed=eyes_link.previewed,
            )
        except FacelatchError as error:
            eyes_link(wire.Trouble(str(error)[:500]))
            raise
        eyes.run(source, lambda: signalled() is not None)


def serve_cable(config: Config, tty: str) -> str:
    """Be the lock's end of a USB cable until a signal or until the port goes away; why it ended. Raises FacelatchError.

    The networks are loaded before the first photograph comes, so that nobody waits for them.
    """
    from edge.cable.desk import Desk
    from edge.cable.port import Port, UnpluggedError
    from edge.cable.service import Service
    from edge.cable.uploads import Uploads
    from edge.studio import CableStudio, findings

    private = cable_key(config)
    guardian, agreed = functools.partial(_ask_for_the_cable, config), functools.partial(_agreed, config)
    with ending_signals() as signalled, ExitStack() as opened:
        studio = opened.enter_context(
            closing(CableStudio(config, detector(config, photographs=True), embedder(config)))
        )
        uploads = Uploads(_uploads_folder(config, tty))
        port = opened.enter_context(closing(Port(tty)))
        told = functools.partial(findings, studio, guardian)
        desk = Desk(guardian, uploads, studio, told, configuration.template(config), agreed, time.monotonic)
        try:
            return Service(port, private, desk, guardian, time.monotonic).run(signalled)
        except UnpluggedError as error:
            return str(error)


def use_stick(config: Config, folder: Path) -> wire.UsbReport:
    """Enrol what is on a stick, mounted at ``folder``. Raises FacelatchError."""
    from edge.core.sitting import LOOKS_DEFAULT
    from edge.images import MAX_PIXELS
    from edge.stick import NO_FAT, bring, reported
    from edge.studio import STICK_LONGEST_PX, CableStudio

    guardian, agreed = functools.partial(_ask_for_the_cable, config), functools.partial(_agreed, config)
    if not folder.is_mount():
        return reported(guardian, [NO_FAT])
    private, looking = cable_key(config), (detector(config, photographs=True), embedder(config))
    with closing(CableStudio(config, *looking, MAX_PIXELS, STICK_LONGEST_PX)) as studio:
        return bring(folder, private, guardian, studio, agreed, LOOKS_DEFAULT, folder.is_mount)


def _ask_for_the_cable(config: Config, message: wire.FromCable) -> wire.Answer:
    answer = ask(config.cable_path, message)
    if answer is None:
        raise WireError("No guardian runs. Start facelatch-door.")
    return answer


def _agreed(config: Config) -> tuple[wire.ConsentLine, str]:
    """A consent given now, and its last day."""
    now = clock(config)
    ends = now.local().date() + timedelta(days=config.privacy.consent_days)
    return wire.ConsentLine(now.utc(), consent.WORDING), ends.isoformat()


def cable_key(config: Config) -> bytes:
    """The private key that laptops know this lock by, made where there is none yet. Raises StoreError."""
    from edge.cable.noise import KEY_BYTES, new_key
    from edge.store.faults import explained
    from edge.store.key import read_key, write_key

    path = Path(config.paths.usb) / "cable.key"
    with explained(path, "be read or made"):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = read_key(path)
        if key is None:
            write_key(path, new_key())
            key = read_key(path)
    if key is None or len(key) != KEY_BYTES:
        raise StoreKeyError(
            f"{path} is no key of {KEY_BYTES} bytes. Put the right one back; or remove it, and pair all laptops anew."
        )
    return key


def _uploads_folder(config: Config, tty: str) -> Path:
    """In memory: of the service what systemd gives it, on a bench beside the sockets."""
    given = os.environ.get("RUNTIME_DIRECTORY")
    return Path(given) if given else Path(config.paths.runtime) / "uploads" / Path(tty).name


def _folder(models: ModelsConfig) -> Path | None:
    return Path(models.folder) if models.folder else None


def _fallback(config: Config) -> str:
    return "networks on the processor, not on the accelerator" if networks(config.models).fallback else ""


def run(config: Config, announce: Announce) -> int:
    """Guardian and eyes in the foreground, the eyes as a child: for a bench, a demonstration, a laptop.

    Ends with the recording, where a replay is played. Returns the eyes' exit code where they gave up, else 0.
    """
    child = EyesChild(config, announce)
    guard(config, announce, child)
    return child.exit_code
