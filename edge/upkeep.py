"""Looks after what is kept while the lock runs: old entries and pictures go, the log's head goes to the journal."""

from collections.abc import Callable

from edge.errors import FacelatchError
from edge.ports import Clock, Store
from edge.settings import LogConfig
from edge.snapshots import Snapshots
from edge.teller import Teller

PRUNE_EVERY_S = 60.0
"""At most 500 entries go at a time, in 4 ms on x86-64: the door's loop is not held, and a day's entries go in a
minute."""


class Upkeep:
    """Called from the guardian's tick; keeps to its own times."""

    def __init__(self, config: LogConfig, store: Store, clock: Clock, teller: Teller, snapshots: Snapshots) -> None:
        self._config, self._store, self._clock, self._teller = config, store, clock, teller
        self._snapshots = snapshots
        self._prune_s = self._head_s = clock.now_s()

    def tick(self) -> None:
        """Prune and tell the head when it is time. What fails is told and tried again then."""
        now_s = self._clock.now_s()
        if now_s >= self._prune_s:
            self._prune_s = now_s + PRUNE_EVERY_S
            self._tried(lambda: self._store.prune_log(self._config.keep_days, self._config.keep_rows))
            self._snapshots.prune()
        if now_s >= self._head_s:
            self._head_s = now_s + self._config.head_every_s
            self.tell_head()

    def tell_head(self) -> None:
        """The log's count and digest, for a journal that outlives a changed database; also when the lock stops."""
        self._tried(self._say_head)

    def _say_head(self) -> None:
        number, digest = self._store.log_head()
        self._teller.say("log_head", {"head": f"{number}:{digest}"})

    def _tried(self, work: Callable[[], object]) -> None:
        try:
            work()
        except FacelatchError as error:
            self._teller.say("log_failed", {"reason": str(error)})
