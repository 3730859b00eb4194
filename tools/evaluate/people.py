"""The plainest layout: a folder per person, ``<person>/<any name>.jpg``."""

from pathlib import Path

from tools.evaluate.sets import DataSet, Picture, checked, pictures_below

LAYOUT = "Give a folder with one folder of pictures for each person, of two people at least."


def open_people(folder: Path) -> DataSet:
    """Every picture is an occasion of its own. Raises InputError when there are fewer than two people."""
    found = pictures_below(folder, LAYOUT)
    return checked(
        folder.resolve().name, folder, (Picture(path.parent.name, None, name) for path, name in found), LAYOUT
    )
