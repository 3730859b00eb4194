"""Releases that follow this one, made of this checkout: one with a new schema, one that never serves the door."""

import shlex
import shutil
from pathlib import Path

from tests.lab import wheels
from tests.lab.places import LAB, ROOT, LabError

PARTS = ("edge", "models_tflite", "pyproject.toml", "README.md", "LICENSE", "NOTICE")
"""What a wheel is built from."""

NEXT = "99.1.0"
BROKEN = "99.2.0"
FOLDER = "/root/releases"
"""Where the wheels are in the guest."""
ENROLLED = "Barack Obama"
"""Who is enrolled there before the upgrade."""
SCHEMA = """

KNOWN = (*KNOWN, "9999_lab")


@migrations(name="9999_lab")
def _lab(db: "Database") -> None:
    db.execute("CREATE TABLE lab (id INTEGER PRIMARY KEY) STRICT")
    db.execute(f"PRAGMA user_version = {len(KNOWN)}")
"""
"""A migration, as the next release may bring one."""


def following(version: str) -> Path:
    """The wheel of a release ``NEXT`` or ``BROKEN``; both have the new schema."""
    tree = LAB / "releases" / version
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, tree)
    _change(tree / "pyproject.toml", '\nversion = "', f'\nversion = "{version}"  # "')
    schema = tree / "edge" / "store" / "schema.py"
    schema.write_text(schema.read_text() + SCHEMA)
    if version == BROKEN:
        notify = tree / "edge" / "notify.py"
        _change(notify, "READY=1", "STATUS=never ready")
    return wheels.product(tree, LAB / "releases" / f"{version}-wheel")


def install(version: str, more: str = "") -> str:
    """The guest's command that installs a release, whose environment may be there already."""
    wheel = f"{FOLDER}/facelatch-{shlex.quote(version)}-py3-none-any.whl"
    return f"/root/facelatch/systemd/install.sh --wheels /root/facelatch/wheels --wheel {wheel} {more}"


def _change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    if old not in text:
        raise LabError(f"{path} no longer holds {old!r}: correct tests/lab/releases.py")
    path.write_text(text.replace(old, new, 1))
