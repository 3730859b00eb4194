"""A cable of pseudo-terminals that is pulled while the real command enrols: both ends lose their port, and get another.

At every byte it is cut inside one process (test_enrol.py), where time does not pass.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.laptop.session import LOOK_EVERY_S
from edge.settings import Config
from tests.cable.wires import Laptop, guardian, process
from tests.cli.facelatch import ok_json
from tools.demo.wires import UART_BYTES_S, Cable

OBAMA = ("obama.jpg", "obama2.jpg", "obama3.jpg")
PLACES = {"in the handshake": 100, "among the photographs": 60_000, "before the answer": 10_000_000}
"""After so many bytes towards the lock; there are never as many as the last: it is pulled once nothing more comes."""

QUIET_S = 0.7
"""For so long a line at 115,200 baud says nothing only when everything was sent."""

OUT_S = 3 * LOOK_EVERY_S
"""For so long the cable is out: the laptop looks for the port, and there is none."""


@dataclass
class Ports:
    """Both ends by names that stay, as /dev/ttyGS0 and COM3 do; behind them one cable after the other."""

    folder: Path

    @property
    def lock(self) -> str:
        return str(self.folder / "lock")

    @property
    def laptop(self) -> str:
        return str(self.folder / "laptop")

    @contextmanager
    def plugged(self) -> Iterator[Cable]:
        cable = Cable(UART_BYTES_S)
        for name, port in (("lock", cable.lock), ("laptop", cable.laptop)):
            (self.folder / name).symlink_to(port)
        try:
            yield cable
        finally:
            for name in ("lock", "laptop"):
                (self.folder / name).unlink()
            cable.unplug()


def pulled(cable: Cable, after: int) -> None:
    """Wait until so many bytes went to the lock, or until no more come."""
    pause, before = threading.Event(), -1
    while cable.passed["lock"] < after and not (cable.passed["lock"] == before > 50_000):
        before = cable.passed["lock"]
        pause.wait(QUIET_S if after > 100_000 else 0.005)


@pytest.mark.parametrize("after", PLACES.values(), ids=PLACES)
def test_plugged_in_again_the_enrolment_goes_on(
    house: Config, photos: dict[str, Path], tmp_path: Path, after: int
) -> None:
    laptop, ports = Laptop(tmp_path), Ports(tmp_path)
    files = [photos[name] for name in OBAMA]
    with guardian(house):
        with ports.plugged() as cable, process(house, "link", ports.lock):
            laptop.ok("pair", ok_json(house, "usb", "pair")["code"], port=ports.laptop)
            cable.passed["lock"] = 0
            enrolling = laptop.begun("enroll", "Barack Obama", *files, port=ports.laptop)
            pulled(cable, after)
        threading.Event().wait(OUT_S)
        with ports.plugged(), process(house, "link", ports.lock):
            said, complained = enrolling.communicate(timeout=120)
        assert enrolling.returncode == 0, (said, complained)
        assert "Barack Obama is enrolled with 3 templates." in said
        assert [each["templates"] for each in ok_json(house, "people")] == [3]
