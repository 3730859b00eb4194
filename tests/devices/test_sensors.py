"""Buttons and contacts on lines that a test drives: real threads, a real clock, a real file to wait on."""

import select
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.core.debounce import RESTLESS_S
from edge.devices.clock import SystemClock
from edge.devices.sensors import LineSensors, Wire
from edge.devices.simulated import SimulatedLines
from edge.types import Input, Sensed


class Line:
    """A line whose level a test sets. ``chatters``: another level at every look."""

    def __init__(self, high: bool) -> None:
        self.level = high
        self.chatters = False
        self.broken: Exception | None = None
        self.closed = False

    def high(self) -> bool:
        if self.broken is not None:
            raise self.broken
        if self.chatters:
            self.level = not self.level
        return self.level

    def close(self) -> None:
        self.closed = True


class Rig:
    """An exit button (pressed when low), a closed contact and a shut case."""

    def __init__(self) -> None:
        self.button, self.contact, self.tamper = Line(True), Line(False), Line(False)
        wires = [
            Wire(Input.EXIT_BUTTON, self.button, active_high=False),
            Wire(Input.DOOR_CONTACT, self.contact, active_high=True),
            Wire(Input.TAMPER, self.tamper, active_high=True),
        ]
        self.sensors = LineSensors(wires, 0.02, SystemClock())

    def next(self) -> list[Sensed]:
        ready, _, _ = select.select([self.sensors.fileno()], [], [], 20)
        assert ready
        return self.sensors.read()


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.sensors.close()
    rig.sensors.close()
    assert rig.button.closed


def test_how_every_input_stood_is_known_at_the_start(rig: Rig) -> None:
    assert set(rig.sensors.states()) == {
        Sensed(Input.EXIT_BUTTON, False),
        Sensed(Input.DOOR_CONTACT, False),
        Sensed(Input.TAMPER, False),
    }
    assert rig.sensors.read() == []


def test_each_change_is_news_once(rig: Rig) -> None:
    rig.button.level = False
    assert rig.next() == [Sensed(Input.EXIT_BUTTON, True)]
    rig.contact.level = True
    assert rig.next() == [Sensed(Input.DOOR_CONTACT, True)]
    rig.contact.level = False
    assert rig.next() == [Sensed(Input.DOOR_CONTACT, False)]
    rig.button.level = True
    assert rig.next() == [Sensed(Input.EXIT_BUTTON, False)]


@pytest.mark.parametrize(("name", "active"), [("button", False), ("contact", True), ("tamper", True)])
def test_a_line_that_chatters_or_cannot_be_read_counts_as_an_alarm_and_never_as_a_press(
    rig: Rig, name: str, active: bool
) -> None:
    line: Line = getattr(rig, name)
    line.chatters = True
    [news] = rig.next()
    assert (news.active, news.fault) == (active, "it does not come to rest")
    line.chatters = False
    [news] = rig.next()
    assert news.fault == ""
    line.broken = OSError("the line is cut")
    [news] = rig.next()
    assert (news.active, news.fault) == (active, "it cannot be read (the line is cut)")


def test_an_input_that_chatters_at_the_start_does_not_hold_the_lock_up() -> None:
    contact = Line(False)
    contact.chatters = True
    before_s = time.monotonic()
    sensors = LineSensors([Wire(Input.DOOR_CONTACT, contact, active_high=True)], 0.02, SystemClock())
    assert time.monotonic() - before_s < 2 * RESTLESS_S + 1
    assert sensors.states() == [Sensed(Input.DOOR_CONTACT, True, "it does not come to rest")]
    sensors.close()


def test_inputs_that_nobody_watches_any_more_count_as_alarms(rig: Rig) -> None:
    rig.tamper.broken = ZeroDivisionError("a bug")
    assert {(each.input, each.active) for each in rig.next()} == {
        (Input.EXIT_BUTTON, False),
        (Input.DOOR_CONTACT, True),
        (Input.TAMPER, True),
    }


def test_no_inputs_are_no_trouble() -> None:
    sensors = LineSensors([], 0.04, SystemClock())
    assert sensors.states() == []
    assert sensors.read() == []
    sensors.close()


def test_a_simulated_button_is_a_file(tmp_path: Path) -> None:
    line = SimulatedLines(tmp_path).input(22, high_at_rest=True)
    sensors = LineSensors([Wire(Input.EXIT_BUTTON, line, active_high=False)], 0.02, SystemClock())
    (tmp_path / "22").write_text("0\n")
    select.select([sensors.fileno()], [], [], 20)
    assert sensors.read() == [Sensed(Input.EXIT_BUTTON, True)]
    sensors.close()
