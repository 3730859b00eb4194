"""The commands as a person uses them: real processes, real photographs, a real store."""

import json
import subprocess
from pathlib import Path

import pytest

from edge.images import read_rgb
from edge.settings import Config
from tests.cli.facelatch import command, ok, ok_json, refused, run

Photos = dict[str, Path]


def test_enrol_list_look_and_forget(house: Config, photos: Photos) -> None:
    assert "enrolled with 2 templates" in ok(house, "enroll", "Barack", photos["obama.jpg"], photos["obama2.jpg"])
    assert [(p["name"], p["templates"]) for p in ok_json(house, "people")] == [("Barack", 2)]
    seen = ok_json(house, "look", photos["obama3.jpg"], photos["biden.jpg"], photos["coffee.png"])
    assert seen["liveness"] == "off"
    faces = [picture["faces"] for picture in seen["pictures"]]
    assert (faces[0][0]["person"], faces[0][0]["named"]) == ("Barack", True)
    assert faces[0][0]["similarity"] > 0.6
    assert faces[1][0]["named"] is False
    assert faces[2] == []
    assert {"read", "pnet", "align", "embed"} <= set(seen["pictures"][0]["timings_ms"])
    assert "Barack is forgotten" in ok(house, "forget", "barack", "--yes")
    assert ok_json(house, "people") == []
    assert ok_json(house, "look", photos["obama3.jpg"])["pictures"][0]["faces"][0]["person"] is None


def test_two_commands_that_enrol_at_once_both_do(house: Config, photos: Photos) -> None:
    wanted = {"Barack": "obama.jpg", "Joe": "biden.jpg", "Eileen": "astronaut.png"}
    running = [
        subprocess.Popen(command(house, "enroll", name, photos[photo]), stdout=subprocess.DEVNULL)
        for name, photo in wanted.items()
    ]
    assert [process.wait(120) for process in running] == [0, 0, 0]
    assert [person["name"] for person in ok_json(house, "people")] == sorted(wanted)
    assert len({person["id"] for person in ok_json(house, "people")}) == 3


def test_more_photographs_are_added_only_when_asked_for(house: Config, photos: Photos) -> None:
    ok(house, "enroll", "Barack", photos["obama.jpg"])
    assert "already" in refused(house, 5, "enroll", "BARACK", photos["obama2.jpg"])
    assert ok_json(house, "enroll", "--add", "Barack", photos["obama2.jpg"])["person"]["templates"] == 2
    assert "Joe" in refused(house, 5, "enroll", "--add", "Joe", photos["biden.jpg"])


def test_a_picture_that_cannot_be_used_is_told_and_the_others_count(
    house: Config, photos: Photos, tmp_path: Path
) -> None:
    (tmp_path / "notes.jpg").write_text("no picture")
    pictures = (photos["obama.jpg"], tmp_path / "notes.jpg", photos["coffee.png"], photos["obama.jpg"])
    told = ok_json(house, "enroll", "Barack", *pictures)
    assert told["person"]["templates"] == 1
    reasons = [line["refused"] for line in told["photos"]]
    assert reasons[0] is None
    assert "notes.jpg" in reasons[1]
    assert "no face" in reasons[2]
    assert "same picture" in reasons[3]


def test_two_people_are_never_enrolled_as_one(house: Config, photos: Photos) -> None:
    told = ok_json(house, "enroll", "Barack", photos["obama.jpg"], photos["biden.jpg"])
    assert told["person"]["templates"] == 1
    assert "somebody else" in told["photos"][1]["refused"]
    assert "hardly looks like" in refused(house, 5, "enroll", "--add", "barack", photos["biden.jpg"])
    assert [person["templates"] for person in ok_json(house, "people")] == [1]
    ok(house, "enroll", "--add", "Barack", photos["obama3.jpg"])


def test_look_writes_an_annotated_picture(house: Config, photos: Photos, tmp_path: Path) -> None:
    ok(house, "look", photos["astronaut.png"], "--annotate", tmp_path / "out.png")
    before, after = read_rgb(photos["astronaut.png"]), read_rgb(tmp_path / "out.png")
    assert before.shape == after.shape
    changed = (before != after).any(axis=2)
    assert 0.001 < changed.mean() < 0.2
    assert "folder" in refused(house, 4, "look", photos["astronaut.png"], "--annotate", tmp_path / "no" / "out.png")


def test_looking_neither_opens_nor_makes_a_store(house: Config, photos: Photos) -> None:
    assert "opens nothing" in ok(house, "look", photos["obama.jpg"])
    assert not house.store_path.exists()


def test_one_bad_picture_does_not_hide_the_others(house: Config, photos: Photos, tmp_path: Path) -> None:
    done = run(house, "look", "--json", tmp_path / "absent.jpg", photos["obama.jpg"])
    assert done.returncode == 4
    pictures = json.loads(done.stdout)["pictures"]
    assert "absent.jpg" in pictures[0]["error"]
    assert len(pictures[1]["faces"]) >= 1


def test_status_names_the_liveness_mode_even_where_nothing_runs(house: Config) -> None:
    assert "liveness off" in ok(house, "status")
    assert ok_json(house, "status")["liveness"] == "off"


def test_doctor_finds_a_sound_installation_and_names_what_is_simulated(house: Config) -> None:
    findings = {finding["check"]: finding for finding in ok_json(house, "doctor")}
    assert findings["networks"]["state"] == "ok"
    assert "simulated" in findings["bolt"]["detail"]
    assert "photograph" in findings["liveness"]["detail"]
    assert not house.store_path.exists()


def test_doctor_tells_faults_and_fails(house: Config, tmp_path: Path) -> None:
    done = run(house, "doctor", "--json", FACELATCH_DOOR__UNLOCK_S="99")
    assert done.returncode == 1
    findings = {finding["check"]: finding for finding in json.loads(done.stdout)}
    assert findings["configuration"]["state"] == "fault"
    assert "unlock_s" in findings["configuration"]["detail"]
    house.store_path.parent.mkdir()
    house.store_path.write_text("rubbish" * 100)
    assert run(house, "doctor").returncode == 1


def test_config_template_check_and_show(house: Config, tmp_path: Path) -> None:
    assert "[door]" in ok(house, "config", "template")
    assert "right" in ok(house, "config", "check")
    assert ok_json(house, "config", "show")["bolt"]["driver"] == "simulated"
    done = run(house, "config", "show", "--json", FACELATCH_DOOR__UNLOCK_S="3")
    assert json.loads(done.stdout)["door"]["unlock_s"] == 3


@pytest.mark.parametrize(
    "verb", ["run", "enroll", "people", "forget", "look", "status", "doctor", "door", "eyes", "config"]
)
def test_every_command_explains_itself(house: Config, verb: str) -> None:
    said = ok(house, verb, "--help")
    assert "Usage: facelatch" in said
    if verb not in {"eyes", "config"}:
        assert "--json" in said
