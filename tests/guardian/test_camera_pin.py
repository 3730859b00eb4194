"""The camera is the one that the lock knows: another one shows nobody until an operator accepts it."""

from pathlib import Path

import msgspec
import pytest

from edge import wire
from edge.devices.camera_v4l2 import stable_id
from edge.errors import CameraError
from edge.types import Sign
from tests.guardian.household import ADA, HELLO, Household

OWN, OTHER = (msgspec.structs.replace(HELLO, identity=f"{each} 640x480") for each in ("usb-Own_1", "usb-Other_7"))
SMALLER = msgspec.structs.replace(HELLO, identity="usb-Own_1 320x240")
REPLAY = msgspec.structs.replace(HELLO, identity="")


def test_the_first_camera_is_taken_and_told_once(household: Household) -> None:
    for _ in range(2):
        household.guardian.eyes_say(OWN)
    assert [told["camera"] for told in household.told("camera_pinned")] == ["usb-Own_1 640x480"]
    assert household.comes(ADA, track=1)


@pytest.mark.parametrize("hello", [OTHER, SMALLER, REPLAY])
def test_another_camera_is_an_alarm_and_opens_nothing(household: Household, hello: wire.Hello) -> None:
    household.guardian.eyes_say(OWN)
    household.guardian.eyes_say(hello)
    assert "usb-Own_1 640x480" in str(household.told("camera_changed")[0]["reason"])
    assert not household.comes(ADA, track=1)
    assert "NOT COUNTED" in household.guardian.status().eyes
    household.guardian.tick()
    assert household.lamps.shown[-1] is Sign.WARNING
    with pytest.raises(CameraError, match="not accepted"):
        household.guardian.answer(wire.AskCamera("ticket", wire.EnrollTerms("Eve"), 5), "root")


def test_the_own_camera_back_again_needs_nobody(household: Household) -> None:
    for hello in (OWN, OTHER, OWN):
        household.guardian.eyes_say(hello)
    assert household.comes(ADA, track=1)
    assert "NOT COUNTED" not in household.guardian.status().eyes


def test_an_operator_accepts_another_camera_and_it_is_told_who(household: Household) -> None:
    for hello in (OWN, OTHER):
        household.guardian.eyes_say(hello)
    household.guardian.answer(wire.AskClear(), "root")
    assert not household.comes(ADA, track=1)  # an alarm acknowledged is no camera accepted
    household.guardian.answer(wire.AskClear(camera=True), "root")
    told = household.told("camera_pinned")[-1]
    assert (told["camera"], told["by"]) == ("usb-Other_7 640x480", "root")
    assert household.comes(ADA, track=2)
    household.guardian.eyes_say(OWN)
    assert len(household.told("camera_changed")) == 2


def test_no_camera_cannot_be_accepted(household: Household) -> None:
    household.guardian.eyes_say(OWN)
    household.guardian.eyes_gone("killed")
    with pytest.raises(CameraError, match="no camera to accept"):
        household.guardian.answer(wire.AskClear(camera=True), "root")


def test_a_replay_is_nobodys_camera(household: Household) -> None:
    household.guardian.eyes_say(REPLAY)
    assert household.told("camera_pinned") == []
    assert household.comes(ADA, track=1)


def test_a_device_is_told_by_its_serial_number_and_a_virtual_one_by_being_virtual(tmp_path: Path) -> None:
    by_id, system = tmp_path / "by-id", tmp_path / "class"
    by_id.mkdir()
    system.mkdir()
    for number, place in ((0, "pci/usb"), (1, "virtual/video4linux")):
        (tmp_path / f"video{number}").write_text("")
        folder = tmp_path / place / f"video{number}"
        folder.mkdir(parents=True)
        (folder / "name").write_text(f"Camera {number}\n")
        (system / f"video{number}").symlink_to(folder)
    (by_id / "usb-Maker_Model_1234-index0").symlink_to(tmp_path / "video0")
    found = [stable_id(tmp_path / f"video{number}", by_id, system) for number in (0, 1, 2)]
    assert found == ["usb-Maker_Model_1234-index0", "virtual Camera 1", "unnamed video2"]
