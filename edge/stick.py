"""What a USB stick brings: bundles in its uppermost folder, each read whole before anything of it counts.

This process has neither the store's keys nor a network, and the stick is mounted read-only. A stick that is pulled
while it is read has brought nothing: it can be plugged in again.
"""

import os
import stat
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from edge import bundle, wire
from edge.cable.desk import Studio
from edge.core.names import shown
from edge.enroll.session import templates
from edge.errors import FacelatchError, ImageError, InputError
from edge.images import small_jpeg

ENTRIES_MAX = 1000
"""Names that are looked at: a stick with more is looked at so far, and that is reported."""

BUNDLES_MAX = 4

Guardian = Callable[[wire.FromCable], wire.Answer]
Agreed = Callable[[], tuple[wire.ConsentLine, str]]


def bring(
    folder: Path, private: bytes, guardian: Guardian, studio: Studio, agreed: Agreed, looks: int
) -> wire.UsbReport:
    """Enrol what the bundles in ``folder`` hold, and hand the report to the guardian. Raises WireError without one."""
    lines: list[wire.ReportLine] = []
    found, note = _bundles(folder)
    lines += note
    for path in found:
        name = shown(path.name, 60)[1:-1]
        try:
            lines += _Bundle(name, bundle.read(_whole(path), private), guardian, studio, agreed, looks).enrol()
        except FacelatchError as error:
            lines.append(wire.ReportLine(name, None, 0, _short(error)))
    if not lines:
        lines.append(wire.ReportLine("", None, 0, f"no file *{bundle.SUFFIX} in the stick's uppermost folder"))
    report = wire.UsbReport(lines[: wire.REPORT_MAX])
    guardian(wire.StickReport(report.lines))
    return report


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
        session = self._studio.session()
        for photo in entry.photos:
            source = shown(photo.source, 100)[1:-1]
            try:
                session.add(source, self._studio.develop(self._opened.files[photo.digest], source))
            except ImageError as error:
                session.refuse(source, str(error))
        samples = session.finish(self._looks)
        kept = [wire.to_bytes(template) for template in templates(samples)]
        if not kept:
            return "; ".join(f"{each.source}: {each.refused}" for each in samples)[:400]
        crops = [small_jpeg(each.aligned, wire.CROP_MAX_BYTES) for each in samples if each.aligned is not None]
        consent, expires = self._agreed() if entry.consent else (None, None)
        return wire.AskEnroll(entry.name, self._studio.model_id, kept, consent=consent, expires=expires, crops=crops)


def _bundles(folder: Path) -> tuple[list[Path], list[wire.ReportLine]]:
    try:
        with os.scandir(folder) as entries:
            looked = list(islice(entries, ENTRIES_MAX + 1))
        found = sorted(
            Path(each.path)
            for each in looked[:ENTRIES_MAX]
            if each.name.lower().endswith(bundle.SUFFIX)
            and not each.name.startswith(".")
            and each.is_file(follow_symlinks=False)
        )
    except OSError as error:
        return [], [wire.ReportLine("", None, 0, f"the stick cannot be read ({error.strerror})")]
    notes = []
    if len(looked) > ENTRIES_MAX:
        notes.append(
            wire.ReportLine("", None, 0, f"more than {ENTRIES_MAX} names on the stick: not all were looked at")
        )
    if len(found) > BUNDLES_MAX:
        notes.append(wire.ReportLine("", None, 0, f"{len(found)} bundles: the first {BUNDLES_MAX} were taken"))
    return found[:BUNDLES_MAX], notes


def _whole(path: Path) -> bytes:
    """A regular file of a bearable size. Raises InputError, also when it is pulled away."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode) or facts.st_size > bundle.BUNDLE_MAX_BYTES:
                raise InputError("It is no file, or larger than a bundle may be. Make several of fewer people.")
            data = file.read(bundle.BUNDLE_MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"It cannot be read ({error.strerror or error}). Plug the stick in again.") from error
    return data


def _short(error: FacelatchError) -> str:
    return str(error).partition("\n")[0][:400]
