"""The one table of all variants, and what they had to reach."""

from collections.abc import Callable, Sequence
from functools import partial

from edge.output import table
from tools.evaluate.comparing import Compared, TarAtFar
from tools.evaluate.identification import DEFAULT, Rate
from tools.evaluate.record import Measured
from tools.evaluate.report import (
    difference,
    dim,
    estimate,
    fnir,
    fpir,
    landmark_error,
    power,
    print_origin,
    print_tail,
    warn_of_few,
)
from tools.evaluate.targets import Target
from tools.evaluate.verification import FARS

Row = tuple[str, Callable[[Measured], str]]

FPIR_AT = (0.45, DEFAULT)
"""Thresholds of the table: one where so few people show a difference, and the product's own."""


def print_summary(measured: Sequence[Measured]) -> None:
    """One column a variant: size, LFW, detection; then each set of people; then the tails."""
    one = measured[0]
    rows: list[Row] = [
        ("size, KB", lambda m: f"{m.size_bytes / 1000:,.0f}"),
        ("View 1 accuracy %", _accuracy),
    ]
    for place, compared in enumerate(one.view1.compared):
        rows += [
            (f"TAR % at FAR {power(far)}\n{compared.what}", _tar(partial(_of_view1, place), k))
            for k, far in enumerate(FARS)
        ]
    rows += [
        ("recall %", _recall),
        ("false per picture", lambda m: f"{m.detection.false_per_picture:.3f}"),
        ("landmark error %", lambda m: landmark_error(m.detection)),
        ("landmarks moved %", lambda m: estimate(m.detection.landmarks_moved, m.detection.landmarks_moved_interval, 2)),
    ]
    _print(f"{one.view1.data_set}; {one.detection.data_set}", rows, measured)
    for name, people in one.people.items():
        verification = people.verification
        found: list[Row] = [
            (f"TAR % at\nFAR {power(far)}", _tar(partial(_of_people, name), k, 1))
            for k, far in enumerate(FARS)
            if any(m.people[name].verification.compared[0].tar_at_far[k].tar is not None for m in measured)
        ]
        if people.identification is not None:
            for size in sorted({rate.enrolled for rate in people.identification.rates}):
                found += [(f"FPIR % of {size}\nfrom {at:.2f}", _rate(name, size, at, fpir)) for at in FPIR_AT] + [
                    (f"FNIR % of {size}\nfrom {DEFAULT:.2f}", _rate(name, size, DEFAULT, fnir))
                ]
        _print(f"{verification.data_set}: {verification.compared[0].people} people", found, measured)
        warn_of_few(verification.compared[0].people)
    dim(
        "In brackets: 95 % by bootstrap over people (recall, landmarks: over pictures). Last lines: the difference to "
        f"{one.variant} in points, on the same draws. Landmark error: the distance to YuNet's; moved: to those of "
        f"{one.variant}; in % of the inter-ocular distance."
    )
    print_tail([m.tail for m in measured if m.tail is not None])
    print_origin(measured)


def print_targets(targets: Sequence[Target]) -> None:
    """Every target, and whether it is met."""
    rows = [
        (
            target.variant,
            target.what,
            "-" if target.value is None else f"{round(target.value, 2) + 0:.2f}",
            f"{target.limit:.1f}",
            "yes" if target.met else "NO",
        )
        for target in targets
    ]
    table("Targets", ("networks", "figure", "measured", "at most", "met"), rows)


def _print(title: str, rows: Sequence[Row], measured: Sequence[Measured]) -> None:
    cells = [(name, *(cell(one) for one in measured)) for name, cell in rows]
    table(title, ("", *(one.variant for one in measured)), cells)


def _accuracy(one: Measured) -> str:
    accuracy = one.view1.accuracy
    return "-" if accuracy is None else estimate(accuracy.accuracy, accuracy.interval, 2, 100)


def _recall(one: Measured) -> str:
    found = one.detection
    return estimate(found.recall, found.recall_interval, 1, 100) + difference(
        found.recall_difference, found.recall_difference_interval
    )


def _of_view1(place: int, one: Measured) -> Compared:
    return one.view1.compared[place]


def _of_people(name: str, one: Measured) -> Compared:
    return one.people[name].verification.compared[0]


def _tar(compared: Callable[[Measured], Compared], place: int, digits: int = 2) -> Callable[[Measured], str]:
    def cell(one: Measured) -> str:
        tar: TarAtFar = compared(one).tar_at_far[place]
        return estimate(tar.tar, tar.interval, digits, 100) + difference(
            tar.difference, tar.difference_interval, digits
        )

    return cell


def _rate(name: str, size: int, threshold: float, which: Callable[[Rate], str]) -> Callable[[Measured], str]:
    def cell(one: Measured) -> str:
        identification = one.people[name].identification
        for rate in identification.rates if identification is not None else []:
            if (rate.enrolled, rate.threshold) == (size, threshold):
                return which(rate)
        return "-"

    return cell
