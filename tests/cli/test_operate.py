"""An operator's commands as they are typed, against a real guardian with a simulated bolt."""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest

from edge.cli.operate import seconds
from edge.devices.clock import SystemClock
from edge.errors import InputError
from edge.models.manifest import template_space
from edge.settings import Config
from edge.store.sqlite import SqliteStore
from tests.cli.facelatch import command, ok, ok_json, refused
from tests.store.helpers import vectors


@pytest.fixture
def enrolled(house: Config) -> Config:
    """Anna lives here."""
    with SqliteStore.open(house.store_path, *template_space("cpu", "none", None), SystemClock()) as store:
        store.enroll("Anna", vectors(1, 1))
    return house


@pytest.fixture
def guarded(enrolled: Config) -> Iterator[Config]:
    """A running guardian, once it has said that it has started."""
    process = subprocess.Popen(command(enrolled, "door", "--json"), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["kind"] == "started"
    wait_until(enrolled.control_path.exists)
    yield enrolled
    process.send_signal(signal.SIGTERM)
    rest = process.communicate(timeout=20)[0]
    assert process.returncode == 0
    assert "Anna" not in rest


def wait_until(true: Callable[[], bool]) -> None:
    import time

    end_s = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.01)


def kinds(house: Config) -> list[str]:
    return [line["kind"] for line in ok_json(house, "log")]


def test_an_operator_unlocks_and_the_log_says_who_and_why(guarded: Config) -> None:
    assert ok_json(guarded, "unlock", "--for", "20s", "--reason", "the plumber")["door"] == "UNLOCKED"
    assert "UNLOCKED" in ok(guarded, "status")
    line = ok_json(guarded, "log", "--kind", "released")[0]
    assert line["detail"]["reason"] == "the plumber"
    assert ok_json(guarded, "lockdown")["door"] == "LOCKED"
    assert "locked down" in refused(guarded, 12, "unlock", "--reason", "again")
    assert "mode lockdown" in ok(guarded, "door", "mode", "lockdown")
    assert ok_json(guarded, "door", "mode", "free")["door"] == "FREE"
    assert ok_json(guarded, "door", "mode", "normal")["door"] == "LOCKED"
    assert ok_json(guarded, "clear")["door"] == "LOCKED"
    assert {"started", "released", "secured", "mode", "free", "cleared"} <= set(kinds(guarded))
    ok(guarded, "log", "verify")


def test_lengths_and_reasons_that_are_none_are_refused(guarded: Config) -> None:
    assert "30 s at most" in refused(guarded, 12, "unlock", "--for", "1h", "--reason", "long")
    assert "no length of time" in refused(guarded, 4, "unlock", "--for", "ever\x1b[2J", "--reason", "x")
    assert "printable" in refused(guarded, 4, "unlock", "--reason", "\x1b[2J")


@pytest.mark.parametrize("verb", [("unlock", "--reason", "x"), ("lockdown",), ("clear",), ("door", "mode", "free")])
def test_without_a_guardian_no_door_moves(enrolled: Config, verb: tuple[str, ...]) -> None:
    assert "No guardian" in refused(enrolled, 10, *verb)


@pytest.mark.parametrize("fixture", ["guarded", "enrolled"])
def test_limits_pins_and_holidays_are_set_with_and_without_a_guardian(
    fixture: str, request: pytest.FixtureRequest
) -> None:
    house: Config = request.getfixturevalue(fixture)
    limits = ("--schedule", "mon-fri 08:00-18:00", "--until", "2027-12-31", "--uses", "3", "--disable")
    ok(house, "people", "allow", "anna", *limits)
    detail = ok_json(house, "log", "--kind", "allowed")[0]["detail"]
    assert detail["schedule"] == "Mon-Fri 08:00-18:00"
    assert (detail["uses_left"], detail["disabled"]) == (3, True)
    ok(house, "people", "allow", "Anna", "--schedule", "any", "--uses", "any", "--until", "any", "--enable")
    assert "Nobody named" in refused(house, 5, "people", "allow", "Otto", "--disable")
    assert "no date" in refused(house, 4, "people", "allow", "Anna", "--until", "soon")
    assert "wants days and hours" in refused(house, 4, "people", "allow", "Anna", "--schedule", "always")
    assert "no number" in refused(house, 4, "people", "allow", "Anna", "--uses", "-1")
    for pin, code in (("48151", 0), ("1234", 4)):
        typed = subprocess.run(
            command(house, "people", "pin", "Anna"),
            input=f"{pin}\n{pin}\n",
            capture_output=True,
            text=True,
            check=False,
        )
        assert typed.returncode == code, typed.stderr
        assert pin not in typed.stdout
    ok(house, "people", "pin", "Anna", "--remove")
    assert ok_json(house, "holidays", "--add", "2026-12-25", "--add", "2026-12-26")["dates"] == [
        "2026-12-25",
        "2026-12-26",
    ]
    assert ok(house, "holidays", "--remove", "2026-12-25").split() == ["2026-12-26"]
    assert "no date" in refused(house, 4, "holidays", "--add", "25.12.")
    assert {"allowed", "pin_set", "pin_removed", "holidays"} <= set(kinds(house))


@pytest.mark.parametrize(("text", "expected"), [("5", 5), ("5s", 5), ("2min", 120), ("1.5h", 5400), ("3d", 259200)])
def test_lengths_of_time(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "s", "-5s", "5 weeks", "1e3", "٣s", "9999999s"])
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(InputError):
        seconds(text)
