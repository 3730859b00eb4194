"""The calibration table: strangers let in, predicted by ``edge.core.risk`` and observed.

Nobody is in both: half of the people of the tail, and of the crowd, are measured, and the others come as strangers to a
door where others of them are enrolled; then the other way round, and the two are added up. A photograph is an approach
whose looks are all alike. NUAA's people are in no part of the prediction but rho; its sequences are whole approaches,
fifteen looks each. Every gallery of N is counted, without drawing one (``strangers``).
"""

import msgspec
import numpy as np
import numpy.typing as npt

from edge.core import risk
from edge.core.centre import centres
from edge.core.risk import Calibration, Measure
from edge.core.share import one_in
from edge.core.stopping import STANDARD
from edge.output import table
from edge.types import FloatArray
from tools.evaluate import calibration as cal
from tools.evaluate import report, statistics
from tools.evaluate.calibration import LOOKS, Described, Sets
from tools.evaluate.comparing import Indices
from tools.evaluate.progress import tracked
from tools.evaluate.statistics import Floats, Interval
from tools.evaluate.strangers import absent

LEVELS = (1e-1, 1e-2, 1e-3, 1e-4)
SIZES = (1, 5, 20, 100)
TOP = 0.02
"""Of a large set's comparisons: far beyond the lowest threshold that is used."""


class Line(msgspec.Struct, frozen=True):
    """One risk that was asked for. ``expected`` and ``most``: the prediction and its upper end for this threshold;
    ``alike`` for a crowd of one kind. ``observed``: the share of ``approaches`` let in over all galleries, ``let_in``
    so many approaches of ``people`` by any of the people enrolled; ``at_most``: with no event at all, the rule of three
    over people."""

    variant: str
    data: str
    enrolled: int
    asked: float
    similarity_min: float
    expected: float
    most: float
    alike: float
    observed: float
    interval: Interval
    let_in: int
    approaches: int
    people: int
    at_most: float | None

    @property
    def verdict(self) -> str:
        if not self.let_in:
            return f"none seen: below {self.at_most:.2g}"
        if self.observed <= self.most:
            return "conservative"
        if self.observed <= self.alike:
            return "too low here; not for one kind"
        return "TOO LOW"


def compare(variant: str, sets: Sets) -> list[Line]:
    """All lines of one variant."""
    found = _halves(variant, sets)
    whole = cal.calibrate(sets)
    found += _lines(variant, "NUAA sequences", [(whole, *_of_sequences(sets.sequences))], templates=cal.TEMPLATES)
    return found


Crossings = tuple[FloatArray, Indices]
"""(A, P) the highest similarity that an approach reaches beyond what the rule asks for before the end, minus infinity
at the approach's own person; and whose approach each is."""


def _halves(variant: str, sets: Sets) -> list[Line]:
    """Predicted from one half of the people, observed on the other."""
    wide, crowd = [], []
    generator = np.random.default_rng(statistics.SEED)
    parts = [np.array_split(generator.permutation(each.people), 2) for each in (sets.wide, sets.crowd)]
    for this, that in ((0, 1), (1, 0)):
        measured = cal.calibrate(Sets(sets.wide.only(parts[0][this]), sets.crowd.only(parts[1][this]), sets.sequences))
        wide.append((measured, *_of_pictures(sets.wide.only(parts[0][that]))))
        crowd.append((measured, *_of_pictures(sets.crowd.only(parts[1][that]))))
    return [
        *_lines(variant, "LFW View 1, the other half", wide, templates=1),
        *_lines(variant, "London, the other half", crowd, templates=1),
    ]


def _of_pictures(described: Described) -> Crossings:
    """Everybody's first picture enrolled; each picture an approach."""
    enrolled = described.embeddings[np.unique(described.owners, return_index=True)[1]]
    similarities = described.embeddings @ enrolled.T
    similarities[np.arange(len(similarities)), described.owners] = -np.inf
    return similarities, described.owners


def _of_sequences(described: Described) -> Crossings:
    """Everybody enrolled with five looks spread over the first sequence; fifteen successive looks an approach."""
    people, enrolled = described.people, []
    for person in range(people):
        rows = np.flatnonzero(described.owners == person)
        first = rows[: len(rows) if len(rows) <= 30 else 30]
        few = first[np.linspace(0, len(first) - 1, cal.TEMPLATES).astype(int)]
        enrolled.append(centres(described.embeddings[few], np.zeros(len(few), np.intp), 1)[0])
    beyond = [STANDARD.needed(looks, 0.0) for looks in range(1, LOOKS + 1)]
    reached, whose = [], []
    for rows in cal.approaches(described.names):
        means = cal.running(described.embeddings[rows]) @ np.array(enrolled).T
        most = (means - np.array(beyond)[:, None]).max(axis=0)
        most[described.owners[rows[0]]] = -np.inf
        reached.append(most)
        whose.append(described.owners[rows[0]])
    return np.array(reached, np.float32), np.array(whose)


