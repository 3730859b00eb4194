"""What is fitted to the door, opened as it is configured: bolt, inputs, keypad, lights."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from edge.devices.lines import Lines, OutputLine
from edge.errors import BoltError
from edge.settings import Config

if TYPE_CHECKING:  # they bring numpy, for which `facelatch secure` has no time
    from edge.ports import Bolt, Clock, Indicator, Keypad, Sensors


def lines(config: Config) -> Lines:
    """The board's lines. Raises LineError; simulated ones only when they are named."""
    match config.bolt.driver:
        case "simulated":
            from edge.devices.simulated import SimulatedLines

            return SimulatedLines(config.lines_path)
        case "gpiod":
            from edge.devices.gpiod import GpiodLines

            return GpiodLines(config.bolt.chip)
    from edge.devices.gpio import GpioLines

    return GpioLines()


def bolt(config: Config, board: Lines, clock: "Clock") -> "Bolt":
    """The bolt, secured from the moment its line is taken. Raises LineError."""
    from edge.devices.bolt import TimedBolt

    return TimedBolt(_bolt_line(config, board), clock)


def secure(config: Config) -> None:
    """Drive the bolt to its secure level once, where no guardian does. Raises LineError."""
    if config.bolt.driver == "gpio":
        from edge.devices.gpio import secure_line

        secure_line(config.bolt.pin, active_high=config.bolt.active == "high")
        return
    with closing(lines(config)) as board, closing(_bolt_line(config, board)) as line:
        try:
            line.drive(False)
        except OSError as error:
            raise BoltError(f"The bolt {line.name} did not secure ({error}). Check the relay's wiring.") from error


def _bolt_line(config: Config, board: Lines) -> OutputLine:
    return board.output(config.bolt.pin, active_high=config.bolt.active == "high")


def sensors(config: Config, board: Lines, clock: "Clock") -> "Sensors":
    """The inputs that are fitted, none among them allowed. Raises LineError."""
    from edge.devices.sensors import LineSensors, Wire
    from edge.types import Input

    inputs = config.inputs
    # Every line is pulled up: a closed contact reads low, a cut wire high.
    wired = (
        (Input.EXIT_BUTTON, inputs.exit_button, False, True),
        (Input.DOOR_CONTACT, inputs.door_contact, inputs.door_contact_type == "nc", inputs.door_contact_type == "no"),
        (Input.TAMPER, inputs.tamper, True, False),
    )
    wires = [
        Wire(which, board.input(number, high_at_rest=high_at_rest), active_high)
        for which, number, active_high, high_at_rest in wired
        if number >= 0
    ]
    return LineSensors(wires, inputs.debounce_ms / 1000, clock)


def keypad(config: Config) -> "Keypad | None":
    """The keypad, where there is one. One that is not plugged in is looked for while the lock runs."""
    from edge.devices.keypad import KeyReader, keys_of_events, keys_of_text, open_device, open_pipe

    if not config.keypad.device:
        return None
    if config.keypad.device == "simulated":
        return KeyReader(config.keypad_path, open_pipe, keys_of_text)
    return KeyReader(Path(config.keypad.device), open_device, keys_of_events)


def indicator(config: Config, board: Lines, clock: "Clock") -> "Indicator":
    """The lights that are fitted, none among them allowed. Raises LineError."""
    from edge.devices.indicator import Lamps, LineIndicator

    def lamp(number: int) -> OutputLine | None:
        return None if number < 0 else board.output(number, active_high=True)

    wanted = config.indicator
    return LineIndicator(Lamps(lamp(wanted.green), lamp(wanted.red), lamp(wanted.buzzer)), clock)
