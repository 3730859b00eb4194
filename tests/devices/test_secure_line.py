"""`facelatch secure` on a header's chip. lgpio itself drives a kernel's pin in the lab; here is what it is told."""

import sys
from types import ModuleType

import pytest

from edge.devices.gpio import secure_line
from edge.errors import BoltError, LineError


class Board(ModuleType):
    """lgpio, as far as it is used: two chips, the second of them the header's; a line may be in use, or stuck."""

    class error(Exception):  # noqa: N801, N818 - lgpio's name
        pass

    def __init__(self, *, busy: bool = False, stuck_at: int | None = None) -> None:
        super().__init__("lgpio")
        self.busy, self.stuck_at = busy, stuck_at
        self.claimed: list[tuple[int, int, int]] = []
        self.opened: set[int] = set()

    def gpiochip_open(self, number: int) -> int:
        if number > 1:
            raise self.error("no such chip")
        self.opened.add(number)
        return number

    def gpio_get_chip_info(self, handle: int) -> tuple[int, int, str, str]:
        return 0, 58, f"gpiochip{handle}", ["raspberrypi-exp-gpio", "pinctrl-bcm2711"][handle]

    def gpiochip_close(self, handle: int) -> None:
        self.opened.remove(handle)

    def gpio_claim_output(self, handle: int, number: int, level: int) -> None:
        if self.busy:
            raise self.error("GPIO busy")
        self.claimed.append((handle, number, level))

    def gpio_read(self, handle: int, number: int) -> int:
        return self.claimed[-1][2] if self.stuck_at is None else self.stuck_at


@pytest.mark.parametrize(("active_high", "secure_level"), [(True, 0), (False, 1)])
def test_the_inactive_level_is_driven(monkeypatch: pytest.MonkeyPatch, active_high: bool, secure_level: int) -> None:
    board = Board()
    monkeypatch.setitem(sys.modules, "lgpio", board)
    secure_line(17, active_high=active_high)
    assert board.claimed == [(1, 17, secure_level)]
    assert not board.opened


def test_a_line_in_use_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    board = Board(busy=True)
    monkeypatch.setitem(sys.modules, "lgpio", board)
    with pytest.raises(LineError, match="BCM 17"):
        secure_line(17, active_high=True)
    assert not board.opened


def test_a_line_that_does_not_follow_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lgpio", Board(stuck_at=1))
    with pytest.raises(BoltError, match="did not secure"):
        secure_line(17, active_high=True)
