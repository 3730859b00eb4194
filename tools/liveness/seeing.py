"""What each look of each sequence shows: the networks' answers and the signs, kept in a cache."""

import hashlib
from collections import deque
from collections.abc import Mapping
from pathlib import Path

import msgspec

from edge.core.living.edges import edges
from edge.core.living.judge import MEASURE_EVERY, Signs
from edge.core.living.parallax import parallax
from edge.core.living.view import View, view
from edge.errors import FacelatchError
from edge.images import read_rgb
from edge.models.manifest import Shelf
from edge.models.mtcnn import Mtcnn
from edge.ports import Detector, Liveness
from tools.evaluate.detection import fitted
from tools.evaluate.networks import ROOT
from tools.evaluate.progress import tracked
from tools.evaluate.wider import open_pictures
from tools.liveness.sets import Sequence

ROOM_FACE_PX = 70.0
"""Smaller faces of photographs of groups are too far away for a door."""

ROOM_PROBABILITY = 0.95

CODE = (
    *("edge/core/living/view.py", "edge/core/living/edges.py", "edge/core/living/parallax.py"),
    *("edge/models/mtcnn.py", "edge/models/liveness.py", "tools/liveness/sets.py"),
)
"""What turns a frame into signs."""


class Seen(msgspec.Struct, frozen=True):
    """One look. ``appearance``: by the name of the network; a network that could not judge is left out. ``parallax``:
    since each of the ``MEASURE_EVERY`` looks before, the last one first: any may be the last that the door measured."""

    appearance: dict[str, float]
    edges: float | None
    parallax: list[float | None]

    def signs(self, network: str) -> list[Signs] | None:
        """What the judge gets when it last measured a look 1 to ``MEASURE_EVERY`` looks ago; None where the network did
        not answer."""
        answer = self.appearance.get(network)
        return None if answer is None else [Signs(answer, self.edges, moved) for moved in self.parallax]


class SeenSequence(msgspec.Struct, frozen=True):
    """``looks``: one for each frame in which the largest face could be seen; None for a frame without."""

    collection: str
    kind: str
    person: str
    name: str
    looks: list[Seen | None]


def see(
    found: list[Sequence], detector: Detector, networks: Mapping[str, Liveness], key: str, cache: Path | None
) -> list[SeenSequence]:
    """Every sequence through the detector, the signs and these networks. ``key``: what stands for the networks."""
    return [_cached(each, detector, networks, key, cache) for each in tracked(found, "Looking")]


def rooms(folder: Path, detector: Detector, cache: Path | None) -> list[float]:
    """The straight edges around faces in photographs of everyday places, which no set of attacks has many of."""
    path = None if cache is None else cache / f"rooms-{digest(str(folder))}.json"
    if path is not None and path.is_file():
        return msgspec.json.decode(path.read_bytes(), type=list[float])
    found = []
    for picture in tracked(open_pictures(folder), "Rooms"):
        rgb, _ = fitted(read_rgb(picture.path))
        for face in detector.detect(rgb):
            if face.size_px >= ROOM_FACE_PX and face.probability >= ROOM_PROBABILITY:
                now = view(rgb, face.landmarks)
                found += [] if now is None else [edges(now)]
    keep(path, found)
    return found


def _cached(
    sequence: Sequence, detector: Detector, networks: Mapping[str, Liveness], key: str, cache: Path | None
) -> SeenSequence:
    named = digest(f"{key} {MEASURE_EVERY} {sequence.light} {sequence.name} {sequence.paths[0]}")
    path = None if cache is None else cache / f"seen-{named}.json"
    if path is not None and path.is_file():
        return msgspec.json.decode(path.read_bytes(), type=SeenSequence)
    seen = SeenSequence(
        sequence.collection, sequence.kind, sequence.person, sequence.name, _looks(sequence, detector, networks)
    )
    keep(path, seen)
    return seen


def _looks(sequence: Sequence, detector: Detector, networks: Mapping[str, Liveness]) -> list[Seen | None]:
    looks: list[Seen | None] = []
    before: deque[View] = deque(maxlen=MEASURE_EVERY)
    for rgb in sequence.frames():
        faces = detector.detect(rgb)
        now = view(rgb, faces[0].landmarks) if faces else None
        if now is None:
            looks.append(None)
        else:
            answers = {}
            for name, network in networks.items():
                try:
                    answers[name] = network.probability(rgb, faces[0])
                except FacelatchError:
                    continue
            moved = [parallax(each, now, rgb) for each in before]
            looks.append(Seen(answers, edges(now), [*moved, *[None] * (MEASURE_EVERY - len(moved))]))
            before.appendleft(now)
    return looks


def code_digest() -> str:
    """SHA-256 of ``CODE``."""
    digest = hashlib.sha256()
    for name in CODE:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def detector(min_face_px: float, threads: int) -> Mtcnn:
    """The product's own."""
    return Mtcnn(Shelf.open(), min_face_px=min_face_px, threads=threads)


def digest(text: str) -> str:
    """What a result of these inputs and this code is kept under."""
    return hashlib.sha256(f"{code_digest()} {text}".encode()).hexdigest()[:24]


def keep(path: Path | None, value: object) -> None:
    """In the cache, where there is one."""
    if path is not None:
        path.write_bytes(msgspec.json.encode(value))
