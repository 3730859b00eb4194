"""Whole approaches: how often an owner is refused or taken for another, how often a stranger gets in, and how soon.

The eyes and the evidence are the product's own. An owner is enrolled from one session (NUAA: a day; clips: one clip)
and comes in the others. Everybody else comes as a stranger; so does every picture of London and LFW, as a visit of one
look repeated. Who is enrolled beside is, first, other people of the same set, then people of London and LFW.

The stopping rule was chosen on ``CHOSEN_ON``; figures of the others are given apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from edge.core.centre import centres
from edge.core.choose import SeveralFaces
from edge.core.evidence import Terms
from edge.core.match import Index
from edge.core.risk import Limits
from edge.core.stopping import STANDARD
from edge.errors import InputError
from edge.models.calibration import calibration_of
from edge.settings import EvidenceConfig, MatchConfig
from edge.types import FloatArray, Gallery
from tools.evaluate import lfw
from tools.evaluate.correlation import Correlation, correlation
from tools.evaluate.describe import describe_all, faces
from tools.evaluate.neighbours import Neighbour, enrolled, from_pictures, from_visits, household
from tools.evaluate.networks import Networks
from tools.evaluate.progress import tracked
from tools.evaluate.sequences import open_sequences
from tools.evaluate.sessions import open_sessions
from tools.evaluate.statistics import SEED, Interval, interval
from tools.evaluate.visits import Outcome, Visit, judge, open_visits, still

LFW, LONDON = "lfw_view1", "london"
SIZES = (1, 5, 20, 50, 100)
THRESHOLDS = (0.5, 0.55, 0.6, 0.65, 0.7)
DRAWS = 10
"""Galleries that each sequence is held against, for every size; a still is held against one of so many."""

STILLS = "strangers by stills"
STILL_LOOKS = STANDARD.looks_min + len(STANDARD.early)
"""After so many looks the rule asks for the threshold alone: more of the same look change nothing."""

CHOSEN_ON = frozenset({"clips A", "clips B", "clips C", *(f"nuaa 000{number}" for number in (1, 3, 5, 7, 9))})

MARGIN_MIN = MatchConfig().margin_min

TEMPLATES = 5
"""Of each person where a threshold is derived: what enrolling takes."""


class Kind(msgspec.Struct, frozen=True):
    """What came of some approaches. ``wrongly``: owners refused, or strangers let in; ``people_wrongly``: of so many of
    the ``people``. ``interval``: 95 % of the share ``wrongly`` by bootstrap over people; None where none or all were.
    ``as_another``: owners let in as somebody else. ``looks``, ``seconds``: the median and the most that those who were
    let in took; None where nobody was.
    """

    who: str
    people: int
    approaches: int
    wrongly: int
    people_wrongly: int
    interval: Interval | None
    as_another: int
    looks: tuple[float, float] | None
    seconds: tuple[float, float] | None


class Line(msgspec.Struct, frozen=True):
    """One threshold and one number of enrolled people. ``risk``: the share of strangers' approaches that the threshold
    was derived for; None where it was given."""

    similarity_min: float
    enrolled: int
    kinds: list[Kind]
    risk: float | None = None


class Approaches(msgspec.Struct, frozen=True):
    """One shelf of networks. ``crowded``: sequences in which at some time several faces are in view."""

    networks: str
    variant: str
    digest: str
    several: str
    sequences: int
    people: int
    crowded: int
    stills: int
    looks: Correlation
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Case:
    """A visitor, who is enrolled, and which of them the visitor is (None: a stranger)."""

    who: str
    visit: Visit
    people: Sequence[Neighbour]
    index: Index
    owner: int | None


@dataclass(frozen=True, slots=True)
class Judged:
    """A case at one threshold, and what came of it."""

    case: Case
    similarity_min: float
    enrolled: int
    outcome: Outcome

    @property
    def is_wrong(self) -> bool:
        return self.outcome.admitted == (self.case.owner is None)

    @property
    def is_another(self) -> bool:
        return self.case.owner is not None and self.outcome.admitted and self.outcome.person_id != self.case.owner


@dataclass(frozen=True, slots=True)
class World:
    """Everybody there is. ``fellows``: by source, people who come, enrolled from their first session."""

    visits: list[Visit]
    fellows: dict[str, list[Neighbour]]
    others: list[Neighbour]
    stills: list[Visit]


def open_world(folder: Path, networks: Networks, cache: Path | None, several: SeveralFaces, limit: int | None) -> World:
    """Sequences below ``folder``, and as far as they are there, the pictures of London and LFW (at most about ``limit``
    of each). Raises ImageError, CameraError, ModelError, InputError."""
    visits = [each for each in open_visits(open_sequences(folder), networks, cache) if len(each.usable(several)) > 1]
    if not visits:
        raise InputError("Nobody is seen in any sequence. Name another folder with --faces.")
    sets = [open_sessions(folder / LONDON)] if (folder / LONDON).is_dir() else []
    if (folder / LFW).is_dir():
        sets.append(lfw.open_view1(folder / LFW).data_set)
    others: list[Neighbour] = []
    stills: list[Visit] = []
    for data_set in sets:
        chosen = data_set if limit is None else data_set.sample(limit)
        embeddings = describe_all(chosen, networks, cache)
        others += from_pictures(chosen, embeddings)
        stills += [
            still(chosen.name, picture.person, chosen.folder / picture.name, embedding, STILL_LOOKS)
            for picture, embedding, found in zip(chosen.pictures, embeddings, faces(embeddings), strict=True)
            if found
        ]
    fellows: dict[str, list[Neighbour]] = {}
    for source, person in sorted({(each.source, each.person) for each in visits}):
        own = [each for each in visits if each.person == person]
        first = [each for each in own if each.session == own[0].session]
        fellows.setdefault(source, []).append(from_visits(first, several))
    return World(visits, fellows, others, stills)


def evaluate(
    world: World,
    networks: Networks,
    thresholds: Sequence[float],
    sizes: Sequence[int],
    several: SeveralFaces,
    risks: Sequence[float] = (),
) -> tuple[Approaches, list[Judged]]:
    """Every visitor before every gallery at every threshold, and at those that the lock would derive for ``risks``,
    shares of strangers' approaches. Raises ModelError where there are risks and the networks were not measured."""
    lines: list[Line] = []
    kept: list[Judged] = []
    for size in sizes:
        if size > 1 + len(world.others):
            continue
        cases = list(_cases(world, size, several))
        derived = {_derived(networks, size, each): each for each in risks}
        at: dict[float, list[Judged]] = {each: [] for each in (*thresholds, *derived)}
        for case in tracked(cases, f"Approaches, {networks.variant}, {size} enrolled"):
            outcome: Outcome | None = None
            for threshold in sorted(at):
                # One look repeated that a low threshold keeps out is as far from every higher one.
                if outcome is None or outcome.admitted or case.who != STILLS:
                    outcome = judge(case.visit, case.index, terms(threshold), several)
                at[threshold].append(Judged(case, threshold, size, outcome))
        lines += [Line(threshold, size, _kinds(judged), derived.get(threshold)) for threshold, judged in at.items()]
        kept = [each for judged in at.values() for each in judged]
    return (
        Approaches(
            networks.label,
            networks.variant,
            networks.digest,
            several,
            len(world.visits),
            len({each.person for each in world.visits}),
            sum(any(seen.faces_in_frame > 1 for seen in each.seen) for each in world.visits),
            len(world.stills),
            _correlation(world, several),
            lines,
        ),
        kept,
    )


