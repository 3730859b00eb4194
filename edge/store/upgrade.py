"""A store of an earlier release brought up to date, in one transaction: all of it or nothing."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from edge.store.chain import Chain
from edge.store.identity import Identity, seal_identity
from edge.store.key import log_key
from edge.store.keyring import KeyRing
from edge.store.permissions import read_permissions, read_plain_pins, write_permission, write_pin
from edge.store.schema import CHAIN_SINCE, RULES_SINCE, SEALED_SINCE, migrations
from edge.store.templates import seal_template
from edge.types import Permission, PinHash


@dataclass(frozen=True, slots=True)
class _Unsealed:
    """What a release before ``SEALED_SINCE`` holds in the open."""

    last_id: int = 0
    people: list[tuple[int, str, str]] = field(default_factory=list)
    templates: list[tuple[Any, ...]] = field(default_factory=list)
    permissions: dict[int, Permission] = field(default_factory=dict)
    pins: list[PinHash] = field(default_factory=list)


def begin(db: Database, path: Path, ring: KeyRing) -> None:
    """Fill an empty file."""
    migrate(db, path, ring)


def migrate(db: Database, path: Path, ring: KeyRing) -> Chain:
    """Bring the tables up to date, seal what a release sealed not, and chain the log of one that knew no chain.

    A store that has a chain and whose key is gone gets another key: the door must work, and the log says so. Raises
    OSError, StoreError, sqlite3.Error.
    """
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    with db.atomic():
        rows = _take(db, path, version)
        migrations.apply(db)
        if version < SEALED_SINCE:
            _put(db, rows, ring)
            db.execute("INSERT OR REPLACE INTO settings VALUES ('household', ?)", [ring.household.hex()])
        key, key_lost = log_key(path, has_chain=version >= CHAIN_SINCE)
        chain = Chain(db, key, key_lost=key_lost)
        if version < CHAIN_SINCE:
            chain.begin()
    return chain


def _take(db: Database, path: Path, version: int) -> _Unsealed:
    if not 0 < version < SEALED_SINCE:
        return _Unsealed()
    has_rules = version >= RULES_SINCE
    last = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'people'").fetchone()
    return _Unsealed(
        last[0] if last else 0,
        db.execute("SELECT id, name, enrolled_utc FROM people").fetchall(),
        db.execute("SELECT id, person_id, model_id, dimension, embedding, created_utc FROM templates").fetchall(),
        read_permissions(db, path) if has_rules else {},
        read_plain_pins(db, path) if has_rules else [],
    )


def _put(db: Database, rows: _Unsealed, ring: KeyRing) -> None:
    """Under the numbers that people have. Whose key is destroyed was forgotten after this copy was made."""
    ring.reserve(rows.last_id)
    keys = {}
    for person_id, name, enrolled_utc in rows.people:
        if not ring.knows(person_id):
            ring.make_key(person_id)
        key = ring.key_of(person_id)
        if key is None:
            continue
        keys[person_id] = key
        sealed = seal_identity(key, person_id, Identity(name))
        db.execute("INSERT INTO people VALUES (?, ?, ?)", [person_id, sealed, enrolled_utc])
    for number, person_id, model_id, dimension, embedding, created_utc in rows.templates:
        if person_id in keys:
            sealed = seal_template(keys[person_id], person_id, model_id, embedding)
            values = [number, person_id, model_id, dimension, sealed, created_utc]
            db.execute("INSERT INTO templates VALUES (?, ?, ?, ?, ?, ?)", values)
    for person_id, permission in rows.permissions.items():
        if person_id in keys:
            write_permission(db, person_id, permission)
    for pin in rows.pins:
        if pin.person_id in keys:
            write_pin(db, keys[pin.person_id], pin)
