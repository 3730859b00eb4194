"""The figure that matters: does the photograph of somebody enrolled open the door? The product's own eyes, evidence and
thresholds, on people who are enrolled live and on the pictures of them.

Everybody of a collection is enrolled from the first day or clip, with templates as good as ``facelatch enroll`` wants
them. What comes before the door: their other live sequences, and every print or replay of them.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np

from edge import wire
from edge.core.choose import Unusable, choose
from edge.core.evidence import Evidence, Recognised, Terms
from edge.core.living.judge import LOOKS_MAX, Weights
from edge.core.match import Index
from edge.core.quality import enrolment_flaw, flaw
from edge.eyes import Eyes
from edge.ports import Detector, Embedder, Liveness
from edge.types import Embedding, Frame, Gallery, Look
from edge.vigil import Vigil
from tools.evaluate.networks import ROOT
from tools.evaluate.progress import tracked
from tools.liveness import seeing, sets
from tools.liveness.rates import Share, share

CODE = "edge/core/living/judge.py", "edge/vigil.py", "edge/eyes.py", "edge/core/track.py"
"""Of the eyes, beyond what turns a frame into signs."""

TEMPLATES = 5
"""As ``facelatch enroll`` keeps by default."""


class Stay(msgspec.Struct, frozen=True):
    """One sequence before the door, and whom it opened for with and without liveness; None: for nobody."""

    collection: str
    kind: str
    person: str
    name: str
    off: str | None
    required: str | None
    frames: int


class Opened(msgspec.Struct, frozen=True):
    """How many of the sequences of one kind opened the door."""

    collection: str
    kind: str
    liveness: str
    opened: Share


class Watched(msgspec.Struct, frozen=True):
    """What the eyes reported of one sequence."""

    sequence: sets.Sequence
    reports: list[wire.Report]


def watch(
    found: Sequence[sets.Sequence],
    detector: Detector,
    embedder: Embedder,
    network: Liveness,
    weights: dict[str, Weights],
    key: str,
    cache: Path | None,
) -> list[Watched]:
    """Every sequence of a collection that has weights, through the product's eyes. ``key``: stands for the network."""
    watched = []
    code = seeing.digest("".join((ROOT / name).read_text() for name in CODE))
    for sequence in tracked([each for each in found if each.collection in weights], "Before the door"):
        named = seeing.digest(f"{key} {code} {weights[sequence.collection]} {sequence.light} {sequence.name}")
        path = None if cache is None else cache / f"door-{named}.json"
        if path is not None and path.is_file():
            reports = msgspec.json.decode(path.read_bytes(), type=list[wire.Report])
        else:
            reports = _reports(sequence, detector, embedder, Vigil(network, weights[sequence.collection]))
            seeing.keep(path, reports)
        watched.append(Watched(sequence, reports))
    return watched


def _reports(sequence: sets.Sequence, detector: Detector, embedder: Embedder, vigil: Vigil) -> list[wire.Report]:
    reports: list[wire.Report] = []

    def keep(message: wire.FromEyes) -> None:
        if isinstance(message, wire.Report):
            reports.append(message)

    eyes = Eyes(detector, embedder, keep, vigil=vigil)
    for number, rgb in enumerate(sequence.frames()):
        eyes.see(Frame(rgb, 100 + number * sequence.step_s, number))
    return reports


def stays(watched: Sequence[Watched], dimension: int, terms: Terms, min_face_px: float) -> list[Stay]:
    """Who is let in. ``terms``: the product's, with liveness required."""
    found = []
    off = replace(terms, liveness_min=None)
    for collection in sorted({each.sequence.collection for each in watched}):
        here = [each for each in watched if each.sequence.collection == collection]
        enrolled = _enrolled(here, dimension, min_face_px)
        if enrolled is None:
            continue
        index, used = enrolled
        for each in here:
            sequence = each.sequence
            if sequence.name in used and sequence.paths[0].suffix not in sets.VIDEOS:
                continue
            for number, part in enumerate(_parts(each, sequence.name in used)):
                let_in = [_opened_for(part, index, dimension, wanted, min_face_px) for wanted in (off, terms)]
                name = f"{sequence.name}, {number + 1}"
                found.append(Stay(collection, sequence.kind, sequence.person, name, let_in[0], let_in[1], len(part)))
    return found


def opened(found: Sequence[Stay]) -> list[Opened]:
    """For each collection and kind: the share of sequences that opened the door (for anybody)."""
    rows = []
    for collection, kind in sorted({(each.collection, each.kind) for each in found}):
        here = [each for each in found if (each.collection, each.kind) == (collection, kind)]
        for liveness in ("off", "required"):
            hits = np.array([getattr(each, liveness) is not None for each in here])
            rows.append(
                Opened(collection, kind, liveness, share(hits, [e.person for e in here], [e.name for e in here]))
            )
    return rows


def _parts(watched: Watched, was_enrolled: bool) -> list[list[wire.Report]]:
    """A sequence as approaches: pictures whole; a video in pieces of twice ``LOOKS_MAX`` frames, without the first
    quarter where that was enrolled from."""
    reports = watched.reports
    if watched.sequence.paths[0].suffix not in sets.VIDEOS:
        return [reports]
    length = 2 * LOOKS_MAX
    start = len(reports) // 4 if was_enrolled else 0
    return [reports[i : i + length] for i in range(start, len(reports) - length + 1, length)] or [reports[start:]]


def _enrolled(here: Sequence[Watched], dimension: int, min_face_px: float) -> tuple[Index, set[str]] | None:
    """Everybody's templates, from the first session; and the sequences that they were taken from."""
    templates: list[Embedding] = []
    owners: list[int] = []
    names: dict[int, str] = {}
    used: set[str] = set()
    live = [each for each in here if each.sequence.live]
    for number, person in enumerate(sorted({each.sequence.person for each in live}), start=1):
        own = [each for each in live if each.sequence.person == person]
        first = min(each.sequence.session for each in own)
        chosen = next(each for each in own if each.sequence.session == first)
        reports = chosen.reports
        if chosen.sequence.paths[0].suffix in sets.VIDEOS:
            reports = reports[: len(reports) // 4]
        seen = [look for report in reports for look in wire.to_looks(report, dimension)[:1]]
        good = [look for look in seen if enrolment_flaw(look.quality, min_face_px) is None]
        # One clip is too dark for `facelatch enroll` throughout; its owner is enrolled all the same.
        looks = good or [look for look in seen if flaw(look.quality, min_face_px) is None]
        if not looks:
            continue
        used.add(chosen.sequence.name)
        names[number] = person
        for place in np.unique(np.linspace(0, len(looks) - 1, TEMPLATES).round().astype(int)):
            templates.append(looks[place].embedding)
            owners.append(number)
    if not templates:
        return None
    return Index(Gallery(np.array(templates, np.float32), np.array(owners, np.int64), names)), used


def _opened_for(
    reports: Sequence[wire.Report], index: Index, dimension: int, terms: Terms, min_face_px: float
) -> str | None:
    evidence = Evidence(terms)
    for report in reports:
        looks: list[Look] = wire.to_looks(report, dimension)
        chosen = choose(looks, report.faces_in_frame, "refuse", min_face_px)
        if chosen is None:
            continue
        now_s = report.captured_s
        if not isinstance(chosen, Unusable):
            verdict = evidence.add(chosen, index.best, now_s)
            if isinstance(verdict, Recognised):
                return verdict.name
        elif chosen.look is None:
            evidence.spoil(chosen.reason, now_s, report.frame)
        else:
            evidence.unusable(chosen.reason, chosen.look)
    return None
