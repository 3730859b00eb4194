"""Permissions and PINs as they are stored, and when they are trusted again."""

from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.names import shown
from edge.errors import InputError
from edge.store.faults import damaged
from edge.store.schema import PIN_REQUIRED_SINCE
from edge.store.sealing import seal, unseal
from edge.types import Permission, PinHash

if TYPE_CHECKING:
    from sqlite_utils import Database

    from edge.store.keyring import KeyRing

TEXT_MAX_CHARS = 500
"""Longest text of a permission or a PIN, as on the wire: what is stored can be shown."""


def read_permissions(db: "Database", path: Path) -> dict[int, Permission]:
    """By the person's id. Raises StoreDamagedError, sqlite3.Error."""
    # A store of the release before is checked before it is brought up to date.
    version = db.execute("PRAGMA user_version").fetchone()[0]
    by_pin = "pin_required" if version >= PIN_REQUIRED_SINCE else "0"
    columns = f"person_id, disabled, valid_from_utc, valid_until_utc, uses_left, schedule, {by_pin}"
    found = {}
    for person_id, disabled, first, until, uses_left, schedule, pin_required in db.execute(
        f"SELECT {columns} FROM permissions"  # noqa: S608  # constants
    ):
        sound = disabled in (0, 1) and pin_required in (0, 1) and (uses_left is None or uses_left >= 0)
        if not sound or not all(text is None or _plain(text) for text in (first, until, schedule)):
            raise damaged(path, "holds a permission that facelatch would not store")
        found[person_id] = Permission(bool(disabled), first, until, uses_left, schedule, bool(pin_required))
    return found


def write_permission(db: "Database", person_id: int, permission: Permission) -> None:
    """In place of what was set. Raises sqlite3.Error."""
    sql = """
        INSERT OR REPLACE INTO permissions
        (person_id, disabled, valid_from_utc, valid_until_utc, uses_left, schedule, pin_required)
        VALUES (?, ?, ?, ?, ?, ?, ?)
    """
    dates = (permission.valid_from_utc, permission.valid_until_utc)
    limits = (permission.uses_left, permission.schedule, int(permission.pin_required))
    db.execute(sql, [person_id, int(permission.disabled), *dates, *limits])


def read_pins(db: "Database", path: Path, ring: "KeyRing") -> list[PinHash]:
    """By person, the duress PIN last. Raises StoreDamagedError, StoreKeyError, sqlite3.Error."""
    found = []
    sql = "SELECT person_id, duress, sealed FROM pins ORDER BY person_id, duress"
    for person_id, duress, sealed in db.execute(sql):
        key = ring.key_of(person_id)
        if key is None:  # forgotten; the row goes at the next opening
            continue
        try:
            text = unseal(key, sealed, _pin_purpose(person_id, duress)).decode("ascii")
        except ValueError as error:
            raise damaged(path, f"holds a PIN of person {person_id} that the person's key does not open") from error
        found.append(_pin(path, person_id, duress, text))
    return found


def read_plain_pins(db: "Database", path: Path) -> list[PinHash]:
    """As a release before them stored it, in the open. Raises StoreDamagedError, sqlite3.Error."""
    rows = db.execute("SELECT person_id, duress, text FROM pins ORDER BY person_id, duress").fetchall()
    return [_pin(path, *row) for row in rows]


def write_pin(db: "Database", key: bytes, pin: PinHash) -> None:
    """Where that person has no PIN of the kind. Raises sqlite3.Error."""
    duress = int(pin.duress)
    sealed = seal(key, pin.text.encode("ascii"), _pin_purpose(pin.person_id, duress))
    db.execute("INSERT INTO pins (person_id, duress, sealed) VALUES (?, ?, ?)", [pin.person_id, duress, sealed])


def read_holidays(db: "Database", path: Path) -> list[str]:
    """ISO dates, ascending. Raises StoreDamagedError, sqlite3.Error."""
    dates = [date for (date,) in db.execute("SELECT date FROM holidays ORDER BY date")]
    if not all(map(_plain, dates)):
        raise damaged(path, "holds a holiday that facelatch would not store")
    return dates


def check_plain(*texts: str | None) -> None:
    """Raise InputError for a text that the functions above would call damage."""
    for text in texts:
        if text is not None and not _plain(text):
            raise InputError(
                f"The text {shown(text)} is not stored. Use at most {TEXT_MAX_CHARS} printable ASCII signs."
            )


def _pin(path: Path, person_id: int, duress: int, text: str) -> PinHash:
    if duress not in (0, 1) or not _plain(text):
        raise damaged(path, "holds a PIN that facelatch would not store")
    return PinHash(person_id, text, bool(duress))


def _pin_purpose(person_id: int, duress: int) -> str:
    return f"PIN of {person_id}, duress {duress}"


def _plain(text: str) -> bool:
    return len(text) <= TEXT_MAX_CHARS and text.isascii() and text.isprintable()
