"""Any Linux board's lines through libgpiod's binding, and its only import. For boards that gpiozero does not know."""

from pathlib import Path
from typing import Any

from edge.core.names import shown
from edge.devices.lines import as_os_error
from edge.errors import LineError

CONSUMER = "facelatch"


class GpiodOutput:
    """One output, inactive from the moment it is taken."""

    def __init__(self, chip: Any, number: int, *, active_high: bool) -> None:
        """Raises OSError, ValueError when the line cannot be had."""
        from gpiod import LineSettings
        from gpiod.line import Direction, Value

        self.name = f"line {number} of {chip.get_info().label} (active {'high' if active_high else 'low'})"
        self._number, self._values = number, (Value.INACTIVE, Value.ACTIVE)
        settings = LineSettings(
            direction=Direction.OUTPUT, active_low=not active_high, output_value=self._values[False]
        )
        self._request = chip.request_lines({number: settings}, CONSUMER)

    def drive(self, active: bool) -> None:
        """See the protocol."""
        with as_os_error():
            self._request.set_value(self._number, self._values[active])
        if self.reads() != active:
            raise OSError("the line reads back the other level")

    def reads(self) -> bool:
        """See the protocol."""
        with as_os_error():
            return bool(self._request.get_value(self._number) == self._values[True])

    def close(self) -> None:
        """Give the line back; what level it then has is the board's matter."""
        self._request.release()


class GpiodInput:
    """One input, pulled up."""

    def __init__(self, chip: Any, number: int) -> None:
        """As of an output."""
        from gpiod import LineSettings
        from gpiod.line import Bias, Direction, Value

        self._number, self._high = number, Value.ACTIVE
        self._request = chip.request_lines(
            {number: LineSettings(direction=Direction.INPUT, bias=Bias.PULL_UP)}, CONSUMER
        )

    def high(self) -> bool:
        """See the protocol."""
        with as_os_error():
            return bool(self._request.get_value(self._number) == self._high)

    def close(self) -> None:
        """Give the line back."""
        self._request.release()


class GpiodLines:
    """A chip, found by its label."""

    def __init__(self, label: str) -> None:
        """Raises LineError when no chip has the label, or several."""
        try:
            import gpiod
        except ImportError as error:
            raise LineError(f"gpiod is not installed ({error}). Run `pip install 'gpiod>=2.2'`.") from error
        self.name = f"the chip {shown(label)}"
        found, seen = [], []
        for path in sorted(Path("/dev").glob("gpiochip*")):
            try:
                with gpiod.Chip(str(path)) as chip:
                    each = chip.get_info().label
            except OSError:
                continue
            seen.append(each)
            if each == label:
                found.append(path)
        if len(found) != 1:
            raise LineError(
                f"{len(found)} chips are labelled {shown(label)}; here are {', '.join(map(shown, seen)) or 'none'}. "
                "Set bolt.chip to what `gpiodetect` prints in brackets, and join the group that may use /dev/gpiochip*."
            )
        self._chip = gpiod.Chip(str(found[0]))

    def output(self, number: int, *, active_high: bool) -> GpiodOutput:
        """See the protocol."""
        try:
            return GpiodOutput(self._chip, number, active_high=active_high)
        except (OSError, ValueError) as error:
            raise _unusable(number, error) from error

    def input(self, number: int, *, high_at_rest: bool) -> GpiodInput:
        """See the protocol."""
        try:
            return GpiodInput(self._chip, number)
        except (OSError, ValueError) as error:
            raise _unusable(number, error) from error

    def close(self) -> None:
        """See the protocol."""
        self._chip.close()


def _unusable(number: int, error: Exception) -> LineError:
    return LineError(f"The line {number} cannot be used ({error}). Check its setting and what else uses it.")