def terms(similarity_min: float) -> Terms:
    """The lock's, but that every approach which was judged says how close it came."""
    return Terms(similarity_min, MARGIN_MIN, EvidenceConfig().look_age_max_ms / 1000, near_miss=2.0)


def _derived(networks: Networks, people: int, asked: float) -> float:
    """The lock's own threshold for so many people of five templates each."""
    return Limits(0.0, asked, calibration_of(networks.shelf)).decide([TEMPLATES] * people).similarity_min


def table(result: Approaches, revision: str | None) -> dict[str, Any]:
    """What the manifest keeps: how looks of one approach correlate."""
    looks = result.looks
    return {
        "digest": result.digest,
        "revision": revision or "not known",
        "people": looks.people,
        "sequences": looks.sequences,
        "correlation": float(f"{looks.correlation:.4f}"),
        "interval": [float(f"{end:.4f}") for end in looks.interval],
    }


def _cases(world: World, size: int, several: SeveralFaces) -> list[Case]:
    rng = np.random.default_rng(SEED)
    cases: list[Case] = []
    for visit in world.visits:
        fellows = world.fellows[visit.source]
        for owner in _enrolments(world, visit, several):
            for _ in range(1 if size == 1 else DRAWS):
                people = household(owner, visit.person, size, fellows, world.others, rng)
                cases.append(Case("owners", visit, people, enrolled(people), 0))
        for _ in range(DRAWS):
            people = household(None, visit.person, size, fellows, world.others, rng)
            cases.append(Case("strangers in sequences", visit, people, enrolled(people), None))
    nobody = np.zeros((0, world.visits[0].usable(several)[0].embedding.shape[0]), np.float32)
    galleries = [household(None, "", size, [], world.others, rng) for _ in range(DRAWS if world.stills else 0)]
    indices = [enrolled(each) for each in galleries]
    for number, visit in enumerate(world.stills):
        people, index = galleries[number % DRAWS], indices[number % DRAWS]
        own = [place for place, each in enumerate(people) if (each.source, each.person) == (visit.source, visit.person)]
        for place in own:
            index = index.replaced(place, Gallery(nobody, np.zeros(0, np.int64), {}))
        if len(index):
            cases.append(Case(STILLS, visit, people, index, None))
    return cases


