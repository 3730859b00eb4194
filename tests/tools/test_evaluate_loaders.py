"""Data sets as folders: what is read, and what is refused in words."""

from pathlib import Path

import numpy as np
import pytest

from edge.errors import InputError
from tools.evaluate import lfw, wider
from tools.evaluate.lfw import Picture

TRAIN = "2\nAda\t1\t2\nBo\t1\t3\nAda\t1\tBo\t2\nBo\t1\tCy\t1\n"
TEST = "1\nDi\t1\t2\nDi\t1\tEd\t12\n"


def make_lfw(folder: Path, train: str = TRAIN, test: str = TEST) -> Path:
    (folder / "images").mkdir()
    (folder / "pairsDevTrain.txt").write_text(train)
    (folder / "pairsDevTest.txt").write_text(test)
    return folder


def test_both_lists_of_pairs_are_read(tmp_path: Path) -> None:
    view = lfw.open_view1(make_lfw(tmp_path))

    assert view.train.genuine == ((Picture("Ada", 1), Picture("Ada", 2)), (Picture("Bo", 1), Picture("Bo", 3)))
    assert view.test.impostor == ((Picture("Di", 1), Picture("Ed", 12)),)
    assert view.train.people == ["Ada", "Bo", "Cy"]
    assert view.test.pictures == [Picture("Di", 1), Picture("Di", 2), Picture("Ed", 12)]
    assert Picture("Ed", 12).path(tmp_path) == tmp_path / "images" / "Ed" / "Ed_0012.jpg"


@pytest.mark.parametrize(
    ("train", "says"),
    [
        ("", "not a list of pairs"),
        ("two\n", "not a list of pairs"),
        ("-1\n", "not a list of pairs"),
        ("2\nAda\t1\t2\nBo\t1\t3\nAda\t1\tBo\t2\n", "3 pairs instead of twice 2"),
        ("1\nAda\t1\t2\nAda\t1\tAda\t2\n", "not a pair"),
        ("1\nAda\t1\t1\nAda\t1\tBo\t2\n", "not a pair"),
        ("1\nAda\t1\tx\nAda\t1\tBo\t2\n", "invalid literal"),
        ("1\nAda\t0\t2\nAda\t1\tBo\t2\n", "not a pair"),
        ("1\n../../etc\t1\t2\nAda\t1\tBo\t2\n", "not a pair"),
        ("1\na/../../etc\t1\t2\nAda\t1\tBo\t2\n", "not a pair"),
        ("1\n..\t1\t2\nAda\t1\tBo\t2\n", "not a pair"),
        ("1\nDi\t1\t2\nDi\t1\tBo\t2\n", "'Di' for one"),
    ],
)
def test_lists_that_are_not_view_1_are_refused(tmp_path: Path, train: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        lfw.open_view1(make_lfw(tmp_path, train))


def test_a_folder_of_another_layout_is_refused_with_the_layout(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no folder images. Give a folder with pairsDevTrain\.txt"):
        lfw.open_view1(tmp_path)
    (tmp_path / "images").mkdir()
    with pytest.raises(InputError, match=r"pairsDevTrain\.txt' cannot be read .* Give a folder with"):
        lfw.open_view1(tmp_path)
    (tmp_path / "pairsDevTrain.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="cannot be read as text"):
        lfw.open_view1(tmp_path)


def test_a_sample_is_half_of_each_kind_without_repetition_and_always_the_same() -> None:
    genuine = tuple((Picture("Ada", i), Picture("Ada", i + 1)) for i in range(1, 60))
    impostor = tuple((Picture("Ada", i), Picture("Bo", i)) for i in range(1, 60))
    pairs = lfw.Pairs(genuine, impostor)
    sample = pairs.sample(21)

    assert (len(sample.genuine), len(sample.impostor)) == (10, 11)
    assert len(set(sample.genuine)) == 10
    assert set(sample.genuine) < set(genuine)
    assert sample == pairs.sample(21)
    assert sample.genuine != genuine[:10]
    assert pairs.sample(1000) == pairs


BOXES = """day/two.jpg
2
10 20 30 40 0 0 0 0 0 0
50 60 10 10 2 0 0 1 0 0
day/none.jpg
0
0 0 0 0 0 0 0 0 0 0
"""


def test_boxes_are_read_as_corners_with_those_that_were_given_up(tmp_path: Path) -> None:
    (tmp_path / "boxes.txt").write_text(BOXES)
    two, none = wider.open_pictures(tmp_path)

    assert two.path == tmp_path / "day" / "two.jpg"
    assert two.boxes.dtype == np.float32
    assert two.boxes.tolist() == [[10, 20, 40, 60], [50, 60, 60, 70]]
    assert two.invalid.tolist() == [False, True]
    assert none.boxes.shape == (0, 4)
    assert not len(none.invalid)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "names no picture"),
        ("a.jpg\n", "not a list of faces"),
        ("a.jpg\nmany\n", "not a list of faces"),
        ("a.jpg\n2\n1 2 3 4 0 0 0 0 0 0\n", "after line 1: 2 faces"),
        ("a.jpg\n-3\n1 2 3 4 0 0 0 0 0 0\n", "-3 faces"),
        ("a.jpg\n1\n1 2 3 4\n", "too few numbers"),
        ("a.jpg\n1\n1 2 nan 4 0 0 0 0 0 0\n", "not finite"),
        ("../a.jpg\n1\n1 2 3 4 0 0 0 0 0 0\n", "no path below the folder"),
        ("/etc/passwd\n1\n1 2 3 4 0 0 0 0 0 0\n", "no path below the folder"),
        ("\n1\n1 2 3 4 0 0 0 0 0 0\n", "no path below the folder"),
    ],
)
def test_lists_of_another_form_are_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "boxes.txt").write_text(text)
    with pytest.raises(InputError, match=says):
        wider.open_pictures(tmp_path)


def test_a_folder_without_boxes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"boxes\.txt' cannot be read .* Give a folder with"):
        wider.open_pictures(tmp_path)
