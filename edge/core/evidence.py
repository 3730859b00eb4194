"""From single looks to a decision: the looks of one approach pooled into one embedding, and a rule when to stop.

An *approach* is the life of one track from its first usable look to its end: recognised, refused, gone for ``GONE_S``,
or over after ``APPROACH_S``. Its looks are pooled by quality (``core.pool``), and after each the pooled embedding is
held against everybody enrolled. The person it resembles is recognised as soon as the similarity reaches what
``core.stopping`` asks for after so many looks, with a lead over the next person. Clear cases take two looks, doubtful
ones more, and after ``looks_max`` the approach is refused. What counts is how many looks there were, not how fast they
came: a busy board takes longer for the same evidence.

A look that was captured too long ago, in the future, or before one that counted never counts. A look that is not live
takes away everything pooled so far, and so does one that clearly names somebody else than the looks before it; the
looks of an approach are counted on through both, so that neither gives anybody more of them. A second face in view ends
the approach, and nothing captured within ``SPOILT_S`` after it counts.

Odds are stated for an approach, so lingering must not give endless tries. One track is granted once: whoever wants to
come in again steps aside and comes back. A refused track has to leave or wait for ``PAUSE_S``.

A grant that has to wait, for a PIN, stands while that very face is still looking: it dies as soon as the track turns
away, is somebody else or is no longer alone, and ``GRANT_S`` after the last look that agreed.

An *attempt* is an approach that came close without a grant: with at least ``looks_min`` looks its best similarity lay
within ``near_miss`` below the threshold, or above it and not above enough, or a look named somebody and was not live.
It is counted once, when the approach ends. A clear stranger never counts, nor does an approach that ended before
anybody could have been recognised.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from edge.core.match import acceptable
from edge.core.pool import Pool
from edge.core.quality import weight
from edge.core.stopping import STANDARD, Stopping
from edge.types import Embedding, Look, Match

FUTURE_MAX_S = 0.05
"""A capture stamp may be ahead of the clock by this much (rounding between processes); beyond it is a lie."""

TRACKS_MAX = 16
"""Tracks remembered: a door sees two or three at a time, hostile eyes may name millions."""

GRANT_S = 1.0
"""How long a grant that waits outlives the last look that agreed: five frames at the slowest useful rate."""

APPROACH_S = 15.0
"""An approach that takes longer is over: five times what people need, glasses taken off included, and enough for
``looks_max`` looks of a board that makes three in two seconds."""

GONE_S = 3.0
"""Without a usable look for so long an approach is over, as a track at most is for the eyes (``SLOW_GAP_MAX_S``)."""

SPOILT_S = 2.0
"""How long a second face spoils what follows: longer than one that is hidden behind the other for a few frames."""

PAUSE_S = 5.0
"""How long whoever was refused and stays has to wait: lingering makes ten approaches a minute at most."""

CLEARLY = 0.25
"""So far below the threshold a stranger is told at once. Of 76 approaches of nine owners none was at any time; nine
strangers of ten are, with 20 people enrolled (the manifest's impostor tail, at a threshold of 0.63)."""

NOT_RECOGNISED = "not recognised"

Best = Callable[[Embedding], Match | None]
"""Whom an embedding resembles most: ``core.match.Index.best``."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What it takes to be recognised; the configuration's ``[match]``, ``[evidence]`` and ``[attempts]``.

    ``liveness_min``: 0..1, None while liveness is off.
    """

    similarity_min: float
    margin_min: float
    look_age_max_s: float
    near_miss: float = 0.0
    liveness_min: float | None = None
    stopping: Stopping = STANDARD


@dataclass(frozen=True, slots=True)
class Recognised:
    """Somebody may come in. ``similarity`` is that of the ``looks`` pooled; ``frame`` and ``captured_s`` the last's."""

    person_id: int
    name: str
    similarity: float
    looks: int
    track: int
    frame: int
    captured_s: float


@dataclass(frozen=True, slots=True)
class Refused:
    """A track that is not let in, said once a track and reason; ``track`` None: because of several."""

    reason: str
    track: int | None
    frame: int
    similarity: float | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """An approach that came close to a person. ``similarity`` is the best that it reached."""

    person_id: int
    name: str
    similarity: float
    track: int


@dataclass(frozen=True, slots=True)
class _No:
    """Why a track is not let in, and until when it is not looked at again, monotonic."""

    reason: str
    similarity: float | None
    until_s: float = math.inf


@dataclass(slots=True)
class _Approach:
    """``looks``: those that counted, also when they are no longer in the pool. ``named``: whom a look of the pool names
    clearly by itself. ``refusal``: what is said when it ends here; None before anybody could have been recognised.
    """

    track: int
    began_s: float
    last_s: float
    captured_s: float = -math.inf
    looks: int = 0
    pool: Pool | None = None
    named: int | None = None
    refusal: _No | None = None
    closest: Match | None = None


class Evidence:
    """The memory of one approach. Time is an argument; nothing here waits."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._attempts: list[Attempt] = []
        self._approach: _Approach | None = None
        self.forget_all()

    def forget_all(self) -> None:
        """Start anew, as when the eyes start: track ids begin again then. Attempts gathered so far still count."""
        self.weigh_anew()
        self._settled: set[int] = set()
        self._spoilt_until_s = -math.inf
        self._agreed_s = -math.inf

    def weigh_anew(self) -> None:
        """Somebody was enrolled or forgotten: who was refused may try again at once."""
        self._end_approach()
        self._pauses: dict[int, _No] = {}
        self._said: dict[int, set[str]] = {}
        self._grant: Recognised | None = None

    def require(self, similarity_min: float) -> None:
        """From the next look on: the threshold follows who is enrolled."""
        self._terms = replace(self._terms, similarity_min=similarity_min)

    def spoil(self, reason: str, captured_s: float, frame: int) -> Refused | None:
        """More than one person is in view: nothing gathered counts, nor anything captured within ``SPOILT_S``.

        A capture time that is not finite spoils nothing for ever: the caller has refused it.
        """
        self._end_approach()
        self._grant = None
        is_news = captured_s > self._spoilt_until_s
        self._spoilt_until_s = max(self._spoilt_until_s, captured_s + SPOILT_S)
        return Refused(reason, None, frame) if is_news else None

    def unusable(self, reason: str, look: Look) -> Refused | None:
        """A look that can be neither for nor against anybody; a grant that waits dies with it."""
        if self._grant is not None and look.track == self._grant.track:
            self._grant = None
        return self._refused(reason, look)

    def standing(self, now_s: float) -> Recognised | None:
        """The grant of the face that is looking now, for whoever has to wait for a PIN."""
        if self._grant is not None and not now_s - self._agreed_s <= GRANT_S:
            self._grant = None
        return self._grant

    def attempts(self, now_s: float) -> list[Attempt]:
        """The attempts that have come to their end since the last call."""
        self._let_pass(now_s)
        ended, self._attempts = self._attempts, []
        return ended

    def add(self, look: Look, best: Best, now_s: float) -> Recognised | Refused | None:
        """Weigh one usable look. Returns a decision, or None when there is nothing (new) to say."""
        terms = self._terms
        mistimed = _mistimed(now_s - look.captured_s, terms)
        if mistimed is not None:
            return self._refused(mistimed, look)
        if look.captured_s <= self._spoilt_until_s:
            return None
        single = best(look.embedding)
        named = single if acceptable(single, terms.similarity_min, terms.margin_min) else None
        is_live = terms.liveness_min is None or (look.liveness is not None and look.liveness >= terms.liveness_min)
        if look.track in self._settled:
            self._keep_grant(look, named if is_live else None)
            return None
        self._let_pass(now_s)
        pause = self._pauses.get(look.track)
        if pause is not None and now_s < pause.until_s:
            return self._refused(pause.reason, look, pause.similarity)
        approach = self._approach_of(look, now_s)
        if look.captured_s <= approach.captured_s:
            return None
        approach.captured_s = look.captured_s
        if not is_live:
            approach.pool = None
            if named is None:
                return None
            self._note(approach, named)
            return self._refused("not a living face", look, named.similarity)
        self._pool(approach, look, named)
        return self._judged(approach, look, best, now_s)

    def _pool(self, approach: _Approach, look: Look, named: Match | None) -> None:
        """One look more that counts."""
        worth = weight(look.quality)
        if named is not None and approach.named not in (None, named.person_id):
            approach.pool = None  # the looks before were of somebody else
        if approach.pool is None:
            approach.pool, approach.named = Pool(look.embedding, worth), None
        else:
            approach.pool.add(look.embedding, worth)
        if named is not None:
            approach.named = named.person_id
        approach.looks += 1

    def _judged(self, approach: _Approach, look: Look, best: Best, now_s: float) -> Recognised | Refused | None:
        """What the looks so far say."""
        terms, stopping, pool = self._terms, self._terms.stopping, approach.pool
        if pool is not None and pool.looks >= stopping.looks_min:
            match = best(pool.mean)
            if match is not None and approach.named in (None, match.person_id):
                needed = stopping.needed(pool.looks, terms.similarity_min)
                if acceptable(match, needed, terms.margin_min):
                    return self._granted(look, match, pool.looks)
                self._note(approach, match)
            approach.refusal = _No(_why_nobody(match, terms), match.similarity if match else None)
        if approach.looks >= stopping.looks_max:
            refusal = self._refuse(approach, now_s)
        elif approach.refusal is None or not _is_clear(approach.refusal, terms):
            return None
        else:
            refusal = approach.refusal
        return self._refused(refusal.reason, look, refusal.similarity)

    def _granted(self, look: Look, match: Match, looks: int) -> Recognised:
        self._settled = {*sorted(self._settled)[1 - TRACKS_MAX :], look.track}
        self._approach = None  # whoever is recognised was no attempt
        self._agreed_s = look.captured_s
        self._grant = Recognised(
            match.person_id, match.name, match.similarity, looks, look.track, look.frame, look.captured_s
        )
        return self._grant

    def _keep_grant(self, look: Look, named: Match | None) -> None:
        grant = self._grant
        if grant is None or named is None:
            return
        if (look.track, named.person_id) == (grant.track, grant.person_id):
            self._agreed_s = max(self._agreed_s, look.captured_s)
        else:
            self._grant = None

    def _approach_of(self, look: Look, now_s: float) -> _Approach:
        """The approach that the look belongs to, begun with it where there is none."""
        approach = self._approach
        if approach is None or approach.track != look.track:
            self._end_approach()
            approach = self._approach = _Approach(look.track, now_s, now_s)
            if self._pauses.pop(look.track, None) is not None:
                self._said.pop(look.track, None)
        approach.last_s = now_s
        return approach

    def _let_pass(self, now_s: float) -> None:
        """End an approach that is gone, or over."""
        approach = self._approach
        if approach is None:
            return
        if now_s - approach.began_s > APPROACH_S and approach.refusal is not None:
            self._refuse(approach, now_s)
        elif now_s - approach.began_s > APPROACH_S or now_s - approach.last_s > GONE_S:
            self._end_approach()

    def _refuse(self, approach: _Approach, now_s: float) -> _No:
        """End an approach with a refusal, which stands for a while."""
        self._end_approach()
        refusal = replace(approach.refusal or _No(NOT_RECOGNISED, None), until_s=now_s + PAUSE_S)
        self._pauses[approach.track] = refusal
        while len(self._pauses) > TRACKS_MAX:
            del self._pauses[next(iter(self._pauses))]
        return refusal

    def _note(self, approach: _Approach, match: Match) -> None:
        """Keep the best that came close to somebody in this approach; who resembles two people came close to
        neither."""
        terms = self._terms
        is_near = terms.similarity_min - terms.near_miss <= match.similarity < terms.similarity_min
        if not (is_near or acceptable(match, terms.similarity_min, terms.margin_min)):
            return
        if approach.closest is None or match.similarity > approach.closest.similarity:
            approach.closest = match

    def _end_approach(self) -> None:
        approach, self._approach = self._approach, None
        if approach is not None and approach.closest is not None and len(self._attempts) < TRACKS_MAX:
            closest = approach.closest
            self._attempts.append(Attempt(closest.person_id, closest.name, closest.similarity, approach.track))

    def _refused(self, reason: str, look: Look, similarity: float | None = None) -> Refused | None:
        kind = reason.partition("(")[0]  # figures inside the brackets change with every frame
        said = self._said.setdefault(look.track, set())
        if kind in said:
            return None
        said.add(kind)
        while len(self._said) > TRACKS_MAX:
            del self._said[next(iter(self._said))]
        return Refused(reason, look.track, look.frame, similarity)


def _mistimed(age_s: float, terms: Terms) -> str | None:
    if not age_s <= terms.look_age_max_s:
        return "the look came too late to count"
    if not age_s >= -FUTURE_MAX_S:
        return "the look is stamped in the future"
    return None


def _why_nobody(match: Match | None, terms: Terms) -> str:
    if match is None:
        return "nobody is enrolled"
    if match.similarity >= terms.similarity_min and match.margin < terms.margin_min:
        return "two people are too alike to tell"
    return NOT_RECOGNISED


def _is_clear(refusal: _No, terms: Terms) -> bool:
    return refusal.similarity is None or refusal.similarity < terms.similarity_min - CLEARLY
