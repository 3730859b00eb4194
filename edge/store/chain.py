"""The log's chain: each entry's mac covers the entry and the mac before it, so that none can be edited or removed.

A row in the middle is found by its neighbours, a cut-off end by the head, a mark that says where the chain ends.
Pruning moves the anchor, the mark where it begins. Both are sealed with the key that the macs are made with. A file put
back as a whole is sound in itself: only a head that was kept elsewhere shows it.

Where the marks are gone, or are not of this key, the log goes on all the same: a new chain begins behind what is there,
with an entry that says so, and those before it can never be verified again.
"""

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from edge.errors import LogError

if TYPE_CHECKING:
    from sqlite_utils import Database

ADVICE = "Something else than facelatch wrote to the store: compare it with a backup and the journal."

PRUNED_A_CALL = 500
"""Entries removed in one transaction: a few milliseconds, so that the door's loop is not held."""

COLUMNS = "id, at_utc, kind, person_id, detail"
Row: TypeAlias = tuple[int, str, str, int | None, str]
"""``COLUMNS``, the detail as its JSON text."""

_READ = f"SELECT {COLUMNS}, mac FROM events"  # noqa: S608  # constant
_ADD = f"INSERT INTO events ({COLUMNS}, mac) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608  # constant

_ID_MAX = 2**53  # an entry that somebody else put higher must not leave our numbers without room


class Mark(NamedTuple):
    """An entry's id and its mac; that before the first entry is ``NOTHING``."""

    id: int
    mac: bytes


NOTHING = Mark(0, bytes(32))


