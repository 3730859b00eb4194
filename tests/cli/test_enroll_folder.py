"""Everybody of a folder: ``facelatch enroll --folder raw``."""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from PIL import Image

from edge.enroll.folder import PICTURES_MAX, people_in
from edge.settings import Config
from tests.cli.facelatch import command, ok, ok_json, refused, run
from tests.unprivileged import unprivileged

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
    assert lines["Eileen"]["left_out"] == 1
    assert "links are not followed" in lines["Linked"]["refused"]
    assert "no photograph can be used" in lines["Coffee"]["refused"]
    assert "no picture" in lines["Empty"]["refused"]
    assert sum("same name" in (line["refused"] or "") for line in lines.values()) == 2
    assert [person["name"] for person in ok_json(house, "people")] == ["Barack", "Eileen"]
    assert "\u202e" not in done.stdout


def test_the_table_says_what_was_kept(house: Config, raw: Path) -> None:
    printed = run(house, "enroll", "--folder", raw).stdout
    assert "2 of 8 enrolled" in printed
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


def test_of_many_pictures_some_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "Ann").mkdir()
    for number in range(1000):
        (tmp_path / "Ann" / f"{number}.jpg").touch()
    [entry] = people_in(tmp_path)
    assert (len(entry.pictures), entry.left_out) == (PICTURES_MAX, 1000 - PICTURES_MAX)
    assert [picture.name for picture in entry.pictures[:3]] == ["0.jpg", "5.jpg", "10.jpg"]


def test_ten_thousand_files_of_one_person_keep_nobody_else_out(house: Config, photos: Photos, tmp_path: Path) -> None:
    """Bounded in time and memory: 200 of them are looked at, for a second or two."""
    ann = tmp_path / "raw" / "Ann"
    ann.mkdir(parents=True)
    Image.new("RGB", (160, 120), (120, 130, 140)).save(ann / "0.png")
    for number in range(1, 10_000):
        os.link(ann / "0.png", ann / f"{number}.png")
    (tmp_path / "raw" / "Joe").mkdir()
    shutil.copy(photos["biden.jpg"], tmp_path / "raw" / "Joe")

    # Its own account of its memory: what wait4(2) reports holds that of this process from before the exec.
    code = f"""if True:
        import atexit, shutil
        from edge.cli import main
        atexit.register(shutil.copyfile, "/proc/self/status", {str(tmp_path / "status")!r})
        main()
    """
    arguments = command(house, "enroll", "--folder", tmp_path / "raw", "--json")[3:]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True, check=False)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 5
    lines = {line["name"]: line for line in json.loads(done.stdout)}
    assert (len(lines["Ann"]["photos"]), lines["Ann"]["left_out"]) == (PICTURES_MAX, 10_000 - PICTURES_MAX)
    assert lines["Joe"]["templates"] == 1
    assert used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime < 60
    peak_kb = int((tmp_path / "status").read_text().partition("VmHWM:")[2].split()[0])
    assert peak_kb < 400 * 1024  # the networks and Pillow alone take 130 MB


HIDDEN = ("\u202ennA", "\u2066Ann\u2069", "\u200fAnn", "A\u200bnn", "Ann\u200d", "\ufeffAnn", "\x1b[31mAnn", "\u3164")
"""Right-to-left marks and overrides, zero-width space and joiner, a byte order mark, an escape, an empty letter."""


def test_names_that_would_turn_or_hide_the_text_are_refused_and_shown_harmlessly(
    house: Config, photos: Photos, tmp_path: Path
) -> None:
    for name in (*HIDDEN, "\u0645\u0631\u064a\u0645"):
        (tmp_path / "raw" / name).mkdir(parents=True)
        shutil.copy(photos["biden.jpg"], tmp_path / "raw" / name / "a\u202e\u200b\x1b[2Jgpj.jpg")
    (tmp_path / "raw" / os.fsdecode(b"Z\xff")).mkdir()
    for done in (
        run(house, "enroll", "--folder", tmp_path / "raw", "--json"),
        run(house, "enroll", "--folder", tmp_path / "raw"),
    ):
        assert done.returncode == 5
        assert not any(
            each in done.stdout + done.stderr for each in "\u202e\u2066\u2069\u200f\u200b\u200d\ufeff\x1b\u3164"
        )
    assert [person["name"] for person in ok_json(house, "people")] == ["\u0645\u0631\u064a\u0645"]  # a name is no trick