def _lines(variant: str, data: str, folds: list[tuple[Calibration, FloatArray, Indices]], templates: int) -> list[Line]:
    found = []
    people = sum(reached.shape[1] for _, reached, _ in folds)
    smallest = min(reached.shape[1] for _, reached, _ in folds)
    for size in tracked([each for each in SIZES if each < smallest], f"Odds, {data}"):
        for asked in LEVELS:
            if asked * people * size < 0.1:
                continue  # not even a tenth of a person would be let in, were the prediction right
            gallery = [templates] * size
            thresholds = [_threshold(measured, gallery, asked) for measured, _, _ in folds]
            told = [risk.odds(m, gallery, t) for (m, _, _), t in zip(folds, thresholds, strict=True)]
            crossed = [reached >= t for (_, reached, _), t in zip(folds, thresholds, strict=True)]
            let_in = int(sum(each.any(axis=1).sum() for each in crossed))
            shares = np.mean(
                [_shares(each, whose, size) for each, (_, _, whose) in zip(crossed, folds, strict=True)], axis=0
            )
            found.append(
                Line(
                    variant,
                    data,
                    size,
                    asked,
                    float(np.mean(thresholds)),
                    float(np.mean([each.admitted for each in told])),
                    float(np.mean([each.high for each in told])),
                    float(np.mean([each.alike for each in told])),
                    float(shares[0]),
                    statistics.ends(shares[1:]),
                    let_in,
                    sum(len(each) for each in crossed),
                    people,
                    None if let_in else min(3 / people, 1.0),
                )
            )
    return found


def _threshold(measured: Calibration, gallery: list[int], asked: float) -> float:
    """As the lock derives it, but without its lowest value: a table wants errors to count."""
    low, high = 0.0, risk.HIGHEST
    for _ in range(12):
        middle = (low + high) / 2
        if risk.odds(measured, gallery, middle).high <= asked:
            high = middle
        else:
            low = middle
    return high


def _shares(crossed: npt.NDArray[np.bool_], whose: Indices, size: int) -> Floats:
    """(1 + R,) the share of approaches let in over all galleries of ``size`` other people, with everybody once and
    then draw by draw. Draws with too few people left are NaN."""
    people = crossed.shape[1]
    approach, person = np.nonzero(crossed)
    found = []
    for drawn in [np.ones(people, np.float32), *statistics.draws(people)]:
        weights = drawn.astype(np.int64)
        near = np.bincount(approach, weights[person], minlength=len(whose)).astype(np.int64)
        others = weights.sum() - weights[whose]
        coming = weights[whose] > 0
        if not coming.any() or others[coming].min() < size:
            found.append(np.nan)
            continue
        let_in = 1 - absent(others[coming], near[coming], size)
        found.append(float(np.average(let_in, weights=weights[whose][coming])))
    return np.array(found)


def print_lines(lines: list[Line]) -> None:
    """The table, one for each set."""
    for variant, data in dict.fromkeys((line.variant, line.data) for line in lines):
        group = [line for line in lines if (line.variant, line.data) == (variant, data)]
        rows = [
            (
                line.enrolled,
                one_in(line.asked),
                f"{line.similarity_min:.3f}",
                f"{line.expected:.2e}\n{line.most:.2e}",
                f"{line.alike:.2e}",
                f"{line.observed:.2e}\n[{line.interval[0]:.1e}, {line.interval[1]:.1e}]",
                f"{line.let_in:,} of {line.approaches:,}",
                line.verdict,
            )
            for line in group
        ]
        heads = ("enrolled", "asked", "from", "predicted\nat most", "one kind", "observed", "approaches", "verdict")
        table(f"{data}, {group[0].people:,} people: strangers let in, {variant}", heads, rows)
    report.dim(
        "Shares of approaches over all galleries of so many people; in brackets 95 % by bootstrap over people. "
        "Approaches: those that any of all people enrolled would let in. None seen: the rule of three over people."
    )


def print_calibrations(found: dict[str, Calibration]) -> None:
    """What was measured, a column for each variant."""

    def shown(of: Measure) -> str:
        return f"{of.value:.3f} [{of.low:.3f}, {of.high:.3f}]"

    rows: list[tuple[str, ...]] = []
    for place, share in enumerate(risk_shares(found)):
        ends = [(c.similarities[place], c.lows[place], c.highs[place]) for c in found.values()]
        rows.append(
            (f"exceeded by {report.power(share)}", *(f"{v:.3f} [{low:.3f}, {high:.3f}]" for v, low, high in ends))
        )
    for name in ("crowd", "alike", "templates", "rho", "agreement"):
        rows.append((name, *(shown(getattr(each, name)) for each in found.values())))
    rows.append(("approaches of owners", *(str(len(each.owners)) for each in found.values())))
    table("What the odds are made of", ("", *found), rows)


def risk_shares(found: dict[str, Calibration]) -> tuple[float, ...]:
    return min((each.shares for each in found.values()), key=len)
