"""Pictures of refused visitors: none unless wanted, few, bounded, and gone in time."""

import os
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge import wire
from edge.eyes import Eyes
from edge.images import decode_rgb
from edge.models.mobilefacenet import MobileFaceNet
from edge.models.mtcnn import Mtcnn
from edge.settings import Config, LogConfig
from edge.snapshots import EVERY_S, FILES_MAX, FRESH_S, Snapshots
from edge.store.sqlite import SqliteStore
from edge.types import Frame
from tests.conftest import Describe
from tests.fakes import FakeClock
from tests.guardian.household import ADA, DIMENSION, MODEL, STRANGER, FailingBolt, settle
from tests.test_eyes import Line


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def kept(folder: Path) -> list[Path]:
    return sorted(folder.glob("*"))


def test_nothing_is_kept_unless_it_is_wanted(tmp_path: Path, clock: FakeClock) -> None:
    snapshots = Snapshots(tmp_path / "s", 0, clock)
    snapshots.seen(b"a picture")
    assert snapshots.keep() is None
    assert not (tmp_path / "s").exists()


def test_a_picture_is_kept_for_its_owner_alone_and_at_most_so_often(tmp_path: Path, clock: FakeClock) -> None:
    snapshots = Snapshots(tmp_path / "s", 7, clock)
    assert snapshots.keep() is None
    snapshots.seen(b"one")
    name = snapshots.keep()
    assert name is not None
    assert (tmp_path / "s" / name).read_bytes() == b"one"
    assert (tmp_path / "s" / name).stat().st_mode & 0o777 == 0o600
    snapshots.seen(b"two")
    assert snapshots.keep() is None
    clock.advance(EVERY_S)
    assert snapshots.keep() is None  # by now it may show somebody else
    snapshots.seen(b"three")
    assert snapshots.keep() not in {None, name}
    assert [each.read_bytes() for each in kept(tmp_path / "s")] == [b"one", b"three"]


def test_a_picture_that_is_not_fresh_is_not_kept(tmp_path: Path, clock: FakeClock) -> None:
    snapshots = Snapshots(tmp_path / "s", 7, clock)
    snapshots.seen(b"one")
    clock.advance(FRESH_S + 0.1)
    assert snapshots.keep() is None


def test_old_pictures_go_when_the_clock_can_be_believed(tmp_path: Path, clock: FakeClock) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    for name, days in (("1.jpg", 8), ("2.jpg", 6)):
        (folder / name).write_bytes(b"")
        then_s = time.time() - days * 86400
        os.utime(folder / name, (then_s, then_s))
    clock.is_trusted = False
    Snapshots(folder, 7, clock).prune()
    assert len(kept(folder)) == 2
    clock.is_trusted = True
    Snapshots(folder, 7, clock).prune()
    assert [each.name for each in kept(folder)] == ["2.jpg"]
    Snapshots(folder, 0, clock).prune()
    assert kept(folder) == []


def test_the_oldest_beyond_the_most_go(tmp_path: Path, clock: FakeClock) -> None:
    for number in range(FILES_MAX + 3):
        (tmp_path / f"{number:05}.jpg").touch()
    Snapshots(tmp_path, 7, clock).prune()
    assert len(kept(tmp_path)) == FILES_MAX
    assert kept(tmp_path)[0].name == "00003.jpg"


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "s").write_text("a file")
    snapshots = Snapshots(tmp_path / "s", 7, clock)
    snapshots.seen(b"one")
    assert snapshots.keep() is None
    snapshots.prune()


def test_a_refused_visitor_has_a_picture_that_the_log_names(house: Config, clock: FakeClock) -> None:
    wanted = msgspec.structs.replace(house, log=LogConfig(snapshots_days=7))
    with SqliteStore.open(wanted.store_path, MODEL, DIMENSION, clock) as store:
        store.enroll("Ada", [ADA])
        household = settle(wanted, store, clock, FailingBolt())
        household.guardian.eyes_say(wire.Snapshot(b"a stranger"))
        household.comes(STRANGER, 1)
        names = [told["snapshot"] for told in household.told("refused") if told.get("snapshot")]
        assert [str(each.name) for each in kept(wanted.snapshots_path)] == names
        assert len(names) == 1


def test_the_eyes_send_pictures_only_when_asked_to_and_only_of_somebody(
    describe: Describe, detector: Mtcnn, embedder: MobileFaceNet
) -> None:
    for wanted in (False, True):
        line = Line()
        eyes = Eyes(detector, embedder, line, snapshots=wanted)
        eyes.see(Frame(describe.rgb("astronaut.png"), 100.0, 0))
        eyes.see(Frame(describe.rgb("coffee.png"), 105.0, 1))
        pictures = [message for message in line.sent if isinstance(message, wire.Snapshot)]
        assert len(pictures) == wanted
        for picture in pictures:
            assert decode_rgb(picture.jpeg, "the snapshot").shape[1] == 480


def test_whoever_watches_an_enrolment_sees_nobody_as_well_and_smaller(
    describe: Describe, detector: Mtcnn, embedder: MobileFaceNet
) -> None:
    line, watched = Line(), [True]
    eyes = Eyes(detector, embedder, line, previewed=lambda: watched[0])
    eyes.see(Frame(describe.rgb("coffee.png"), 100.0, 0))
    eyes.see(Frame(describe.rgb("astronaut.png"), 100.5, 1))
    watched[0] = False
    eyes.see(Frame(np.ascontiguousarray(describe.rgb("coffee.png")[::-1]), 105.0, 2))
    (picture,) = [message for message in line.sent if isinstance(message, wire.Snapshot)]
    assert decode_rgb(picture.jpeg, "the preview").shape[1] == 240
