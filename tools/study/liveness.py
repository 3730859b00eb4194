"""How well the liveness network does on collections that it never saw: the shipped training, without one collection at
a time, judged on that collection; beside it the networks of other people."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tools.models.pixels import Pixels
from tools.train import figures, learn, net
from tools.train.crops import CONDITIONS, Cache, conditions
from tools.train.judges import TEACHERS
from tools.train.liveness import opened, probabilities, quantised
from tools.train.material import ATTACKED

THRESHOLD = 0.5

OTHERS: Mapping[str, tuple[str, ...]] = {
    "fr_liveness (baseline)": ("fr_liveness",),
    "MiniFASNetV2 (teacher)": ("minifasnet_v2_scale2.7_fp32.tflite",),
    "MiniFASNetV1SE (teacher)": ("minifasnet_v1se_scale4.0_fp32.tflite",),
    "both teachers, mean": tuple(TEACHERS),
}

Floats = npt.NDArray[np.float64]


def study(cache: Cache, work: Path, report: Callable[[str, float], None]) -> list[dict[str, Any]]:
    """A row for each collection, condition and network."""
    rows = []
    for number, collection in enumerate(ATTACKED):
        chosen = Judged(cache, collection)
        for name, judges in OTHERS.items():
            for place, condition in enumerate(CONDITIONS):
                scores = [float(np.mean([row["judged"][judge][place] for judge in judges])) for row in chosen.rows]
                rows.append(_row(collection, condition, name, chosen.rows, np.array(scores)))
        report(f"train without {collection}", 0)
        files = unseen(cache, {collection}, lambda done, what=collection: report(f"train without {what}", done))
        for variant in ("fp32", "cpu", "edgetpu"):
            network = opened(files, variant, work / collection)
            for place, condition in enumerate(CONDITIONS):
                scores = probabilities(network, chosen.pixels(place))
                rows.append(_row(collection, condition, f"ours, {variant}", chosen.rows, scores))
        report("measure", (number + 1) / len(ATTACKED))
    return rows


def unseen(cache: Cache, without: Collection[str], report: Callable[[float], None]) -> dict[str, bytes]:
    """The network trained and calibrated without some collections, in every variant."""
    lesson = learn.lesson(cache, without)
    trained = learn.train(cache, lesson, lambda number, _: report((number + 1) / learn.STEPS))
    return quantised(net.network(trained.folded()), cache, without)


class Judged:
    """The pictures of one collection, as recorded by a camera: no generated attack, no picture without a face."""

    def __init__(self, cache: Cache, collection: str) -> None:
        self._cache = cache
        self._numbers = [
            number
            for number, row in enumerate(cache.rows)
            if row["collection"] == collection and not row["made"] and row["kind"] != "no face"
        ]
        self.rows = [cache.rows[number] for number in self._numbers]

    def pixels(self, place: int) -> Pixels:
        """As the product cuts them, in one of the conditions; the noise is the one that the others were judged with."""
        squares = [conditions(np.asarray(self._cache.squares[number, 0]), number)[place] for number in self._numbers]
        return np.stack(squares)


def _row(
    collection: str, condition: str, name: str, rows: Sequence[Mapping[str, Any]], scores: Floats
) -> dict[str, Any]:
    live = np.array([row["kind"] == "live" for row in rows])
    # One person or two are no sample of people: there the recordings are what is drawn.
    people = [row["person" if collection == "nuaa" else "sequence"] for row in rows]
    owners = [who for who, alive in zip(people, live, strict=True) if alive]
    attackers = [who for who, alive in zip(people, live, strict=True) if not alive]
    found = figures.rates(scores[live], scores[~live], owners, attackers, THRESHOLD)
    return {
        "collection": collection,
        "condition": condition,
        "network": name,
        "live": found.live,
        "attacks": found.attacks,
        "units": len(set(people)),
        "auc": found.auc,
        "auc_interval": list(found.auc_interval),
        "apcer": found.apcer,
        "apcer_interval": list(found.apcer_interval),
        "bpcer": found.bpcer,
        "bpcer_interval": list(found.bpcer_interval),
        "apcer_at_bpcer_5": found.apcer_at_bpcer_5,
        "apcer_at_bpcer_3": found.apcer_at_bpcer_3,
    }
