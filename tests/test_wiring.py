"""The wiring page: every configured pin in its place, and the circuit of the bolt that is there."""

import msgspec
import pytest

from edge.settings import Config, IndicatorConfig, InputsConfig
from edge.wiring import HEADER, header, page, wires
from tests.cli.facelatch import ok, ok_json

EVERYTHING = Config(
    inputs=InputsConfig(exit_button=22, door_contact=23, tamper=24),
    indicator=IndicatorConfig(green=5, red=6, buzzer=13),
)


def words(config: Config) -> str:
    """The page as running text."""
    return " ".join(page(config).split())


def with_bolt(**changes: object) -> Config:
    return msgspec.structs.replace(EVERYTHING, bolt=msgspec.structs.replace(EVERYTHING.bolt, **changes))


def test_every_bcm_number_is_on_the_header_once_and_the_rest_is_power() -> None:
    numbers = sorted(int(what.removeprefix("BCM ")) for what in HEADER.values() if what.startswith("BCM"))
    assert numbers == list(range(28))
    assert [list(HEADER.values()).count(what) for what in ("3.3 V", "5 V", "ground")] == [2, 2, 8]


@pytest.mark.parametrize(("bcm", "pin"), [(17, 11), (27, 13), (4, 7), (21, 40), (2, 3), (22, 15), (0, 27), (18, 12)])
def test_well_known_pins_are_where_they_are(bcm: int, pin: int) -> None:
    assert HEADER[pin] == f"BCM {bcm}"


def test_every_configured_pin_is_marked_on_the_header_and_in_the_list() -> None:
    drawn = "\n".join(header(EVERYTHING))
    for wire in wires(EVERYTHING):
        assert wire.header_pin is not None
        assert f"BCM {wire.number} <- {wire.setting}" in drawn
    assert drawn.count("<-") == 7


def test_strike_and_maglock_hang_on_the_contacts_that_secure_a_dead_relay() -> None:
    strike, maglock = words(with_bolt(kind="strike")), words(with_bolt(kind="maglock"))
    assert "NO -------" in strike
    assert "NC -------" in maglock
    assert "Without power the door is OPEN" in maglock
    assert "Without power the door stays shut" in strike


def test_the_resistor_pulls_to_where_the_relay_is_off() -> None:
    assert "10 kOhm to ground" in words(with_bolt(active="high"))
    assert "10 kOhm to 3.3 V" in words(with_bolt(active="low", external_pull=True))


def test_a_pin_that_is_pulled_the_wrong_way_at_boot_is_said_to_hang_on_the_resistor() -> None:
    assert "that secures" in words(with_bolt(pin=17, active="high"))
    assert "only the resistor" in words(with_bolt(pin=17, active="low", external_pull=True))
    assert "not known" in words(with_bolt(driver="gpiod", chip="a chip", external_pull=True))


def test_a_board_whose_header_is_not_known_gets_lines_and_no_header() -> None:
    config = with_bolt(driver="gpiod", chip="a chip", pin=300, external_pull=True)
    assert "line 300" in page(config)
    assert "3.3 V  1 |" not in page(config)
    assert {wire.header_pin for wire in wires(config)} == {None}


@pytest.mark.parametrize("kind", ["strike", "maglock"])
@pytest.mark.parametrize("active", ["high", "low"])
@pytest.mark.parametrize("driver", ["gpio", "gpiod", "simulated"])
def test_the_page_fits_a_terminal(kind: str, active: str, driver: str) -> None:
    config = with_bolt(kind=kind, active=active, driver=driver, chip="a chip", external_pull=True)
    assert max(map(len, page(config).splitlines())) <= 120
    assert "simulated" in page(config) or driver != "simulated"


def test_the_command_prints_both(house: Config) -> None:
    config = msgspec.structs.replace(house, inputs=InputsConfig(door_contact=23, door_contact_type="no"))
    assert "open while the door is shut" in ok(config, "wiring")
    printed = ok_json(config, "wiring")
    assert printed["bolt"]["driver"] == "simulated"
    assert [wire["header_pin"] for wire in printed["wires"]] == [11, 16]
