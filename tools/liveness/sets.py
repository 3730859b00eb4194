"""Sequences of frames of people, and of attacks with their pictures, from the folder of data sets."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from edge.core.quality import LUMA
from edge.errors import InputError
from edge.images import read_rgb
from edge.types import Rgb
from tools.evaluate.nuaa import open_nuaa
from tools.evaluate.statistics import SEED

STEP_S = 0.2, 0.1
"""Between two frames of a sequence of pictures (NUAA: about five a second), and of a video as it is taken here."""

FRAMES_MAX = 120
"""Of one video: 12 s."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """One stay before a camera. ``kind``: "live", "print" or "replay". ``person`` is unique over the collections;
    ``session``: a day, a clip. ``paths``: pictures in order, or one video."""

    collection: str
    kind: str
    person: str
    session: str
    name: str
    paths: tuple[Path, ...]
    step_s: float
    light: str = "as recorded"

    @property
    def live(self) -> bool:
        return self.kind == "live"

    def frames(self) -> Iterator[Rgb]:
        """Raises ImageError, InputError."""
        video = self.paths[0].suffix in VIDEOS
        found = _video(self.paths[0], self.step_s) if video else (read_rgb(path) for path in self.paths)
        return (LIGHTS[self.light](rgb) for rgb in found)


VIDEOS = {".mp4", ".mkv"}

DARKER, GRAIN = 0.3, 6.0
"""Of the dark versions: what is left of the light, and the noise of a sensor turned up (standard deviation, 0..255)."""


def grey(rgb: Rgb) -> Rgb:
    """As a camera without an infra-red filter gives it, without colours: the luma three times."""
    return np.repeat((rgb.astype(np.float32) @ LUMA).astype(np.uint8)[:, :, None], 3, axis=2)


def dark(rgb: Rgb) -> Rgb:
    """As a camera sees it at night that turns its sensor up no more. The noise is another one in every frame."""
    noise = np.random.default_rng((SEED, int(rgb.sum()))).normal(0, GRAIN, rgb.shape)
    return (rgb * DARKER + noise).clip(0, 255).astype(np.uint8)


LIGHTS: dict[str, Callable[[Rgb], Rgb]] = {"as recorded": lambda rgb: rgb, "grey": grey, "dark": dark}
"""Ways to see every frame."""


def sequences(data: Path, light: str = "as recorded") -> list[Sequence]:
    """``print_attack`` (NUAA), ``replay_attack`` and ``clips`` of a folder, each where it is there, in a light of
    ``LIGHTS``.

    Raises InputError when there is no attack at all.
    """
    found = [*_nuaa(data / "print_attack"), *_replays(data / "replay_attack"), *_clips(data / "clips")]
    if {each.live for each in found} != {True, False}:
        raise InputError(f"{data!s:.120} holds no attacks and live people. Give print_attack/ or replay_attack/ in it.")
    return [replace(each, light=light) for each in found]


def _nuaa(folder: Path) -> Iterator[Sequence]:
    for kind, part in (("live", "live"), ("print", "photo")):
        if not (folder / part).is_dir():
            continue
        groups: dict[str, list[Path]] = {}
        for picture in open_nuaa(folder / part).pictures:
            stem = Path(picture.name).stem
            groups.setdefault(stem.rpartition("_")[0], []).append(folder / part / picture.name)
        for name, paths in sorted(groups.items()):
            person, session = name.split("_")[0], name.split("_")[3]
            paths.sort(key=lambda path: int(path.stem.rpartition("_")[2]))
            yield Sequence("nuaa", kind, f"nuaa {person}", session, f"{part}/{name}", tuple(paths), STEP_S[0])


def _replays(folder: Path) -> Iterator[Sequence]:
    """``<person>_real.mp4`` and ``<person>_fake.mp4``; each person is a collection."""
    for path in sorted(folder.glob("*.mp4")) if folder.is_dir() else []:
        named = re.fullmatch(r"(\w+)_(real|fake)", path.stem)
        if named is not None:
            kind = "live" if named[2] == "real" else "replay"
            yield Sequence(f"replay {named[1]}", kind, f"replay {named[1]}", path.stem, path.stem, (path,), STEP_S[1])


def _clips(folder: Path) -> Iterator[Sequence]:
    for path in sorted(folder.glob("*.mkv")) if folder.is_dir() else []:
        yield Sequence("clips", "live", f"clip {path.stem}", path.stem, path.stem, (path,), STEP_S[1])


def _video(path: Path, step_s: float) -> Iterator[Rgb]:
    video = cv2.VideoCapture(str(path))
    try:
        rate = float(video.get(cv2.CAP_PROP_FPS))
        if not video.isOpened() or not rate > 0:
            raise InputError(f"{path!s:.120} is no video that can be played. Give the folder of the data sets.")
        every = max(round(rate * step_s), 1)
        for number in range(every * FRAMES_MAX):
            good, bgr = video.read()
            if not good:
                return
            if number % every == 0:
                yield np.ascontiguousarray(bgr[..., ::-1], dtype=np.uint8)
    finally:
        video.release()
