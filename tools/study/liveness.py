"""How well a liveness network of our own does on collections that it never saw, beside the networks of other people.

Two trainings, each without two of the four collections that hold attacks, judged on those two: harder than leaving out
one at a time, and half the time.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.models.interpreter import Net
from tools.models.pixels import Pixels
from tools.train import figures, learn, net
from tools.train.crops import CONDITIONS, Cache, conditions
from tools.train.judges import TEACHERS
from tools.train.liveness import opened, probabilities, quantised
from tools.train.material import ATTACKED

THRESHOLD = 0.5

LEFT_OUT = (("nuaa", "tran"), ("lestari", "crops"))
"""Each half keeps replays and live people before webcams; NUAA's are the only real prints."""

OTHERS: Mapping[str, tuple[str, ...]] = {
    "fr_liveness as published": ("fr_liveness",),
    "shipped: fr_liveness, cpu": ("shipped cpu",),
    "shipped: fr_liveness, edgetpu": ("shipped edgetpu",),
    "MiniFASNetV2 (teacher)": ("minifasnet_v2_scale2.7_fp32.tflite",),
    "MiniFASNetV1SE (teacher)": ("minifasnet_v1se_scale4.0_fp32.tflite",),
    "both teachers, mean": tuple(TEACHERS),
}

Floats = npt.NDArray[np.float64]


def study(cache: Cache, work: Path, report: Callable[[str, float], None]) -> list[dict[str, Any]]:
    """A row for each collection, condition and network."""
    rows = []
    networks: dict[str, dict[str, Net]] = {}
    for left_out in LEFT_OUT:
        files = unseen(cache, left_out, work, report)
        opened_now = {variant: opened(files, variant, work / "-".join(left_out)) for variant in files}
        networks |= dict.fromkeys(left_out, opened_now)
    for number, collection in enumerate(ATTACKED):
        chosen = Judged(cache, collection)
        for name, judges in OTHERS.items():
            for place, condition in enumerate(CONDITIONS):
                said = [float(np.mean([row["judged"][judge][place] for judge in judges])) for row in chosen.rows]
                rows.append(_row(collection, condition, name, chosen.rows, np.array(said)))
        for variant, network in networks[collection].items():
            for place, condition in enumerate(CONDITIONS):
                scores = probabilities(network, chosen.pixels(place))
                rows.append(_row(collection, condition, f"ours, {variant}", chosen.rows, scores))
        report("measure", (number + 1) / len(ATTACKED))
    return rows


def unseen(cache: Cache, without: Sequence[str], work: Path, report: Callable[[str, float], None]) -> dict[str, bytes]:
    """The network trained and calibrated without some collections, in every variant. A training is kept in the work
    folder, and not done again."""
    name = f"without {' and '.join(without)}"
    path = work / f"{name.replace(' ', '-')}.npz"
    if not path.exists():
        step = partial(_told, partial(report, f"train {name}"))
        work.mkdir(parents=True, exist_ok=True)
        net.save(learn.train(cache, learn.lesson(cache, without), step).folded(), path)
    return quantised(net.network(net.load(path)), cache, without)


def _told(report: Callable[[float], None], number: int, _loss: float) -> None:
    report((number + 1) / learn.STEPS)


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
