"""From single looks to a decision: k agreeing looks of the last n, on one track, within a window.

One look proves little: a stranger resembles somebody for one frame now and then, and hardly ever for three running.
So a person is recognised only when ``looks_needed`` of the last ``looks_window`` looks of one track name that
person, all of them younger than ``window_s``, and none of them names somebody else. A look that was captured too
long ago, or in the future, never counts. A second face in view spoils everything gathered so far and the window that
follows. One track is granted once: whoever wants to come in again steps aside and comes back.
"""

from collections import deque
from dataclasses import dataclass

from edge.core.match import acceptable
from edge.types import Look, Match

FUTURE_MAX_S = 0.05
"""A capture stamp may be ahead of the clock by this much (rounding between processes); beyond it is a lie."""

TRACKS_MAX = 16
"""Tracks remembered: a door sees two or three at a time, hostile eyes may name millions."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What it takes to be recognised; the configuration's ``[match]`` and ``[evidence]``."""

    similarity_min: float
    margin_min: float
    looks_needed: int
    looks_window: int
    window_s: float
    look_age_max_s: float


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
class _Seen:
    captured_s: float
    track: int
    match: Match | None


class Evidence:
    """The memory of one approach. Time is an argument; nothing here waits."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self.forget_all()

    def forget_all(self) -> None:
        """Start anew, as when the eyes start: track ids begin again then."""
        self._seen: deque[_Seen] = deque(maxlen=self._terms.looks_window)
        self._settled: set[int] = set()
        self._spoilt_until_s = float("-inf")
        self._said: dict[int, set[str]] = {}

    def weigh_anew(self) -> None:
        """Somebody was enrolled or forgotten: looks gathered so far were held against other people."""
        self._seen.clear()
        self._said.clear()

    def spoil(self, reason: str, captured_s: float, frame: int) -> Refused | None:
        """More than one person is in view: nothing gathered counts, nor anything captured in the next window."""
        self._seen.clear()
        is_news = captured_s > self._spoilt_until_s
        self._spoilt_until_s = max(self._spoilt_until_s, captured_s + self._terms.window_s)
        return Refused(reason, None, frame) if is_news else None

    def unusable(self, reason: str, look: Look) -> Refused | None:
        """A look that can be neither for nor against anybody."""
        return self._refused(reason, look)

    def add(self, look: Look, match: Match | None, now_s: float) -> Recognised | Refused | None:
        """Weigh one look. Returns a decision, or None when there is nothing (new) to say."""
        terms = self._terms
        age_s = now_s - look.captured_s
        if not -FUTURE_MAX_S <= age_s <= terms.look_age_max_s:
            return self._refused("the look came too late to count", look)
        if look.captured_s <= self._spoilt_until_s or look.track in self._settled:
            return None
        if self._seen and (look.track != self._seen[-1].track or look.captured_s <= self._seen[-1].captured_s):
            self._seen.clear()
        named = match if acceptable(match, terms.similarity_min, terms.margin_min) else None
        self._seen.append(_Seen(look.captured_s, look.track, named))
        recent = [seen for seen in self._seen if look.captured_s - seen.captured_s <= terms.window_s]
        names = [seen.match for seen in recent if seen.match is not None]
        agreeing = [other for other in names if named is not None and other.person_id == named.person_id]
        if named is not None and len(agreeing) == len(names) and len(agreeing) >= terms.looks_needed:
            self._settled = {*sorted(self._settled)[1 - TRACKS_MAX :], look.track}
            weakest = min(other.similarity for other in agreeing)
            return Recognised(
                named.person_id, named.name, weakest, len(agreeing), look.track, look.frame, look.captured_s
            )
        if len(recent) >= terms.looks_needed and not names:
            return self._refused(_why_nobody(match, terms), look, match.similarity if match else None)
        return None

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
