"""Sequences of pictures of one person who is before a camera: each is one approach to the door."""

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.core.names import shown
from edge.devices.capture import open_capture, read_rgb_frame
from edge.errors import InputError
from edge.images import read_rgb
from edge.types import Frame
from tools.evaluate.nuaa import open_nuaa

NUAA, CLIPS = "print_attack/live", "clips"
IDENTITIES = "identities.csv"
LOOKS_A_SECOND = 5.0
"""What a slow board manages, and the rate of NUAA's frames: clips are thinned out to it."""

CLIPS_LAYOUT = f"Give a folder of videos with {IDENTITIES}: a line clip,person for each."


@dataclass(frozen=True, slots=True)
class Sequence:
    """One approach. ``source``: the set's name; ``session``: approaches of one session are of one day and place, and
    nobody is enrolled from the session in which he comes. ``pictures``: a folder's, in order, or one video.
    """

    source: str
    person: str
    session: str
    name: str
    pictures: tuple[Path, ...]

    @property
    def is_video(self) -> bool:
        return len(self.pictures) == 1

    def frames(self, rate: float = LOOKS_A_SECOND) -> Iterator[Frame]:
        """The frames with the times at which a camera would have given them. Raises ImageError, CameraError."""
        if self.is_video:
            yield from video(self.pictures[0], rate)
            return
        for number, path in enumerate(self.pictures):
            yield Frame(read_rgb(path), number / LOOKS_A_SECOND, number)


def open_sequences(folder: Path) -> list[Sequence]:
    """Those of NUAA and of the clips, as far as the folder has them. Raises InputError when it has neither."""
    found = [
        *(_of_nuaa(folder / NUAA) if (folder / NUAA).is_dir() else []),
        *(_of_clips(folder / CLIPS) if (folder / CLIPS / IDENTITIES).is_file() else []),
    ]
    if not found:
        raise InputError(f"{shown(str(folder), 120)} has neither {NUAA} nor {CLIPS}/{IDENTITIES}. Name another folder.")
    return found


def _of_nuaa(folder: Path) -> list[Sequence]:
    data_set = open_nuaa(folder)
    pictures: dict[tuple[str, str], list[Path]] = defaultdict(list)
    for picture in data_set.pictures:
        sequence, _, _ = Path(picture.name).stem.rpartition("_")
        pictures[picture.person, sequence].append(folder / picture.name)
    days = {
        (picture.person, Path(picture.name).stem.rpartition("_")[0]): picture.session for picture in data_set.pictures
    }
    return [
        Sequence(NUAA, f"nuaa {person}", f"{days[person, name]}", name, tuple(sorted(paths)))
        for (person, name), paths in sorted(pictures.items())
    ]


def _of_clips(folder: Path) -> list[Sequence]:
    try:
        with (folder / IDENTITIES).open(encoding="utf-8", newline="") as file:
            rows = [(row["clip"], row["person"]) for row in csv.DictReader(file)]
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise InputError(
            f"{IDENTITIES} in {shown(str(folder), 120)} cannot be read ({error}). {CLIPS_LAYOUT}"
        ) from error
    return [Sequence(CLIPS, f"clips {person}", clip, clip, (folder / clip,)) for clip, person in sorted(rows)]


def video(path: Path, rate: float) -> Iterator[Frame]:
    """A video's frames, as many a second as its own rate allows. Raises CameraError."""
    capture, own = open_capture(str(path))
    every = max(round((own or rate) / rate), 1)
    try:
        number = 0
        while (rgb := read_rgb_frame(capture)) is not None:
            if number % every == 0:
                yield Frame(rgb, number / (own or rate), number)
            number += 1
    finally:
        capture.release()
