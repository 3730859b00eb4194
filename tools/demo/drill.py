"""A drill before a replayed camera, written down: ``python -m tools.demo.drill --data FOLDER > tools/demo/drill.txt``.

Real processes, real networks, and recordings of real people and of pictures held up before a camera (NUAA, and one of
the two replays): everybody is enrolled from one day, and comes on another. There are no recordings of photographs on a
phone: more prints stand in for them. The README shows the text; no test can play it again, as none of the recordings
may be passed on.
"""

import itertools
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import cv2
import msgspec
import numpy as np
from rich.progress import Progress

from edge import config as configuration
from edge import wire
from edge.cli.drill import tally
from edge.core.drill import OWN, Count, plan
from edge.errors import InputError
from edge.output import errors
from edge.settings import Config, LivenessConfig
from edge.types import Rgb
from tools.evaluate.statistics import SEED
from tools.liveness.sets import Sequence, sequences

FPS = 3.0
LOOKS, GAP = 10, 11
"""Frames of a presentation, and of nobody before the next one: over three seconds."""

LOOK_AGE_MAX_MS = 3000
"""All the time that can be set, as the replay is also played on machines that have other things to do."""

ROUNDS = 4
"""A presentation that is not counted has to be repeated in another drill."""

LEAD_S = 20.0
"""With nobody there, until the command has begun."""

WITHOUT = ("tablet", "laptop")
COLLECTIONS = ("nuaa", "replay tran")
WAIT_S = 60.0


