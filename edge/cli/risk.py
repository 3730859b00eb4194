"""``facelatch risk``: the lock's odds in plain words, what they would be, and what they leave out."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import msgspec

from edge import app, household
from edge import config as configuration
from edge.core import risk as odds
from edge.core.names import harmless
from edge.core.risk import Calibration, Decision, Limits
from edge.core.share import ONE_IN_MAX, accepted, rounded
from edge.errors import InputError
from edge.output import console, json_option, print_json
from edge.settings import Config

STRANGERS_A_WEEK = 30
WEEKS_A_YEAR = 365.25 / 7

TEMPLATES_LIKELY = 5
"""What an enrolment keeps at most: of people who are not there yet."""

PEOPLE_MAX = 10_000
WIDTH, POWERS = 42, 7
"""Characters of the plot's longest bar, and the odds that it stands for: one in ten million."""

PLOTTED = (0.55, 0.80, 0.025)
NOT_COVERED = (
    "Not covered: look-alikes and relatives of the people enrolled; photographs, screens and masks; people who try "
    "again and again. A crowd of one kind is told by nine students in one room: a hint, no measurement."
)


class Line(msgspec.Struct, frozen=True):
    """One threshold of the plot: shares of approaches."""

    similarity_min: float
    admitted: float
    high: float
    refused: float | None


class Report(msgspec.Struct, frozen=True):
    """For ``--json``. Shares of approaches, 0..1: of strangers that are ``admitted``, with its 95 % interval, and
    ``one_kind`` in a crowd of one kind; None where nothing was measured. ``years``: from one stranger admitted to the
    next, in the mean. Of ``owners`` approaches, ``refused_at_first`` glance and ``refused`` altogether."""

    people: int
    templates: int
    similarity_min: float
    derived: bool
    admitted_max: float
    met: bool
    strangers_a_week: float
    admitted: float | None
    low: float | None
    high: float | None
    one_kind: float | None
    extrapolated: bool
    years: float | None
    owners: int
    refused_at_first: int
    refused: int
    sources: dict[str, str]
    line: list[Line]


@click.command("risk")
@click.option(
    "--what-if",
    "supposed",
    multiple=True,
    metavar="people=50",
    help="Suppose other people, strangers_admitted_max or similarity_min; several times.",
)
@click.option(
    "--strangers-a-week",
    "a_week",
    type=click.FloatRange(0, 1e6, min_open=True),
    default=STRANGERS_A_WEEK,
    show_default=True,
    help="How many come before the camera.",
)
@click.option("--plot", is_flag=True, help="Also strangers admitted and owners refused by threshold.")
@json_option
@click.pass_obj
def risk(config_path: Path | None, supposed: tuple[str, ...], a_week: float, plot: bool, as_json: bool) -> None:
    """Say how often a stranger is admitted and an owner refused, and where these figures come from."""
    config = configuration.load(config_path)
    templates = [each.templates for each in app.people(config) if not each.enrol_again]
    templates, limits = suppose(templates, household.limits(config), supposed)
    decision = limits.decide(templates)
    report = _report(decision, limits, templates, a_week)
    if as_json:
        print_json(report)
        return
    for line in told(decision, limits, a_week):
        console.print(line, markup=False, soft_wrap=True)
    if not supposed:
        _compare_with_the_lock(config, decision)
    if plot:
        _plot(report, decision)


def suppose(templates: list[int], limits: Limits, wishes: Sequence[str]) -> tuple[list[int], Limits]:
    """The gallery and the limits as they would be. Raises InputError."""
    for wish in wishes:
        key, _, value = wish.partition("=")
        match key.strip():
            case "people" if value.isascii() and value.isdigit() and len(value) < 6 and int(value) <= PEOPLE_MAX:
                templates = (templates + [max([*templates, TEMPLATES_LIKELY])] * int(value))[: int(value)]
            case "strangers_admitted_max":
                limits = replace(limits, admitted_max=accepted(value.strip()), similarity_min=0.0)
            case "similarity_min":
                limits = replace(limits, similarity_min=_similarity(value))
            case _:
                raise InputError(
                    f"{wish!r:.60} cannot be supposed. Write people=50 (at most {PEOPLE_MAX}), similarity_min=0.62, or "
                    'strangers_admitted_max="1 in 1000 approaches".'
                )
    return templates, limits


def told(decision: Decision, limits: Limits, a_week: float) -> list[str]:
    """The odds in words."""
    people = f"{decision.people} people" if decision.people != 1 else "one person"
    of, known = limits.calibration, decision.odds
    if known is None or of is None:
        return [f"{people} enrolled, similarity at least {decision.similarity_min:.3f}: {decision.reason}."]
    if not decision.people:
        return ["Nobody is enrolled: no face opens the door.", NOT_COVERED]
    interval = f"95 %: {_count(known.high)} to {_count(known.low)}"
    assumed = (
        "strangers so alike are rarer than any that were compared"
        if known.extrapolated
        else "the correction was measured at 1 in 100, and taken to hold for rarer ones"
    )
    return [
        f"With {people} enrolled: a stranger is admitted about once in {_count(known.admitted)} approaches "
        f"({interval}). At {a_week:g} strangers a week that is once in {_time(known.admitted, a_week)}.",
        _owners(of, decision.similarity_min, limits),
        f"The threshold is a similarity of {decision.similarity_min:.3f}, {decision.reason}.",
        f"In a crowd of one kind ({of.alike.source}): up to once in {_count(known.alike)}.",
        f"Measured: strangers on {of.source}, corrected by {of.crowd.source}; looks of one approach on "
        f"{of.rho.source} (they correlate at {of.rho.value:.2f}); owners on {of.owners_source}. Odds like these are an "
        f"extrapolation: {assumed}.",
        NOT_COVERED,
    ]


