"""Eyes for the fault table: ``python -m tests.guardian.seeing LOOKS_SOCKET MODE``. They see Ada, and no camera."""

import sys
import time
from pathlib import Path

from edge import wire
from edge.core.evidence import FUTURE_MAX_S
from edge.link import EyesLink
from edge.models.manifest import template_space
from edge.types import Box, Look, Quality
from tests.store.helpers import vectors

FRAMES_A_SECOND = 15
FLOOD_A_SECOND = 10_000
OFFSETS_S = {"past": -10.0, "future": 10.0, "just ahead": FUTURE_MAX_S * 2}
"""Modes that lie about when a frame was captured."""


def report(number: int, captured_s: float, track: int = 1) -> wire.Report:
    look = Look(
        *(track, vectors(1, 1)[0], None, Quality(120, 60, 0, 120, 1, 0.2, 0.7), Box(0, 0, 120, 120)),
        faces_in_frame=1,
        frame=number,
        captured_s=captured_s,
    )
    return wire.to_report(number, captured_s, 1, [look])


def see(path: Path, mode: str) -> None:
    link = EyesLink(path)
    version = wire.VERSION + (mode == "other version")
    link(wire.Hello(version, *template_space("cpu", "none", None), f"test eyes ({mode})"))
    number = 0
    began_s = time.monotonic()
    rate = FLOOD_A_SECOND if mode.startswith("flood") else FRAMES_A_SECOND
    while True:
        number += 1
        time.sleep(max(began_s + number / rate - time.monotonic(), 0))
        stamped_s = time.monotonic() + OFFSETS_S.get(mode, 0.0)
        if mode == "garbage":
            link._socket.send(b"\xc1 rubbish \x00" * 20)
        else:
            # A flood of Ada under ever new tracks: as many grants as can be had.
            link(report(number, stamped_s, track=number // 5 if mode == "flood" else 1))


if __name__ == "__main__":
    see(Path(sys.argv[1]), sys.argv[2])
