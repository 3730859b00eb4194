"""Results as tables for people. Shares are printed in per cent."""

from collections.abc import Iterable, Sequence
from typing import Any

from edge.output import console, table
from tools.evaluate import detection, identification, templates
from tools.evaluate.alike import Closest
from tools.evaluate.approaches import Approaches
from tools.evaluate.comparing import TarAtFar
from tools.evaluate.detection import Detection
from tools.evaluate.identification import Identification, Rate
from tools.evaluate.networks import revision
from tools.evaluate.reach import Reach
from tools.evaluate.sending import Sent
from tools.evaluate.sequences import LOOKS_A_SECOND
from tools.evaluate.statistics import Interval
from tools.evaluate.tail import ImpostorTail, Quantile
from tools.evaluate.templates import Several
from tools.evaluate.verification import FARS, Verification

SIMILARITIES = ("5 %", "10 %", "half")

FEW_PEOPLE = 30
"""Below that a bootstrap over people says little itself (Davison and Hinkley 1997, "Bootstrap methods", 2.6)."""


def print_verification(results: Sequence[Verification]) -> None:
    """Accuracy where a protocol gives one; TAR at FAR on each set of comparisons."""
    for name, group in _by_data_set(results):
        if any(result.accuracy for result in group):
            _print_accuracy(name, group)
        for place, compared in enumerate(group[0].compared):
            title = (
                f"{name}, {compared.what}: {compared.people} people, {compared.genuine_pairs:,} genuine pairs, "
                f"{compared.impostor_comparisons:,} impostor comparisons"
            )
            rows = [
                (
                    result.variant,
                    *(_tar(tar) for tar in result.compared[place].tar_at_far),
                    f"{100 * result.compared[place].equal_error_rate:.2f}",
                )
                for result in group
            ]
            table(title, ("networks", *(f"TAR % at\nFAR {power(far)}" for far in FARS), "EER %"), rows)
            warn_of_few(compared.people)
        for note in {result.note for result in group if result.note}:
            dim(note)
        lost = ", ".join(f"{result.variant} {result.pictures_without_face}" for result in group)
        dim(f"No face found in pictures of {group[0].pictures:,}: {lost}. A genuine pair with one counts as refused.")
    dim(
        "In brackets: 95 % by bootstrap over people. 'from': the similarity (cosine) from which a pair is accepted. "
        f"Last lines: the difference to {results[0].variant} in points, on the same draws of people."
    )


def print_alike(results: Sequence[Closest]) -> None:
    """The pairs most alike, and how many reach each threshold."""
    for result in results:
        reached = ", ".join(f"{count} from {threshold} on" for threshold, count in result.at_least.items())
        title = f"{result.data_set}, {result.variant}: {result.compared:,} pairs of {result.people} people; {reached}"
        rows = [(pair.first, pair.second, f"{pair.similarity:.3f}") for pair in result.pairs]
        table(title, ("person", "person", "similarity"), rows)


def print_identification(results: Sequence[Identification]) -> None:
    """FPIR and FNIR by threshold and number of enrolled people, one table for each shelf of networks."""
    for result in results:
        sizes = sorted({rate.enrolled for rate in result.rates})
        thresholds = sorted({rate.threshold for rate in result.rates})
        at = {(rate.enrolled, rate.threshold): rate for rate in result.rates}
        rows = [
            (
                f"{threshold:.2f}" + ("\ndefault" if threshold == identification.DEFAULT else ""),
                *(cell for size in sizes for cell in _rates(at[size, threshold])),
            )
            for threshold in thresholds
        ]
        title = (
            f"{result.data_set}, {result.variant}: {result.people} people enrolled from "
            f"{result.looks_per_template:.1f} looks each, {result.looks:,} looks of strangers, "
            f"{result.mated_looks:,} of the enrolled"
        )
        heads = [f"{rate} %\nof {size}" for size in sizes for rate in ("FPIR", "FNIR")]
        table(title, ("threshold", *heads), rows)
        if result.note:
            dim(result.note)
        warn_of_few(result.people)
    dim(
        "Over all galleries of so many people at once. Below: 95 % by bootstrap over people. Where nothing was "
        "accepted at all, it cannot tell how far from 0 the truth may be; where the enrolled are many of all people, "
        "it lies low, because a draw holds some people twice. The product's margin is left out: with it FPIR is lower, "
        "FNIR higher."
    )


