"""A bundle on a stick: an owner's, for this lock, once, before its day, and it brings nobody back."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import bundle, wire
from edge.bundle import Entry, Head
from edge.cable.noise import NoiseError, new_key, public_of
from edge.cable.talk import Photo
from edge.errors import FacelatchError, InputError
from edge.foreign import ENTRIES_MAX
from edge.laptop.prepare import Prepared, prepare
from edge.stick import BUNDLES_MAX, PULLED, bring
from tests.cable.rig import Rig

OBAMA = ("obama.jpg", "obama2.jpg", "obama3.jpg")
CREATED, EXPIRES = "2026-01-01T00:00:00.000+00:00", "2026-01-08T00:00:00.000+00:00"


@pytest.fixture(scope="session")
def made(photos: dict[str, Path]) -> Prepared:
    return prepare([photos[name] for name in OBAMA])


def packed(rig: Rig, made: Prepared, number: int = 1, created: str = CREATED, expires: str = EXPIRES) -> bytes:
    head = Head(bytes([number]) * 16, created, expires, [Entry("Barack Obama", made.photos)])
    return bundle.write(head, made.files, rig.laptop.private, public_of(rig.private))


def plug_in(rig: Rig, folder: Path, *, pulled: bool = False) -> list[wire.ReportLine]:
    agreed = (wire.ConsentLine(CREATED, 1), "2030-01-01")
    bring(folder, rig.private, rig._ask, rig.studio, lambda: agreed, 5, lambda: not pulled)
    report = rig.guardian.answer(wire.AskUsbReport(), "an operator")
    assert isinstance(report, wire.UsbReport)
    return report.lines


def test_an_owners_bundle_enrols_once(rig: Rig, made: Prepared, tmp_path: Path) -> None:
    rig.pair()
    (tmp_path / "people.facelatch").write_bytes(packed(rig, made))
    assert plug_in(rig, tmp_path) == [wire.ReportLine("people.facelatch", "Barack Obama", 3, None)]
    assert rig.people() == ["Barack Obama"]
    assert {"usb_bundle", "usb_stick"} <= set(rig.kinds())
    (again,) = plug_in(rig, tmp_path)
    assert again.person is None
    assert "used before" in str(again.refused)


def test_nobody_who_was_forgotten_comes_back(rig: Rig, made: Prepared, tmp_path: Path) -> None:
    rig.pair()
    (tmp_path / "first.facelatch").write_bytes(packed(rig, made))
    plug_in(rig, tmp_path)
    rig.guardian.answer(wire.AskForget("Barack Obama"))
    assert rig.guardian.answer(wire.AskUsbReport()) == wire.UsbReport([]), "the report had the name"
    (tmp_path / "first.facelatch").write_bytes(packed(rig, made, number=2))
    (line,) = plug_in(rig, tmp_path)
    assert "forgotten" in str(line.refused)
    assert rig.people() == []
    rig.clock.utc_jump(3600)
    later = "2026-01-01T01:00:00.000+00:00"
    (tmp_path / "first.facelatch").write_bytes(packed(rig, made, number=3, created=later))
    assert [each.refused for each in plug_in(rig, tmp_path)] == [None]


@pytest.mark.parametrize(
    ("created", "expires", "words"),
    [
        ("2025-12-01T00:00:00.000+00:00", "2025-12-08T00:00:00.000+00:00", "expired"),
        (CREATED, "2027-01-01T00:00:00.000+00:00", "30 days"),
        ("2026-01-02T00:00:00.000+00:00", EXPIRES, "future"),
        ("yesterday", EXPIRES, "is no time"),
        (CREATED, "2026-01-08", "time zone"),
    ],
)
def test_times_that_do_not_fit_are_refused(
    rig: Rig, made: Prepared, tmp_path: Path, created: str, expires: str, words: str
) -> None:
    rig.pair()
    (tmp_path / "a.facelatch").write_bytes(packed(rig, made, created=created, expires=expires))
    (line,) = plug_in(rig, tmp_path)
    assert words in str(line.refused)
    assert rig.people() == []


def test_without_a_known_clock_no_bundle_is_taken(rig: Rig, made: Prepared, tmp_path: Path) -> None:
    rig.pair()
    rig.clock.is_trusted = False
    (tmp_path / "a.facelatch").write_bytes(packed(rig, made))
    (line,) = plug_in(rig, tmp_path)
    assert "does not know the time" in str(line.refused)


@pytest.mark.parametrize("role", ["nobody", "installer", "revoked"])
def test_of_nobody_but_an_owner_a_bundle_is_taken(rig: Rig, made: Prepared, tmp_path: Path, role: str) -> None:
    if role != "nobody":
        rig.pair("installer" if role == "installer" else "owner")
    if role == "revoked":
        rig.guardian.answer(wire.AskRevoke(1), "an operator")
    (tmp_path / "a.facelatch").write_bytes(packed(rig, made))
    (line,) = plug_in(rig, tmp_path)
    assert line.refused
    assert rig.people() == []


def test_another_locks_bundle_and_rubbish_are_named_and_the_good_one_counts(
    rig: Rig, made: Prepared, tmp_path: Path
) -> None:
    rig.pair()
    good = packed(rig, made)
    head = Head(bytes(16), CREATED, EXPIRES, [Entry("Barack Obama", made.photos)])
    other = bundle.write(head, made.files, rig.laptop.private, public_of(new_key()))
    for name, data in (("a", b"rubbish"), ("b", other), ("c", good[:-1]), ("d", good)):
        (tmp_path / f"{name}.facelatch").write_bytes(data)
    lines = plug_in(rig, tmp_path)
    assert [line.refused is None for line in lines] == [False, False, False, True]
    assert rig.people() == ["Barack Obama"]


def test_a_stick_of_a_hundred_thousand_names_is_looked_at_so_far(rig: Rig, tmp_path: Path) -> None:
    for number in range(ENTRIES_MAX + 50):
        (tmp_path / f"{number}.txt").touch()
    folder = tmp_path
    for depth in range(50):  # no folder is gone into, however deep, nor a loop of links
        folder = folder / f"folder{depth}"
        folder.mkdir()
    (tmp_path / "loop.facelatch").symlink_to(tmp_path)
    lines = plug_in(rig, tmp_path)
    assert any("not all were looked at" in str(line.refused) for line in lines)


def test_more_bundles_than_one_stick_may_have(rig: Rig, tmp_path: Path) -> None:
    for number in range(BUNDLES_MAX + 1):
        (tmp_path / f"{number}.facelatch").write_bytes(b"x")
    assert len(plug_in(rig, tmp_path)) == BUNDLES_MAX + 1


def test_a_stick_that_is_gone_or_empty_is_reported(rig: Rig, tmp_path: Path) -> None:
    assert "cannot be read" in str(plug_in(rig, tmp_path / "gone")[0].refused)
    assert "no file" in str(plug_in(rig, tmp_path)[0].refused)
    assert plug_in(rig, tmp_path, pulled=True) == [PULLED]


def small() -> tuple[bytes, bytes]:
    """A bundle of 130 kB, in three pieces, and the lock's key."""
    data = bytes(130_000)
    photo = Photo("a.jpg", hashlib.sha256(data).digest(), len(data))
    lock = new_key()
    head = Head(bytes(16), CREATED, EXPIRES, [Entry("Ada", [photo])])
    return bundle.write(head, {photo.digest: data}, new_key(), public_of(lock)), lock


SMALL, SMALL_LOCK = small()


@given(st.data())
def test_a_bundle_that_is_changed_or_cut_off_anywhere_is_refused(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(SMALL) - 1))
    changed = SMALL[:place] + bytes([SMALL[place] ^ (1 << data.draw(st.integers(0, 6)))]) + SMALL[place + 1 :]
    for hostile in (changed, SMALL[:place], SMALL + SMALL[place:]):
        with pytest.raises((NoiseError, InputError)):
            bundle.read(hostile, SMALL_LOCK)
    assert bundle.read(SMALL, SMALL_LOCK).head.people[0].name == "Ada"


@given(st.binary(max_size=300))
def test_rubbish_behind_the_first_line_is_refused(rubbish: bytes) -> None:
    with pytest.raises(FacelatchError):
        bundle.read(bundle.MAGIC + rubbish, SMALL_LOCK)
