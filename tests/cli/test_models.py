"""The networks' settings from the command line: an accelerator that is not there, and networks made to do harm."""

import json
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge import app, fittings
from edge.devices.bolt import TimedBolt
from edge.models.manifest import Shelf
from edge.settings import Config
from tests.cli.facelatch import command, ok_json, refused, run
from tests.cli.test_run import running
from tests.devices.test_bolt import ListedPin
from tests.models.delegate import compiled
from tests.models.runtimes import INSTALLED
from tests.models.shelves import copied, static, with_content
from tests.models.test_hostile import only

Photos = dict[str, Path]
LIBRARY = "libno-such-edgetpu.so.1"


def with_models(house: Config, **settings: Any) -> Config:
    """Networks other than the shipped ones say nothing of strangers: the threshold is set by hand, then."""
    if settings.get("folder"):
        house = msgspec.structs.replace(house, match=msgspec.structs.replace(house.match, similarity_min=0.6))
    return msgspec.structs.replace(house, models=msgspec.structs.replace(house.models, **settings))


def with_camera(house: Config, source: Path) -> Config:
    """A camera that opens: it comes before the networks."""
    camera = msgspec.structs.replace(house.camera, driver="replay", source=str(source))
    return msgspec.structs.replace(house, camera=camera)


@pytest.fixture
def coral(house: Config, tmp_path: Path) -> Config:
    """Networks for the accelerator, and no accelerator."""
    folder = copied(tmp_path / "coral", static)
    return with_models(house, device="edgetpu", delegate=LIBRARY, folder=str(folder))


def accelerator(house: Config) -> tuple[int, dict[str, str]]:
    done = run(house, "doctor", "--json")
    return done.returncode, next(found for found in json.loads(done.stdout) if found["check"] == "accelerator")


def test_without_its_library_the_lock_refuses_and_says_what_to_install(coral: Config, photos: Photos) -> None:
    for verb in (
        ("look", photos["obama.jpg"]),
        ("enroll", "Barack", photos["obama.jpg"]),
        ("run", "--simulate", "--replay", photos["obama.jpg"].parent),
    ):
        said = refused(coral, 7, *verb)
        assert "libedgetpu1-std" in said
        assert "coral.ai" in said
    code, found = accelerator(coral)
    assert (code, found["state"]) == (1, "fault")
    assert "libedgetpu1-std" in found["detail"]
    assert LIBRARY in found["detail"]


def test_the_fallback_is_used_and_said_wherever_one_looks(coral: Config, photos: Photos, tmp_path: Path) -> None:
    house = with_models(coral, fallback="cpu")
    code, found = accelerator(house)
    assert (code, found["state"]) == (0, "note")
    assert "the networks run on the processor" in found["detail"]
    assert "libedgetpu1-std" in found["detail"]
    done = run(house, "look", photos["obama.jpg"], "--json")
    assert done.returncode == 0
    assert "models.fallback" in done.stderr
    assert json.loads(done.stdout)["pictures"][0]["faces"][0]["probability"] > 0.9
    with running(house, photos["obama.jpg"].parent) as lock:
        assert "networks on the processor, not on the accelerator" in lock.until("eyes_present")["status"]
        assert lock.to_the_end() == 0


@pytest.mark.parametrize("own", [False, True])
def test_a_delegate_that_works_is_used_through_the_whole_command(
    house: Config, photos: Photos, tmp_path: Path, own: bool
) -> None:
    """A shared library that takes PRELU stands where libedgetpu does; the networks are the shipped ones, or a copy."""
    library = compiled("CORRECT", tmp_path)
    folder = str(copied(tmp_path / "mine")) if own else ""
    house = with_models(house, device="edgetpu", delegate=str(library), folder=folder)
    ok_json(house, "enroll", "Barack", photos["obama.jpg"])
    assert ok_json(house, "look", photos["obama2.jpg"])["pictures"][0]["faces"][0]["person"] == "Barack"
    code, found = accelerator(house)
    assert (code, found["state"], found["detail"]) == (0, "ok", f"edgetpu through {library}")