def print_sending(result: Sent) -> None:
    """What came through the cable, one row for templates and one for people."""
    rows = [
        ("template", result.templates, *result.template_cosines, f"{100 * result.templates_near:.0f} %"),
        ("person", result.people, *result.person_cosines, f"{100 * result.people_near:.0f} %"),
    ]
    table("from the files and from what is sent", ("of a", "number", "least", "5 %", "median", "at least 0.995"), rows)
    sizes = (
        f"{mean / 1e3:.0f} kB, {most / 1e3:.0f} at most" for mean, most in (result.original_bytes, result.sent_bytes)
    )
    dim(f"A person's files have {', and are sent as '.join(sizes)}. Templates lost: {result.lost}.")


def print_templates(results: Sequence[Several]) -> None:
    """Counts and shares by the number of templates and the way of matching, one table for each shelf of networks."""
    for result in results:
        title = (
            f"{result.data_set}, {result.variant}: {result.enrolled} people enrolled, looks of {result.people} on "
            "another occasion"
        )
        rows = [
            (
                f"{line.templates}, {line.wrong} wrong" if line.wrong else f"{line.templates}",
                line.matched_by,
                _of(line.nearest, line.looks),
                _of(line.looks - line.let_in, line.looks),
                line.mistaken,
                _of(line.wrong_let_in, line.wrong_looks) if line.wrong else "",
            )
            for line in result.lines
        ]
        heads = ("right one nearest", "false rejects", "let in as\nanother", "wrong one let in")
        table(title, ("templates", "matched by", *heads), rows)
        dim(f"Pictures without a face: {result.pictures_without_face}; they are no looks.")
        if result.people < FEW_PEOPLE:
            dim(f"{result.people} people are few, and looks of one approach are much alike: the figures are theirs.")
    dim(
        f"False rejects: looks below {templates.LIMITS.similarity_min:.2f} or less than "
        f"{templates.LIMITS.margin_min:.2f} ahead of the next person. Everybody is enrolled from "
        "the first session and then from the last. 'Wrong': one template is each other person's in turn; 'wrong one "
        "let in': that person's looks on another occasion, where nobody else has that face."
    )


def print_approaches(results: Sequence[Approaches]) -> None:
    """Owners and strangers, one table for each kind of visitor."""
    for result in results:
        for who in dict.fromkeys(kind.who for line in result.lines for kind in line.kinds):
            lines = [(line, kind) for line in result.lines for kind in line.kinds if kind.who == who]
            is_owner = who.startswith("owners")
            most = max((kind for _, kind in lines), key=lambda kind: kind.people)
            title = f"{who}, {result.variant}: {most.people} people"
            rows = [
                (
                    line.enrolled,
                    f"{line.similarity_min:.3f}" + ("" if line.risk is None else f"\n({power(line.risk)})"),
                    _of(kind.wrongly, kind.approaches),
                    estimate(kind.wrongly / kind.approaches, kind.interval, 2, 100),
                    kind.people_wrongly,
                    *((kind.as_another,) if is_owner else ()),
                    _middle_and_most(kind.looks, 0),
                    _middle_and_most(kind.seconds, 1),
                )
                for line, kind in lines
            ]
            wrongly = "refused" if is_owner else "let in"
            mistaken = ("let in as\nanother",) if is_owner else ()
            heads = (
                "enrolled",
                "at least\n(risk)",
                f"{wrongly},\nvisits",
                f"{wrongly} %",
                "of\npeople",
            )
            table(title, (*heads, *mistaken, "looks", "seconds"), rows)
            warn_of_few(most.people)
        looks = result.looks
        dim(
            f"{result.sequences} sequences of {result.people} people at {LOOKS_A_SECOND:.0f} looks a second, in "
            f"{result.crowded} of them somebody else is in view at some time (faces.several = {result.several!r}). "
            f"Looks of one sequence correlate at {looks.correlation:.3f} [{looks.interval[0]:.3f}, "
            f"{looks.interval[1]:.3f}] (strangers' similarities, {looks.people} people)."
        )
    dim(
        "Looks and seconds of who was let in: the median, and the most. Held out: people on whom the stopping rule was "
        "not chosen. Stills: one picture as every look, held against people of London and LFW. In brackets: 95 % by "
        "bootstrap over people. A sequence comes before several galleries, and counts as an approach before each."
    )


