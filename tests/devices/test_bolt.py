"""One conformance suite for every bolt: simulated, on gpiozero's mock pins, and on a pin that disobeys."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory

from edge.devices.bolt import PULSE_MAX_S, TimedBolt
from edge.devices.clock import SystemClock
from edge.devices.gpio import GpioLines, GpioOutput
from edge.devices.lines import OutputLine
from edge.devices.simulated import SimulatedLines
from edge.errors import BoltError, LineError


class ListedPin:
    """Writes down every level it is driven to; fails while ``broken``. ``moved`` wakes at every change."""

    name = "a listed pin"

    def __init__(self) -> None:
        self.levels: list[bool] = []
        self.broken = False
        self.moved = threading.Condition()

    def drive(self, released: bool) -> None:
        with self.moved:
            if self.broken:
                self.moved.notify_all()
                raise OSError("the line is cut")
            self.levels.append(released)
            self.moved.notify_all()

    def reads(self) -> bool:
        if self.broken:
            raise OSError("the line is cut")
        return self.levels[-1]

    def close(self) -> None:
        self.levels.append(False)


@dataclass
class Bench:
    bolt: TimedBolt
    level: Callable[[], bool]
    clock: SystemClock = field(default_factory=SystemClock)


@pytest.fixture(params=["simulated", "gpio high", "gpio low", "listed"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """A bolt and a way to read its line's electrical release state."""
    pin: OutputLine
    level: Callable[[], bool]
    if request.param == "simulated":
        pin = SimulatedLines(tmp_path).output(17, active_high=False)
        level = lambda: (tmp_path / "17").read_text() == "0\n"  # noqa: E731 - short and local
    elif request.param == "listed":
        listed = ListedPin()
        pin, level = listed, lambda: bool(listed.levels and listed.levels[-1])
    else:
        factory = MockFactory()
        active_high = request.param == "gpio high"
        pin = GpioOutput(17, active_high=active_high, factory=factory)
        level = lambda: bool(factory.pin(17).state) == active_high  # noqa: E731 - short and local
    bolt = TimedBolt(pin, SystemClock())
    yield Bench(bolt, level)
    bolt.close()


def test_released_and_secured(bench: Bench) -> None:
    bench.bolt.secure()
    assert (bench.bolt.released, bench.level()) == (False, False)
    bench.bolt.release(bench.clock.now_s() + 20)
    assert (bench.bolt.released, bench.level()) == (True, True)
    bench.bolt.secure()
    assert (bench.bolt.released, bench.level()) == (False, False)


def test_it_secures_itself_when_nobody_else_does(bench: Bench) -> None:
    bench.bolt.release(bench.clock.now_s() + 0.35)
    for _ in range(2000):
        if not bench.bolt.released:
            break
        threading.Event().wait(0.01)
    assert not bench.bolt.released
    assert bench.level() is False


def test_a_deadline_that_has_passed_releases_nothing(bench: Bench) -> None:
    bench.bolt.release(bench.clock.now_s() - 1)
    assert not bench.bolt.released
    bench.bolt.release(bench.clock.now_s() + 0.2)
    assert not bench.bolt.released


@pytest.mark.parametrize("for_s", [PULSE_MAX_S + 1, float("nan"), float("inf")])
def test_a_release_over_the_adapters_own_limit_secures(bench: Bench, for_s: float) -> None:
    bench.bolt.release(bench.clock.now_s() + 20)
    with pytest.raises(BoltError, match="limit"):
        bench.bolt.release(bench.clock.now_s() + for_s)
    assert not bench.bolt.released
    assert bench.level() is False


def test_a_release_can_be_renewed(bench: Bench) -> None:
    bench.bolt.release(bench.clock.now_s() + 0.31)
    bench.bolt.release(bench.clock.now_s() + 20)
    threading.Event().wait(0.5)
    assert bench.bolt.released
    assert bench.bolt.obeys()


