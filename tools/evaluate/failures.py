"""The worst failures side by side, with what the lock knows of them, for people to judge."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.annotate import save_png
from edge.core.quality import enrolment_flaw, measure
from edge.devices.capture import open_capture, read_rgb_frame
from edge.errors import ImageError
from edge.images import read_rgb
from edge.types import Quality, Rgb
from tools.evaluate.approaches import STILLS, Judged
from tools.evaluate.describe import subject
from tools.evaluate.networks import Networks

COUNT = 10
SIDE_PX, GAP_PX, LINE_PX = 168, 14, 17
COLUMNS = 2
VIDEOS = frozenset({".mkv", ".mp4", ".avi", ".gif"})


@dataclass(frozen=True, slots=True)
class Failure:
    """``pictures``: the visitor's, and that of whom the visitor was taken for, or is enrolled as."""

    what: str
    judged: Judged
    pictures: tuple[Path, Path]


def worst(judged: Sequence[Judged], count: int = COUNT) -> list[Failure]:
    """The strangers who were let in or came closest, then the owners who were refused or came least close, each person
    once.

    At the highest threshold that was judged, where no approach ends early.
    """
    strictest = max(each.similarity_min for each in judged)
    told = [each for each in judged if each.similarity_min == strictest and each.outcome.person_id is not None]
    strangers = sorted((each for each in told if each.case.owner is None), key=lambda each: -each.outcome.similarity)
    owners = sorted((each for each in told if each.case.owner is not None), key=lambda each: each.outcome.similarity)
    return [
        *(Failure("stranger", each, _pictures(each)) for each in _once(strangers)[:count]),
        *(Failure("owner", each, _pictures(each)) for each in _once(owners, by_visit=True)[:count]),
    ]


def explained(failure: Failure, quality: Quality | None) -> list[str]:
    """In words: who, how close, and what is wrong with the looks. ``quality``: of a still's picture."""
    each, visit = failure.judged, failure.judged.case.visit
    place = each.outcome.person_id
    name = "nobody" if place is None else each.case.people[place].person
    if each.case.owner is None:
        who = f"{visit.person} as {name}: {each.outcome.similarity:.2f}"
    else:
        who = f"{visit.person}, {visit.name}: {each.outcome.similarity:.2f}"
    qualities = [quality] if quality is not None else [look.quality for look in visit.usable("nearest")]
    flaws = Counter(
        flaw.partition("(")[0].strip() for one in qualities if (flaw := enrolment_flaw(one, 0.0)) is not None
    )
    if not flaws:
        why = "alike: no picture is flawed" if each.case.owner is None else "another day: no look is flawed"
    else:
        flaw, times = flaws.most_common(1)[0]
        why = flaw if quality is not None else f"{flaw} in {times} of {len(qualities)} looks"
    return [who, why]


def draw(path: Path, failures: Sequence[Failure], networks: Networks) -> None:
    """The sheet. Raises ImageError."""
    from PIL import Image, ImageDraw, ImageFont

    detector, embedder = networks.detector(), networks.embedder()

    def face(picture: Path) -> tuple[Rgb, Quality | None]:
        rgb = _shown(picture)
        found = subject(rgb, detector.detect(rgb))
        if found is None:
            return np.full((112, 112, 3), 200, np.uint8), None
        aligned = embedder.align(rgb, found.landmarks)
        return aligned, measure(found, aligned)

    width, height = 2 * SIDE_PX + GAP_PX, SIDE_PX + 2 * LINE_PX + GAP_PX
    rows = -(-len(failures) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * width + GAP_PX, rows * height + GAP_PX), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=13)
    for number, failure in enumerate(failures):
        left, top = GAP_PX + number % COLUMNS * width, GAP_PX + number // COLUMNS * height
        quality = None
        for place, picture in enumerate(failure.pictures):
            pixels, found = face(picture)
            sheet.paste(Image.fromarray(pixels).resize((SIDE_PX, SIDE_PX)), (left + place * SIDE_PX, top))
            quality = found if place == 0 and len(failure.judged.case.visit.seen) and _is_still(failure) else quality
        for line, text in enumerate(explained(failure, quality)):
            pen.text((left, top + SIDE_PX + 1 + line * LINE_PX), text[:52], fill="black", font=font)
    save_png(np.asarray(sheet, np.uint8), path)


def _is_still(failure: Failure) -> bool:
    return failure.judged.case.who == STILLS


def _pictures(each: Judged) -> tuple[Path, Path]:
    place = each.outcome.person_id if each.case.owner is None else each.case.owner
    return each.case.visit.picture, each.case.people[place or 0].example


def _once(judged: Sequence[Judged], *, by_visit: bool = False) -> list[Judged]:
    seen: dict[str, Judged] = {}
    for each in judged:
        visit = each.case.visit
        seen.setdefault(f"{visit.person} {visit.name}" if by_visit else visit.person, each)
    return list(seen.values())


def _shown(path: Path) -> Rgb:
    if path.suffix.lower() not in VIDEOS:
        return read_rgb(path)
    capture, _ = open_capture(str(path))
    try:
        rgb = read_rgb_frame(capture)
    finally:
        capture.release()
    if rgb is None:
        raise ImageError(f"The video {path!s:.120} shows nothing. Use another.")
    return rgb
