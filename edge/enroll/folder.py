"""A folder per person, ``raw/<Name>/*.jpg``: who is in it, and what cannot be."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from edge.core.names import clean_name, name_key, shown
from edge.errors import FacelatchError, ImageError
from edge.images import pictures_in

PICTURES_MAX = 200
"""Of one person's pictures so many are looked at, evenly chosen: at 30 ms each six seconds a person."""

_LINKS = "links are not followed: copy the pictures themselves"


@dataclass(frozen=True, slots=True)
class Entry:
    """One folder: a person and pictures, or why nobody. ``left_out`` counts pictures that are not looked at."""

    name: str
    pictures: tuple[Path, ...] = ()
    left_out: int = 0
    refused: str | None = None


def people_in(folder: Path) -> list[Entry]:
    """Every subfolder of ``folder``, by name. Raises ImageError when it cannot be read or has none."""
    try:
        found = sorted(each for each in folder.iterdir() if each.is_dir())
    except OSError as error:
        raise ImageError(
            f"The folder {shown(str(folder))} cannot be read ({error.strerror}). Check the path."
        ) from error
    entries = [_entry(each) for each in found if not each.name.startswith(".")]
    if not entries:
        raise ImageError(f"The folder {shown(str(folder))} has no folder per person in it. Make it FOLDER/NAME/*.jpg.")
    keys = Counter(name_key(entry.name) for entry in entries if entry.refused is None)
    return [
        Entry(entry.name, refused="another folder has the same name, as names are compared")
        if entry.refused is None and keys[name_key(entry.name)] > 1
        else entry
        for entry in entries
    ]


def _entry(folder: Path) -> Entry:
    try:
        name = clean_name(folder.name)
        if folder.is_symlink():  # it may lead anywhere: only what lies in the folder itself is taken
            return Entry(name, refused=_LINKS)
        found = pictures_in(folder)
    except FacelatchError as error:
        return Entry(shown(folder.name, 60)[1:-1], refused=str(error))
    pictures = [each for each in found if not each.is_symlink()]
    if not pictures:
        return Entry(name, left_out=len(found), refused=_LINKS if found else "there is no picture in it")
    step = max(len(pictures) / PICTURES_MAX, 1)
    looked_at = tuple(pictures[int(number * step)] for number in range(min(len(pictures), PICTURES_MAX)))
    return Entry(name, looked_at, len(found) - len(looked_at))
