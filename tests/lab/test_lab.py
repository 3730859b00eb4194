"""What the lab itself computes; the scenarios are run by ``make lab``, not here."""

from importlib import import_module

import pytest

from tests.lab import __main__ as runner
from tests.lab import board
from tests.lab.board import Write
from tests.lab.scenarios.powercut import Acknowledged


def test_the_times_when_a_pin_was_high() -> None:
    writes = [Write(1.0, "a", 0), Write(2.0, "a", 1), Write(2.5, "a", 1), Write(3.0, "a", 0), Write(7.0, "b", 1)]
    assert board.highs(writes, until_s=9.0) == [(2.0, 3.0), (7.0, 9.0)]
    assert board.highs(writes[:1], until_s=9.0) == []


def test_the_kernels_trace_is_read() -> None:
    trace = """\
# tracer: nop
       facelatch-312     [001] d..2.    41.123456: gpio_direction: 529 out (0)
       facelatch-312     [001] d..2.    41.123460: gpio_value: 529 set 0
 a name-x with-9-99      [000] .....    42.000001: gpio_value: 529 set 1
       facelatch-312     [001] .....    43.000000: gpio_value: 530 set 1
"""
    found = [(each["who"], each["at"], each["line"], each["level"]) for each in board.WRITTEN.finditer(trace)]
    assert found == [
        ("facelatch", "41.123460", "529", "0"),
        ("a name-x with-9", "42.000001", "529", "1"),
        ("facelatch", "43.000000", "530", "1"),
    ]


@pytest.mark.parametrize("name", runner.scenarios())
def test_a_scenario_says_what_it_proves_and_can_be_run(name: str) -> None:
    assert runner.proves(name).endswith(".")
    assert callable(import_module(f"tests.lab.scenarios.{name}").run)


def test_the_installation_comes_first() -> None:
    assert runner.scenarios()[0] == "install"


def test_what_was_acknowledged_before_a_cut() -> None:
    lines = ["person A", "log a", "person B", "forgetting B", "forgotten B", "backup", "person C", "forgetting C"]
    told = Acknowledged.of(lines)
    assert told == Acknowledged({"A"}, {"B", "C"}, {"B"}, {"a"}, 1)
    assert Acknowledged.of(lines[:3]).people == {"A", "B"}  # at an earlier moment
