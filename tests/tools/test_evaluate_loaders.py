"""Data sets as folders: what is read, and what is refused in words."""

from pathlib import Path

import numpy as np
import pytest

from edge.errors import InputError
from tools.evaluate import lfw, nuaa, people, sessions, verification, wider
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
    train, test = view.lists

    assert train.genuine == ((Picture("Ada", 1), Picture("Ada", 2)), (Picture("Bo", 1), Picture("Bo", 3)))
    assert test.impostor == ((Picture("Di", 1), Picture("Ed", 12)),)
    assert train.people == {"Ada", "Bo", "Cy"}
    assert test.pictures == {Picture("Di", 1), Picture("Di", 2), Picture("Ed", 12)}
    assert view.data_set.people == ["Ada", "Bo", "Cy", "Di", "Ed"]
    assert "images/Ed/Ed_0012.jpg" in view.data_set.names
    assert len(view.data_set.pictures) == 9
    assert lfw.view2(tmp_path) is None


def test_one_person_under_two_names_is_one_person_in_the_set_but_not_in_the_lists(tmp_path: Path) -> None:
    test = TEST.replace("Di", "Sepp_Blatter").replace("Ed", "Joseph_Blatter")
    view = lfw.open_view1(make_lfw(tmp_path, test=test))
    assert view.lists[1].people == {"Sepp_Blatter", "Joseph_Blatter"}
    assert view.data_set.people == ["Ada", "Bo", "Cy", "Sepp_Blatter"]
    assert Picture("Recep_Tayyip_Erdogan", 4).shows == "Abdullah_Gul"
    assert Picture("Recep_Tayyip_Erdogan", 3).shows == "Recep_Tayyip_Erdogan"


VIEW2 = "2\t1\nAda\t1\t2\nAda\t1\tBo\t2\nCy\t1\t2\nCy\t1\tDi\t2\n"


def test_the_sets_of_view_2_are_read(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "pairs.txt").write_text(VIEW2)
    view = lfw.view2(tmp_path)
    assert view is not None
    assert [pairs.people for pairs in view.lists] == [{"Ada", "Bo"}, {"Cy", "Di"}]
    assert view.lists[1].genuine == ((Picture("Cy", 1), Picture("Cy", 2)),)
    assert lfw.view1(tmp_path) is None


