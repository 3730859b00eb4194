"""Every sign, every network and the judge, on collections that the judge was not fitted to."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec
import numpy as np
import numpy.typing as npt

from edge.core.living.judge import LOOKS_MAX, LOOKS_NEEDED, Judge, Signs, Weights, pooled
from edge.core.stopping import STANDARD
from edge.types import FloatArray
from tools.liveness.fitting import fit, stretches, usable
from tools.liveness.rates import Floats, Share, auc, share, threshold_for, threshold_refusing
from tools.liveness.seeing import SeenSequence

APCERS = (0.10, 0.05, 0.03, 0.01)
"""Wanted shares for which operating points are given."""

ATTACKS = ("print", "replay")

Looks = list[list[Signs]]
"""Each look as ``Seen.signs``."""

STEP_S = 0.1
"""Between two looks, as the judge takes them."""

MORE_ALIVE = 1, -1, -1
"""Appearance, edges, parallax: which way each points."""


class Scored(msgspec.Struct, frozen=True):
    """Scores of one way to judge, of looks or of approaches; row by row where they are from."""

    scores: list[float]
    kinds: list[str]
    people: list[str]
    names: list[str]
    collections: list[str]

    def of(self, *kinds: str, collections: Sequence[str] = ()) -> Floats:
        return np.array(self.scores, dtype=np.float64)[self._rows(kinds, collections)]

    def rate(self, kinds: Sequence[str], threshold: float, collections: Sequence[str] = (), *, taken: bool) -> Share:
        """The share taken for live, or (``taken`` False) refused, with its interval."""
        rows = self._rows(kinds, collections)
        scores = np.array(self.scores, dtype=np.float64)[rows]
        picked = [i for i, row in enumerate(rows) if row]
        hits = scores >= threshold if taken else scores < threshold
        return share(hits, [self.people[i] for i in picked], [self.names[i] for i in picked])

    def _rows(self, kinds: Sequence[str], collections: Sequence[str]) -> npt.NDArray[np.bool_]:
        """All collections where none is named."""
        here = np.isin(np.array(self.collections), list(collections or set(self.collections)))
        found: npt.NDArray[np.bool_] = np.isin(np.array(self.kinds), list(kinds)) & here
        return found


class Row(msgspec.Struct, frozen=True):
    """One way to judge on some collections, for one kind of attack."""

    judge: str
    collections: str
    attack: str
    live_looks: int
    attack_looks: int
    look_auc: float
    look_apcer_at_bpcer_5: Share
    live_approaches: int
    attack_approaches: int
    approach_auc: float
    approach_apcer_at_bpcer_3: Share


class Point(msgspec.Struct, frozen=True):
    """The fusion at the product's threshold."""

    collections: str
    attack: str
    level: str
    threshold: float
    apcer: Share
    bpcer: Share
    acer: float


class Operating(msgspec.Struct, frozen=True):
    """What a wanted APCER asks for, over all collections."""

    level: str
    apcer: float
    threshold: float
    bpcer: float


def left_out(seen: Sequence[SeenSequence], network: str, rooms: Sequence[float]) -> dict[str, Weights]:
    """For each collection the weights fitted to all others; none where those hold no attack."""
    found = {}
    for collection in sorted({each.collection for each in seen}):
        rest = [each for each in seen if each.collection != collection]
        if {each.kind == "live" for each in rest} == {True, False}:
            found[collection] = fit(stretches(rest, network, rooms))
    return found


def score(seen: Sequence[SeenSequence], of_looks: Callable[[SeenSequence, Looks], list[float]], network: str) -> Scored:
    """Every look by ``of_looks``, which is given the looks of one approach in order; NaN is left out."""
    rows: list[tuple[float, SeenSequence]] = []
    for each in seen:
        for approach in approaches(usable(each, network)):
            rows += [(value, each) for value in of_looks(each, approach) if not math.isnan(value)]
    return _scored(rows)


def score_approaches(
    seen: Sequence[SeenSequence], of_approach: Callable[[SeenSequence, Looks], float], network: str
) -> Scored:
    """Every approach of ``LOOKS_MAX`` looks at most."""
    rows = [(of_approach(each, found), each) for each in seen for found in approaches(usable(each, network))]
    return _scored([(value, each) for value, each in rows if not math.isnan(value)])


def approaches(looks: Looks) -> list[Looks]:
    """Cut into ``LOOKS_MAX`` looks; a rest too short to open a door counts with none."""
    cut = [looks[i : i + LOOKS_MAX] for i in range(0, len(looks), LOOKS_MAX)]
    return [each for each in cut if len(each) >= LOOKS_NEEDED + STANDARD.looks_min - 1]


def answers(looks: Looks, weights: Weights) -> list[float]:
    """What the judge of the door says of each look of an approach, measured or not."""
    judge = Judge(weights)
    found: list[float] = []
    last = -1
    for number, look in enumerate(looks):
        answer = judge.held(0, number * STEP_S)
        if answer is None:
            answer = judge.add(0, look[max(number - last, 1) - 1], number * STEP_S)
            last = number
        found.append(0.0 if answer is None else answer)
    return found