def print_reach(results: Sequence[Reach]) -> None:
    """Similarity by size, with the distance by lens, and by yaw."""
    for result in results:
        for source in dict.fromkeys(line.source for line in result.by_size):
            lines = [line for line in result.by_size if line.source == source]
            title = f"{source}, {result.variant}: {lines[0].people} people, {lines[0].pictures} pictures, by size"
            lenses = list(lines[0].distance_cm)
            sizes = [
                (
                    line.face_px,
                    *(f"{line.distance_cm[lens]:.0f}" for lens in lenses),
                    f"{line.found} of {line.pictures}",
                    *_three(line.quantiles),
                )
                for line in lines
            ]
            heads = (
                "face px",
                *(lens.removeprefix("Camera Module ") + "\ncm" for lens in lenses),
                "found",
                *SIMILARITIES,
            )
            table(title, heads, sizes)
        for source in dict.fromkeys(line.source for line in result.by_yaw):
            turned = [line for line in result.by_yaw if line.source == source]
            rows = [(line.from_deg, line.looks, *_three(line.quantiles)) for line in turned]
            table(f"{source}, {result.variant}, by yaw", ("degrees\nfrom", "looks", *SIMILARITIES), rows)
    dim(
        "Similarity to one's own templates (LFW: of the two pictures of one person): what 5 %, 10 % and half of those "
        "found stay below. Centimetres: by Camera Module, where the picture spans the lens's whole field."
    )


def _three(quantiles: tuple[float, float, float]) -> tuple[str, str, str]:
    low, tenth, middle = (f"{each:.3f}" for each in quantiles)
    return low, tenth, middle


def print_tail(results: Sequence[ImpostorTail]) -> None:
    """The quantiles of impostor similarity, one table for each shelf of networks."""
    for result in results:
        shares = [quantile.share for quantile in result.tails[0].quantiles]
        rows = [(tail.enrolled, *map(_quantile, tail.quantiles)) for tail in result.tails]
        compared = f"{result.tails[0].comparisons:,} comparisons (N > 1: {result.tails[-1].comparisons:,})"
        title = f"{result.data_set}, {result.variant}: {result.people} people, {result.pictures:,} pictures, {compared}"
        table(title, ("N", *map(power, shares)), rows)
        warn_of_few(result.people)
    dim(
        "The similarity that at most such a share of strangers' looks exceed. Below: 95 % by bootstrap over "
        "people. N = 1: all comparisons of two people's pictures; above: the nearest of N people, one picture each, "
        "over all galleries at once."
    )


def print_detection(results: Sequence[Detection]) -> None:
    """Recall, false positives, overlap, landmark error; then the same by face size."""
    one = results[0]
    rows = [
        (
            result.variant,
            estimate(result.recall, result.recall_interval, 1, 100)
            + difference(result.recall_difference, result.recall_difference_interval),
            estimate(result.false_per_picture, result.false_per_picture_interval, 3),
            "-" if result.mean_iou is None else f"{result.mean_iou:.3f}",
            landmark_error(result),
            estimate(result.landmarks_moved, result.landmarks_moved_interval, 2)
            + _median(result.landmarks_moved_median),
        )
        for result in results
    ]
    title = (
        f"{one.data_set}: {one.faces} faces of {detection.COUNTED_PX} px or more in {one.pictures} pictures and "
        "their mirror images"
    )
    table(
        title,
        ("networks", "recall %", "false per\npicture", "mean IoU", "landmark\nerror %", "landmarks\nmoved %"),
        rows,
    )
    heads = [f"{size.from_px} px or more\n({size.faces} faces)" for size in one.by_size]
    sized = [
        (
            result.variant,
            *(
                _percent(size.recall) + _landmarks(size.landmark_error) + _landmarks(size.landmarks_moved)
                for size in result.by_size
            ),
        )
        for result in results
    ]
    table("Recall % by face size; landmark error and how far they moved, %", ("networks", *heads), sized)
    dim(
        "In brackets: 95 % by bootstrap over pictures. Landmark error: the mean distance to YuNet's landmarks, on "
        f"faces that look at the camera, and the difference to {one.variant}; moved: the distance to those of "
        f"{one.variant}; both in % of the inter-ocular distance."
    )


def print_origin(results: Iterable[Any]) -> None:
    """Which networks and which code gave the figures."""
    for variant, label, digest in {(r.variant, r.networks, r.digest): None for r in results}:
        dim(f"{variant}: {label}, digest {digest[:12]}")
    dim(f"code: revision {revision() or 'not known'}")


