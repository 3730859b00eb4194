"""Verification as it is run: a tiny LFW of real photographs, the committed networks, the command line."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edge.types import Box, Face
from tools.evaluate import describe, lfw, plot, verification
from tools.evaluate.networks import open_networks, revision
from tools.evaluate.verification import Scores

ROOT = Path(__file__).parents[2]
PICTURES = {
    "Somebody": ("biden.jpg", "biden.jpg"),
    "Eileen_Collins": ("astronaut.png",),
    "Barack_Obama": ("obama.jpg", "obama2.jpg"),
    "Joe_Biden": ("biden.jpg",),
    "No_Face": ("coffee.png", "rocket.jpg"),
}
TRAIN = "1\nSomebody\t1\t2\nSomebody\t1\tEileen_Collins\t1\n"
TEST = "2\nBarack_Obama\t1\t2\nNo_Face\t1\t2\nBarack_Obama\t1\tJoe_Biden\t1\nNo_Face\t1\tJoe_Biden\t1\n"


@pytest.fixture
def folder(tmp_path: Path, photos: dict[str, Path]) -> Path:
    made = tmp_path / "lfw"
    for person, names in PICTURES.items():
        (made / "images" / person).mkdir(parents=True)
        for number, name in enumerate(names, start=1):
            shutil.copy(photos[name], lfw.Picture(person, number).path(made))
    (made / "pairsDevTrain.txt").write_text(TRAIN)
    (made / "pairsDevTest.txt").write_text(TEST)
    return made


def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tools.evaluate", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_one_person_is_told_from_another_and_a_picture_without_a_face_counts_as_wrong(folder: Path) -> None:
    result, scores = verification.verify(lfw.open_view1(folder), open_networks([])[0])

    assert 0.3 < result.threshold < 0.9
    assert result.accuracy == 0.5  # both pairs with a face are right, both pairs without are wrong
    assert (result.pictures, result.pictures_without_face, result.test_pairs_without_face) == (8, 2, 2)
    assert (result.people, result.train_pairs, result.test_pairs, result.genuine_pairs) == (3, 2, 4, 2)
    assert result.impostor_comparisons == len(scores.impostor) == 2  # two of one man with one of the other
    assert np.isneginf(scores.genuine).tolist() == [False, True]
    assert scores.genuine[0] > 0.6
    assert scores.impostor.max() < 0.4
    assert [tar.tar for tar in result.tar_at_far] == [None, None]  # two comparisons say nothing about one in a thousand


def test_the_command_prints_json_or_a_table_and_the_cache_spares_the_networks(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    # Only these: a machine on which fp32 references were built must find the same.
    command = ("verification", "--models", "models_tflite", "--lfw", folder)
    done = run(*command, "--cache", cache, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["data_set"] == "LFW View 1"
    (result,) = told["results"]
    assert (result["accuracy"], result["kind"]) == (0.5, "int8")
    assert re.fullmatch("[0-9a-f]{64}", result["digest"])

    shutil.rmtree(folder / "images" / "Joe_Biden")  # nobody needs it any more
    again = run(*command, "--cache", cache, "--limit", "20")
    assert again.returncode == 0, again.stderr
    assert "50.00" in again.stdout
    assert "20 pairs of each list" in again.stdout

    without = run(*command)
    assert without.returncode == 4
    assert "Joe_Biden_0001.jpg" in without.stderr
    assert "Traceback" not in without.stderr

    (kept,) = cache.iterdir()
    kept.write_bytes(b"rubbish")
    damaged = run(*command, "--cache", cache)
    assert damaged.returncode == 4
    assert "damaged" in damaged.stderr


def test_a_cache_belongs_to_its_networks_and_its_folder(tmp_path: Path) -> None:
    networks = open_networks([])[0]
    manifest = tmp_path / "manifest.toml"
    # Other networks by their manifest; they are not run.
    text = (networks.shelf.folder / "manifest.toml").read_text()
    first = re.search(r'^sha256 = "([0-9a-f]{64})"', text, re.MULTILINE)
    assert first is not None
    manifest.write_text(text.replace(first[1], "0" * 64))
    other = open_networks([tmp_path])[0]

    assert other.digest != networks.digest
    keys = {describe._key(Path(folder), nets) for folder in ("a", "b") for nets in (networks, other)}
    assert len(keys) == 4


@pytest.mark.parametrize(
    ("arguments", "says", "code"),
    [
        (("verification", "--lfw", "tests"), "has no folder images", 4),
        (("verification", "--lfw", "tests", "--models", "tests"), "manifest", 7),
        (("verification", "--lfw", "tests", "--cache", "nowhere"), "--cache does not exist", 4),
        (("verification", "--lfw", "tests", "--plot", "nowhere/det.png"), r"matplotlib|does not exist", 4),
        (("detection", "--wider", "tests"), "Give a folder with boxes.txt", 4),
    ],
)
def test_what_cannot_be_evaluated_is_one_clear_error(arguments: tuple[str, ...], says: str, code: int) -> None:
    done = run(*arguments)
    assert done.returncode == code
    assert re.search(says, done.stderr)
    assert done.stderr.startswith("error: ")
    assert not done.stdout


def test_the_subject_is_the_face_nearest_the_centre() -> None:
    def face(x: float, y: float, side: float) -> Face:
        return Face(Box(x, y, x + side, y + side), np.zeros((5, 2), dtype=np.float32), 0.9)

    rgb = np.zeros((200, 300, 3), dtype=np.uint8)
    large, central = face(0, 0, 140), face(130, 80, 30)
    assert describe.subject(rgb, [large, central]) is central
    assert describe.subject(rgb, []) is None


def test_a_det_curve_falls_and_keeps_to_its_definition() -> None:
    generator = np.random.default_rng(5)
    scores = Scores(generator.normal(0.7, 0.1, 300), np.sort(generator.normal(0, 0.15, 20_000))[::-1])
    far, frr = plot.det_points(scores)

    assert (np.diff(far) > 0).all()
    assert (np.diff(frr) <= 0).all()
    for at in (0, len(far) // 2, -1):
        threshold = scores.impostor[round(far[at] * 20_000) - 1]
        assert (scores.impostor >= threshold).mean() == pytest.approx(far[at])
        assert (scores.genuine < threshold).mean() == pytest.approx(frr[at])


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="matplotlib belongs to the extra `tools`")
def test_the_plot_is_a_picture(folder: Path, tmp_path: Path) -> None:
    done = run("verification", "--models", "models_tflite", "--lfw", folder, "--plot", tmp_path / "det.png")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "det.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["det.png", "lfw"]


def test_the_revision_is_git_s_or_unknown() -> None:
    found = revision()
    assert found is None or re.fullmatch(r"[0-9a-f]{40}\+?", found)
