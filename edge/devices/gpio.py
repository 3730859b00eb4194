"""The relay's pin through gpiozero and lgpio, and the only import of either."""

from typing import Any

from edge.errors import BoltError

CHIP_LABELS = ("pinctrl-rp1", "pinctrl-bcm2711", "pinctrl-bcm2835")
"""The header's gpiochip on Pi 5, Pi 4 and older ones. Chip *numbers* moved between kernels; labels did not."""

CHIPS_MAX = 16
"""gpiochip numbers that are tried."""

ELSEWHERE = 'elsewhere name a simulated bolt: bolt.driver = "simulated", or `facelatch run --simulate`.'


class GpioPin:
    """One BCM output, secured from the moment it is taken."""

    def __init__(self, pin: int, *, active_high: bool, factory: Any = None) -> None:
        """Take the pin at its secure level. ``factory``: a gpiozero pin factory, by default lgpio's on the header's
        chip.

        Raises BoltError when there is no such chip or pin, or it is in use. No other pin factory is ever fallen back
        to.
        """
        self.name = f"BCM {pin} (active {'high' if active_high else 'low'})"
        try:
            from gpiozero import DigitalOutputDevice

            factory = factory or header_factory()
            self._device = DigitalOutputDevice(pin, active_high=active_high, initial_value=False, pin_factory=factory)
        except BoltError:
            raise
        except Exception as error:  # gpiozero and lgpio raise a dozen unrelated types when a pin cannot be had
            raise BoltError(
                f"The pin BCM {pin} cannot be used ({error}). Check bolt.pin, the group gpio, and what else uses it."
            ) from error

    def drive(self, released: bool) -> None:
        """Set the level and read it back. Raises OSError when the pin does not follow."""
        try:
            self._device.value = released
            follows = bool(self._device.value) == released
        except Exception as error:  # lgpio.error is a plain Exception, and gpiozero passes it on
            raise OSError(str(error)) from error
        if not follows:
            raise OSError("the pin reads back the other level")

    def reads(self) -> bool:
        """Whether the pin is at the level that releases. Raises OSError."""
        try:
            return bool(self._device.value)
        except Exception as error:  # as above
            raise OSError(str(error)) from error

    def close(self) -> None:
        """Give the pin back; gpiozero leaves it floating, so that an external pull must hold the relay."""
        self._device.close()


def header_factory() -> Any:
    """gpiozero's lgpio factory on the chip whose label is the header's. Raises BoltError."""
    try:
        import lgpio
        from gpiozero.pins.lgpio import LGPIOFactory
    except ImportError as error:
        raise BoltError(
            f"lgpio is not installed ({error}). On a Raspberry Pi run `sudo apt install python3-lgpio`; {ELSEWHERE}"
        ) from error

    for number in range(CHIPS_MAX):
        try:
            handle = lgpio.gpiochip_open(number)
        except lgpio.error:
            continue
        label = lgpio.gpio_get_chip_info(handle)[3]
        lgpio.gpiochip_close(handle)
        if label in CHIP_LABELS:
            return LGPIOFactory(chip=number)
    raise BoltError(
        f"No gpiochip is labelled {', '.join(CHIP_LABELS)}: this is no Raspberry Pi. On a Pi join the group gpio; "
        + ELSEWHERE
    )
