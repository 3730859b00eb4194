"""Verification as it is run: a tiny LFW of real photographs, the committed networks, the cache between runs."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from edge.errors import InputError
from edge.models.manifest import MANIFEST
from edge.types import Box, Face
from tests.tools.evaluation import make_lfw
from tools.evaluate import describe, lfw, plot
from tools.evaluate.networks import open_networks, revision
from tools.evaluate.people import open_people
from tools.evaluate.protocols import verify_view1, verify_view2
from tools.evaluate.verification import Scores, verify_set


def test_one_person_is_told_from_another_and_a_picture_without_a_face_counts_as_wrong(
    tmp_path: Path, photos: dict[str, Path]
) -> None:
    networks = open_networks([], ["cpu"])[0]
    result, scores = verify_view1(lfw.open_view1(make_lfw(tmp_path, photos)), networks)

    assert result.accuracy is not None
    assert 0.3 < result.accuracy.threshold < 0.9
    assert result.accuracy.accuracy == 0.5  # both pairs with a face are right, both pairs without are wrong
    assert (result.accuracy.pairs, result.accuracy.pairs_without_face) == (4, 2)
    assert (result.pictures, result.pictures_without_face) == (8, 2)
    unseen, broad = result.compared
    # Without the only picture of a man of whom pairsDevTrain compares no two: the networks may be calibrated with it.
    assert (unseen.what, unseen.people, unseen.genuine_pairs) == ("people not calibrated with", 4, 3)
    assert unseen.impostor_comparisons == 8
    assert (broad.people, broad.genuine_pairs) == (5, 3)
    assert broad.impostor_comparisons == 13  # 15 pairs of the 6 faces, without one man's two and another's two
    assert np.isneginf(scores.genuine).tolist() == [True, False, False]
    assert scores.genuine[1:].min() > 0.6
    *strangers, twice, again_twice = sorted(scores.impostor)
    assert max(strangers) < 0.4
    assert min(twice, again_twice) > 0.99  # one photograph, both of Joe_Biden and of Somebody
    assert [tar.tar for tar in unseen.tar_at_far] == [
        None
    ] * 3  # so few comparisons say nothing about one in a thousand

    again, _ = verify_view1(lfw.open_view1(tmp_path), networks, reference=scores)
    assert [tar.difference for tar in again.compared[0].tar_at_far] == [None] * 3


def test_view_2_is_judged_set_by_set(tmp_path: Path, photos: dict[str, Path]) -> None:
    folder = make_lfw(tmp_path, photos)
    one = "Barack_Obama\t1\t2\nBarack_Obama\t1\tJoe_Biden\t1\n"
    (folder / "pairs.txt").write_text("2\t1\n" + one + one.replace("Joe_Biden", "Eileen_Collins"))
    view = lfw.view2(folder)
    assert view is not None
    result, _ = verify_view2(view, open_networks([], ["cpu"])[0])
    assert result.accuracy is not None
    assert (result.accuracy.accuracy, result.accuracy.standard_error, result.accuracy.pairs) == (1, 0, 4)


def test_a_set_without_faces_is_refused(tmp_path: Path, photos: dict[str, Path]) -> None:
    for place, name in enumerate(("coffee.png", "rocket.jpg", "coffee.png")):
        folder = tmp_path / f"person {place // 2}"
        folder.mkdir(exist_ok=True)
        shutil.copy(photos[name], folder / f"{place}-{name}")
    with pytest.raises(InputError, match=r"A face is found in 0 of the 3 pictures .* Use a data set that shows people"):
        verify_set(open_people(tmp_path), open_networks([], ["cpu"])[0])


def test_a_cache_belongs_to_its_networks_and_its_folder(tmp_path: Path) -> None:
    networks = open_networks([], ["cpu"])[0]
    # Other networks by their manifest; they are not run.
    text = (networks.shelf.folder / MANIFEST).read_text()
    digest = networks.shelf.card("pnet").sha256
    (tmp_path / MANIFEST).write_text(text.replace(digest, "0" * 64))
    other = open_networks([tmp_path], ["cpu"])[0]
    flipped = open_networks([], ["cpu"], flip_average=True)[1]

    assert other.digest != networks.digest
    assert (networks.variant, flipped.variant) == ("cpu", "cpu + flip")
    keys = {describe._key(Path(folder), nets) for folder in ("a", "b") for nets in (networks, other, flipped)}
    assert len(keys) == 6


def test_a_variant_that_is_not_there_is_said() -> None:
    with pytest.raises(InputError, match=r"\(there are: .*cpu.*\)"):
        open_networks([Path("models_tflite")], ["npu"])


def test_the_subject_is_the_face_nearest_the_centre() -> None:
    def face(x: float, y: float, side: float) -> Face:
        return Face(Box(x, y, x + side, y + side), np.zeros((5, 2), dtype=np.float32), 0.9)

    rgb = np.zeros((200, 300, 3), dtype=np.uint8)
    large, central = face(0, 0, 140), face(130, 80, 30)
    assert describe.subject(rgb, [large, central]) is central
    assert describe.subject(rgb, []) is None


def test_a_det_curve_falls_and_keeps_to_its_definition() -> None:
    generator = np.random.default_rng(5)
    impostor = np.sort(generator.normal(0, 0.15, 20_000)).astype(np.float32)
    scores = Scores(np.sort(generator.normal(0.7, 0.1, 300)), impostor, [])
    far, frr = plot.det_points(scores)

    assert (np.diff(far) > 0).all()
    assert (np.diff(frr) <= 0).all()
    for at in (0, len(far) // 2, -1):
        threshold = scores.impostor[20_000 - round(far[at] * 20_000)]
        assert (scores.impostor >= threshold).mean() == pytest.approx(far[at])
        assert (scores.genuine < threshold).mean() == pytest.approx(frr[at])


def test_the_revision_is_git_s_or_unknown() -> None:
    found = revision()
    assert found is None or re.fullmatch(r"[0-9a-f]{40}\+?", found)