def dim(text: str) -> None:
    console.print(text, style="dim", markup=False)


def _print_accuracy(name: str, group: Sequence[Verification]) -> None:
    rows = []
    for result in group:
        accuracy = result.accuracy
        if accuracy is None:
            continue
        spread = (
            f"± {100 * accuracy.standard_error:.2f}"
            if accuracy.standard_error is not None
            else _interval(accuracy.interval, 2, 100)
        )
        rows.append(
            (
                result.variant,
                f"{100 * accuracy.accuracy:.2f} {spread}",
                f"{accuracy.threshold:.3f}",
                f"{accuracy.pairs_without_face} of {accuracy.pairs:,}",
            )
        )
    table(f"{name}: pairs decided rightly", ("networks", "accuracy %", "from", "pairs without a face"), rows)
    dim(
        "View 1: the best threshold on pairsDevTrain, the accuracy on pairsDevTest, whose people are others. View 2: "
        "each set with the best threshold of the other nine; the mean, ± its standard error. A pair with a picture "
        "without a face counts as wrong."
    )


def _by_data_set(results: Sequence[Verification]) -> list[tuple[str, list[Verification]]]:
    names = list(dict.fromkeys(result.data_set for result in results))
    return [(name, [result for result in results if result.data_set == name]) for name in names]


def _tar(tar: TarAtFar) -> str:
    if tar.tar is None or tar.threshold is None:
        return "too few\ncomparisons"
    lines = estimate(tar.tar, tar.interval, 2, 100) + f"\nfrom {tar.threshold:.3f}"
    return lines + difference(tar.difference, tar.difference_interval)


def _rates(rate: Rate) -> tuple[str, str]:
    return fpir(rate), fnir(rate)


def fpir(rate: Rate) -> str:
    """In per cent, three significant digits: it goes over many powers of ten."""
    low, high = rate.fpir_interval
    return f"{100 * rate.fpir:.3g}\n{100 * low:.3g}..{100 * high:.3g}"


def fnir(rate: Rate) -> str:
    if rate.fnir is None or rate.fnir_interval is None:
        return "-"
    low, high = rate.fnir_interval
    return f"{100 * rate.fnir:.1f}\n{100 * low:.1f}..{100 * high:.1f}"


def _of(count: int, whole: int) -> str:
    return f"{count:,} of {whole:,}\n{100 * count / whole:.1f} %" if whole else "-"


def _middle_and_most(values: tuple[float, float] | None, digits: int) -> str:
    return "-" if values is None else f"{values[0]:.{digits}f} ({values[1]:.{digits}f})"


def _quantile(quantile: Quantile) -> str:
    if quantile.similarity is None or quantile.interval is None:
        return "-"
    return f"{quantile.similarity:.3f}\n{quantile.interval[0]:.3f}..{quantile.interval[1]:.3f}"


def difference(value: float | None, ends: Interval | None, digits: int = 2) -> str:
    return "" if value is None else f"\n{100 * value:+.{digits}f} {_interval(ends, digits, 100)}"


def landmark_error(result: Detection) -> str:
    """With the difference to the reference's."""
    more, ends = result.landmark_error_difference, result.landmark_error_difference_interval
    text = estimate(result.landmark_error, result.landmark_error_interval, 2)
    return text if more is None else f"{text}\n{more:+.2f} {_interval(ends, 2, 1)}"


def _median(value: float | None) -> str:
    return "" if value is None else f"\nmedian {value:.2f}"


def _landmarks(error: float | None) -> str:
    return "" if error is None else f"\n{error:.2f}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def estimate(value: float | None, ends: Interval | None, digits: int, factor: float = 1) -> str:
    return "-" if value is None else f"{factor * value:.{digits}f}\n{_interval(ends, digits, factor)}"


def _interval(ends: Interval | None, digits: int, factor: float = 1) -> str:
    return "" if ends is None else f"[{factor * ends[0]:.{digits}f}, {factor * ends[1]:.{digits}f}]"


def power(share: float) -> str:
    """1e-3, where Python writes 1e-03."""
    return f"{share:.0e}".replace("e-0", "e-")


def warn_of_few(people: int) -> None:
    if people < FEW_PEOPLE:
        dim(f"{people} people are {people}: read the intervals as a hint, and the figures as theirs alone.")
