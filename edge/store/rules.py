"""What the owner allows whom, and when: permissions, PINs, holidays, and what the door must remember."""

from collections.abc import Mapping, Sequence

from edge.core.names import shown
from edge.errors import StoreError
from edge.store.base import OpenStore
from edge.store.faults import explained
from edge.store.permissions import (
    check_plain,
    read_holidays,
    read_permissions,
    read_pins,
    write_permission,
    write_pin,
)
from edge.store.schema import VALUE_MAX_CHARS
from edge.types import Permission, Person, PinHash


class RulesStore(OpenStore):
    """The part of ``ports.Store`` that holds the rules."""

    def permissions(self) -> Mapping[int, Permission]:
        with explained(self._path, "be read"):
            return read_permissions(self._db, self._path)

    def permit(self, name: str, permission: Permission) -> Person:
        check_plain(permission.valid_from_utc, permission.valid_until_utc, permission.schedule)
        with self._writing():
            person = self._must_find(name)
            write_permission(self._db, person.id, permission)
        return person

    def spend_use(self, person_id: int) -> None:
        with self._writing():
            sql = "UPDATE permissions SET uses_left = uses_left - 1 WHERE person_id = ? AND uses_left > 0"
            self._db.execute(sql, [person_id])

    def pins(self) -> list[PinHash]:
        with explained(self._path, "be read"):
            return read_pins(self._db, self._path, self._ring)

    def set_pin(self, name: str, text: str | None, *, duress: bool) -> Person:
        check_plain(text)
        with self._writing():
            person = self._must_find(name)
            self._db.execute("DELETE FROM pins WHERE person_id = ? AND duress = ?", [person.id, int(duress)])
            if text is not None:
                write_pin(self._db, self._key(person.id), PinHash(person.id, text, duress))
        self._try_to_erase_traces()  # a PIN has few digits: whoever finds the old hash tries them all
        return person

    def holidays(self) -> list[str]:
        with explained(self._path, "be read"):
            return read_holidays(self._db, self._path)

    def set_holidays(self, add: Sequence[str], remove: Sequence[str]) -> None:
        check_plain(*add)
        with self._writing():
            for date in add:
                self._db.execute("INSERT OR IGNORE INTO holidays (date) VALUES (?)", [date])
            for date in remove:
                self._db.execute("DELETE FROM holidays WHERE date = ?", [date])

    def setting(self, key: str) -> str | None:
        with explained(self._path, "be read"):
            row = self._db.execute("SELECT value FROM settings WHERE key = ?", [key]).fetchone()
        return None if row is None else str(row[0])

    def keep(self, key: str, value: str) -> None:
        check_value(key, value)
        with self._writing():
            self._db.execute("INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)", [key, value])


def check_value(key: str, value: str) -> None:
    """Raise StoreError when a setting is too long to be kept."""
    if len(value) > VALUE_MAX_CHARS:
        raise StoreError(f"The setting {shown(key)} has {len(value)} characters. Keep at most {VALUE_MAX_CHARS}.")
