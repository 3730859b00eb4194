"""The tables, as migrations that only ever go forward.

A released migration is never edited: a change is a new one, its name at the end of ``KNOWN``.
"""

from typing import TYPE_CHECKING

from sqlite_utils import Migrations

from edge.store.sealing import OVERHEAD_BYTES

if TYPE_CHECKING:
    from sqlite_utils import Database

APPLICATION_ID = 0x464C4348
""""FLCH" in the file's header (https://www.sqlite.org/fileformat.html, offset 68): tells a store from other
databases."""

KNOWN = ("0001_people_templates_events", "0002_rules_and_chain", "0003_pin_required", "0004_sealed")
"""Every migration in order. ``PRAGMA user_version`` counts those applied."""

RULES_SINCE = CHAIN_SINCE = 2
"""The version of the schema from which on there are permissions, and the log has a chain."""

PIN_REQUIRED_SINCE = 3
"""The version from which on a permission can ask for the PIN."""

SEALED_SINCE = 4
"""The version from which on names, templates and PINs are sealed with the person's key."""

CROP_MAX_BYTES = 5632
"""A JPEG of the aligned face, 112 pixels square: 20 of them and as many templates fit one packet of the wire."""

VALUE_MAX_CHARS = 10_000
"""Longest value of a setting."""

migrations = Migrations("facelatch")

# AUTOINCREMENT: a forgotten person's id must never become somebody else's, for the log still speaks of it.
_PEOPLE = """
    CREATE TABLE people (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
        name_key TEXT NOT NULL UNIQUE,
        enrolled_utc TEXT NOT NULL
    ) STRICT
"""

# The embedding is float32, little-endian.
_TEMPLATES = """
    CREATE TABLE templates (
        id INTEGER PRIMARY KEY,
        person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
        model_id TEXT NOT NULL,
        dimension INTEGER NOT NULL CHECK (dimension > 0),
        embedding BLOB NOT NULL CHECK (length(embedding) = 4 * dimension),
        created_utc TEXT NOT NULL
    ) STRICT
"""

# No foreign key on person_id: the log outlives the person. No name: a forgotten person leaves none behind.
_EVENTS = """
    CREATE TABLE events (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at_utc TEXT NOT NULL,
        kind TEXT NOT NULL,
        person_id INTEGER,
        detail TEXT NOT NULL
    ) STRICT
"""


@migrations(name=KNOWN[0])
def _people_templates_events(db: "Database") -> None:
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(_PEOPLE)
    db.execute(_TEMPLATES)
    db.execute("CREATE INDEX templates_person ON templates (person_id)")
    db.execute(_EVENTS)
    db.execute("PRAGMA user_version = 1")


_PERMISSIONS = """
    CREATE TABLE permissions (
        person_id INTEGER PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE,
        disabled INTEGER NOT NULL CHECK (disabled IN (0, 1)),
        valid_from_utc TEXT,
        valid_until_utc TEXT,
        uses_left INTEGER CHECK (uses_left >= 0),
        schedule TEXT
    ) STRICT
"""

# The text is salt and digest.
_PINS = """
    CREATE TABLE pins (
        person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
        duress INTEGER NOT NULL CHECK (duress IN (0, 1)),
        text TEXT NOT NULL,
        PRIMARY KEY (person_id, duress)
    ) STRICT
"""

_HOLIDAYS = "CREATE TABLE holidays (date TEXT PRIMARY KEY NOT NULL) STRICT"

_SETTINGS = f"""
    CREATE TABLE settings (
        key TEXT PRIMARY KEY NOT NULL,
        value TEXT NOT NULL CHECK (length(value) <= {VALUE_MAX_CHARS})
    ) STRICT
"""

# Where the log's chain begins (the last entry before it, or 0) and ends, sealed with the log's key.
_MARKS = """
    CREATE TABLE log_marks (
        name TEXT PRIMARY KEY NOT NULL CHECK (name IN ('anchor', 'head')),
        entry_id INTEGER NOT NULL,
        mac BLOB NOT NULL CHECK (length(mac) = 32),
        seal BLOB NOT NULL CHECK (length(seal) = 32)
    ) STRICT
"""


@migrations(name=KNOWN[1])
def _rules_and_chain(db: "Database") -> None:
    """The macs themselves need the log's key: ``chain`` fills them in, in the same transaction."""
    for table in (_PERMISSIONS, _PINS, _HOLIDAYS, _SETTINGS, _MARKS):
        db.execute(table)
    db.execute("ALTER TABLE events ADD COLUMN mac BLOB CHECK (length(mac) = 32)")
    db.execute("PRAGMA user_version = 2")


@migrations(name=KNOWN[2])
def _pin_required(db: "Database") -> None:
    db.execute(
        "ALTER TABLE permissions ADD COLUMN pin_required INTEGER NOT NULL DEFAULT 0 CHECK (pin_required IN (0, 1))"
    )
    db.execute("PRAGMA user_version = 3")


# The number comes from the file of keys. Sealed: the name, and consent and last day where they are given.
_SEALED_PEOPLE = f"""
    CREATE TABLE people (
        id INTEGER PRIMARY KEY,
        sealed BLOB NOT NULL CHECK (length(sealed) BETWEEN {OVERHEAD_BYTES} AND 2048),
        enrolled_utc TEXT NOT NULL
    ) STRICT
"""

# Sealed: the embedding, float32, little-endian.
_SEALED_TEMPLATES = f"""
    CREATE TABLE templates (
        id INTEGER PRIMARY KEY,
        person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
        model_id TEXT NOT NULL,
        dimension INTEGER NOT NULL CHECK (dimension > 0),
        sealed BLOB NOT NULL CHECK (length(sealed) = 4 * dimension + {OVERHEAD_BYTES}),
        created_utc TEXT NOT NULL
    ) STRICT
"""

# The aligned face that the template was made of, a JPEG, where the owner keeps such pictures.
_CROPS = f"""
    CREATE TABLE crops (
        template_id INTEGER PRIMARY KEY REFERENCES templates (id) ON DELETE CASCADE,
        sealed BLOB NOT NULL CHECK (length(sealed) BETWEEN {OVERHEAD_BYTES} AND {CROP_MAX_BYTES + OVERHEAD_BYTES})
    ) STRICT
"""

_SEALED_PERMISSIONS = _PERMISSIONS.replace(
    "schedule TEXT\n", "schedule TEXT,\n        pin_required INTEGER NOT NULL CHECK (pin_required IN (0, 1))\n"
)

# Sealed: salt and digest.
_SEALED_PINS = f"""
    CREATE TABLE pins (
        person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
        duress INTEGER NOT NULL CHECK (duress IN (0, 1)),
        sealed BLOB NOT NULL CHECK (length(sealed) BETWEEN {OVERHEAD_BYTES} AND 1024),
        PRIMARY KEY (person_id, duress)
    ) STRICT
"""


@migrations(name=KNOWN[3])
def _sealed(db: "Database") -> None:
    """The rows themselves need the people's keys: ``upgrade`` takes them out before and puts them back, in the same
    transaction."""
    for table in ("pins", "permissions", "templates", "people"):
        db.execute(f"DROP TABLE {table}")
    for sql in (_SEALED_PEOPLE, _SEALED_TEMPLATES, _CROPS, _SEALED_PERMISSIONS, _SEALED_PINS):
        db.execute(sql)
    db.execute("CREATE INDEX templates_person ON templates (person_id)")
    db.execute("PRAGMA user_version = 4")