def _owners(of: Calibration, similarity_min: float, limits: Limits) -> str:
    first, last, count = odds.refused(of, similarity_min, limits.stopping)
    if not count:
        return "How often owners are refused was not measured."
    refused = f"{last} of {count} approaches ({_percent(last, count)})" if last else f"none of {count} approaches"
    return (
        f"Owners on another day than enrolled: {refused} refused; {_percent(first, count)} are not let in at first "
        f"glance, {limits.stopping.looks_min} looks, and take longer."
    )


def _report(decision: Decision, limits: Limits, templates: list[int], a_week: float) -> Report:
    of, known = limits.calibration, decision.odds
    first = last = count = 0
    sources: dict[str, str] = {}
    if of is not None:
        first, last, count = odds.refused(of, decision.similarity_min, limits.stopping)
        sources = {
            "strangers": of.source,
            "crowd": of.crowd.source,
            "one_kind": of.alike.source,
            "looks": of.rho.source,
            "owners": of.owners_source,
        }
    return Report(
        people=decision.people,
        templates=decision.templates_max,
        similarity_min=decision.similarity_min,
        derived=decision.derived,
        admitted_max=decision.admitted_max,
        met=decision.met,
        strangers_a_week=a_week,
        admitted=None if known is None else known.admitted,
        low=None if known is None else known.low,
        high=None if known is None else known.high,
        one_kind=None if known is None else known.alike,
        extrapolated=known is not None and known.extrapolated,
        years=1 / (known.admitted * a_week * WEEKS_A_YEAR) if known is not None and known.admitted else None,
        owners=count,
        refused_at_first=first,
        refused=last,
        sources=sources,
        line=[] if of is None else _line(of, templates, limits),
    )


def _line(of: Calibration, templates: list[int], limits: Limits) -> list[Line]:
    low, high, step = PLOTTED
    found = []
    for number in range(round((high - low) / step) + 1):
        similarity = round(low + number * step, 3)
        known = odds.odds(of, templates, similarity, limits.stopping)
        _, last, count = odds.refused(of, similarity, limits.stopping)
        found.append(Line(similarity, known.admitted, known.high, last / count if count else None))
    return found


def _plot(report: Report, decision: Decision) -> None:
    """Bars in powers of ten: a terminal has no finer ones, and odds need none."""
    click.echo(f"\nsimilarity    {'strangers admitted, in powers of ten':<{WIDTH}}      once in  owners refused")
    for each in report.line:
        powers = min(-math.log10(each.admitted), POWERS) if each.admitted else POWERS
        mark = ">" if each.similarity_min <= decision.similarity_min < each.similarity_min + PLOTTED[2] else " "
        refused = "-" if each.refused is None else f"{100 * each.refused:.0f} %"
        bar = "#" * round(powers * WIDTH / POWERS)
        click.echo(f"{mark} {each.similarity_min:.3f}       {bar:<{WIDTH}} {_count(each.admitted):>12}  {refused:>14}")


def _compare_with_the_lock(config: Config, decision: Decision) -> None:
    status = app.status(config)
    if round(status.similarity_min, 3) != round(decision.similarity_min, 3):
        console.print(
            f"The guardian that runs asks for {status.similarity_min:.3f}: it was started with other settings. "
            f"({harmless(status.threshold)})",
            style="yellow",
            markup=False,
        )


def _similarity(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not configuration.BY_HAND_MIN <= value <= odds.HIGHEST:
        raise InputError(
            f"{text!r:.40} is no similarity that can be set: write {configuration.BY_HAND_MIN} to {odds.HIGHEST}."
        )
    return value


def _count(share: float) -> str:
    """``14,000``; ``more than 10,000,000`` where nothing is known any more."""
    if share * ONE_IN_MAX < 1:
        return f"{ONE_IN_MAX:,} or more"
    return f"{rounded(1 / share):,}"


def _time(share: float, a_week: float) -> str:
    weeks = 1 / (max(share, 1 / ONE_IN_MAX) * a_week)
    years = weeks / WEEKS_A_YEAR
    if years >= 2:
        return f"{years:,.0f} years"
    if weeks >= 9:
        return f"{years * 12:.0f} months"
    return f"{weeks:.0f} weeks" if weeks >= 2 else f"{max(weeks * 7, 1):.0f} days"


def _percent(count: int, of: int) -> str:
    return f"{100 * count / of:.0f} %"
