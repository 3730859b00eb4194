"""What photographs lose on the way over a cable: enrolled from the files, and from what a laptop sends of them.

Everybody of FOLDER/NAME/* is enrolled twice by the session of the product. A template is compared with that of the same
photograph, and a person's mean of templates, which is what the lock matches by, with the other mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from edge.enroll.folder import people_in
from edge.enroll.session import Session
from edge.errors import FaceError, InputError
from edge.images import decode_rgb, read_rgb
from edge.laptop.prepare import prepare
from edge.settings import FacesConfig
from edge.types import TEMPLATES_MAX, Embedding, FloatArray
from tools.evaluate.networks import Networks
from tools.evaluate.progress import tracked

NEAR = 0.995
"""The cosine that is wished for."""

PHOTOS = 8
"""Of one person, evenly chosen."""


class Sent(msgspec.Struct):
    """Over ``people``; ``lost``: templates of the files of which nothing came through. Cosines as [minimum, 5 %,
    median], ``near`` the shares of at least ``NEAR``. Bytes as [mean, largest] of a person."""

    people: int
    templates: int
    lost: int
    template_cosines: list[float]
    templates_near: float
    person_cosines: list[float]
    people_near: float
    original_bytes: list[float]
    sent_bytes: list[float]


@dataclass(frozen=True, slots=True)
class _Person:
    files: dict[str, Embedding]
    sent: dict[str, Embedding]
    original_bytes: int
    sent_bytes: int


def sending(folder: Path, networks: Networks, limit: int | None) -> Sent:
    """Raises InputError when nobody in the folder can be enrolled, ImageError when it cannot be read."""
    entries = [entry for entry in people_in(folder) if len(entry.pictures) > 1][:limit]
    people = []
    for entry in tracked(entries, "sending"):
        step = max(len(entry.pictures) / PHOTOS, 1)
        pictures = [entry.pictures[int(number * step)] for number in range(min(PHOTOS, len(entry.pictures)))]
        try:
            person = _person(pictures, networks)
        except FaceError:
            continue
        if person.files:
            people.append(person)
    if not people:
        raise InputError(f"Nobody in {folder} can be enrolled. Give a folder of FOLDER/NAME/*.jpg.")
    pairs = [
        (person.files[name], person.sent[name]) for person in people for name in person.files if name in person.sent
    ]
    templates = [float(np.dot(*pair)) for pair in pairs]
    means = [float(np.dot(_mean(person.files), _mean(person.sent))) for person in people if person.sent]
    count = sum(len(person.files) for person in people)
    return Sent(
        people=len(people),
        templates=count,
        lost=count - len(pairs),
        template_cosines=_three(templates),
        templates_near=_near(templates),
        person_cosines=_three(means),
        people_near=_near(means),
        original_bytes=_two([person.original_bytes for person in people]),
        sent_bytes=_two([person.sent_bytes for person in people]),
    )


def _person(pictures: Sequence[Path], networks: Networks) -> _Person:
    made = prepare(pictures)
    files = {path.name: read_rgb(path) for path in pictures}
    sent = {photo.source: decode_rgb(made.files[photo.digest], photo.source) for photo in made.photos}
    size = sum(photo.size for photo in made.photos)
    return _Person(_enrolled(files, networks), _enrolled(sent, networks), made.original_bytes, size)


def _enrolled(pictures: dict[str, "np.typing.NDArray[np.uint8]"], networks: Networks) -> dict[str, Embedding]:
    """Every usable template: which of many are kept is another question."""
    session = Session(networks.detector(), networks.embedder(), FacesConfig().min_px)
    for name, rgb in pictures.items():
        session.add(name, rgb)
    return {each.source: each.embedding for each in session.finish(TEMPLATES_MAX) if each.embedding is not None}


def _mean(templates: dict[str, Embedding]) -> FloatArray:
    total = np.sum(list(templates.values()), axis=0, dtype=np.float32)
    return np.asarray(total / np.linalg.norm(total), np.float32)


def _three(values: Sequence[float]) -> list[float]:
    return [round(float(np.quantile(values, q)), 4) for q in (0, 0.05, 0.5)] if values else []


def _near(values: Sequence[float]) -> float:
    return round(float(np.mean(np.array(values) >= NEAR)), 3) if values else 0.0


def _two(values: Sequence[int]) -> list[float]:
    return [round(float(np.mean(values))), float(max(values))]
