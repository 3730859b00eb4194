"""From single looks to a decision: k agreeing live looks of the last n, on one track, within a window.

One look proves little: a stranger resembles somebody for one frame now and then, and hardly ever for three running.
So a person is recognised only when ``looks_needed`` of the last ``looks_window`` looks of one track name that
person, all of them live and younger than ``window_s``, and none of them names somebody else. A look that was captured
too long ago, or in the future, never counts. A second face in view spoils everything gathered so far and the window
that follows. One track is granted once: whoever wants to come in again steps aside and comes back.

A grant that has to wait, for a PIN, stands while that very face is still looking: it dies as soon as the track turns
away, is somebody else or is no longer alone, and ``GRANT_S`` after the last look that agreed.

An *attempt* is an approach that came close without a grant: its best look lay within ``near_miss`` below the
threshold, or named somebody and was not live. It is counted once, when the approach ends or after ``APPROACH_S``, and
then anew: who stays in front of the camera is not given endless tries. A clear stranger never counts.
"""

import math
from collections import deque
from dataclasses import dataclass

from edge.core.match import acceptable
from edge.types import Look, Match

FUTURE_MAX_S = 0.05
"""A capture stamp may be ahead of the clock by this much (rounding between processes); beyond it is a lie."""

TRACKS_MAX = 16
"""Tracks remembered: a door sees two or three at a time, hostile eyes may name millions."""

GRANT_S = 1.0
"""How long a grant that waits outlives the last look that agreed: five frames at the slowest useful rate."""

APPROACH_S = 10.0
"""An approach that takes longer is over: three times what people need, glasses taken off included."""

GONE_S = 1.0
"""Without a look for so long an approach is over, as a track is for the eyes."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What it takes to be recognised; the configuration's ``[match]``, ``[evidence]`` and ``[attempts]``.

    ``liveness_min``: 0..1, None while liveness is off. ``attack_max``: below it a face is taken for a picture; from
    there up to ``liveness_min`` nothing is decided yet, and such a look counts for nothing.
    """

    similarity_min: float
    margin_min: float
    looks_needed: int
    looks_window: int
    window_s: float
    look_age_max_s: float
    near_miss: float = 0.0
    liveness_min: float | None = None
    attack_max: float = 0.0


@dataclass(frozen=True, slots=True)
class Recognised:
    """Somebody may come in. ``similarity`` is the weakest of the agreeing looks; ``frame`` and ``captured_s`` the
    last's."""

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
    """An approach that came close to a person. ``similarity`` is its best look's."""

    person_id: int
    name: str
    similarity: float
    track: int


@dataclass(frozen=True, slots=True)
class _Seen:
    captured_s: float
    track: int
    match: Match | None


@dataclass(slots=True)
class _Approach:
    track: int
    began_s: float
    last_s: float
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
        self._end_approach()
        self._seen: deque[_Seen] = deque(maxlen=self._terms.looks_window)
        self._settled: set[int] = set()
        self._spoilt_until_s = -math.inf
        self._said: dict[int, set[str]] = {}
        self._grant: Recognised | None = None
        self._agreed_s = -math.inf

    def weigh_anew(self) -> None:
        """Somebody was enrolled or forgotten: looks gathered so far were held against other people."""
        self._seen.clear()
        self._said.clear()
        self._grant = None

    def spoil(self, reason: str, captured_s: float, frame: int) -> Refused | None:
        """More than one person is in view: nothing gathered counts, nor anything captured in the next window.

        A capture time that is not finite spoils nothing for ever: the caller has refused it.
        """
        self._seen.clear()
        self._grant = None
        is_news = captured_s > self._spoilt_until_s
        self._spoilt_until_s = max(self._spoilt_until_s, captured_s + self._terms.window_s)
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
        approach = self._approach
        if approach is not None and (now_s - approach.last_s > GONE_S or now_s - approach.began_s > APPROACH_S):
            self._end_approach()
        ended, self._attempts = self._attempts, []
        return ended

    def add(self, look: Look, match: Match | None, now_s: float) -> Recognised | Refused | None:
        """Weigh one look. Returns a decision, or None when there is nothing (new) to say."""
        terms = self._terms
        age_s = now_s - look.captured_s
        if not age_s <= terms.look_age_max_s:
            return self._refused("the look came too late to count", look)
        if not age_s >= -FUTURE_MAX_S:
            return self._refused("the look is stamped in the future", look)
        named = match if acceptable(match, terms.similarity_min, terms.margin_min) else None
        is_live = terms.liveness_min is None or (look.liveness is not None and look.liveness >= terms.liveness_min)
        if look.captured_s <= self._spoilt_until_s:
            return None
        if look.track in self._settled:
            self._keep_grant(look, named if is_live else None)
            return None
        self._note_approach(look, match, named is not None, now_s)
        if self._seen and (look.track != self._seen[-1].track or look.captured_s <= self._seen[-1].captured_s):
            self._seen.clear()
        if named is not None and not is_live:
            return self._not_live(look, named)
        self._seen.append(_Seen(look.captured_s, look.track, named))
        recent = [seen for seen in self._seen if look.captured_s - seen.captured_s <= terms.window_s]
        names = [seen.match for seen in recent if seen.match is not None]
        agreeing = [other for other in names if named is not None and other.person_id == named.person_id]
        if named is not None and len(agreeing) == len(names) and len(agreeing) >= terms.looks_needed:
            weakest = min(other.similarity for other in agreeing)
            return self._granted(look, named, weakest, len(agreeing))
        if len(recent) >= terms.looks_needed and not names:
            return self._refused(_why_nobody(match, terms), look, match.similarity if match else None)
        return None

    def _not_live(self, look: Look, named: Match) -> Refused | None:
        if look.liveness is not None and look.liveness >= self._terms.attack_max > 0:
            return None  # not yet
        self._seen.clear()
        return self._refused("not a living face", look, named.similarity)

    def _granted(self, look: Look, named: Match, weakest: float, looks: int) -> Recognised:
        self._settled = {*sorted(self._settled)[1 - TRACKS_MAX :], look.track}
        self._approach = None  # whoever is recognised was no attempt
        self._agreed_s = look.captured_s
        self._grant = Recognised(named.person_id, named.name, weakest, looks, look.track, look.frame, look.captured_s)
        return self._grant

    def _keep_grant(self, look: Look, named: Match | None) -> None:
        grant = self._grant
        if grant is None or named is None:
            return
        if (look.track, named.person_id) == (grant.track, grant.person_id):
            self._agreed_s = max(self._agreed_s, look.captured_s)
        else:
            self._grant = None

    def _note_approach(self, look: Look, match: Match | None, is_named: bool, now_s: float) -> None:
        """Keep the best look of this approach that came close to somebody; who resembles two people came close to
        neither."""
        approach = self._approach
        if approach is None or approach.track != look.track:
            self._end_approach()
            approach = self._approach = _Approach(look.track, now_s, now_s)
        approach.last_s = now_s
        band = self._terms.similarity_min - self._terms.near_miss, self._terms.similarity_min
        if match is None or not (is_named or band[0] <= match.similarity < band[1]):
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


def _why_nobody(match: Match | None, terms: Terms) -> str:
    if match is None:
        return "nobody is enrolled"
    if match.similarity >= terms.similarity_min:
        return "two people are too alike to tell"
    return "not recognised"
