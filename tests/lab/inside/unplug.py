"""Enrol a person over the cable again and again, and unplug it at a random byte of each: ``unplug.py CUTS PHOTO...``.

Runs with the product's own Python in the guest, as a laptop that is paired: a process for all of it, as the start of
one takes seconds in emulation. The gadget is what is unplugged: both ends lose their port. A line of JSON for each.
"""

import json
import random
import sys
import time
from pathlib import Path

from edge import wire
from edge.cable import talk
from edge.cable.port import Port, found, the_one
from edge.laptop.keys import KeyFile
from edge.laptop.line import Line
from edge.laptop.prepare import prepare
from edge.laptop.session import Enrolment, greet

NAME = "Barack Obama"
UDC = Path("/sys/kernel/config/usb_gadget/facelatch/UDC")


class Cable:
    """Counts bytes in both directions, and unplugs after ``limit`` of them."""

    def __init__(self) -> None:
        self.controller = UDC.read_text().strip()
        self.passed, self.limit = 0, sys.maxsize

    def counted(self, data: bytes) -> None:
        self.passed += len(data)
        if self.passed >= self.limit:
            self.limit = sys.maxsize
            UDC.write_text("\n")

    def plug_in(self, why: str) -> None:
        print(json.dumps({"lost": why}), file=sys.stderr, flush=True)
        if not UDC.read_text().strip():
            UDC.write_text(f"{self.controller}\n")


class Counted(Port):
    """The real port."""

    def __init__(self, cable: Cable) -> None:
        super().__init__(the_one(found()))
        self._counts = cable

    def read(self, *, wait: bool = True) -> bytes:
        data = super().read(wait=wait)
        self._counts.counted(data)
        return data

    def write(self, data: bytes) -> None:
        half = len(data) // 2
        super().write(data[:half])
        self._counts.counted(data[:half])
        super().write(data[half:])
        self._counts.counted(data[half:])


def main() -> None:
    cuts, photos = int(sys.argv[1]), [Path(each) for each in sys.argv[2:]]
    drawn = random.Random(9)  # noqa: S311 - places to unplug
    keys, cable = KeyFile().read(), Cable()
    made = prepare(photos)

    def connect() -> Line:
        line = Line(Counted(cable), keys.private)
        try:
            greet(line, keys)
        except BaseException:
            line.close()
            raise
        return line

    def enrolled(ticket: str) -> tuple[talk.Enrolled, float, float]:
        """Who was enrolled, and the seconds that it took in all and until the lock had the photographs."""
        arrived: list[float] = []
        enrolment = Enrolment(
            connect,
            progress=lambda done: None,
            looked=lambda each: arrived.append(time.monotonic()),
            lost=cable.plug_in,
        )
        started_s = time.monotonic()
        answer = enrolment.run(talk.Enroll(ticket, NAME, made.photos), made.files)
        return answer, time.monotonic() - started_s, (arrived or [time.monotonic()])[0] - started_s

    def forgotten() -> list[tuple[str, int]]:
        """Who was there until now."""
        line = connect()
        try:
            there = [(each.name, each.templates) for each in line.ask(talk.People(), wire.People).people]
            if any(name == NAME for name, _ in there):
                line.ask(talk.Forget(NAME), wire.People)
        finally:
            line.close()
        return there

    forgotten()
    cable.passed = 0
    whole, took_s, sent_s = enrolled("whole")
    total = cable.passed
    forgotten()
    print(json.dumps({"bytes": total, "took_s": took_s, "first_looked_at_s": sent_s}), flush=True)
    for number in range(cuts):
        cable.passed, cable.limit = 0, drawn.randrange(1, total)
        at = cable.limit
        answer, took_s, _ = enrolled(f"cut {number}")
        was_cut, cable.limit = cable.limit == sys.maxsize, sys.maxsize
        there = forgotten()
        holds = there == [(NAME, whole.person.templates)] and answer.person.templates == whole.person.templates
        print(json.dumps({"at": at, "cut": was_cut, "holds": holds, "there": there, "took_s": took_s}), flush=True)


main()
