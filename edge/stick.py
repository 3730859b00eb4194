"""What a USB stick brings: bundles in its uppermost folder, each read whole before anything of it counts, and plain
folders of photographs where an operator lets such in (``edge.folders``).

This process has neither the store's keys nor a network, and the stick is mounted read-only. A stick that is pulled
while it is read has brought nothing that it did not bring whole: it can be plugged in again.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from edge import bundle, foreign, wire
from edge.cable.desk import Guardian, Studio
from edge.core.names import shown
from edge.errors import FacelatchError, InputError
from edge.folders import FROM, Folders
from edge.portrait import Agreed, portrait

BUNDLES_MAX = 4

NO_FAT = wire.ReportLine(
    "", None, 0, "no FAT file system that can be mounted, or pulled at once: try again, or format it as FAT32"
)
"""What is reported of a stick that is damaged, or of another file system."""

PULLED = wire.ReportLine("", None, 0, "it was pulled before all of it was read: plug the stick in again")

REPORT_MAX_BYTES = wire.PACKET_MAX_BYTES - 4096
"""Of all lines, so that the report fits a packet."""


def bring(
    folder: Path,
    private: bytes,
    guardian: Guardian,
    studio: Studio,
    agreed: Agreed,
    looks: int,
    is_there: Callable[[], bool],
) -> wire.UsbReport:
    """Enrol what is on the stick at ``folder``, and hand the report to the guardian; ``is_there`` at the end still, or
    pulled, which leaves an empty folder. Raises WireError without a guardian."""
    lines: list[wire.ReportLine] = []

    def done(kept: bool) -> None:
        guardian(wire.StickProgress("kept" if kept else "refused"))

    guardian(wire.StickProgress("looking"))
    found, notes = _bundles(folder)
    for path in found:
        name = shown(path.name, 60)[1:-1]
        try:
            opened = bundle.read(_whole(path), private)
            lines += _Bundle(name, opened, guardian, studio, agreed, looks).enrol()
        except FacelatchError as error:
            lines.append(wire.ReportLine(name, None, 0, _short(error)))
    lines += Folders(folder, guardian, studio, agreed, looks, done).enrol()
    if not is_there():
        notes.append(PULLED)
    if not lines and not notes:
        nothing = f"no file *{bundle.SUFFIX} and no folder {FROM} in the stick's uppermost folder"
        notes.append(wire.ReportLine("", None, 0, nothing))
    return reported(guardian, [*notes, *lines])


def reported(guardian: Guardian, lines: Sequence[wire.ReportLine]) -> wire.UsbReport:
    """Hand a report to the guardian, as much of it as fits; what was handed. Raises WireError."""
    told, size = list[wire.ReportLine](), 0
    for line in lines:
        size += len(msgspec.msgpack.encode(line))
        if size > REPORT_MAX_BYTES or len(told) >= wire.REPORT_MAX:
            told[-1] = wire.ReportLine("", None, 0, f"{len(lines) - len(told) + 1} more lines are not shown")
            break
        told.append(line)
    guardian(wire.StickReport(told))
    return wire.UsbReport(told)


class _Bundle:
    """One that opened with the lock's key."""

    def __init__(
        self, name: str, opened: bundle.Opened, guardian: Guardian, studio: Studio, agreed: Agreed, looks: int
    ) -> None:
        self._name, self._opened, self._guardian, self._studio = name, opened, guardian, studio
        self._agreed, self._looks = agreed, looks

    def enrol(self) -> list[wire.ReportLine]:
        """Everybody in it. First all photographs are looked at, then the bundle is used up, then people are stored.
        Raises DoorError when the guardian does not take it."""
        head, maker = self._opened.head, self._opened.maker
        self._guardian(wire.CableAdmit(maker))  # a stranger's photographs are not even decoded
        questions = [(entry, self._looked_at(entry)) for entry in head.people]
        self._guardian(wire.StickBundle(maker, head.id, head.created_utc, head.expires_utc))
        return [self._stored(entry, question) for entry, question in questions]

    def _stored(self, entry: bundle.Entry, question: "wire.AskEnroll | str") -> wire.ReportLine:
        name = shown(entry.name, 80)[1:-1]
        if isinstance(question, str):
            return wire.ReportLine(self._name, name, 0, question)
        try:
            answer = self._guardian(wire.CableAsk(self._opened.maker, question))
        except FacelatchError as error:
            return wire.ReportLine(self._name, name, 0, _short(error))
        count = answer.people[0].templates if isinstance(answer, wire.People) else 0
        return wire.ReportLine(self._name, name, count, None)

    def _looked_at(self, entry: bundle.Entry) -> "wire.AskEnroll | str":
        """What to ask the guardian, or why nobody can be made of these photographs."""
        loads = [(photo.source, partial(self._opened.files.__getitem__, photo.digest)) for photo in entry.photos]
        looking = partial(self._guardian, wire.StickProgress("looking"))
        agreed = self._agreed if entry.consent else None
        question = portrait(entry.name, loads, self._studio, self._looks, agreed, looking)
        self._guardian(wire.StickProgress("refused" if isinstance(question, str) else "kept"))
        return question


def _bundles(folder: Path) -> tuple[list[Path], list[wire.ReportLine]]:
    try:
        found, too_many = foreign.listed(folder, _is_bundle)
    except InputError as error:
        return [], [wire.ReportLine("", None, 0, _short(error))]
    notes = [wire.ReportLine("", None, 0, foreign.MORE)] if too_many else []
    if len(found) > BUNDLES_MAX:
        notes.append(wire.ReportLine("", None, 0, f"{len(found)} bundles: the first {BUNDLES_MAX} were taken"))
    return found[:BUNDLES_MAX], notes


def _is_bundle(entry: foreign.Entry) -> bool:
    return entry.name.lower().endswith(bundle.SUFFIX) and foreign.is_file(entry)


def _whole(path: Path) -> bytes:
    """Raises InputError, also when it is pulled away."""
    too_large = InputError("It is no file, or larger than a bundle may be. Make several of fewer people.")
    return foreign.whole(path, bundle.BUNDLE_MAX_BYTES, too_large)


def _short(error: FacelatchError) -> str:
    return str(error).partition("\n")[0][:400]