class Chain:
    """Works inside the caller's transactions. ``seen`` is the head as it was last committed by this process."""

    def __init__(self, db: "Database", key: bytes, *, key_lost: bool) -> None:
        self._db, self._key, self._key_lost = db, key, key_lost
        self.seen: Mark | None = None

    def begin(self) -> None:
        """Chain every entry that is there, those of a release that knew no chain."""
        self._put("anchor", NOTHING)
        last = NOTHING
        sql = f"{_READ} WHERE id > ? ORDER BY id LIMIT 1000"
        while rows := self._db.execute(sql, [last.id]).fetchall():
            for *columns, _ in rows:
                last = Mark(columns[0], self._mac(last, tuple(columns)))
                self._db.execute("UPDATE events SET mac = ? WHERE id = ?", [last.mac, last.id])
        self._put("head", last)

    def is_sound(self) -> bool:
        """Whether both marks are as this key sealed them, and the head as this process left it."""
        return self._get("anchor") is not None and self._get("head") is not None

    def head(self) -> Mark:
        """The newest entry. Raises LogError."""
        return self._need("head")

    def append(self, at_utc: str, kind: str, person_id: int | None, detail: str) -> Mark:
        """Add an entry; the caller keeps the new head as ``seen`` once it is committed."""
        head = self._get("head")
        if head is None or self._get("anchor") is None:
            head = self._begin_anew(at_utc)
        head = self._insert(head, at_utc, kind, person_id, detail)
        self._put("head", head)
        return head

    def begin_anew(self, at_utc: str) -> Mark:
        """A new chain behind the entries that are there."""
        head = self._begin_anew(at_utc)
        self._put("head", head)
        return head

    def prune(self, before_utc: str | None, keep_rows: int) -> tuple[int, str | None]:
        """Remove some of the oldest: beyond ``keep_rows``, or of before ``before_utc``. Never the newest.

        Returns how many, and what was wrong with them: after this nothing can tell. Raises LogError.
        """
        anchor, head = self._need("anchor"), self._need("head")
        sql = f"{_READ} WHERE id < ? ORDER BY id LIMIT ?"
        removed, last, finding = 0, anchor, None
        for *columns, mac in self._db.execute(sql, [head.id, PRUNED_A_CALL]).fetchall():
            row: Row = tuple(columns)
            if row[0] > head.id - keep_rows and not (before_utc is not None and row[1] < before_utc):
                break
            removed += 1
            if row[0] > anchor.id:
                finding = finding or self._finding(last, row, mac)
                last = Mark(row[0], _sized(mac))
        if removed:
            self._db.execute("DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT ?)", [removed])
            self._put("anchor", last)
        return removed, finding

    def verify(self, after_id: int, until_id: int | None, limit: int) -> tuple[int, Mark, bool]:
        """How many entries above ``after_id`` were checked, the last of them, and whether there are more.

        Raises LogError naming the first that is wrong.
        """
        anchor, head = self._need("anchor"), self._need("head")
        last = anchor if after_id <= anchor.id else self._mark_of(after_id)
        top = head.id if until_id is None else max(until_id, last.id)
        checked = 0
        sql = f"{_READ} WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"
        for *columns, mac in self._db.execute(sql, [last.id, min(top, head.id), limit]):
            row: Row = tuple(columns)
            if finding := self._finding(last, row, mac):
                raise LogError(f"{finding}. {ADVICE}")
            last, checked = Mark(row[0], mac), checked + 1
        if last.id < head.id and (checked == limit or last.id == top):
            return checked, last, True
        self._check_end(last, head, anchor)
        return checked, last, False

    def _check_end(self, last: Mark, head: Mark, anchor: Mark) -> None:
        if last.id < head.id:
            missing = _plural(head.id - last.id)
            raise LogError(f"The end is cut off: {missing} missing after entry {last.id}. {ADVICE}")
        if last.mac != head.mac:
            raise LogError(f"Entry {last.id} is not the one that was written last. {ADVICE}")
        (added,) = self._db.execute("SELECT min(id) FROM events WHERE id > ?", [head.id]).fetchone()
        if added is not None:
            raise LogError(f"Entry {added} was added by something else. {ADVICE}")
        first, former = self._db.execute("SELECT min(id), max(id) FROM events WHERE id <= ?", [anchor.id]).fetchone()
        if former is not None:
            raise LogError(
                f"Entries {first} to {former} cannot be verified: the key or the marks of the log were lost after "
                f"them. Entry {anchor.id + 1} says when; from there on all is as it was written."
            )

    def _finding(self, last: Mark, row: Row, mac: bytes | None) -> str | None:
        """What is wrong with the entry that follows ``last``."""
        missing = row[0] - last.id - 1
        if missing:
            names = f"Entry {last.id + 1} is" if missing == 1 else f"Entries {last.id + 1} to {row[0] - 1} are"
            return f"{names} missing"
        if not hmac.compare_digest(self._mac(last, row), _sized(mac)):
            return f"Entry {row[0]} was changed"
        return None

    def _begin_anew(self, at_utc: str) -> Mark:
        found = self._db.execute("SELECT id, mac FROM events WHERE id < ? ORDER BY id DESC LIMIT 1", [_ID_MAX])
        row = found.fetchone()
        last = NOTHING if row is None else Mark(max(row[0], 0), _sized(row[1]))
        self._put("anchor", last)
        kind = "log_key_lost" if self._key_lost else "log_chain_broken"
        self._key_lost = False
        return self._insert(last, at_utc, kind, None, json.dumps({"last_id": last.id}))

    def _insert(self, last: Mark, at_utc: str, kind: str, person_id: int | None, detail: str) -> Mark:
        """With its own number, not SQLite's next one: that knows nothing of entries that were cut off."""
        found = self._db.execute("SELECT max(id) FROM events WHERE id > ? AND id < ?", [last.id, _ID_MAX]).fetchone()
        row: Row = ((found[0] or last.id) + 1, at_utc, kind, person_id, detail)
        mark = Mark(row[0], self._mac(last, row))
        self._db.execute(_ADD, [*row, mark.mac])
        return mark

    def _mark_of(self, entry_id: int) -> Mark:
        row = self._db.execute("SELECT id, mac FROM events WHERE id = ?", [entry_id]).fetchone()
        if row is None:
            raise LogError(f"Entry {entry_id} is missing. {ADVICE}")
        return Mark(row[0], _sized(row[1]))

    def _get(self, name: str) -> Mark | None:
        row = self._db.execute("SELECT entry_id, mac, seal FROM log_marks WHERE name = ?", [name]).fetchone()
        if row is None:
            return None
        mark = Mark(row[0], row[1])
        if not hmac.compare_digest(self._seal(name, mark), row[2]):
            return None
        if name == "head" and self.seen is not None and mark != self.seen:
            return None
        return mark

    def _need(self, name: str) -> Mark:
        mark = self._get(name)
        if mark is None:
            raise LogError(f"The mark of the log's {'end' if name == 'head' else 'beginning'} was changed. {ADVICE}")
        return mark

    def _put(self, name: str, mark: Mark) -> None:
        sql = "INSERT OR REPLACE INTO log_marks (name, entry_id, mac, seal) VALUES (?, ?, ?, ?)"
        self._db.execute(sql, [name, *mark, self._seal(name, mark)])

    def _mac(self, last: Mark, row: Row) -> bytes:
        # JSON in ASCII: other values never have the same text.
        return self._digest(b"entry" + last.mac + json.dumps(row).encode())

    def _seal(self, name: str, mark: Mark) -> bytes:
        return self._digest(b"mark" + json.dumps([name, mark.id, mark.mac.hex()]).encode())

    def _digest(self, message: bytes) -> bytes:
        return hmac.digest(self._key, message, hashlib.sha256)


def _sized(mac: bytes | None) -> bytes:
    """A stored mac, or zeros for what cannot be one."""
    return mac if mac is not None and len(mac) == len(NOTHING.mac) else NOTHING.mac


def _plural(count: int) -> str:
    return "1 entry is" if count == 1 else f"{count} entries are"
