"""Tells what happened: to whoever listens, then to the audit log, which may have to wait for a slow card."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edge.core.names import shown
from edge.errors import FacelatchError
from edge.ports import Clock, Store
from edge.types import Event

_log = logging.getLogger(__name__)

Plain = str | int | float | bool | None
Announce = Callable[[str, Mapping[str, Plain]], None]
"""Told every notice: its kind, and plain values for people (names included, nothing biometric)."""

TOKENS_MAX, TOKENS_A_SECOND = 20.0, 1.0
"""Notices that strangers may cause at once, and a second: a busy evening stays below, and a flood fills the card
slowly."""

TEXT_MAX_CHARS = 200
"""Of somebody else's words in notices and log."""


@dataclass(slots=True)
class _Bucket:
    filled_s: float
    tokens: float = TOKENS_MAX
    untold: int = 0


class Teller:
    """Announces and logs. Nothing that fails here stops the door: the bolt has moved before."""

    def __init__(self, store: Store, announce: Announce, clock: Clock, status: Callable[[], str]) -> None:
        """``status`` gives the status line that goes with every notice."""
        self._store, self._announce, self._clock, self._status = store, announce, clock, status
        self._buckets: dict[str, _Bucket] = {}

    def tell(self, kind: str, person_id: int | None = None, **values: Plain) -> None:
        """Announce and log; the log holds the person's number, never the name."""
        self.say(kind, values)
        detail = {key: value for key, value in values.items() if key != "name"}
        try:
            self._store.log(Event(kind, person_id, detail))
        except FacelatchError as error:
            self.say("log_failed", {"reason": str(error)})

    def tell_sparingly(self, kind: str, person_id: int | None = None, **values: Plain) -> None:
        """For what strangers can cause at any rate: beyond the bucket it is counted, and the count told with the
        next. Every kind has a bucket of its own, so that no flood hides an alarm."""
        now_s = self._clock.now_s()
        bucket = self._buckets.setdefault(kind, _Bucket(now_s))
        bucket.tokens = min(TOKENS_MAX, bucket.tokens + (now_s - bucket.filled_s) * TOKENS_A_SECOND)
        bucket.filled_s = now_s
        if bucket.tokens < 1:
            bucket.untold += 1
            return
        bucket.tokens -= 1
        if bucket.untold:
            values["untold"], bucket.untold = bucket.untold, 0
        self.tell(kind, person_id, **values)

    def say(self, kind: str, values: Mapping[str, Plain]) -> None:
        """Announce only. A terminal that is gone, or cannot write a name, must not stop the door."""
        try:
            self._announce(kind, {**values, "status": self._status()})
        except Exception:
            _log.exception("a notice could not be announced: %s", kind)


def quoted(text: str) -> str:
    """Somebody else's words, printable and short."""
    return shown(text, TEXT_MAX_CHARS)[1:-1]
