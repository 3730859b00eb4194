"""One conformance suite for a board's lines: files, gpiozero's mock pins, and gpiod on lines of the kernel where it has
gpio-sim (the lab's has; nothing there pretends to be a Raspberry Pi)."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory, MockPin

from edge.devices.gpio import GpioLines
from edge.devices.gpiod import GpiodLines
from edge.devices.lines import Lines
from edge.devices.simulated import SimulatedLines
from edge.errors import LineError
from tests.devices.kernel import SIMS, GpioSim

needs_gpio_sim = pytest.mark.skipif(not SIMS.is_dir(), reason="this kernel has no gpio-sim")


@dataclass
class Board:
    """Lines, and their electrical levels from outside. ``set_level`` None lets go of the line."""

    lines: Lines
    level: Callable[[int], bool]
    set_level: Callable[[int, bool], None]


@pytest.fixture(params=["simulated", "gpiozero", pytest.param("gpiod", marks=needs_gpio_sim)])
def board(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Board]:
    if request.param == "simulated":

        def write(number: int, high: bool) -> None:
            (tmp_path / str(number)).write_text("1" if high else "0\n")

        yield Board(SimulatedLines(tmp_path), lambda number: (tmp_path / str(number)).read_text() == "1\n", write)
        return
    if request.param == "gpiod":
        with closing(GpioSim("facelatch-test")) as sim:
            lines = GpiodLines(sim.label)
            yield Board(lines, sim.level, sim.set_level)
            lines.close()
        return
    factory = MockFactory()
    gpiozero_lines = GpioLines(factory)

    def pin(number: int) -> MockPin:
        return factory.pin(number)

    def drive(number: int, high: bool) -> None:
        (pin(number).drive_high if high else pin(number).drive_low)()

    yield Board(gpiozero_lines, lambda number: bool(pin(number).state), drive)
    gpiozero_lines.close()


@pytest.mark.parametrize("active_high", [True, False])
def test_an_output_is_inactive_from_the_start_and_follows(board: Board, active_high: bool) -> None:
    line = board.lines.output(17, active_high=active_high)
    assert board.level(17) is not active_high
    assert not line.reads()
    line.drive(True)
    assert board.level(17) is active_high
    assert line.reads()
    line.drive(False)
    assert board.level(17) is not active_high
    line.close()


def test_an_output_in_use_is_refused(board: Board) -> None:
    line = board.lines.output(17, active_high=True)
    with pytest.raises(LineError, match="17"):
        board.lines.output(17, active_high=True)
    line.close()


def test_an_input_follows_its_line(board: Board) -> None:
    line = board.lines.input(22, high_at_rest=True)
    board.set_level(22, False)
    assert not line.high()
    board.set_level(22, True)
    assert line.high()
    line.close()


def test_a_simulated_line_keeps_its_level_when_its_process_is_gone(tmp_path: Path) -> None:
    lines = SimulatedLines(tmp_path)
    line = lines.output(17, active_high=True)
    line.drive(True)
    line.close()
    assert (tmp_path / "17").read_text() == "1\n"
    lines.output(17, active_high=True)
    assert (tmp_path / "17").read_text() == "0\n"


def test_a_simulated_input_is_made_at_rest_and_then_left_alone(tmp_path: Path) -> None:
    lines = SimulatedLines(tmp_path)
    assert not lines.input(22, high_at_rest=False).high()
    assert not lines.input(22, high_at_rest=True).high()


@pytest.mark.parametrize("content", [b"", b"\n", b"2", b"11", b"\xff\xff", b"yes"])
def test_a_simulated_line_that_holds_anything_else_cannot_be_read(tmp_path: Path, content: bytes) -> None:
    line = SimulatedLines(tmp_path).input(22, high_at_rest=True)
    (tmp_path / "22").write_bytes(content)
    with pytest.raises(OSError, match="neither"):
        line.high()


def test_a_simulated_line_is_no_link_and_no_pipe_that_waits(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("0")
    (tmp_path / "17").symlink_to(tmp_path / "target")
    with pytest.raises(LineError, match="17"):
        SimulatedLines(tmp_path).output(17, active_high=True)
    os.mkfifo(tmp_path / "18")
    with pytest.raises(LineError, match="18"):
        SimulatedLines(tmp_path).output(18, active_high=True)


def test_where_no_chip_has_the_label_it_is_said_which_there_are() -> None:
    with pytest.raises(LineError, match=r"gpiod is not installed|0 chips are labelled"):
        GpiodLines("no such chip")


@needs_gpio_sim
def test_gpiod_refuses_a_line_in_use_and_one_that_is_not_there() -> None:
    with closing(GpioSim("facelatch-test")) as sim:
        lines = GpiodLines(sim.label)
        taken = lines.output(3, active_high=True)
        for number in (3, 999):
            with pytest.raises(LineError, match=str(number)):
                lines.output(number, active_high=True)
            with pytest.raises(LineError, match=str(number)):
                lines.input(number, high_at_rest=True)
        taken.close()
        lines.close()
