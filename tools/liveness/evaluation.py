"""All of it in one go: look, judge what was left out, stand before the door."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from edge.approaches import terms
from edge.core.living.judge import Weights
from edge.core.risk import Limits
from edge.models.calibration import calibration_of
from edge.models.liveness import LivenessNet
from edge.models.manifest import LIVENESS, Shelf
from edge.models.mobilefacenet import MobileFaceNet
from edge.ports import Liveness
from edge.settings import Config
from tools.evaluate.networks import THREADS, revision
from tools.liveness import door, judging, seeing, sets
from tools.liveness.fitting import fit, stretches

ROOMS = "group_photos"
MIN_FACE_PX = Config().faces.min_px


class Evaluation(msgspec.Struct, frozen=True):
    """Everything that is printed. ``weights``: by the collection that they were not fitted to."""

    revision: str | None
    network: str
    digest: str
    rows: list[judging.Row]
    points: list[judging.Point]
    operating: list[judging.Operating]
    weights: dict[str, dict[str, float]]
    opened: list[door.Opened]
    stays: list[door.Stay]


class Looked(msgspec.Struct, frozen=True):
    """What there is to judge."""

    found: list[sets.Sequence]
    seen: list[seeing.SeenSequence]
    rooms: list[float]


def networks(shelves: list[Shelf], others: Mapping[str, Liveness]) -> dict[str, Liveness]:
    """The liveness network of each shelf, by its folder's name and variant, then others. Raises ModelError."""
    own: dict[str, Liveness] = {f"{shelf.folder.name} {shelf.variant}": LivenessNet(shelf) for shelf in shelves}
    return {**own, **others}


def look(
    data: Path,
    named: Mapping[str, Liveness],
    shelves: list[Shelf],
    cache: Path | None,
    light: str = "as recorded",
) -> Looked:
    """Every sequence of the data through detector, signs and networks. Raises InputError, ModelError."""
    found = sets.sequences(data, light)
    detector = seeing.detector(MIN_FACE_PX, THREADS)
    key = hashlib.sha256(" ".join([*named, *(shelf.card(LIVENESS).sha256 for shelf in shelves)]).encode()).hexdigest()
    seen = seeing.see(found, detector, named, key, cache)
    rooms = seeing.rooms(data / ROOMS, detector, cache) if (data / ROOMS).is_dir() else []
    return Looked(found, seen, rooms)


def evaluate(
    looked: Looked,
    named: Mapping[str, Liveness],
    shelf: Shelf,
    config: Config,
    cache: Path | None,
    *,
    with_door: bool = True,
    fitted_to: Looked | None = None,
) -> tuple[Evaluation, judging.Scored, judging.Scored]:
    """The fusion uses the first of the networks, which is the shelf's. ``fitted_to``: what the weights are from, where
    that is another light."""
    first = next(iter(named))
    material = fitted_to or looked
    weights = judging.left_out(material.seen, first, material.rooms)
    rows, by_look, by_approach = judging.table(looked.seen, list(named), first, weights)
    stays: list[door.Stay] = []
    if with_door:
        embedder = MobileFaceNet(shelf, threads=THREADS)
        detector = seeing.detector(MIN_FACE_PX, THREADS)
        attacked = {each.collection for each in looked.found if not each.live}
        kept = {collection: found for collection, found in weights.items() if collection in attacked}
        watched = door.watch(looked.found, detector, embedder, named[first], kept, shelf.card(LIVENESS).sha256, cache)
        stays = door.stays(watched, embedder.dimension, terms(config, _threshold(shelf)), MIN_FACE_PX)
    found = Evaluation(
        revision(),
        first,
        shelf.card(LIVENESS).sha256,
        rows,
        judging.points(by_look, by_approach, config.liveness.live_min),
        judging.operating(by_look, by_approach),
        {collection: plain(each) for collection, each in weights.items()},
        door.opened(stays),
        stays,
    )
    return found, by_look, by_approach


def fitted(looked: Looked, network: str) -> Weights:
    """The weights for the door: fitted to everything."""
    return fit(stretches(looked.seen, network, looked.rooms))


def plain(weights: Weights) -> dict[str, float]:
    """For files and tables."""
    return {name: round(getattr(weights, name), 4) for name in ("bias", "appearance", "edges", "parallax")}


def _threshold(shelf: Shelf) -> float:
    """What the lock derives for one person: the lowest that it ever asks, which opens to most."""
    return Limits(0.0, calibration=calibration_of(shelf)).decide([1]).similarity_min