def opening(looks: Looks, weights: Weights) -> float:
    """The threshold up to which an approach may open: so many answers reach it as the door wants looks."""
    decided = answers(looks, weights)[LOOKS_NEEDED - 1 :]
    return sorted(decided, reverse=True)[STANDARD.looks_min - 1]


def table(
    seen: Sequence[SeenSequence], networks: Sequence[str], network: str, weights: Mapping[str, Weights]
) -> tuple[list[Row], Scored, Scored]:
    """Every row, and the fusion's scores by look and by approach. ``weights``: by the collection left out."""
    fused = [each for each in seen if each.collection in weights]

    ways: list[tuple[str, Scored, Scored]] = []
    for place, name in ((1, "edges"), (2, "parallax")):
        by_one = score(seen, partial(_each, place), network)
        ways.append((name, by_one, score_approaches(seen, partial(_mean, place), network)))
    for name in networks:
        ways.append((name, score(seen, partial(_each, 0), name), score_approaches(seen, partial(_mean, 0), name)))
    by_look = score(
        fused,
        lambda each, looks: answers(looks, weights[each.collection])[LOOKS_NEEDED - 1 :],
        network,
    )
    by_approach = score_approaches(fused, lambda each, looks: opening(looks, weights[each.collection]), network)
    ways.append((f"fusion with {network}", by_look, by_approach))
    rows = [row for name, looks, found in ways for row in _rows(name, looks, found)]
    return rows, by_look, by_approach


def points(by_look: Scored, by_approach: Scored, threshold: float) -> list[Point]:
    """The fusion at the product's threshold, by collection and attack."""
    found = []
    for level, scored in (("look", by_look), ("approach", by_approach)):
        for collections, attack in _cases(scored):
            apcer = scored.rate([attack], threshold, collections, taken=True)
            bpcer = scored.rate(["live"], threshold, collections, taken=False)
            acer = (apcer.share + bpcer.share) / 2
            found.append(Point(" + ".join(collections), attack, level, threshold, apcer, bpcer, acer))
    return found


def operating(by_look: Scored, by_approach: Scored) -> list[Operating]:
    """Thresholds for each wanted APCER, by look and by approach, and what they cost."""
    found = []
    for level, scored in (("look", by_look), ("approach", by_approach)):
        attacks, live = scored.of(*ATTACKS), scored.of("live")
        for apcer in APCERS:
            threshold = threshold_for(attacks, apcer)
            found.append(Operating(level, apcer, threshold, float((live < threshold).mean())))
    return found


def det(scored: Scored) -> tuple[FloatArray, FloatArray]:
    """APCER and BPCER over every threshold."""
    attacks, live = np.sort(scored.of(*ATTACKS)), np.sort(scored.of("live"))
    thresholds = np.unique(np.concatenate([attacks, live, [np.inf]]))
    apcer = 1 - np.searchsorted(attacks, thresholds, side="left") / len(attacks)
    return apcer.astype(np.float32), (np.searchsorted(live, thresholds, side="left") / len(live)).astype(np.float32)


def _cases(scored: Scored) -> list[tuple[list[str], str]]:
    """Collections in which there are attacks of a kind, each by itself; several of one kind together, too."""
    found: list[tuple[list[str], str]] = []
    for attack in ATTACKS:
        pairs = zip(scored.collections, scored.kinds, strict=True)
        named = sorted({collection for collection, kind in pairs if kind == attack})
        found += [([each], attack) for each in named]
        found += [(named, attack)] if len(named) > 1 else []
    return found


def _rows(name: str, looks: Scored, found: Scored) -> list[Row]:
    rows = []
    for collections, attack in _cases(looks):
        live, attacks = looks.of("live", collections=collections), looks.of(attack, collections=collections)
        stays, tries = found.of("live", collections=collections), found.of(attack, collections=collections)
        rows.append(
            Row(
                judge=name,
                collections=" + ".join(collections),
                attack=attack,
                live_looks=len(live),
                attack_looks=len(attacks),
                look_auc=auc(live, attacks),
                look_apcer_at_bpcer_5=looks.rate([attack], threshold_refusing(live, 0.05), collections, taken=True),
                live_approaches=len(stays),
                attack_approaches=len(tries),
                approach_auc=auc(stays, tries),
                approach_apcer_at_bpcer_3=found.rate(
                    [attack], threshold_refusing(stays, 0.03), collections, taken=True
                ),
            )
        )
    return rows


def _each(place: int, _: SeenSequence, looks: Looks) -> list[float]:
    """One sign of each look, the higher the more alive; NaN where it is missing."""
    values = [(each.appearance, each.edges, each.parallax)[place] for each, *_ in looks]
    return [math.nan if value is None else value * MORE_ALIVE[place] for value in values]


def _mean(place: int, _: SeenSequence, looks: Looks) -> float:
    """One sign of an approach."""
    return pooled([each[0] for each in looks])[place] * MORE_ALIVE[place]


def _scored(rows: list[tuple[float, SeenSequence]]) -> Scored:
    return Scored(
        [value for value, _ in rows],
        [each.kind for _, each in rows],
        [each.person for _, each in rows],
        [each.name for _, each in rows],
        [each.collection for _, each in rows],
    )
