"""An update brings another embedding model: what the commands and the lock say, and what opens, until people enrol
again. Real processes, photographs, networks and store."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge import wire
from edge.models.manifest import template_space
from edge.settings import Config, PrivacyConfig
from edge.store.sqlite import SqliteStore
from edge.types import Person, Rgb
from tests.cli.facelatch import ok, ok_json, run
from tests.cli.test_run import running, walk_past
from tests.fakes import FakeClock

Photos = dict[str, Path]
OLDER = "mobilefacenet-192-0"


def as_of_an_older_release(house: Config, name: str, model: str = OLDER, before: str | None = None) -> None:
    """Turn the person's templates into ones of another model, with the very numbers of this one (or ``before``)."""
    model_id, dimension = template_space("cpu", "none", None)
    with SqliteStore.open(house.store_path, before or model_id, dimension, FakeClock()) as store:
        gallery = store.gallery()
    rows = [gallery.names[int(person_id)] == name for person_id in gallery.person_ids]
    with SqliteStore.open(house.store_path, model, dimension, FakeClock()) as store:
        store.enroll(name, list(gallery.templates[rows]))


def templates(house: Config) -> list[tuple[int, str]]:
    with closing(sqlite3.connect(house.store_path)) as db:
        return db.execute("SELECT person_id, model_id FROM templates ORDER BY id").fetchall()


def people_check(house: Config) -> tuple[int, dict[str, str]]:
    """The exit code of ``doctor``, and what it found of the people."""
    done = run(house, "doctor", "--json")
    return done.returncode, next(finding for finding in json.loads(done.stdout) if finding["check"] == "people")


def nearest(house: Config, photo: Path) -> dict[str, Any]:
    (picture,) = ok_json(house, "look", photo)["pictures"]
    face: dict[str, Any] = picture["faces"][0]
    return face


@pytest.fixture
def changed(house: Config, photos: Photos) -> Config:
    """Barack's templates are of an older model, Joe's of this one."""
    ok(house, "enroll", "Barack", photos["obama.jpg"], photos["obama2.jpg"])
    ok(house, "enroll", "Joe", photos["biden.jpg"])
    assert nearest(house, photos["obama3.jpg"])["named"]
    as_of_an_older_release(house, "Barack")
    return house


def test_the_commands_say_who_must_enrol_again_and_recognise_nobody_by_old_templates(
    changed: Config, photos: Photos
) -> None:
    before = templates(changed)
    listed = ok(changed, "people")
    assert "1 enrolled · 1 must enrol again" in listed
    assert f"must enrol again: the templates are of model {OLDER}" in " ".join(listed.split())
    assert "facelatch enroll NAME PHOTOS" in listed
    told = [(p["name"], p["templates"], p["enrol_again"], p["former_model"]) for p in ok_json(changed, "people")]
    assert told == [("Barack", 0, True, OLDER), ("Joe", 1, False, None)]
    assert "1 enrolled · 1 must enrol again" in ok(changed, "status")
    status = ok_json(changed, "status")
    assert (status["people"], status["enrol_again"]) == (1, 1)
    code, finding = people_check(changed)
    assert (code, finding["state"]) == (1, "fault")
    assert "1 of 2 must enrol again" in finding["detail"]
    assert "Barack. `facelatch enroll NAME PHOTOS`" in finding["detail"]
    # The very photograph that was enrolled: its embedding equals a stored template.
    for photo in ("obama.jpg", "obama3.jpg"):
        face = nearest(changed, photos[photo])
        assert (face["person"], face["named"], face["similarity"] < 0.5) == ("Joe", False, True)
    assert templates(changed) == before


@pytest.mark.parametrize("flags", [(), ("--add",)])
def test_enrolling_again_makes_the_person_known_under_the_same_number(
    changed: Config, photos: Photos, flags: tuple[str, ...]
) -> None:
    (before,) = [person for person in ok_json(changed, "people") if person["name"] == "Barack"]
    after = ok_json(changed, "enroll", *flags, "Barack", photos["obama2.jpg"])["person"]
    assert after == {**before, "templates": 1, "enrol_again": False, "former_model": None}
    assert OLDER not in dict(templates(changed)).values()
    assert (nearest(changed, photos["obama3.jpg"])["person"], people_check(changed)) == (
        "Barack",
        (0, {"check": "people", "state": "ok", "detail": f"2 enrolled in {changed.store_path}"}),
    )
    assert "again" not in ok(changed, "people") + ok(changed, "status")


