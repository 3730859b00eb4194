"""What the lock does with a visit: the product's own eyes look at a sequence, its own evidence judges what they saw."""

import hashlib
import os
import tempfile
from collections.abc import Sequence as Several
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge import wire
from edge.core.choose import SeveralFaces, Unusable, choose
from edge.core.evidence import Evidence, Recognised, Terms
from edge.core.match import Index
from edge.errors import InputError
from edge.eyes import Eyes
from edge.models.mobilefacenet import MobileFaceNet
from edge.models.mtcnn import Mtcnn
from edge.settings import FacesConfig
from edge.types import Box, Embedding, Look, Quality
from tools.evaluate.networks import ROOT, THREADS, Networks, code_digest
from tools.evaluate.progress import tracked
from tools.evaluate.sequences import LOOKS_A_SECOND, Sequence

MIN_PX = FacesConfig().min_px

CODE = (
    "edge/eyes.py",
    "edge/core/track.py",
    "edge/core/pool.py",
    "edge/core/quality.py",
    "tools/evaluate/sequences.py",
)
"""What turns frames into looks, beside what turns a picture into an embedding."""

GOOD = Quality(200.0, 100.0, 0.0, 120.0, 1.0, 0.2, 0.7)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the eyes report of one frame."""

    captured_s: float
    faces_in_frame: int
    looks: tuple[Look, ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody before the camera. ``source``: the set's name; ``name``: the sequence's, or the picture's; ``picture``:
    what to show of it, a picture or a video."""

    source: str
    person: str
    session: str
    name: str
    picture: Path
    seen: tuple[Seen, ...]

    def usable(self, several: SeveralFaces) -> list[Look]:
        """The looks that the lock would judge."""
        chosen = (choose(each.looks, each.faces_in_frame, several, MIN_PX) for each in self.seen)
        return [look for look in chosen if isinstance(look, Look)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """``person_id``: as whom somebody was let in, or came closest to; None where nobody could be judged.

    ``similarity``: that of the pooled looks that decided, or the best that was reached. ``looks``, ``seconds``: from
    the first usable look to the end of the visit, which is the grant.
    """

    admitted: bool
    person_id: int | None
    similarity: float
    looks: int
    seconds: float


def open_visits(sequences: Several[Sequence], networks: Networks, cache: Path | None) -> list[Visit]:
    """Every sequence as the eyes see it; with ``cache``, a folder, taken from there where it was seen before.

    Raises ImageError, CameraError, ModelError, InputError.
    """
    file = None if cache is None else cache / f"{_key(networks)}.visits"
    known = {} if file is None else _read(file)
    missing = [each for each in sequences if _id(each) not in known]
    embedder = networks.embedder()
    if missing:
        detector = Mtcnn(networks.shelf, min_face_px=int(MIN_PX), threads=THREADS)
        for each in tracked(missing, f"Looking, {networks.variant}"):
            known[_id(each)] = _look_at(each, detector, embedder)
        if file is not None:
            _write(file, known)
    return [
        Visit(
            *(each.source, each.person, each.session, each.name, each.pictures[0]),
            _seen(known[_id(each)], embedder.dimension),
        )
        for each in sequences
    ]


def still(source: str, person: str, picture: Path, embedding: Embedding, looks: int) -> Visit:
    """One picture as a visit of that many looks which are all the same: the worst that a stranger's looks could be, as
    nothing that brought about a chance resemblance passes."""
    box = Box(0, 0, GOOD.face_px, GOOD.face_px)
    times = [number / LOOKS_A_SECOND for number in range(looks)]
    seen = (Seen(at_s, 1, (Look(1, embedding, None, GOOD, box, 1, n, at_s),)) for n, at_s in enumerate(times))
    return Visit(source, person, picture.name, picture.name, picture, tuple(seen))


def judge(visit: Visit, index: Index, terms: Terms, several: SeveralFaces) -> Outcome:
    """Let the lock judge a visit, from its first frame to the grant or its end."""
    evidence = Evidence(terms)
    looks, began_s, now_s = 0, None, 0.0
    for each in visit.seen:
        now_s = each.captured_s
        chosen = choose(each.looks, each.faces_in_frame, several, MIN_PX)
        if isinstance(chosen, Unusable):
            if chosen.look is None:
                evidence.spoil(chosen.reason, now_s, 0)
            else:
                evidence.unusable(chosen.reason, chosen.look)
        elif chosen is not None:
            looks += 1
            began_s = now_s if began_s is None else began_s
            verdict = evidence.add(chosen, index.best, now_s)
            if isinstance(verdict, Recognised):
                return Outcome(True, verdict.person_id, verdict.similarity, looks, now_s - began_s)
    closest = max(evidence.attempts(float("inf")), key=lambda attempt: attempt.similarity, default=None)
    spent_s = now_s - (now_s if began_s is None else began_s)
    if closest is None:
        return Outcome(False, None, float("nan"), looks, spent_s)
    return Outcome(False, closest.person_id, closest.similarity, looks, spent_s)


def _look_at(sequence: Sequence, detector: Mtcnn, embedder: MobileFaceNet) -> list[wire.Report]:
    reports: list[wire.Report] = []

    def send(message: wire.FromEyes) -> None:
        if isinstance(message, wire.Report):
            reports.append(msgspec.structs.replace(message, timings_ms={}))

    eyes = Eyes(detector, embedder, send)
    for frame in sequence.frames():
        eyes.see(frame)
    return reports


def _seen(reports: list[wire.Report], dimension: int) -> tuple[Seen, ...]:
    return tuple(Seen(each.captured_s, each.faces_in_frame, tuple(wire.to_looks(each, dimension))) for each in reports)


def _id(sequence: Sequence) -> str:
    return "\n".join(str(path.resolve()) for path in sequence.pictures)


def _key(networks: Networks) -> str:
    digest = hashlib.sha256(f"{networks.digest}\n{networks.variant}\n{code_digest()}\n{MIN_PX}".encode())
    for name in CODE:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()[:32]


def _read(file: Path) -> dict[str, list[wire.Report]]:
    try:
        return msgspec.msgpack.decode(file.read_bytes(), type=dict[str, list[wire.Report]])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError, msgspec.ValidationError) as error:
        raise InputError(f"The cache {file!s:.120} cannot be read ({error}). Delete it.") from error


def _write(file: Path, known: dict[str, list[wire.Report]]) -> None:
    """Whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".visits", delete=False) as work:
        work.write(msgspec.msgpack.encode(known))
    os.replace(work.name, file)
