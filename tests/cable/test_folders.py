"""Plain folders on a stick: in an operator's window alone, and whatever else lies there."""

import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge import foreign, stick, wire
from edge.bundle import PEOPLE_MAX, PHOTOS_MAX
from edge.errors import DoorError, InputError, PersonError
from edge.folders import FROM, PHOTO_MAX_BYTES
from edge.foreign import ENTRIES_MAX
from edge.stick import reported
from edge.types import Rgb, Sign
from tests.cable.rig import Rig
from tests.cable.test_stick import plug_in
from tests.guardian.household import Lamps

OBAMA = ("obama.jpg", "obama2.jpg", "obama3.jpg")
MINUTES_10 = 600.0
UNIT = wire.to_bytes(np.eye(192, dtype=np.float32)[0])


@pytest.fixture
def person(tmp_path: Path, photos: dict[str, Path]) -> Path:
    """``people/Barack Obama`` with three photographs, on the stick at ``tmp_path``."""
    folder = tmp_path / "people" / "Barack Obama"
    folder.mkdir(parents=True)
    for name in OBAMA:
        shutil.copy(photos[name], folder)
    return folder


def opened(rig: Rig, consent: bool = False) -> None:
    answer = rig.guardian.answer(wire.AskUsbWindow(MINUTES_10, consent), "an operator")
    assert answer == wire.UsbWindow(MINUTES_10, consent)


def bomb() -> bytes:
    """A picture of 30,000 x 30,000 pixels in some kilobytes."""
    buffer = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def test_without_a_window_they_are_refused_with_the_reason(rig: Rig, person: Path, tmp_path: Path) -> None:
    (line,) = plug_in(rig, tmp_path)
    assert (line.bundle, line.person) == (FROM, None)
    assert "facelatch usb window" in str(line.refused)
    assert rig.people() == []


def test_in_a_window_everybody_is_enrolled_and_it_is_logged_who_allowed_it(
    rig: Rig, person: Path, tmp_path: Path
) -> None:
    opened(rig)
    assert plug_in(rig, tmp_path) == [wire.ReportLine(FROM, "Barack Obama", 3, None)]
    assert rig.people() == ["Barack Obama"]
    log = rig.guardian.answer(wire.AskLog(kind="enrolled"))
    assert isinstance(log, wire.Log)
    assert log.lines[-1].detail["by"] == "plain folders on a stick, as an operator allowed"
    (again,) = plug_in(rig, tmp_path)
    assert "already" in str(again.refused)


def test_the_window_closes_by_itself_and_both_are_logged(rig: Rig, person: Path, tmp_path: Path) -> None:
    opened(rig)
    rig.clock.advance(MINUTES_10 - 1)
    assert isinstance(rig.guardian.cable_says(wire.StickWindow()), wire.UsbWindow)
    rig.clock.advance(1)
    rig.guardian.tick()
    assert [kind for kind in rig.kinds() if kind.startswith("usb_window")] == ["usb_window", "usb_window_closed"]
    with pytest.raises(DoorError):
        rig.guardian.cable_says(wire.StickWindow())
    plug_in(rig, tmp_path)
    assert rig.people() == []


def test_one_that_closes_meanwhile_ends_it(rig: Rig, person: Path, tmp_path: Path) -> None:
    """Between the last photograph and the storing."""
    opened(rig)
    question = wire.AskEnroll("Ada", rig.studio.model_id, [UNIT])
    rig.clock.advance(MINUTES_10)
    with pytest.raises(DoorError):
        rig.guardian.cable_says(wire.StickEnroll(question))


def test_nobody_gets_more_templates_by_it_and_consent_is_the_operators_to_state(
    rig: Rig, person: Path, tmp_path: Path
) -> None:
    opened(rig)
    plug_in(rig, tmp_path)
    asked = rig.guardian.answer(wire.AskShow("Barack Obama"))
    assert isinstance(asked, wire.Shown)
    assert asked.person.consent is None
    more = wire.AskEnroll("Barack Obama", rig.studio.model_id, [UNIT], add=True)
    with pytest.raises(PersonError, match="enrolled already"):
        rig.guardian.cable_says(wire.StickEnroll(more))
    rig.guardian.answer(wire.AskForget("Barack Obama"))
    opened(rig, consent=True)
    plug_in(rig, tmp_path)
    asked = rig.guardian.answer(wire.AskShow("Barack Obama"))
    assert isinstance(asked, wire.Shown)
    assert asked.person.consent is not None


