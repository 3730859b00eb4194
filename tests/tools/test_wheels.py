"""Which wheels a board takes: the lock's lines for it, pip's tags, and the table that is shown."""

import pytest
from packaging.requirements import Requirement
from packaging.tags import cpython_tags

from tools import wheels
from tools.wheels import BOARDS, Board


def named(debian: str, machine: str) -> Board:
    (board,) = (each for each in BOARDS if (each.debian, each.machine) == (debian, machine))
    return board


def test_a_board_gets_its_own_runtime_and_numpy() -> None:
    pi, small, newer = (named(*of) for of in (("Bookworm", "aarch64"), ("Bookworm", "armv7l"), ("Trixie", "aarch64")))
    assert "ai-edge-litert" in wheels.pins(pi)
    assert "tflite-runtime" not in wheels.pins(pi)
    assert {"ai-edge-litert", "tflite-runtime"} & wheels.pins(small).keys() == {"tflite-runtime"}
    assert not {"ai-edge-litert", "tflite-runtime"} & wheels.pins(named("Trixie", "armv7l")).keys()  # refused
    assert wheels.pins(pi)["numpy"].startswith("numpy==1.")
    assert wheels.pins(newer)["numpy"].startswith("numpy==2.")
    assert "lgpio" not in wheels.pins(newer)  # apt's: no wheel for that Python


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_every_line_is_one_pin_with_its_digests_and_no_marker(board: Board) -> None:
    for name, line in wheels.pins(board).items():
        requirement, *digests = line.split(" ")
        assert Requirement(requirement).name == name
        assert Requirement(requirement).marker is None
        assert digests
        assert all(digest.startswith("--hash=sha256:") for digest in digests)


def test_pip_is_given_the_tags_that_the_boards_own_would_take() -> None:
    """packaging is what pip computes them with."""
    board = named("Bookworm", "aarch64")
    given = {board.options[place + 1] for place, option in enumerate(board.options) if option == "--platform"}
    assert {"manylinux_2_36_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64", "linux_aarch64"} <= given
    assert "manylinux_2_37_aarch64" not in given
    assert "cp311" in {tag.interpreter for tag in cpython_tags((3, 11), ["cp311"], sorted(given))}


def test_the_record_is_of_the_versions_that_are_locked_now() -> None:
    """Run `make wheels` when this fails: the lock has changed since."""
    record = wheels.recorded()
    assert list(record) == sorted(board.name for board in BOARDS)
    for board in BOARDS:
        wanted = {name: line.split(" ")[0].split("==")[1] for name, line in wheels.pins(board).items()}
        answered = record[board.name]
        assert answered.keys() == wanted.keys()
        assert {name: version for name, version in answered.items() if version is not None}.items() <= wanted.items()
        if board.machine != "armv7l":
            assert None not in answered.values()


def test_the_table_tells_what_is_missing_from_what_is_not_asked_for() -> None:
    shown = wheels.table({"A": {"numpy": "1.2", "lgpio": None, "cffi": None}, "B": {"numpy": "2.0"}})
    assert "| numpy | 1.2 | 2.0 |" in shown
    assert "| lgpio | no wheel | · |" in shown
    assert "| the others | no wheel: cffi | all |" in shown
