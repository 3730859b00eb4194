"""Who of a set of people looks most alike, by the mean of each one's pictures as `facelatch people check` compares
them, and their faces side by side, for people to judge."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from edge.annotate import save_png
from edge.core.match import Index
from edge.images import read_rgb
from edge.types import Gallery, Rgb
from tools.evaluate.describe import describe_all, faces, subject
from tools.evaluate.networks import Networks
from tools.evaluate.sets import DataSet

COLUMNS = 3
GAP_PX, CAPTION_PX = 12, 22


class Pair(msgspec.Struct, frozen=True):
    """Two people and the cosine of their means; a picture of each, below the set's folder."""

    first: str
    second: str
    similarity: float
    pictures: tuple[str, str]


class Closest(msgspec.Struct, frozen=True):
    """The pairs most alike, of ``compared``. ``at_least``: how many reach each threshold."""

    networks: str
    variant: str
    digest: str
    data_set: str
    people: int
    compared: int
    at_least: dict[str, int]
    pairs: list[Pair]


THRESHOLDS = (0.45, 0.50, 0.55, 0.60)


def closest(data_set: DataSet, networks: Networks, cache: Path | None, count: int) -> Closest:
    """The ``count`` pairs most alike. Raises ImageError, ModelError, InputError."""
    embeddings = describe_all(data_set, networks, cache)
    found = faces(embeddings)
    people, owners = data_set.people, data_set.owners
    names = dict(enumerate(people))
    index = Index(Gallery(embeddings[found], owners[found].astype(np.int64), names))
    example = {int(owner): data_set.names[row] for row, owner in reversed(list(enumerate(owners))) if found[row]}
    all_pairs = index.pairs(-1.0, len(index) * len(index))
    return Closest(
        networks.label,
        networks.variant,
        networks.digest,
        data_set.name,
        len(index),
        len(all_pairs),
        {f"{each:.2f}": sum(similarity >= each for _, _, similarity in all_pairs) for each in THRESHOLDS},
        [Pair(people[a], people[b], similarity, (example[a], example[b])) for a, b, similarity in all_pairs[:count]],
    )


def draw(path: Path, pairs: Sequence[Pair], folder: Path, networks: Networks) -> None:
    """A sheet of the pairs, each face as the network sees it. Raises ImageError."""
    from PIL import Image, ImageDraw, ImageFont

    detector, embedder = networks.detector(), networks.embedder()

    def face(name: str) -> Rgb:
        rgb = read_rgb(folder / name)
        found = subject(rgb, detector.detect(rgb))
        if found is None:
            raise ValueError(f"{name} has lost its face")
        return embedder.align(rgb, found.landmarks)

    side = 112
    width, height = 2 * side + GAP_PX, side + CAPTION_PX + GAP_PX
    rows = -(-len(pairs) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * width + GAP_PX, rows * height + GAP_PX), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=14)
    for number, pair in enumerate(pairs):
        left, top = GAP_PX + number % COLUMNS * width, GAP_PX + number // COLUMNS * height
        for place, name in enumerate(pair.pictures):
            sheet.paste(Image.fromarray(face(name)), (left + place * side, top))
        caption = f"{pair.first} {pair.second} {pair.similarity:.2f}"
        pen.text((left, top + side + 2), caption[:34], fill="black", font=font)
    save_png(np.asarray(sheet, np.uint8), path)
