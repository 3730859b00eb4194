"""The audit log of the store: append, read, verify, prune."""

import json
import logging
from datetime import datetime, timedelta

from edge.errors import StoreBusyError, StoreError
from edge.store.base import OpenStore
from edge.store.chain import COLUMNS, Chain, Mark
from edge.store.events import detail_json, to_events
from edge.store.faults import explained, where
from edge.types import Event, LogCheck, LoggedEvent

_log = logging.getLogger(__name__)

JUMP_S = 86400.0
"""A calendar that moved by more than this against the monotonic clock has jumped, and age counts again once it has held
for as long: a wrong year must not empty the log within the hour."""


class LogStore(OpenStore):
    """The part of ``ports.Store`` that is the log."""

    def _begin(self, chain: Chain) -> None:
        """At opening. A chain that cannot be continued does not keep the door shut; the log itself says so."""
        self._chain, self._busy = chain, False
        self._offset_s, self._believed_s = self._calendar_offset_s(), float("-inf")
        try:
            self._mend()
        except StoreError as error:  # the next entry tries again
            _log.error("the log's chain cannot be begun anew yet: %s", error)

    def log(self, event: Event) -> None:
        detail = detail_json(event)
        try:
            # Another program's lock is waited for once, not at every event: the door's loop must go on.
            with self._writing(patient=not self._busy):
                head = self._chain.append(self._clock.utc(), event.kind, event.person_id, detail)
                self._chain.seen = None  # unknown should the commit fail
        except StoreBusyError:
            self._busy = True
            raise
        self._chain.seen, self._busy = head, False

    def events(self, limit: int) -> list[LoggedEvent]:
        """The newest ``limit`` lines of the audit log, newest first. Raises StoreError."""
        return self.log_page(last=max(limit, 0))[::-1]

    def log_page(
        self,
        after_id: int = 0,
        since_utc: str | None = None,
        person_id: int | None = None,
        kind: str | None = None,
        last: int | None = None,
        *,
        limit: int = 100,
    ) -> list[LoggedEvent]:
        wanted = {"since": since_utc, "person": person_id, "kind": kind}
        conditions = {"since": "at_utc >= :since", "person": "person_id = :person", "kind": "kind = :kind"}
        chosen = " AND ".join(["id > :after", *(conditions[key] for key in wanted if wanted[key] is not None)])
        order = "ASC" if last is None else "DESC"
        sql = f"SELECT {COLUMNS} FROM events WHERE {chosen} ORDER BY id {order} LIMIT :limit"  # noqa: S608  # constants
        values = {**wanted, "after": after_id, "limit": limit if last is None else last}
        with explained(self._path, "be read"):
            rows = self._db.execute(sql, values).fetchall()
        return to_events(rows if last is None else rows[::-1], self._path)

    def log_head(self) -> tuple[int, str]:
        with explained(self._path, "be read"):
            head = self._chain.head()
        return head.id, head.mac.hex()

    def verify_log(self, after_id: int = 0, *, until_id: int | None = None, limit: int = 1000) -> LogCheck:
        with explained(self._path, "be read"):
            checked, last, more = self._chain.verify(after_id, until_id, limit)
        return LogCheck(checked, last.id, last.mac.hex(), more)

    def prune_log(self, keep_days: int, keep_rows: int) -> int:
        self._mend()
        self._ring.erase_traces()  # where a reader was in the way when a key was destroyed
        head: Mark | None = None
        with self._writing():
            removed, finding = self._chain.prune(self._oldest_utc(keep_days), keep_rows)
            if finding is not None:  # it would be removed without a trace
                head = self._chain.append(self._clock.utc(), "log_broken", None, json.dumps({"finding": finding}))
                self._chain.seen = None
        if head is not None:
            self._chain.seen = head
        return removed

    def _mend(self) -> None:
        """Begin the chain anew where it cannot be continued. Raises StoreError."""
        with explained(self._path, "be read"):
            if self._chain.is_sound():
                return
        with self._writing():
            head = self._chain.begin_anew(self._clock.utc())
            self._chain.seen = None
        self._chain.seen = head
        _log.error(
            "%s: the log's key or its marks were lost; a new chain begins with entry %d", where(self._path), head.id
        )

    def _oldest_utc(self, keep_days: int) -> str | None:
        """Entries before it are too old; None while the calendar may be wrong."""
        offset_s, now_s = self._calendar_offset_s(), self._clock.now_s()
        if abs(offset_s - self._offset_s) > JUMP_S:
            self._offset_s, self._believed_s = offset_s, now_s + JUMP_S
        if not self._clock.trusted() or now_s < self._believed_s:
            return None
        oldest = datetime.fromisoformat(self._clock.utc()) - timedelta(days=keep_days)
        return oldest.isoformat(timespec="milliseconds")

    def _calendar_offset_s(self) -> float:
        return datetime.fromisoformat(self._clock.utc()).timestamp() - self._clock.now_s()