@pytest.mark.parametrize("text", ["", "2\n", "x\ty\n", "3\t1\n", VIEW2 + "Ada\t1\t2\n", VIEW2.replace("Cy", "..")])
def test_a_list_that_is_not_view_2_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "pairs.txt").write_text(text)
    with pytest.raises(InputError, match="is not a list of pairs"):
        lfw.view2(tmp_path)


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
    with pytest.raises(InputError, match=r"There is no pairsDevTrain\.txt in .* Give a folder with images"):
        lfw.open_view1(tmp_path)
    (tmp_path / "pairsDevTest.txt").write_text(TEST)
    with pytest.raises(InputError, match=r"pairsDevTrain\.txt' cannot be read .* Give a folder with"):
        lfw.open_view1(tmp_path)
    (tmp_path / "pairsDevTrain.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="cannot be read as text"):
        lfw.open_view1(tmp_path)
    (tmp_path / "pairsDevTrain.txt").write_text(TRAIN)
    with pytest.raises(InputError, match=r"has no folder images\. Give a folder with"):
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


def put(folder: Path, *names: str) -> Path:
    """Empty files by these names: a set is opened without reading its pictures."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_a_folder_per_person_has_no_sessions(tmp_path: Path) -> None:
    put(tmp_path, "Ada/x.jpg", "Ada/y.png", "Bo/z.jpg", "Bo/notes.txt", ".git/a.jpg", "readme.jpg", "Bo/._z.jpg")
    found = people.open_people(tmp_path)
    assert found.pictures == (("Ada", None, "Ada/x.jpg"), ("Ada", None, "Ada/y.png"), ("Bo", None, "Bo/z.jpg"))
    assert found.owners.tolist() == [0, 0, 1]


def test_a_folder_per_session_names_the_person_before_the_last_underscore(tmp_path: Path) -> None:
    put(tmp_path, "one/ada_b_03.jpg", "one/cy_03.jpg", "two/ada_b_08.jpg")
    found = sessions.open_sessions(tmp_path)
    assert [picture[:2] for picture in found.pictures] == [("ada_b", "one"), ("ada_b", "two"), ("cy", "one")]
    assert [each.tolist() for each in verification.genuine_pairs(found)] == [[0], [1]]


def test_nuaa_s_genuine_pairs_are_of_two_days_or_else_of_two_sequences(tmp_path: Path) -> None:
    two_days = ("0001/0001_00_00_01_1.jpg", "0001/0001_01_00_01_2.jpg", "0001/0001_00_00_02_3.jpg")
    one_day = ("0002/0002_00_00_01_1.jpg", "0002/0002_00_00_01_2.jpg", "0002/0002_01_00_01_3.jpg")
    found = nuaa.open_nuaa(put(tmp_path / "attack" / "live", *two_days, *one_day))

    pairs = {frozenset(found.names[i] for i in pair) for pair in zip(*verification.genuine_pairs(found), strict=True)}
    assert pairs == {
        frozenset((two_days[0], two_days[2])),
        frozenset((two_days[1], two_days[2])),
        frozenset((one_day[0], one_day[2])),
        frozenset((one_day[1], one_day[2])),
    }
    assert found.name == "attack/live"


OPEN = {"people": people.open_people, "sessions": sessions.open_sessions, "nuaa": nuaa.open_nuaa}


@pytest.mark.parametrize(
    ("layout", "names", "says"),
    [
        ("people", ("Ada/1.jpg", "Ada/2.jpg", "Bo/readme.txt"), "only one person in .* 'Ada'"),
        ("people", ("Ada/readme.txt",), "There is no picture in"),
        ("people", ("1.jpg",), "There is no folder in"),
        ("people", ("\x1b[2J/1.jpg",), r"only one person in .* '\\x1b\[2J'"),
        ("sessions", ("one/ada_1.jpg", "two/ada_2.jpg"), "only one person"),
        ("sessions", ("one/ada.jpg",), "'one/ada.jpg' in .* names no person"),
        ("sessions", ("one/_1.jpg",), "names no person"),
        ("nuaa", ("0001/0001_00_00_01_1.jpg", "0001/0001_00_00_02_1.jpg"), "only one person"),
        ("nuaa", ("0001/0002_00_00_01_1.jpg",), "is named otherwise"),
        ("nuaa", ("0001/me.jpg",), "is named otherwise"),
        ("nuaa", ("0001/0001_00_00_0\u0661_1.jpg",), "is named otherwise"),
    ],
)
def test_what_is_no_set_of_people_is_refused_with_the_layout(
    tmp_path: Path, layout: str, names: tuple[str, ...], says: str
) -> None:
    with pytest.raises(InputError, match=says) as refused:
        OPEN[layout](put(tmp_path, *names))
    assert "Give a folder with" in str(refused.value)
    assert str(refused.value).isprintable()


def test_a_set_that_is_not_there_or_shows_nobody_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        people.open_people(tmp_path / "nowhere")
    strangers = sessions.open_sessions(put(tmp_path, "one/ada_1.jpg", "one/bo_1.jpg"))
    with pytest.raises(InputError, match="has pictures of two occasions"):
        verification.genuine_pairs(strangers)


def test_a_sample_is_of_whole_people_two_at_least(tmp_path: Path) -> None:
    whole = people.open_people(put(tmp_path, *(f"{person}/{i}.jpg" for person in "abcdef" for i in range(5))))
    sample = whole.sample(11)
    assert len(sample.people) == 3
    assert len(sample.pictures) == 15
    assert sample == whole.sample(11)
    assert len(whole.sample(1).people) == 2
    assert whole.sample(1000).pictures == whole.pictures


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