class Stage:
    """What comes before the camera, frame by frame, as pictures in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._number = folder, 0
        self._generator = np.random.default_rng(SEED)
        folder.mkdir()

    def nobody(self, frames: int) -> None:
        for _ in range(frames):
            self._add(self._generator.integers(100, 112, (480, 640, 3), dtype=np.uint8))

    def shows(self, frames: Iterable[Rgb]) -> None:
        """Somebody, or a picture; then nobody."""
        for rgb in frames:
            self._add(rgb)
        self.nobody(GAP)

    def _add(self, rgb: Rgb) -> None:
        self._number += 1
        cv2.imwrite(str(self.folder / f"{self._number:05}.png"), np.ascontiguousarray(rgb[..., ::-1]))


def stretches(sequence: Sequence) -> list[list[Rgb]]:
    """A sequence in pieces of ``LOOKS`` frames; of a live one that somebody was enrolled from, without the first
    quarter."""
    frames = list(sequence.frames())
    start = len(frames) // 4 if sequence.live and len(sequence.paths) == 1 else 0
    return [frames[i : i + LOOKS] for i in range(start, len(frames) - LOOKS + 1, LOOKS)]


def visitors(found: list[Sequence]) -> dict[str, Iterator[list[Rgb]]]:
    """What is presented, by kind in the drill's order, over and over. Raises InputError where there is nothing."""
    prints = [part for each in found if each.kind == "print" for part in stretches(each)]
    videos = [part for each in found if each.kind == "replay" for part in stretches(each)]
    videos += [[*one[LOOKS // 2 :], *two[: LOOKS // 2]] for one, two in itertools.pairwise(videos)]
    first = {each.person: each.session for each in reversed(found) if each.live}
    days = [each for each in found if each.live and each.session != first[each.person]]
    own = [stretches(each)[0] for each in days]
    own += [part for each in found if each.live and len(each.paths) == 1 for part in stretches(each)]
    if len(prints) < 2 or not videos or len(own) < len(OWN):
        raise InputError("There are too few recordings. Give a folder with print_attack/ and replay_attack/tran_*.mp4.")
    staged = {"print": prints[::2], "phone": prints[1::2], "video": videos}
    staged |= {kind: own[i :: len(OWN)] for i, kind in enumerate(OWN)}
    return {kind: itertools.cycle(parts) for kind, parts in staged.items()}


def guests(found: list[Sequence]) -> list[list[Rgb]]:
    """One person who comes to the door, of whom there is nothing that looks like a second face beside."""
    return stretches(next(each for each in found if each.live and len(each.paths) == 1))[:2]


class Door:
    """One lock in a folder, and what is typed there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        flags = {
            "paths": {"state": f"{folder}/state", "runtime": f"{folder}/run"},
            "bolt": {"driver": "simulated"},
            "evidence": {"look_age_max_ms": LOOK_AGE_MAX_MS},
            "camera": {"driver": "replay", "source": f"{folder}/visit", "fps": FPS},
        }
        self.config: Config = configuration.load(None, environment={}, flags=flags)

    def sets(self, liveness: LivenessConfig) -> None:
        self.config = msgspec.structs.replace(self.config, liveness=liveness)

    def enrols(self, name: str, frames: list[Rgb]) -> None:
        """From frames of one day, spread over it; not told."""
        paths = []
        for number in np.linspace(0, len(frames) - 1, 12).round().astype(int):
            paths.append(self._folder / f"{name} {number}.png")
            cv2.imwrite(str(paths[-1]), np.ascontiguousarray(frames[number][..., ::-1]))
        done = self._run("enroll", name, *map(str, paths))
        if done.returncode:
            print(done.stderr, file=sys.stderr)

    def types(self, *arguments: str) -> None:
        """A command, and what it prints."""
        print(f"$ facelatch {' '.join(arguments)}", flush=True)
        done = self._run(*arguments)
        for line in (done.stderr + done.stdout).strip("\n").splitlines():
            print(f"    {line}".rstrip(), flush=True)

    def guards(self) -> None:
        """The guardian, until ``rests``."""
        self._process = subprocess.Popen(self._command("door", "--json"), stdout=subprocess.PIPE, text=True)
        self._until("log_head")

    def rests(self) -> None:
        self._process.terminate()
        self._process.communicate(timeout=WAIT_S)

    def comes(self, source: Path) -> None:
        """Before the camera, alone, and what the lock says of it."""
        with self.watched(source):
            while (told := self._until("released", "refused", "eyes_away"))["kind"] != "eyes_away":
                words = (f"{key} {told[key]}" for key in ("name", "reason") if told.get(key))
                print(f"    {told['kind']}: {' · '.join(words)}", flush=True)

    def watched(self, source: Path) -> "subprocess.Popen[bytes]":
        """Eyes that watch this replay to its end."""
        camera = msgspec.structs.replace(self.config.camera, source=str(source))
        command = self._command("eyes", config=msgspec.structs.replace(self.config, camera=camera))
        eyes = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        self._until("eyes_present")
        return eyes

    def missing(self) -> dict[str, int]:
        """How many presentations of each kind a passed drill still lacks."""
        report = msgspec.json.decode(self._run("drill", "--report", "--json").stdout, type=wire.DrillReport)
        counted = tally(report)
        return {kind: max(wanted - counted.get(kind, Count()).shown, 0) for kind, wanted in plan(WITHOUT).items()}

    def _until(self, *kinds: str) -> dict[str, object]:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        for line in self._process.stdout:
            notice: dict[str, object] = msgspec.json.decode(line)
            if notice["kind"] in kinds:
                return notice
        raise InputError(f"The lock ended, and told of none of {', '.join(kinds)}. Its reason is above.")

    def _run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(self._command(*arguments), capture_output=True, text=True, check=False)

    def _command(self, *arguments: str, config: Config | None = None) -> list[str]:
        path = self._folder / ("facelatch.toml" if config is None else "eyes.toml")
        path.write_text(configuration.template(config or self.config))
        return [sys.executable, "-m", "edge", "--config", str(path), *arguments]


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
def main(data: Path) -> None:
    """Play the drill and write it down."""
    found = [each for each in sequences(data) if each.collection in COLLECTIONS]
    with tempfile.TemporaryDirectory(prefix="fl-") as folder:
        door = Door(Path(folder))
        _enrol(door, found)
        staged = visitors(found)
        visit = Stage(Path(folder) / "visit")
        visit.nobody(10)
        visit.shows(frame for part in guests(found) for frame in part)
        play(door, visit.folder, staged)


def play(door: Door, visit: Path, staged: dict[str, Iterator[list[Rgb]]]) -> None:
    """What an owner sees and does."""
    door.guards()
    print("# A new lock. Somebody enrolled comes to the door.")
    door.comes(visit)
    door.types("status")
    for number in range(ROUNDS):
        missing = door.missing()
        if not any(missing.values()):
            break
        print("\n# The drill." if not number else "\n# What was not counted is presented once more.", flush=True)
        stage = Stage(visit.with_name(f"drill {number}"))
        stage.nobody(round(LEAD_S * FPS))
        for kind, count in missing.items():
            for part in itertools.islice(staged[kind], count):
                stage.shows(part)
        stage.nobody(round(4 * LEAD_S * FPS))
        with door.watched(stage.folder) as eyes:
            door.types("drill", "--unattended", *(word for kind in WITHOUT for word in ("--without", kind)))
            eyes.terminate()
        shutil.rmtree(stage.folder)
    print("\n# The same person again.", flush=True)
    door.comes(visit)
    door.types("status")
    door.rests()
    print("\n# A threshold is changed.", flush=True)
    door.sets(LivenessConfig(live_min=0.6))
    door.guards()
    door.comes(visit)
    door.types("status")
    door.rests()
    print('\n# The owner wants no drill: liveness.drill = "waived".', flush=True)
    door.sets(LivenessConfig(live_min=0.6, drill="waived"))
    door.guards()
    door.comes(visit)
    door.types("status")
    door.rests()


def _enrol(door: Door, found: list[Sequence]) -> None:
    people = sorted({each.person for each in found if each.live})
    with Progress(console=errors, transient=True) as progress:
        for person in progress.track(people, description="Enrolling"):
            days = [each for each in found if each.live and each.person == person]
            first = min(each.session for each in days)
            frames = list(next(each for each in days if each.session == first).frames())
            if len(days[0].paths) == 1:
                frames = frames[: len(frames) // 4]
            door.enrols(person.title(), frames)


if __name__ == "__main__":
    main()