def test_lights_and_buzzer_tell_how_far_it_is(rig: Rig, person: Path, tmp_path: Path, photos: dict[str, Path]) -> None:
    lamps = Lamps()
    rig.guardian._indicator = lamps
    (tmp_path / "people" / "A wall").mkdir()
    shutil.copy(photos["coffee.png"], tmp_path / "people" / "A wall")
    opened(rig)
    plug_in(rig, tmp_path)
    assert lamps.shown == [Sign.LOOKING, Sign.GUIDANCE, Sign.LOOKING, Sign.REFUSED]
    lamps.shown.clear()
    shutil.rmtree(tmp_path / "people" / "A wall")
    rig.guardian.answer(wire.AskForget("Barack Obama"))
    plug_in(rig, tmp_path)
    assert lamps.shown == [Sign.LOOKING, Sign.KEPT]


def test_bad_photographs_are_named_and_the_good_ones_count(rig: Rig, person: Path, tmp_path: Path) -> None:
    """A bomb of 30,000 x 30,000 pixels, rubbish, a link to another file, a pipe, a folder that is called a picture."""
    (person / "bomb.png").write_bytes(bomb())
    (person / "rubbish.jpg").write_bytes(b"rubbish" * 100)
    (person / "empty.jpg").touch()
    with open(person / "huge.jpg", "wb") as file:
        file.truncate(PHOTO_MAX_BYTES + 1)
    (person / "link.jpg").symlink_to("/etc/passwd")
    os.mkfifo(person / "pipe.jpg")
    (person / "folder.jpg").mkdir()
    (person / "notes.txt").write_text("no picture")
    opened(rig)
    assert plug_in(rig, tmp_path) == [wire.ReportLine(FROM, "Barack Obama", 3, None)]
    for name in OBAMA:
        (person / name).unlink()
    rig.guardian.answer(wire.AskForget("Barack Obama"))
    (line,) = plug_in(rig, tmp_path)
    assert all(name in str(line.refused) for name in ("bomb.png", "empty.jpg", "huge.jpg", "rubbish.jpg"))
    assert "32 MB" in str(line.refused)
    assert not any(name in str(line.refused) for name in ("link.jpg", "pipe.jpg", "folder.jpg", "notes.txt"))
    assert rig.people() == []


def test_a_phones_photograph_of_fifty_megapixels_enrols(rig: Rig, tmp_path: Path, photos: dict[str, Path]) -> None:
    """Twelve times what the cable takes: it is scaled as it is decoded."""
    folder = tmp_path / "people" / "Barack Obama"
    folder.mkdir(parents=True)
    with Image.open(photos["obama.jpg"]) as picture:
        scale = (50e6 / (picture.width * picture.height)) ** 0.5
        size = (round(picture.width * scale), round(picture.height * scale))
        picture.resize(size).save(folder / "phone.jpg", quality=90)
    opened(rig)
    assert rig.studio._darkroom._longest_px is None, "of the cable: here it is refused"
    assert "million" in str(plug_in(rig, tmp_path)[0].refused)
    rig.studio._darkroom._longest_px, rig.studio._darkroom._max_pixels = 1024, 64_000_000
    try:
        assert plug_in(rig, tmp_path) == [wire.ReportLine(FROM, "Barack Obama", 1, None)]
    finally:
        rig.studio._darkroom._longest_px, rig.studio._darkroom._max_pixels = None, 4_000_000


def test_too_many_people_names_and_photographs_are_bounded(rig: Rig, person: Path, tmp_path: Path) -> None:
    for number in range(PHOTOS_MAX + 5):
        (person / f"0{number}.jpg").write_bytes(b"rubbish")
    loaded: list[str] = []
    develop = rig.studio.develop

    def developed(data: bytes, source: str) -> Rgb:
        loaded.append(source)
        return develop(data, source)

    opened(rig)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rig.studio, "develop", developed)
        plug_in(rig, tmp_path)
    assert len(loaded) == PHOTOS_MAX
    for number in range(ENTRIES_MAX + 5):
        (tmp_path / "people" / f"nobody {number:04d}").mkdir()
    lines = plug_in(rig, tmp_path)
    assert lines[0].refused == foreign.MORE
    assert f"the first {PEOPLE_MAX} were taken" in str(lines[1].refused)
    assert sum(line.person is not None for line in lines) == PEOPLE_MAX
    assert all("No photograph" in str(line.refused) for line in lines if str(line.person).startswith("nobody"))


