"""Everybody of a folder: ``facelatch enroll --folder raw``."""

import json
import shutil
from pathlib import Path

import pytest

from edge.settings import Config
from tests.cli.facelatch import ok, ok_json, refused, run

Photos = dict[str, Path]


@pytest.fixture
def raw(photos: Photos, tmp_path: Path) -> Path:
    """Two people, and much that is none."""
    folder = tmp_path / "raw"
    people = {
        "Barack": ("obama.jpg", "obama2.jpg", "biden.jpg", "obama3.jpg"),
        "Eileen": ("astronaut.png", "coffee.png"),
        "Coffee": ("coffee.png",),
        "Zoë": ("biden.jpg",),
        "zoe\u0308": ("biden.jpg",),  # the same name, composed otherwise
        "bad\u202ename": ("biden.jpg",),
        ".hidden": ("biden.jpg",),
        "Empty": (),
    }
    for name, files in people.items():
        (folder / name).mkdir(parents=True)
        for file in files:
            shutil.copy(photos[file], folder / name)
    (folder / "notes.txt").write_text("not a folder")
    (folder / "Linked").symlink_to(folder / "Barack")
    (folder / "Eileen" / "link.jpg").symlink_to(photos["biden.jpg"])
    return folder


def test_who_can_be_is_enrolled_and_the_others_are_told_why(house: Config, raw: Path) -> None:
    done = run(house, "enroll", "--folder", raw, "--json")
    assert done.returncode == 5
    lines = {line["name"]: line for line in json.loads(done.stdout)}
    assert {name for name, line in lines.items() if line["refused"] is None} == {"Barack", "Eileen"}
    assert lines["Barack"]["templates"] == 3
    assert [photo["refused"] is None for photo in lines["Barack"]["photos"]] == [False, True, True, True]
    assert "somebody else" in lines["Barack"]["photos"][0]["refused"]  # biden.jpg comes first by name
    assert [photo["photo"].endswith("link.jpg") for photo in lines["Eileen"]["photos"]] == [False, False]
    assert "no photograph can be used" in lines["Coffee"]["refused"]
    assert "no picture" in lines["Empty"]["refused"]
    assert sum("same name" in (line["refused"] or "") for line in lines.values()) == 2
    assert [person["name"] for person in ok_json(house, "people")] == ["Barack", "Eileen"]
    assert "\u202e" not in done.stdout


def test_the_table_says_what_was_kept(house: Config, raw: Path) -> None:
    printed = run(house, "enroll", "--folder", raw).stdout
    assert "2 of 7 enrolled" in printed
    assert "3 of 4" in printed
    again = run(house, "enroll", "--folder", raw)
    assert "already" in again.stdout
    assert ok_json(house, "people")[0]["templates"] == 3


def test_a_folder_of_people_who_all_can_be_ends_well(house: Config, photos: Photos, tmp_path: Path) -> None:
    for name, file in (("Ann", "astronaut.png"), ("Joe", "biden.jpg")):
        (tmp_path / "raw" / name).mkdir(parents=True)
        shutil.copy(photos[file], tmp_path / "raw" / name)
    assert "2 of 2 enrolled" in ok(house, "enroll", "--folder", tmp_path / "raw")


def test_a_folder_that_is_none_or_a_name_beside_it_is_refused(house: Config, tmp_path: Path) -> None:
    assert "cannot be read" in refused(house, 4, "enroll", "--folder", tmp_path / "nowhere")
    assert "no folder per person" in refused(house, 4, "enroll", "--folder", tmp_path)
    assert "names from the folders" in refused(house, 4, "enroll", "Ann", "--folder", tmp_path)
    assert run(house, "enroll").returncode == 2
    assert run(house, "enroll", "Ann").returncode == 2


def test_of_many_pictures_some_are_looked_at(photos: Photos, tmp_path: Path) -> None:
    from edge.enroll.folder import PICTURES_MAX, people_in

    (tmp_path / "Ann").mkdir()
    for number in range(1000):
        (tmp_path / "Ann" / f"{number}.jpg").touch()
    [entry] = people_in(tmp_path)
    assert (len(entry.pictures), entry.left_out) == (PICTURES_MAX, 1000 - PICTURES_MAX)
    assert [picture.name for picture in entry.pictures[:3]] == ["0.jpg", "5.jpg", "10.jpg"]