def test_the_lock_says_it_when_it_starts_and_lets_nobody_in_by_old_templates(
    changed: Config, cut_out: Callable[[str], Rgb], tmp_path: Path
) -> None:
    replay = walk_past(tmp_path / "door.avi", [(None, 1), (cut_out("obama2.jpg"), 1.5), (None, 0.5)])
    with running(changed, replay) as lock:
        assert lock.to_the_end() == 0
    assert lock.kinds()[:2] == ["started", "enrol_again"]
    assert (lock.notices[1]["name"], lock.notices[1]["ids"]) == ("Barack", "1")
    assert "1 must enrol again" in lock.notices[1]["status"]
    assert "refused" in lock.kinds()
    assert "released" not in lock.kinds()


def test_going_back_to_the_older_model_works(changed: Config, photos: Photos) -> None:
    """Seen from the older release its own templates are the current ones, and Joe's those of another model."""
    as_of_an_older_release(changed, "Barack", "mobilefacenet-192-1", OLDER)
    as_of_an_older_release(changed, "Joe")
    assert nearest(changed, photos["obama3.jpg"])["person"] == "Barack"
    assert [(p["name"], p["enrol_again"]) for p in ok_json(changed, "people")] == [("Barack", False), ("Joe", True)]


def test_with_pictures_kept_nobody_has_to_come_again(house: Config, photos: Photos) -> None:
    """The pictures are sealed in the store; one of the older release's store, too, is described by this model."""
    house = msgspec.structs.replace(house, privacy=PrivacyConfig(keep_pictures=True, consent="required"))
    ok(house, "enroll", "Barack", photos["obama.jpg"], photos["obama2.jpg"], "--consent")
    model_id, dimension = template_space("cpu", "none", None)
    with SqliteStore.open(house.store_path, model_id, dimension, FakeClock()) as store:
        crops, templates = store.crops("Barack"), list(store.gallery().templates)
    assert len(crops) == 2
    assert all(crop.startswith(b"\xff\xd8") and len(crop) <= wire.CROP_MAX_BYTES for crop in crops)
    assert not [file for file in house.store_path.parent.glob("facelatch.db*") if crops[0][:64] in file.read_bytes()]
    with SqliteStore.open(house.store_path, OLDER, dimension, FakeClock()) as store:
        store.enroll("Barack", templates, crops=crops)
        store.enroll("Joe", templates[:1])
    told = ok_json_with(house, 5, "people", "reembed")
    assert [(line["name"], line["templates"], line["refused"] is None) for line in told] == [
        ("Barack", 2, True),
        ("Joe", 0, False),
    ]
    assert nearest(house, photos["obama3.jpg"])["named"]
    assert [(p["name"], p["enrol_again"]) for p in ok_json(house, "people")] == [("Barack", False), ("Joe", True)]
    assert ok_json(house, "people")[0]["consent"]["wording"] == 1
    with SqliteStore.open(house.store_path, model_id, dimension, FakeClock()) as store:
        assert store.crops("Barack") == crops
        # A kept face describes nearly what the photograph did: the JPEG costs little.
        assert min(float(a @ b) for a, b in zip(templates, store.gallery().templates, strict=True)) > 0.95


def ok_json_with(house: Config, exit_code: int, *arguments: str) -> Any:
    done = run(house, *arguments, "--json")
    assert done.returncode == exit_code, done.stderr
    return json.loads(done.stdout)


def test_a_hostile_model_name_is_shown_harmlessly(changed: Config) -> None:
    as_of_an_older_release(changed, "Barack", "\x1b[2J[bold]" + "x" * 10_000, OLDER)
    done = run(changed, "people")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert len(done.stdout) < 2000
    assert len(ok_json(changed, "people")[0]["former_model"]) <= 40


def test_a_full_page_of_people_who_must_enrol_again_fits_one_packet() -> None:
    longest = Person(2**53, "\N{CJK UNIFIED IDEOGRAPH-20000}" * 64, 0, "2026-01-01T00:00:00.000+00:00", "\x1b" * 500)
    page = wire.People([wire.PersonLine.of(longest)] * wire.PAGE, more=True)
    assert len(wire.encode(page)) < wire.PACKET_MAX_BYTES
