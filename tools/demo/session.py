"""An evening at a simulated door, written down: ``python -m tools.demo.session > tools/demo/session.txt``.

Real processes, real networks, real photographs, and lines that are files. The README shows the text; a test plays the
session again and compares what happened.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import msgspec

from edge import app, wire
from edge import config as configuration
from edge.errors import FacelatchError
from edge.settings import AttemptsConfig, Config, DoorConfig, InputsConfig, KeypadConfig, MatchConfig
from tools import photos
from tools.demo import visitors
from tools.demo.visitors import Scene

OWNER, PIN, DURESS = "Barack Obama", "2580", "8520"
BUTTON, CONTACT = 22, 23
WAIT_S = 60.0

UNTOLD = {"eyes_present", "eyes_away", "log_head"}
"""Left out of the text: they are there for the journal."""

_NOBODY = Scene("nobody", (), 1.5)
_OWNER, _STRANGER = Scene("the owner", ("obama_partial_face.jpg",), 3), Scene("a stranger", ("astronaut.png",), 2)
_NEAR = Scene("somebody much alike", ("obama2.jpg",), 1.5)

SIMILARITY_MIN = 0.82
"""Stricter than a door needs: nobody of the other photographs comes near the owner, so the owner's own picture of
another year (0.79) has to be who is not quite alike."""


class Evening:
    """One lock, and what is told of it."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._began_s = folder, time.monotonic()
        self._photographs = photos.fetch()
        self._heard = threading.Condition()
        self._notices: list[dict[str, Any]] = []
        self._printed = self._waited = 0
        shutil.copy(self._photographs["obama.jpg"], folder)
        paths = {"state": f"{folder}/state", "runtime": f"{folder}/run"}
        base = configuration.load(None, environment={}, flags={"paths": paths, "bolt": {"driver": "simulated"}})
        self.config: Config = msgspec.structs.replace(
            base,
            door=DoorConfig(unlock_s=2.0, held_open_s=5.0, held_open_warning_s=2.0),
            inputs=InputsConfig(exit_button=BUTTON, door_contact=CONTACT),
            keypad=KeypadConfig(device="simulated"),
            attempts=AttemptsConfig(allowed=2),
            match=MatchConfig(similarity_min=SIMILARITY_MIN),
        )
        self._written(self.config, "facelatch.toml")

    def happens(self, caption: str) -> None:
        """A line about what comes."""
        self._print_news()
        print(f"\n# {caption}", flush=True)

    def types(self, *arguments: str) -> None:
        """A command, as it is typed, and what it prints."""
        self._print_news()
        print(f"$ facelatch {' '.join(repr(each) if ' ' in each else each for each in arguments)}", flush=True)
        command = self._command("facelatch.toml", *arguments)
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False, timeout=WAIT_S)
        shown = done.stdout if done.returncode == 0 else done.stderr
        for line in shown.rstrip().splitlines():
            print(f"    {line}".rstrip(), flush=True)

    def sets(self, line: int, level: int) -> None:
        """A line of the board, as a button or contact would."""
        (self.config.lines_path / str(line)).write_text(f"{level}\n")

    def keys(self, pin: str) -> None:
        """On the keypad."""
        self.config.keypad_path.write_text(f"{pin}\n")

    def comes(self, *scenes: Scene) -> None:
        """Before the camera: eyes of their own watch a replay to its end."""
        replay = self._folder / "replay.avi"
        visitors.write_replay(replay, self._photographs, app.detector(self.config), scenes)
        camera = msgspec.structs.replace(self.config.camera, driver="replay", source=str(replay))
        self._written(msgspec.structs.replace(self.config, camera=camera), "eyes.toml")
        subprocess.run(self._command("eyes.toml", "eyes"), check=True, stderr=subprocess.DEVNULL, timeout=WAIT_S)

    def opens(self) -> None:
        """The guardian starts."""
        print("$ facelatch door", flush=True)
        self._process = subprocess.Popen(self._command("facelatch.toml", "door", "--json"), stdout=subprocess.PIPE)
        self._began_s = time.monotonic()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self.told("started")

    def told(self, kind: str) -> None:
        """Wait for a notice after those waited for before."""

        def number() -> int | None:
            found = (n for n, each in enumerate(self._notices) if n >= self._waited and each["kind"] == kind)
            return next(found, None)

        with self._heard:
            if not self._heard.wait_for(lambda: number() is not None, WAIT_S):
                raise TimeoutError(f"Nothing was told of {kind!r}.")
            self._waited = (number() or 0) + 1
        self._print_news()

    def ends(self) -> list[str]:
        """The guardian stops; the kinds of everything that was told."""
        self._process.terminate()
        self.told("stopped")
        self._process.wait()
        self._listener.join()
        return [each["kind"] for each in self._notices if each["kind"] not in UNTOLD]

    def _listen(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        with self._process.stdout as notices:
            for line in notices:
                with self._heard:
                    self._notices.append(json.loads(line) | {"after_s": time.monotonic() - self._began_s})
                    self._heard.notify_all()

    def _print_news(self) -> None:
        with self._heard:
            news, self._printed = self._notices[self._printed :], len(self._notices)
        for notice in news:
            if notice["kind"] not in UNTOLD:
                print(_line(notice), flush=True)

    def _command(self, file: str, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "edge", "--config", str(self._folder / file), *arguments]

    def _written(self, config: Config, file: str) -> None:
        (self._folder / file).write_text(configuration.template(config))


def _line(notice: dict[str, Any]) -> str:
    hidden = {"kind", "at_utc", "status", "after_s", "frame", "track", "look_age_ms", "liveness", "looks"}
    told = " · ".join(
        f"{key} {value}" for key, value in notice.items() if key not in hidden and value not in {None, ""}
    )
    return f"{notice['after_s']:6.1f} s  {notice['kind']:<10} {told}".rstrip()


def play(evening: Evening) -> list[str]:
    """Everything that the README shows; the kinds that were told."""
    evening.types("enroll", OWNER, "obama.jpg")
    for pin, duress in ((PIN, False), (DURESS, True)):
        app.answer(evening.config, wire.AskPin(OWNER, pin, duress))
        print(f"$ facelatch people pin {OWNER!r}{' --duress' if duress else ''}\n    (asked for: {pin})", flush=True)
    evening.opens()

    evening.happens("A stranger, then the owner; who goes in and leaves the door open.")
    evening.comes(_NOBODY, _STRANGER, _NOBODY, _OWNER)
    evening.told("released")
    evening.sets(CONTACT, 1)
    evening.told("opened")
    evening.told("held_open")
    evening.sets(CONTACT, 0)
    evening.told("closed")

    evening.happens("Out again, by the exit button.")
    evening.sets(BUTTON, 0)
    evening.told("exit")
    evening.sets(BUTTON, 1)
    evening.told("secured")

    evening.happens("Somebody tries to pass for the owner and is not quite alike, and again: that face is locked out.")
    evening.comes(_NOBODY, _NEAR, _NOBODY, _NEAR, _NOBODY)
    evening.told("lockout")
    evening.comes(_NOBODY, _OWNER)
    evening.told("refused")

    evening.happens("The owner types the PIN; which a lockout does not touch.")
    evening.keys(PIN)
    evening.told("released")
    evening.told("secured")

    evening.happens("The owner is threatened, and types the other one. The door opens as ever.")
    evening.keys(DURESS)
    evening.told("duress")
    evening.told("secured")

    evening.happens("Nobody shall come in any more.")
    evening.types("lockdown", "--reason", "after the alarm")
    evening.keys(PIN)
    evening.told("refused")
    evening.types("door", "mode", "normal")
    evening.types("clear")
    evening.happens("The end.")
    told = evening.ends()
    evening.types("log", "verify")
    return told


def main() -> None:
    """Play it, and print it."""
    with tempfile.TemporaryDirectory(prefix="fl-") as folder:
        try:
            play(Evening(Path(folder)))
        except FacelatchError as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main()
