"""Lights and buzzer on lines, played by a real thread."""

import threading

from edge.devices.clock import SystemClock
from edge.devices.indicator import Lamps, LineIndicator
from edge.types import Sign


class Lamp:
    """A line that notes what it was driven to; fails while ``broken``."""

    def __init__(self) -> None:
        self.name = "a lamp"
        self.levels: list[bool] = []
        self.broken = False
        self.moved = threading.Condition()

    def drive(self, active: bool) -> None:
        with self.moved:
            self.moved.notify_all()
            if self.broken:
                raise OSError("the lamp is gone")
            self.levels.append(active)

    def reads(self) -> bool:
        return self.levels[-1]

    def close(self) -> None:
        self.levels.append(False)

    def becomes(self, active: bool) -> bool:
        with self.moved:
            return self.moved.wait_for(lambda: self.levels[-1:] == [active], 20)


def test_an_alarm_lights_red_and_buzzes_until_it_is_over() -> None:
    green, red, buzzer = Lamp(), Lamp(), Lamp()
    indicator = LineIndicator(Lamps(green, red, buzzer), SystemClock())
    indicator.show(Sign.ALARM)
    assert red.becomes(True)
    assert buzzer.becomes(True)
    assert buzzer.becomes(False)
    assert buzzer.becomes(True)
    indicator.show(Sign.READY)
    assert red.becomes(False)
    assert green.becomes(True)
    indicator.close()
    indicator.close()
    assert (green.levels[-1], red.levels[-1], buzzer.levels[-1]) == (False, False, False)


def test_a_lamp_that_is_broken_stops_nothing_and_comes_back() -> None:
    red = Lamp()
    red.broken = True
    indicator = LineIndicator(Lamps(red=red), SystemClock())
    indicator.show(Sign.ALARM)
    with red.moved:
        assert red.moved.wait(20)
        red.broken = False
    indicator.show(Sign.FAULT)
    assert red.becomes(True)
    indicator.close()


def test_no_lamps_are_no_trouble() -> None:
    indicator = LineIndicator(Lamps(), SystemClock())
    for sign in Sign:
        indicator.show(sign)
    indicator.close()
