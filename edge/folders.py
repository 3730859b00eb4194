"""Plain folders of photographs on a stick, ``people/NAME/*.jpg``: taken while an operator has a window open for them.

So many people and photographs are looked at, and no folder below a person's. A person of whom anything cannot be read
any more, as when the stick is pulled, is not enrolled at all: that one is enrolled when it is plugged in again.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from edge import bundle, foreign, wire
from edge.cable.desk import Guardian, Studio
from edge.core.names import clean_name, shown
from edge.errors import FacelatchError, ImageError, InputError
from edge.images import SUFFIXES
from edge.portrait import Agreed, portrait

FOLDER = "people"
FROM = f"{FOLDER}/"
"""What a report says for the bundle."""

PHOTO_MAX_BYTES = 32 * 2**20
"""Of one file: phones' photographs of 50 megapixels have 10 to 25 MB."""


class Folders:
    """Those of one stick, mounted at ``stick``. ``done`` is told of every person but the last whether it was kept."""

    def __init__(
        self,
        stick: Path,
        guardian: Guardian,
        studio: Studio,
        agreed: Agreed,
        looks: int,
        done: Callable[[bool], object],
    ) -> None:
        self._stick = stick
        self._guardian, self._studio, self._agreed, self._looks, self._done = guardian, studio, agreed, looks, done

    def enrol(self) -> list[wire.ReportLine]:
        """Everybody in them; nothing where there are none. Raises WireError without a guardian."""
        try:
            (folder,), _ = foreign.listed(self._stick, lambda e: e.name.lower() == FOLDER and foreign.is_folder(e))
        except (InputError, ValueError):
            return []
        try:
            self._consent()
            people, too_many = foreign.listed(folder, foreign.is_folder)
        except FacelatchError as error:
            return [_line(None, str(error))]
        lines = [_line(None, foreign.MORE)] if too_many else []
        if len(people) > bundle.PEOPLE_MAX:
            lines.append(_line(None, f"{len(people)} people: the first {bundle.PEOPLE_MAX} were taken"))
        if not people:
            lines.append(_line(None, f"no folder of a person in {FROM}: make it {FROM}NAME/*.jpg"))
        for number, path in enumerate(people[: bundle.PEOPLE_MAX]):
            if number:
                self._done(lines[-1].refused is None)
            lines.append(self._person(path))
        return lines

    def _person(self, path: Path) -> wire.ReportLine:
        name = shown(path.name, 80)[1:-1]
        try:
            name = clean_name(path.name)
            agreed = self._consent()
            photos, _ = foreign.listed(path, _is_photo)
            if not photos:
                raise InputError(f"No photograph in its folder. Put some there: {FROM}NAME/*.jpg.")
            loads = [(each.name, partial(_whole, each)) for each in photos[: bundle.PHOTOS_MAX]]
            looking = partial(self._guardian, wire.StickProgress("looking"))
            question = portrait(name, loads, self._studio, self._looks, agreed, looking)
            if isinstance(question, str):
                return _line(name, question)
            answer = self._guardian(wire.StickEnroll(question))
        except FacelatchError as error:
            return _line(name, str(error))
        count = answer.people[0].templates if isinstance(answer, wire.People) else 0
        return wire.ReportLine(FROM, name, count, None)

    def _consent(self) -> Agreed | None:
        """Raises DoorError when no window is open (any more)."""
        window = self._guardian(wire.StickWindow())
        return self._agreed if isinstance(window, wire.UsbWindow) and window.consent else None


def _is_photo(entry: foreign.Entry) -> bool:
    return Path(entry.name).suffix.lower() in SUFFIXES and foreign.is_file(entry)


def _whole(path: Path) -> bytes:
    """Raises ImageError for what is no file or too large, InputError when it cannot be read."""
    return foreign.whole(
        path, PHOTO_MAX_BYTES, ImageError("it is no file, or has more than 32 MB: export it smaller, as JPEG")
    )


def _line(person: str | None, reason: str) -> wire.ReportLine:
    return wire.ReportLine(FROM, person, 0, reason.partition("\n")[0][:400])