def _enrolments(world: World, visit: Visit, several: SeveralFaces) -> list[Neighbour]:
    """The visitor, enrolled from each of the other sessions."""
    own = [each for each in world.visits if each.person == visit.person and each.session != visit.session]
    sessions = sorted({each.session for each in own})
    return [from_visits([each for each in own if each.session == session], several) for session in sessions]


def _kinds(judged: Sequence[Judged]) -> list[Kind]:
    found: list[Kind] = []
    for who in dict.fromkeys(each.case.who for each in judged):
        of = [each for each in judged if each.case.who == who]
        found.append(_kind(who, of))
        apart = [each for each in of if each.case.visit.person not in CHOSEN_ON]
        if who != STILLS and 0 < len(apart) < len(of):
            found.append(_kind(f"{who}, held out", apart))
    return found


def _kind(who: str, judged: Sequence[Judged]) -> Kind:
    people = sorted({each.case.visit.person for each in judged})
    place = {person: number for number, person in enumerate(people)}
    whole, wrong = np.zeros(len(people)), np.zeros(len(people))
    for each in judged:
        whole[place[each.case.visit.person]] += 1
        wrong[place[each.case.visit.person]] += each.is_wrong
    entered = [each.outcome for each in judged if each.outcome.admitted]

    def share(drawn: FloatArray) -> float:
        return float(drawn @ wrong) / max(float(drawn @ whole), 1)

    return Kind(
        who,
        len(people),
        len(judged),
        int(wrong.sum()),
        int((wrong > 0).sum()),
        interval(share, len(people)) if 0 < wrong.sum() < whole.sum() else None,
        sum(each.is_another for each in judged),
        _middle_and_most([each.looks for each in entered]),
        _middle_and_most([each.seconds for each in entered]),
    )


def _middle_and_most(values: Sequence[float]) -> tuple[float, float] | None:
    return (float(np.median(values)), max(values)) if values else None


def _correlation(world: World, several: SeveralFaces) -> Correlation:
    targets = world.others or [each for fellows in world.fellows.values() for each in fellows]
    targets_of = np.repeat(np.arange(len(targets)), [len(each.templates) for each in targets])
    centre = centres(np.concatenate([each.templates for each in targets]), targets_of, len(targets))
    looks = [np.stack([look.embedding for look in each.usable(several)]) for each in world.visits]
    return correlation([each.person for each in world.visits], looks, centre)