def test_a_line_that_somebody_else_moves_does_not_obey() -> None:
    pin = ListedPin()
    bolt = TimedBolt(pin, SystemClock())
    bolt.secure()
    assert bolt.obeys()
    pin.levels.append(True)
    assert not bolt.obeys()
    pin.levels.append(False)
    pin.broken = True
    assert not bolt.obeys()
    pin.broken = False
    bolt.close()


def test_closed_means_secured_for_good(bench: Bench) -> None:
    bench.bolt.release(bench.clock.now_s() + 20)
    bench.bolt.close()
    assert not bench.bolt.released
    with pytest.raises(BoltError, match="closed"):
        bench.bolt.release(bench.clock.now_s() + 20)


def test_exactly_these_levels_are_driven() -> None:
    pin = ListedPin()
    bolt = TimedBolt(pin, SystemClock())
    bolt.secure()
    bolt.release(SystemClock().now_s() + 20)
    bolt.secure()
    bolt.close()
    assert pin.levels == [False, True, False, False, False]


def test_a_pin_that_does_not_secure_is_driven_until_it_does() -> None:
    pin = ListedPin()
    bolt = TimedBolt(pin, SystemClock())
    bolt.release(SystemClock().now_s() + 20)
    pin.broken = True
    with pytest.raises(BoltError, match="did not secure"):
        bolt.secure()
    assert bolt.released
    with pin.moved:
        assert pin.moved.wait(20)  # it is being tried again, without anybody asking
        pin.broken = False
        assert pin.moved.wait_for(lambda: pin.levels[-1] is False, 20)
    bolt.close()
    assert not bolt.released


def test_a_pin_that_does_not_release_is_secured_and_told() -> None:
    pin = ListedPin()
    bolt = TimedBolt(pin, SystemClock())
    pin.broken = True
    with pytest.raises(BoltError):
        bolt.release(SystemClock().now_s() + 20)
    pin.broken = False
    with pin.moved:
        assert pin.moved.wait_for(lambda: pin.levels == [False], 20)
    bolt.close()


@pytest.mark.parametrize(("active_high", "secure_level"), [(True, 0), (False, 1)])
def test_a_gpio_pin_is_secured_from_the_moment_it_is_taken(active_high: bool, secure_level: int) -> None:
    factory = MockFactory()
    GpioOutput(17, active_high=active_high, factory=factory)
    states = [state.state for state in factory.pin(17).states]
    assert states[-1] == secure_level
    assert (1 - secure_level) not in states[1:]


def test_any_exception_of_the_gpio_library_is_a_pin_that_does_not_obey(monkeypatch: pytest.MonkeyPatch) -> None:
    """lgpio raises its own plain Exception, which gpiozero passes on."""
    factory = MockFactory()
    pin = GpioOutput(17, active_high=True, factory=factory)
    bolt = TimedBolt(pin, SystemClock())
    bolt.release(SystemClock().now_s() + 20)
    state = type(factory.pin(17))._set_state
    tried = threading.Event()

    def fails(self: object, value: bool) -> None:
        tried.set()
        raise Exception("lgpio: bad handle")

    monkeypatch.setattr(type(factory.pin(17)), "_set_state", fails)
    with pytest.raises(BoltError, match="bad handle"):
        bolt.secure()
    tried.clear()
    assert tried.wait(20)  # the bolt's own thread tries again, and lives on
    monkeypatch.setattr(type(factory.pin(17)), "_set_state", state)
    bolt.secure()
    assert not factory.pin(17).state
    bolt.close()


def test_a_pin_in_use_is_refused() -> None:
    factory = MockFactory()
    first = GpioOutput(17, active_high=True, factory=factory)
    with pytest.raises(LineError, match="BCM 17"):
        GpioOutput(17, active_high=True, factory=factory)
    first.close()


@pytest.mark.skipif(any(Path("/dev").glob("gpiochip*")), reason="this machine has gpiochips")
def test_where_there_is_no_gpio_no_other_factory_is_fallen_back_to() -> None:
    with pytest.raises(LineError, match="gpio"):
        GpioLines()


def test_the_simulated_bolt_says_so(tmp_path: Path) -> None:
    assert "simulated" in SimulatedLines(tmp_path).output(17, active_high=True).name
