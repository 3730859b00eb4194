"""The tables, as migrations that only ever go forward.

A released migration is never edited: a change is a new one, its name at the end of ``KNOWN``.
"""

from typing import TYPE_CHECKING

from sqlite_utils import Migrations

if TYPE_CHECKING:
    from sqlite_utils import Database

APPLICATION_ID = 0x464C4348
""""FLCH" in the file's header (https://www.sqlite.org/fileformat.html, offset 68): tells a store from other
databases."""

KNOWN = ("0001_people_templates_events",)
"""Every migration in order. ``PRAGMA user_version`` counts those applied."""

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
