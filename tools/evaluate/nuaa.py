"""The NUAA imposter database's layout (Tan et al. 2010): ``<person>/<person>_<glasses>_<place>_<session>_<frame>.jpg``.

A session is a day, a sequence is one approach to the webcam. The frames of one sequence follow each other within
seconds and are nearly one picture: they are no genuine pairs. Where a person came on two days, genuine pairs are those
of two days; otherwise those of two sequences.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from edge.core.names import shown
from edge.errors import InputError
from tools.evaluate.sets import DataSet, Picture, checked, pictures_below

LAYOUT = "Give a folder with <person>/<person>_<glasses>_<place>_<session>_<frame>.jpg."
NOTE = (
    "Genuine pairs are of two days, or where a person came on one day only, of two sequences; frames of one sequence "
    "are no genuine pairs."
)

_NAME = re.compile(r"(?P<person>\d+)_(?P<sequence>\d+_\d+_(?P<session>\d+))_\d+", re.ASCII)


def open_nuaa(folder: Path) -> DataSet:
    """Sessions are days or sequences, as above. Raises InputError when a name has another form."""
    found = [(path.parent.name, name, _parts(folder, path, name)) for path, name in pictures_below(folder, LAYOUT)]
    days: dict[str, set[str]] = defaultdict(set)
    for person, _, parts in found:
        days[person].add(parts["session"])

    def pictures() -> Iterator[Picture]:
        for person, name, parts in found:
            yield Picture(person, parts["session" if len(days[person]) > 1 else "sequence"], name)

    return checked(_shown_name(folder), folder, pictures(), LAYOUT, NOTE)


def _parts(folder: Path, path: Path, name: str) -> re.Match[str]:
    parts = _NAME.fullmatch(path.stem)
    if parts is None or parts["person"] != path.parent.name:
        raise InputError(f"{shown(name, 80)} in {shown(str(folder), 120)} is named otherwise. {LAYOUT}")
    return parts


def _shown_name(folder: Path) -> str:
    """The last two folders: ``print_attack/live`` says more than ``live``."""
    return "/".join(folder.resolve().parts[-2:])
