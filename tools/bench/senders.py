"""Who sends to the guardian while its latency is measured: ``python -m tools.bench.senders WHO LOOKS CONTROL``."""

import itertools
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edge import wire
from edge.link import EyesLink, _connected
from edge.types import Box, Look, Quality

MODEL, DIMENSION = "bench", 192
OWNER = np.eye(1, DIMENSION, dtype=np.float32)[0]

FRAMES_A_SECOND, HOSTILE_A_SECOND = 15, 10_000
APPROACH_S = 1.2
"""How long one track lasts: a release, and some time for it to end."""


def ticks(a_second: int) -> Iterator[float]:
    """Now, so many times a second; a sender that was held up catches up."""
    began_s = time.monotonic()
    for number in itertools.count():
        time.sleep(max(began_s + number / a_second - time.monotonic(), 0))
        yield time.monotonic()


def eyes(link: EyesLink, a_second: int) -> None:
    """The owner, approach after approach."""
    link(wire.Hello(wire.VERSION, MODEL, DIMENSION, "a bench"))
    for _ in ticks(a_second):
        sent_s = time.monotonic()
        track, frame = int(sent_s / APPROACH_S), int(sent_s * 1e6)
        look = Look(track, OWNER, None, Quality(120, 60, 0, 120, 1, 0.2, 0.7), Box(0, 0, 120, 120), 1, frame, sent_s)
        link(wire.to_report(frame, sent_s, 1, [look]))


def operator(control: Path) -> None:
    """Rubbish on the control socket; whoever is let go comes again."""
    connection = _connected(control)
    for _ in ticks(HOSTILE_A_SECOND):
        try:
            connection.send(b"\xc1 rubbish")
        except OSError:
            connection.close()
            connection = _connected(control)


if __name__ == "__main__":
    who, looks, control = sys.argv[1:]
    if who == "operator":
        operator(Path(control))
    else:
        eyes(EyesLink(Path(looks)), HOSTILE_A_SECOND if who == "flood" else FRAMES_A_SECOND)
