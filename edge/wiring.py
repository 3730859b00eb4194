"""What goes where: the board's header with the configured pins, and the circuit of the chosen bolt. Only words."""

import textwrap
from collections.abc import Iterator

import msgspec

from edge.config import fitted
from edge.core.names import shown
from edge.settings import BoltConfig, Config

_BCM_OF_HEADER = {
    3: 2,
    5: 3,
    7: 4,
    8: 14,
    10: 15,
    11: 17,
    12: 18,
    13: 27,
    15: 22,
    16: 23,
    18: 24,
    19: 10,
    21: 9,
    22: 25,
    23: 11,
    24: 8,
    26: 7,
    27: 0,
    28: 1,
    29: 5,
    31: 6,
    32: 12,
    33: 13,
    35: 19,
    36: 16,
    37: 26,
    38: 20,
    40: 21,
}
_POWER = {
    **dict.fromkeys((1, 17), "3.3 V"),
    **dict.fromkeys((2, 4), "5 V"),
    **dict.fromkeys((6, 9, 14, 20, 25, 30, 34, 39), "ground"),
}
HEADER = {pin: f"BCM {_BCM_OF_HEADER[pin]}" if pin in _BCM_OF_HEADER else _POWER[pin] for pin in range(1, 41)}
"""The 40-pin header of every Raspberry Pi since the Model B+ (Raspberry Pi documentation, "GPIO and the 40-pin
header"): physical pin to what is on it."""

_HEADER_OF_BCM = {bcm: pin for pin, bcm in _BCM_OF_HEADER.items()}
_COLUMN, _WIDTH = 38, 100


class Wire(msgspec.Struct, frozen=True):
    """One pin in use. ``header_pin`` is None where the board's header is not known."""

    setting: str
    number: int
    header_pin: int | None
    what: str


def wires(config: Config) -> list[Wire]:
    """Every pin in use, in the order of the configuration."""
    contact = config.inputs.door_contact_type
    shut = "closed while the door is shut" if contact == "nc" else "open while the door is shut"
    what = {
        "bolt.pin": f"input of the relay; {config.bolt.active} releases",
        "inputs.exit_button": "push button to ground",
        "inputs.door_contact": f"contact to ground, {shut}",
        "inputs.tamper": "switch to ground, closed while the case is shut",
        "indicator.green": "330 ohm, green LED, ground",
        "indicator.red": "330 ohm, red LED, ground",
        "indicator.buzzer": "buzzer for 3.3 V and at most 10 mA, ground; a larger one through a transistor",
    }
    is_pi = config.bolt.driver != "gpiod"
    return [
        Wire(setting, number, _HEADER_OF_BCM.get(number) if is_pi else None, what[setting])
        for setting, number in fitted(config.bolt, config.inputs, config.indicator).items()
    ]


def header(config: Config) -> list[str]:
    """The header as it lies on the board, pin 1 at the corner with the square pad; configured pins are marked."""
    used = {wire.header_pin: wire.setting for wire in wires(config)}

    def cell(pin: int) -> str:
        return f"{HEADER[pin]} <- {used[pin]}" if pin in used else HEADER[pin]

    return [f"{cell(pin):>{_COLUMN}} {pin:>2} | {pin + 1:<2} {cell(pin + 1)}".rstrip() for pin in range(1, 40, 2)]


def page(config: Config) -> str:
    """Everything that ``facelatch wiring`` prints."""
    parts = [*_board(config), "", *_wires(config), "", *_circuit(config.bolt), "", *_words(config.bolt)]
    return "\n".join(parts) + "\n"


def _board(config: Config) -> Iterator[str]:
    if config.bolt.driver == "gpiod":
        yield f"The lines of the chip {shown(config.bolt.chip)}; where they are on the board its manual says."
        return
    if config.bolt.driver == "simulated":
        yield f"bolt.driver is simulated: nothing is driven, the lines are files in {config.lines_path}."
        yield "On a Raspberry Pi the same pins would be here:"
        yield ""
    yield from header(config)


