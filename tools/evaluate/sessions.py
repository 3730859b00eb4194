"""A folder per session, and the person in the file's name: ``<session>/<person>_<anything>.jpg``.

So is the Face Research Lab London Set (DeBruine and Jones 2017): ``neutral_front/001_03.jpg``,
``smiling_front/001_08.jpg``. The person is what stands before the last underscore.
"""

from collections.abc import Iterator
from pathlib import Path

from edge.core.names import shown
from edge.errors import InputError
from tools.evaluate.sets import DataSet, Picture, checked, pictures_below

LAYOUT = "Give a folder with one folder for each session, and in it pictures called <person>_<anything>.jpg."


def open_sessions(folder: Path) -> DataSet:
    """Genuine pairs are of two sessions. Raises InputError when a name says no person, or there are fewer than two."""

    def pictures() -> Iterator[Picture]:
        for path, name in pictures_below(folder, LAYOUT):
            person, _, _ = path.stem.rpartition("_")
            if not person:
                raise InputError(f"{shown(name)} in {shown(str(folder), 120)} names no person. {LAYOUT}")
            yield Picture(person, path.parent.name, name)

    return checked(folder.resolve().name, folder, pictures(), LAYOUT)