def test_deep_folders_links_and_loops_are_not_gone_into(rig: Rig, person: Path, tmp_path: Path) -> None:
    inner = person
    for depth in range(50):
        inner = inner / f"deeper {depth}"
        inner.mkdir()
    for name in OBAMA:
        (person / name).rename(inner / name)
    (person / "loop").symlink_to(person)
    (tmp_path / "people" / "Somebody else").symlink_to(inner)
    (tmp_path / "people" / "loop").symlink_to(tmp_path)
    opened(rig)
    (line,) = plug_in(rig, tmp_path)
    assert line.person == "Barack Obama"
    assert "No photograph" in str(line.refused)


@pytest.mark.parametrize("name", ["\x1b[31mred", "../../etc", "a" * 100, "..", "\u202eevil"])
def test_a_name_that_is_none_is_refused_and_shown_harmlessly(rig: Rig, person: Path, tmp_path: Path, name: str) -> None:
    if name == "..":
        name = "...."
    target = tmp_path / "people" / name.replace("/", "\u2215")
    person.rename(target)
    opened(rig)
    lines = plug_in(rig, tmp_path)
    assert all(line.refused for line in lines)
    assert all(str(line.person).isprintable() for line in lines)
    assert rig.people() == []


def test_a_stick_that_is_pulled_while_it_is_read_enrols_nobody_by_half(
    rig: Rig, person: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a kernel answers then: EIO at any of its calls, from the first to the last."""
    opened(rig)
    outcomes = set()
    for calls in range(30):
        monkeypatch.setattr(os, "open", pulled_after(calls, os.open))
        try:
            lines = plug_in(rig, tmp_path)
        finally:
            monkeypatch.undo()
        if rig.people():
            answer = rig.guardian.answer(wire.AskPeople())
            assert isinstance(answer, wire.People)
            assert answer.people[0].templates == len(OBAMA)
            break
        outcomes.add(lines[-1].refused)
    else:
        pytest.fail("it was pulled for ever")
    assert outcomes == {"It cannot be read (Input/output error). Plug the stick in again."}


def pulled_after(calls: int, real: Callable[..., int]) -> Callable[..., int]:
    """``os.open`` that fails for photographs after so many of them."""
    left = [calls]

    def pulled(path: str, flags: int, *more: object, **named: object) -> int:
        if str(path).endswith(".jpg") and flags & os.O_NOFOLLOW:
            left[0] -= 1
            if left[0] < 0:
                raise OSError(5, "Input/output error")
        return real(path, flags, *more, **named)

    return pulled


def test_a_folder_that_cannot_be_listed_is_reported(rig: Rig, person: Path, tmp_path: Path) -> None:
    def damaged(path: Path, wanted: object) -> tuple[list[Path], bool]:
        raise InputError("It cannot be read (Input/output error). Plug the stick in again.")

    opened(rig)
    real = foreign.listed
    for place in (person, person.parent, tmp_path):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                foreign, "listed", lambda path, wanted, at=place: (damaged if path == at else real)(path, wanted)
            )
            lines = plug_in(rig, tmp_path)
        assert "Input/output error" in str(lines[0].refused)
        assert rig.people() == []


def test_a_report_fits_a_packet_whatever_is_in_it(rig: Rig) -> None:
    lines = [wire.ReportLine("\u00e9" * 60, "\u4e2d" * 80, 0, "\u4e2d" * 400) for _ in range(wire.REPORT_MAX + 10)]
    told = reported(rig._ask, lines)
    assert 50 < len(told.lines) < len(lines)
    assert f"{len(lines) - len(told.lines) + 1} more lines" in str(told.lines[-1].refused)
    assert told.lines[:-1] == lines[: len(told.lines) - 1]


def test_a_stick_that_is_not_mounted_is_reported(rig: Rig) -> None:
    reported(rig._ask, [stick.NO_FAT])
    report = rig.guardian.answer(wire.AskUsbReport(), "an operator")
    assert isinstance(report, wire.UsbReport)
    assert "FAT" in str(report.lines[0].refused)
