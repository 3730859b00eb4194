"""Folders and files of somebody else's file system, which may be damaged, full, or pulled away while it is read.

So many names are looked at, a file is read up to a size, and links and whatever is no file are passed over.
"""

import os
import stat
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from edge.errors import InputError

ENTRIES_MAX = 1000
"""Names that are looked at in one folder."""

MORE = f"more than {ENTRIES_MAX} names in one folder: not all were looked at"

Entry = os.DirEntry[str]


def listed(folder: Path, wanted: Callable[[Entry], bool]) -> tuple[list[Path], bool]:
    """What of a folder is wanted, by name, and whether there were too many names. Hidden ones are not asked about.

    Raises InputError when it cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            looked = list(islice(entries, ENTRIES_MAX + 1))
        shown = (each for each in looked[:ENTRIES_MAX] if not each.name.startswith("."))
        return sorted(Path(each.path) for each in shown if wanted(each)), len(looked) > ENTRIES_MAX
    except OSError as error:
        raise _unreadable(error) from error


def is_file(entry: Entry) -> bool:
    """A regular file, and no link to one. Raises OSError."""
    return entry.is_file(follow_symlinks=False)


def is_folder(entry: Entry) -> bool:
    """A folder, and no link to one. Raises OSError."""
    return entry.is_dir(follow_symlinks=False)


def whole(path: Path, most_bytes: int, otherwise: InputError) -> bytes:
    """A regular file of a bearable size. Raises ``otherwise`` for another one, InputError when it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode) or facts.st_size > most_bytes:
                raise otherwise
            return file.read(most_bytes + 1)
    except OSError as error:
        raise _unreadable(error) from error


def _unreadable(error: OSError) -> InputError:
    return InputError(f"It cannot be read ({error.strerror or error}). Plug the stick in again.")
