"""A Raspberry Pi's lines through gpiozero and lgpio, and the only import of either."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from edge.devices.lines import as_os_error
from edge.errors import BoltError, LineError

CHIP_LABELS = ("pinctrl-rp1", "pinctrl-bcm2711", "pinctrl-bcm2835")
"""The header's gpiochip on Pi 5, Pi 4 and older ones. Chip *numbers* moved between kernels; labels did not."""

CHIPS_MAX = 16
"""gpiochip numbers that are tried."""

ELSEWHERE = (
    'on another board set bolt.driver = "gpiod"; without one name a simulated bolt: bolt.driver = "simulated", or '
    "`facelatch run --simulate`."
)


class GpioOutput:
    """One BCM output, inactive from the moment it is taken."""

    def __init__(self, number: int, *, active_high: bool, factory: Any) -> None:
        """``factory``: a gpiozero pin factory. Raises LineError when the pin cannot be had, as when it is in use."""
        from gpiozero import DigitalOutputDevice

        self.name = f"BCM {number} (active {'high' if active_high else 'low'})"
        with _taking(number):
            self._device = DigitalOutputDevice(
                number, active_high=active_high, initial_value=False, pin_factory=factory
            )

    def drive(self, active: bool) -> None:
        """See the protocol."""
        with as_os_error():
            self._device.value = active
            follows = bool(self._device.value) == active
        if not follows:
            raise OSError("the pin reads back the other level")

    def reads(self) -> bool:
        """See the protocol."""
        with as_os_error():
            return bool(self._device.value)

    def close(self) -> None:
        """Give the pin back; gpiozero leaves it floating, so that an external pull must hold the relay."""
        self._device.close()


class GpioInput:
    """One BCM input, pulled up."""

    def __init__(self, number: int, *, factory: Any) -> None:
        """As of an output."""
        from gpiozero import InputDevice

        with _taking(number):
            self._device = InputDevice(number, pull_up=True, pin_factory=factory)

    def high(self) -> bool:
        """See the protocol."""
        with as_os_error():
            return not self._device.value  # gpiozero calls a pulled-up pin active when it is low

    def close(self) -> None:
        """Give the pin back."""
        self._device.close()


class GpioLines:
    """The header's chip."""

    name = "the header's chip"

    def __init__(self, factory: Any = None) -> None:
        """``factory``: a gpiozero pin factory, by default lgpio's on the header's chip.

        Raises LineError when there is no such chip. No other pin factory is ever fallen back to.
        """
        self._factory = factory or header_factory()

    def output(self, number: int, *, active_high: bool) -> GpioOutput:
        """See the protocol."""
        return GpioOutput(number, active_high=active_high, factory=self._factory)

    def input(self, number: int, *, high_at_rest: bool) -> GpioInput:
        """See the protocol."""
        return GpioInput(number, factory=self._factory)

    def close(self) -> None:
        """See the protocol: a process that leaves lgpio's chip open dies of a segmentation fault at its end."""
        self._factory.close()


def header_factory() -> Any:
    """gpiozero's lgpio factory on the chip whose label is the header's. Raises LineError."""
    chip = _header_chip()
    try:
        from gpiozero.pins.lgpio import LGPIOFactory
    except ImportError as error:
        raise LineError(f"gpiozero is not installed ({error}). Run install.sh again; {ELSEWHERE}") from error
    return LGPIOFactory(chip=chip)


def secure_line(number: int, *, active_high: bool) -> None:
    """Drive one BCM output to its inactive level, once, and let go of it: `facelatch secure`.

    Through lgpio alone, as importing gpiozero takes as long as the rest of that command. Raises LineError, also when
    the line is in use, and BoltError when it does not follow.
    """
    chip = _header_chip()
    import lgpio

    inactive = 0 if active_high else 1
    with _taking(number):
        handle = lgpio.gpiochip_open(chip)
        try:
            lgpio.gpio_claim_output(handle, number, inactive)
            follows = lgpio.gpio_read(handle, number) == inactive
        finally:
            lgpio.gpiochip_close(handle)
    if not follows:
        raise BoltError(f"The bolt BCM {number} did not secure: it reads the other level. Check the relay's wiring.")


def _header_chip() -> int:
    """The number of the gpiochip whose label is the header's. Raises LineError."""
    try:
        import lgpio
    except (ImportError, OSError) as error:  # OSError: it makes a pipe in the working directory as it is imported
        raise LineError(
            f"lgpio cannot be used ({error}). On Raspberry Pi OS run `sudo apt install python3-lgpio`; Debian 13 has "
            f"no such package: there, and {ELSEWHERE}"
        ) from error

    for number in range(CHIPS_MAX):
        try:
            handle = lgpio.gpiochip_open(number)
        except lgpio.error:
            continue
        label = lgpio.gpio_get_chip_info(handle)[3]
        lgpio.gpiochip_close(handle)
        if label in CHIP_LABELS:
            return number
    raise LineError(
        f"No gpiochip is labelled {', '.join(CHIP_LABELS)}: this is no Raspberry Pi. On a Pi join the group gpio; "
        + ELSEWHERE
    )


@contextmanager
def _taking(number: int) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # gpiozero and lgpio raise a dozen unrelated types when a pin cannot be had
        raise LineError(
            f"The pin BCM {number} cannot be used ({error}). Check its setting, the group gpio, and what else uses it."
        ) from error
