"""A guardian on a real store, with a clock that stands still and a bolt that can be made to fail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from edge import wire
from edge.core.door import State
from edge.core.risk import Limits
from edge.errors import BoltError
from edge.guardian import Guardian
from edge.registry import Registry
from edge.settings import Config
from edge.store.sqlite import SqliteStore
from edge.teller import Plain
from edge.types import Embedding, Input, Look, Sensed, Sign
from tests.core.looks import look
from tests.fakes import FakeClock

MODEL, DIMENSION = "test-space", 4
SIMILARITY_MIN = 0.6
"""Set by hand where a test sets none: nothing was measured of the test's own embeddings."""

HELLO = wire.Hello(wire.VERSION, MODEL, DIMENSION, "a camera")


def unit(index: int) -> Embedding:
    vector = np.zeros(DIMENSION, dtype=np.float32)
    vector[index] = 1
    return vector


ADA, STRANGER = unit(0), unit(1)


class FailingBolt:
    """A bolt that records what it was told, and disobeys while ``broken``."""

    name = "a test bolt"

    def __init__(self) -> None:
        self.released = False
        self.broken = False
        self.until_s = 0.0

    def obeys(self) -> bool:
        return True

    def release(self, until_s: float) -> None:
        if self.broken:
            raise BoltError("The bolt did not release. Check it.")
        self.released, self.until_s = True, until_s

    def secure(self) -> None:
        if self.broken:
            raise BoltError("The bolt did not secure. Check it.")
        self.released = False

    def close(self) -> None:
        self.secure()


class Lamps:
    """An indicator that remembers what it was shown."""

    def __init__(self) -> None:
        self.shown: list[Sign] = []

    def show(self, sign: Sign) -> None:
        if not self.shown or self.shown[-1] is not sign:
            self.shown.append(sign)

    def close(self) -> None:
        """Nothing to close."""


@dataclass
class Household:
    guardian: Guardian
    store: SqliteStore
    bolt: FailingBolt
    clock: FakeClock
    said: list[tuple[str, Mapping[str, Plain]]] = field(default_factory=list)
    frame: int = 0
    lamps: Lamps = field(default_factory=Lamps)

    def is_open(self) -> bool:
        return bool(self.bolt.released)

    def state(self) -> State:
        return self.guardian.door.state

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.said]

    def passes(self, seconds: float) -> None:
        """Time goes by in steps of at most a second, as the server's loop turns."""
        while seconds > 0:
            self.clock.advance(min(seconds, 0.5))
            self.guardian.tick()
            seconds -= 0.5

    def told(self, kind: str) -> list[Mapping[str, Plain]]:
        return [values for each, values in self.said if each == kind]

    def senses(self, which: Input, active: bool = True) -> None:
        self.guardian.sensed(Sensed(which, active))
        self.guardian.tick()

    def types(self, pin: str) -> None:
        self.guardian.keys(f"{pin}\n")
        self.guardian.tick()

    def comes(self, who: Embedding, track: int) -> bool:
        """A new approach of five looks: whether it released the bolt."""
        before = len(self.told("released"))
        for _ in range(5):
            self.eyes_see(who, track=track)
        return len(self.told("released")) > before

    def eyes_see(self, *embeddings: Embedding, track: int = 1, age_s: float = 0.0) -> None:
        """One frame with these faces, a tenth of a second after the last."""
        self.clock.advance(0.1)
        self.frame += 1
        captured_s = self.clock.now_s() - age_s
        looks = [
            Look(track + i, e, None, face.quality, face.box, len(embeddings), self.frame, captured_s)
            for i, (e, face) in enumerate((e, look()) for e in embeddings)
        ]
        self.guardian.eyes_say(wire.to_report(self.frame, captured_s, len(embeddings), looks))
        self.guardian.tick()


def settle(
    config: Config, store: SqliteStore, clock: FakeClock, bolt: FailingBolt, found: Sequence[Sensed] = ()
) -> Household:
    """A guardian with its eyes present, its inputs ``found`` like this."""
    limits = Limits(config.match.similarity_min or SIMILARITY_MIN)
    registry = Registry(store, MODEL, DIMENSION, limits, config.match.margin_min)
    said: list[tuple[str, Mapping[str, Plain]]] = []
    lamps = Lamps()
    guardian = Guardian(
        config, registry, store, bolt, clock, lambda kind, values: said.append((kind, values)), lamps, found
    )
    guardian.eyes_say(HELLO)
    return Household(guardian, store, bolt, clock, said, lamps=lamps)
