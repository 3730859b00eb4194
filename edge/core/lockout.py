"""The lockout of a face that somebody tries to pass for: per claimed person, growing, and forgetting.

It stops faces only. PIN, exit button and operator are not asked here, and neither is anybody else's face.
"""

import math
import re
from dataclasses import dataclass

PEOPLE_MAX = 1000
"""People kept in mind; only somebody enrolled is ever claimed."""

KEPT_MAX = 250
"""People in ``dump``: at most 10,000 characters, what the store keeps under one key."""

_TEXT = re.compile(r"(\d{1,19}):(\d{1,9}):(\d{1,9}):(\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class LockoutTerms:
    """``allowed`` attempts, then ``first_s`` seconds, doubled each further time up to ``max_s``; after ``forget_s``
    without an attempt one attempt and one doubling are forgotten."""

    allowed: int
    first_s: float
    max_s: float
    forget_s: float


@dataclass(slots=True)
class _Claimed:
    attempts: int
    level: int
    until_s: float
    forgot_s: float


class Lockouts:
    """Whose face opens nothing for a while. Times are monotonic seconds."""

    def __init__(self, terms: LockoutTerms) -> None:
        self._terms = terms
        self._claimed: dict[int, _Claimed] = {}

    def attempt(self, person_id: int, now_s: float) -> float | None:
        """Count an attempt. Until when the face is locked out, where this one brought it about."""
        claimed = self._decayed(person_id, now_s)
        if claimed is None:
            if len(self._claimed) >= PEOPLE_MAX:
                del self._claimed[next(iter(self._claimed))]
            claimed = self._claimed[person_id] = _Claimed(0, 0, -math.inf, now_s)
        claimed.attempts += 1
        claimed.forgot_s = now_s
        if now_s < claimed.until_s or claimed.attempts < self._terms.allowed:
            return None
        lasts_s = min(self._terms.first_s * 2.0 ** min(claimed.level, 30), max(self._terms.max_s, self._terms.first_s))
        claimed.attempts, claimed.level, claimed.until_s = 0, claimed.level + 1, now_s + lasts_s
        return claimed.until_s

    def locked_until_s(self, person_id: int, now_s: float) -> float | None:
        """Until when the person's face opens nothing, or None."""
        claimed = self._claimed.get(person_id)
        return claimed.until_s if claimed is not None and not now_s >= claimed.until_s else None

    def succeeded(self, person_id: int) -> None:
        """The person came in by face: the attempts before were probably the person's own."""
        self._claimed.pop(person_id, None)

    def clear(self) -> None:
        """An operator ends every lockout."""
        self._claimed.clear()

    def dump(self, now_s: float) -> str:
        """As text that outlives a restart: ``id:attempts:level:seconds left`` for each person."""
        newest = list(self._claimed.items())[-KEPT_MAX:]
        lefts = ((person_id, each, each.until_s - now_s) for person_id, each in newest)
        return ";".join(
            f"{person_id}:{each.attempts}:{each.level}:{math.ceil(left_s) if left_s > 0 else 0}"
            for person_id, each, left_s in lefts
        )

    def load(self, text: str, now_s: float) -> bool:
        """Take up what ``dump`` wrote, no lockout longer than ``max_s``. False, and nothing, for any other text."""
        found = [_TEXT.fullmatch(part) for part in text.split(";")] if text else []
        claimed = {}
        for each in found:
            if each is None:
                return False
            person_id, attempts, level, left_s = (int(group) for group in each.groups())
            longest_s = max(self._terms.max_s, self._terms.first_s)
            until_s = now_s + min(left_s, longest_s) if left_s else -math.inf
            claimed[person_id] = _Claimed(min(attempts, self._terms.allowed), min(level, 30), until_s, now_s)
        self._claimed = claimed
        return True

    def _decayed(self, person_id: int, now_s: float) -> _Claimed | None:
        """What is remembered of a person, less what time has forgiven since the last attempt or lockout."""
        claimed = self._claimed.get(person_id)
        if claimed is None:
            return None
        quiet_s = now_s - max(claimed.forgot_s, claimed.until_s)
        forgiven = int(quiet_s // self._terms.forget_s) if quiet_s > 0 else 0
        claimed.attempts = max(0, claimed.attempts - forgiven)
        claimed.level = max(0, claimed.level - forgiven)
        return claimed
