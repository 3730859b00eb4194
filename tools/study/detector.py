"""MTCNN's pyramid and thresholds, chosen on one half of a set of boxed faces and measured on the other."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from edge.core import pyramid
from edge.models import mtcnn
from edge.models.manifest import Shelf
from edge.models.mtcnn import Mtcnn
from tools.evaluate.detection import VIEWS, look_at
from tools.evaluate.networks import MIN_FACE_PX
from tools.evaluate.wider import Picture

FACTORS = (0.5, 0.6, pyramid.FACTOR, 0.79, 0.85)
THRESHOLDS = {"pnet": (0.4, 0.5, 0.6, 0.7), "rnet": (0.5, 0.6, 0.7, 0.8), "onet": (0.5, 0.6, 0.7, 0.8, 0.9)}


def study(pictures: Sequence[Picture], shelf: Shelf) -> list[dict[str, Any]]:
    """A row per setting: recall and false faces a picture on every other picture (to choose by), and on the rest."""
    rows = [_measured(pictures, shelf, f"factor {factor}", factor=factor) for factor in FACTORS]
    for stage, limits in THRESHOLDS.items():
        for limit in limits:
            rows.append(_measured(pictures, shelf, f"{stage} from {limit}", stage=stage, limit=limit))
    return rows


def _measured(pictures: Sequence[Picture], shelf: Shelf, what: str, **setting: Any) -> dict[str, Any]:
    with _set(**setting):
        detector = Mtcnn(shelf, min_face_px=MIN_FACE_PX)
        tallies = look_at(pictures, detector, what)
    row: dict[str, Any] = {"setting": what}
    for name, half in (("choose", tallies[::2]), ("measure", tallies[1::2])):
        row[f"recall_{name}"] = sum(len(one.found) for one in half) / sum(len(one.sizes_px) for one in half)
        row[f"false_{name}"] = sum(one.false for one in half) / len(half) / VIEWS
    return row


@contextmanager
def _set(factor: float = pyramid.FACTOR, stage: str | None = None, limit: float = 0.0) -> Iterator[None]:
    """The product's constants, changed for a while: it has no switch for them."""
    kept = pyramid.FACTOR, dict(mtcnn.PROBABILITY_MIN)
    pyramid.FACTOR = factor
    if stage is not None:
        mtcnn.PROBABILITY_MIN[stage] = limit
    try:
        yield
    finally:
        pyramid.FACTOR = kept[0]
        mtcnn.PROBABILITY_MIN.update(kept[1])