def test_names_that_are_one_after_normalisation_are_both_refused(tmp_path: Path) -> None:
    for name in (
        "Zo\u00eb",
        "zoe\u0308",
        "ZO\u00cb",
        "Stra\u00dfe",
        "STRASSE",
        "\uff21nn",
        "ann",
        "\ufb01n",
        "fin",
        "Zoe",
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.jpg").touch()
    assert [entry.name for entry in people_in(tmp_path) if entry.refused is None] == ["Zoe"]
    assert {entry.refused for entry in people_in(tmp_path) if entry.name != "Zoe"} == {
        "another folder has the same name, as names are compared"
    }


def test_links_lead_nowhere(house: Config, photos: Photos, tmp_path: Path) -> None:
    """Neither a person's folder, nor a picture, nor a link to a link; nor one that goes round in a circle."""
    raw, outside = tmp_path / "raw", tmp_path / "outside"
    outside.mkdir()
    shutil.copy(photos["biden.jpg"], outside)
    (raw / "Joe").mkdir(parents=True)
    (raw / "Joe" / "a.jpg").symlink_to(outside / "biden.jpg")
    (raw / "Joe" / "b.jpg").symlink_to("a.jpg")
    (raw / "Joe" / "c.jpg").symlink_to("c.jpg")
    (raw / "Jill").symlink_to(outside)
    (raw / "Jane").symlink_to("Jane")
    done = run(house, "enroll", "--folder", raw)
    assert done.returncode == 5
    assert "0 of 2 enrolled" in done.stdout
    assert "Traceback" not in done.stderr
    assert not house.store_path.exists()
    assert all("links are not followed" in (entry.refused or "") for entry in people_in(raw))


CHANGED = """
import importlib, shutil
from pathlib import Path
from edge.cli import main
module = importlib.import_module("edge.cli.enroll")
listed = module.people_in
def then_changed(folder):
    entries = listed(folder)
    joe = folder / "Joe"
    (joe / "b.jpg").unlink()
    (joe / "c.jpg").write_bytes((joe / "c.jpg").read_bytes()[:5000])
    (joe / "d.jpg").unlink()
    (joe / "d.jpg").mkdir()
    shutil.rmtree(folder / "Jill")
    return entries
module.people_in = then_changed
main()
"""


def test_what_goes_or_changes_after_it_was_listed_is_told_and_the_rest_counts(
    house: Config, photos: Photos, tmp_path: Path
) -> None:
    for name, files in (("Joe", "abcd"), ("Jill", "a"), ("Eileen", "a")):
        (tmp_path / "raw" / name).mkdir(parents=True)
        for file in files:
            photo = photos["astronaut.png" if name == "Eileen" else "biden.jpg"]
            shutil.copy(photo, tmp_path / "raw" / name / f"{file}.jpg")
    python, _, _, *arguments = command(house, "enroll", "--folder", tmp_path / "raw", "--json")
    done = subprocess.run([python, "-c", CHANGED, *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 5, done.stderr
    lines = {line["name"]: line for line in json.loads(done.stdout)}
    reasons = [photo["refused"] or "" for photo in lines["Joe"]["photos"]]
    assert reasons[0] == ""
    assert "There is no file" in reasons[1]
    assert "damaged or truncated" in reasons[2]
    assert "is a folder" in reasons[3]
    assert (lines["Joe"]["templates"], lines["Eileen"]["templates"]) == (1, 1)
    assert "no photograph can be used" in lines["Jill"]["refused"]
    assert [person["name"] for person in ok_json(house, "people")] == ["Eileen", "Joe"]


def test_a_folder_whose_files_are_out_of_reach_is_told() -> None:
    with tempfile.TemporaryDirectory(prefix="fl-") as folder:  # pytest's own would be out of reach itself
        raw, ann = Path(folder), Path(folder) / "Ann"
        raw.chmod(0o755)
        ann.mkdir()
        (ann / "a.jpg").touch()
        ann.chmod(0o444)  # it can be listed, and that is all
        with unprivileged():
            [entry] = people_in(raw)
        ann.chmod(0o755)
    assert "cannot be read" in (entry.refused or "")