def _wires(config: Config) -> Iterator[str]:
    for wire in wires(config):
        number = f"line {wire.number}" if config.bolt.driver == "gpiod" else f"BCM {wire.number}"
        where = f", pin {wire.header_pin}" if wire.header_pin else ""
        yield f"{wire.setting:<20} {number + where:<16} {wire.what}"
    keypad = config.keypad.device
    if keypad:
        yield f"{'keypad.device':<20} {'USB':<16} {shown(keypad)[1:-1]}"
    yield "Every input is pulled up inside: a wire from its pin, and one from any ground pin, are all."


def _circuit(bolt: BoltConfig) -> Iterator[str]:
    contact = {"strike": "NO", "maglock": "NC"}[bolt.kind]
    pull = "ground" if bolt.active == "high" else "3.3 V"
    yield "  board                 relay module                     bolt, on a supply of its own"
    yield ""
    yield "  3.3 V --------------- VCC        COM ----------------- (+) supply"
    yield f"  pin {bolt.pin:<4} ----+------- IN          {contact} -------+--------- (+) {bolt.kind}"
    yield "               |                               |"
    yield "            10 kOhm                        diode 1N4007, its ring (cathode) to (+)"
    yield "               |                               |"
    yield f"              {pull:<12}                     +--------- (-) {bolt.kind} ---- (-) supply"
    yield ""
    yield "  ground -------------- GND"


def _words(bolt: BoltConfig) -> Iterator[str]:
    for point in (*_what_the_level_does(bolt), *_ALWAYS):
        yield from textwrap.wrap(point, _WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)


def _what_the_level_does(bolt: BoltConfig) -> Iterator[str]:
    if bolt.kind == "strike":
        yield (
            "Strike (fail-secure): current releases it. It hangs on the relay's NO contact. Without power the door "
            "stays shut from outside; a key opens it, and the handle inside."
        )
    else:
        yield (
            "Maglock (fail-safe): current holds it. It hangs on the relay's NC contact: the energised relay takes its "
            "power away. Without power the door is OPEN: give the magnet a supply with a battery. An emergency button "
            "that cuts the magnet's power belongs beside the door; what your fire rules say comes first."
        )
    at_rest, pull = ("low", "to ground") if bolt.active == "high" else ("high", "to 3.3 V")
    yield (
        f"{bolt.active} on the pin energises the relay and releases. A pin that is {at_rest}, or let go, secures where "
        f"the resistor of 10 kOhm {pull} is fitted: it holds the relay before the first boot, and after the lock gave "
        "up the pin."
    )
    pulled = "high" if bolt.pin <= 8 else "low"
    if bolt.driver == "gpiod":
        yield "How this board pulls its lines while it boots is not known: then only the resistor keeps the bolt shut."
    elif pulled == bolt.active:
        yield (
            f"BCM {bolt.pin} is pulled {pulled} while the board boots, which releases: then only the resistor keeps "
            "the bolt shut (bolt.external_pull says that it is there; 10 kOhm wins over the chip's 50)."
        )
    else:
        yield (
            f"BCM {bolt.pin} is pulled {pulled} while the board boots (BCM 0 to 8 are pulled high, 9 to 27 low): that "
            "secures."
        )


_ALWAYS = (
    "The diode across the coil is not optional: without it the coil's spark ends the relay, then the board.",
    "The bolt never draws its current from the board: it has a supply of its own, as its label says.",
    "A relay module for 5 V that is active low does not switch off at 3.3 V. Take off its jumper JD-VCC, give VCC "
    "3.3 V and JD-VCC 5 V; or take a module for 3.3 V.",
    "Best is a relay with a timer of its own, set a second longer than door.unlock_s (and no free hours): should the "
    "guardian be killed, recent Raspberry Pi kernels keep the pin as it was until it is started again.",
    "Board, relay and their wires are inside. Only the camera, the lights and the keypad are outside: whoever reaches "
    "the relay's wires has the door.",
    "Keep a mechanical key. The way out is a handle, or a button in the bolt's own supply: never software alone.",
)