def test_networks_of_which_the_delegate_takes_nothing_must_be_compiled(
    house: Config, photos: Photos, tmp_path: Path
) -> None:
    library = compiled("TAKES_NOTHING", tmp_path)
    house = with_models(house, device="edgetpu", delegate=str(library))
    assert "python -m tools.models edgetpu" in refused(house, 7, "look", photos["obama.jpg"])
    code, found = accelerator(with_models(house, fallback="cpu"))
    assert (code, found["state"]) == (0, "note")
    assert "not compiled" in found["detail"]


def test_doctor_names_the_processor(house: Config) -> None:
    code, found = accelerator(house)
    assert (code, found["state"]) == (0, "ok")
    assert "processor" in found["detail"]


def test_networks_of_ones_own_are_used(house: Config, photos: Photos, tmp_path: Path) -> None:
    house = with_models(house, folder=str(copied(tmp_path / "mine")))
    (picture,) = ok_json(house, "look", photos["obama.jpg"])["pictures"]
    assert picture["faces"][0]["probability"] > 0.9
    assert ok_json(house, "enroll", "Barack", photos["obama.jpg"])["person"]["templates"] == 1


def test_the_average_with_the_mirror_image_is_a_setting(house: Config, photos: Photos) -> None:
    ok_json(house, "enroll", "Barack", photos["obama.jpg"])
    similarities = []
    for flip_average in (False, True):
        seen = ok_json(with_models(house, flip_average=flip_average), "look", photos["obama2.jpg"])
        similarities.append(seen["pictures"][0]["faces"][0]["similarity"])
    assert similarities[0] != similarities[1]
    assert min(similarities) > 0.6


@pytest.mark.parametrize("runtime", INSTALLED)
def test_hostile_networks_end_in_a_message_and_a_secured_bolt(
    house: Config, photos: Photos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: str
) -> None:
    """Truncated, with a manifest that vouches for them: tflite-runtime dies of these, and takes nothing with it."""
    content = Shelf.open().load("pnet")
    folder = with_content(copied(tmp_path / "mine"), "pnet", content[: len(content) // 2])
    house = with_camera(with_models(house, folder=str(folder)), photos["obama.jpg"].parent)
    only(runtime, tmp_path / "site", monkeypatch)
    assert "models.folder" in refused(house, 7, "look", photos["obama.jpg"])
    assert "models.folder" in refused(house, 7, "run", "--simulate")

    pin = ListedPin()
    monkeypatch.setattr(fittings, "bolt", lambda config, board, clock: TimedBolt(pin, clock))
    told: list[tuple[str, Any]] = []
    assert app.run(house, lambda kind, values: told.append((kind, values))) == 7
    assert pin.levels[-1] is False
    assert True not in pin.levels
    kinds = [kind for kind, _ in told]
    assert (kinds[0], kinds[-1]) == ("started", "stopped")
    assert not {"eyes_present", "eyes_crashed"} & set(kinds)
    assert "models.folder" in str(told)


def test_eyes_alone_end_with_the_same_message(house: Config, photos: Photos, tmp_path: Path) -> None:
    content = Shelf.open().load("rnet")
    folder = with_content(copied(tmp_path / "mine"), "rnet", content[:-5000])
    with subprocess.Popen(command(house, "door", "--json"), stdout=subprocess.PIPE, text=True) as guardian:
        try:
            assert guardian.stdout is not None
            assert "started" in guardian.stdout.readline()
            eyes = with_camera(with_models(house, folder=str(folder)), photos["obama.jpg"].parent)
            assert "models.folder" in refused(eyes, 7, "eyes")
            assert ok_json(house, "status")["door"] == "LOCKED"
        finally:
            guardian.terminate()
        assert "models.folder" in guardian.stdout.read()
    assert guardian.returncode == 0
