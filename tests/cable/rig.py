"""A lock and a laptop on one cable, in one thread: the guardian, the networks and both ends are real; the cable is two
buffers that can be cut after any byte, and time passes when the laptop waits."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from edge import wire
from edge.cable.desk import Desk
from edge.cable.noise import new_key, public_of
from edge.cable.port import UnpluggedError
from edge.cable.service import Service
from edge.cable.talk import Finding
from edge.cable.uploads import Uploads
from edge.core.risk import Limits
from edge.errors import WireError
from edge.guardian import Guardian
from edge.laptop.keys import Keys, named
from edge.laptop.line import Line
from edge.pairing_code import secret_of
from edge.registry import Registry
from edge.settings import Config
from edge.store.sqlite import SqliteStore
from edge.studio import CableStudio, findings
from edge.teller import Plain
from tests.fakes import FakeClock
from tests.guardian.household import FailingBolt

TURN_S = 0.05
"""What a laptop waits for the first byte."""


@dataclass
class LockPort:
    """The lock's end of the cable."""

    came: bytearray = field(default_factory=bytearray)
    sent: bytearray = field(default_factory=bytearray)

    def read(self, *, wait: bool = True) -> bytes:
        data = bytes(self.came)
        self.came.clear()
        return data

    def write(self, data: bytes) -> None:
        self.sent += data


@dataclass
class Rig:
    """``limit``: after so many bytes more, in both directions together, the cable is cut. ``meddle`` sees what the
    laptop writes and says what arrives."""

    config: Config
    guardian: Guardian
    clock: FakeClock
    studio: CableStudio
    said: list[tuple[str, Mapping[str, Plain]]]
    private: bytes = field(default_factory=new_key)
    laptop: Keys = field(default_factory=lambda: Keys(new_key()))
    limit: int | None = None
    passed: int = 0
    recorded: bytearray = field(default_factory=bytearray)
    meddle: Callable[[bytes], bytes] = bytes
    is_guarded: bool = True

    def __post_init__(self) -> None:
        self.plug()

    def plug(self) -> None:
        """A service of its own for every time that the cable is plugged in, as systemd starts it."""
        self.port = LockPort()
        desk = Desk(
            self._ask,
            Uploads(Path(self.config.paths.runtime) / "uploads"),
            self.studio,
            self._findings,
            "[door]\n",
            lambda: (wire.ConsentLine(self.clock.utc(), 1), "2030-01-01"),
            self.clock.now_s,
        )
        self.service = Service(self.port, self.private, desk, self._ask, self.clock.now_s)

    def line(self) -> Line:
        """A laptop's line that has not shaken hands."""
        return Line(LaptopPort(self), self.laptop.private, now_s=self.clock.now_s)

    def greeted(self) -> Line:
        """One that has."""
        line = self.line()
        line.greet(public_of(self.private))
        return line

    def pair(self, role: wire.Role = "owner", days: int | None = None) -> None:
        """As an operator and a user do it."""
        code = self.guardian.answer(wire.AskPair(role, days), "an operator")
        assert isinstance(code, wire.PairCode)
        key = self.line().pair(secret_of(code.code), "a laptop")
        assert key == public_of(self.private)
        self.laptop = Keys(self.laptop.private, [named(key)])

    def people(self) -> list[str]:
        answer = self.guardian.answer(wire.AskPeople())
        assert isinstance(answer, wire.People)
        return [person.name for person in answer.people]

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.said]

    def _ask(self, message: wire.FromCable) -> wire.Answer:
        if not self.is_guarded:
            raise WireError("No guardian runs. Start facelatch-door.")
        # Through bytes, as over the socket: what is no question of the cable's does not pass.
        return wire.answer(wire.encode(self.guardian.cable_says(wire.from_cable(wire.encode(message)))))

    def _findings(self, key: bytes) -> list[Finding]:
        return findings(self.studio, self._ask, key)


@dataclass
class LaptopPort:
    """The laptop's end. The lock works while the laptop reads."""

    rig: Rig

    def __post_init__(self) -> None:
        self._service = self.rig.service

    def read(self, *, wait: bool = True) -> bytes:
        self._plugged()
        self.rig.service.turn()
        data = bytes(self.rig.port.sent)
        self.rig.port.sent.clear()
        if not data and wait:
            self.rig.clock.advance(TURN_S)
        return self._through(data)

    def write(self, data: bytes) -> None:
        self._plugged()
        self.rig.recorded += data
        self.rig.port.came += self._through(self.rig.meddle(data))

    def close(self) -> None:
        """Nothing is held."""

    def _through(self, data: bytes) -> bytes:
        rig = self.rig
        if rig.limit is not None and rig.passed + len(data) > rig.limit:
            arrived = data[: max(rig.limit - rig.passed, 0)]
            rig.passed, rig.limit = rig.passed + len(arrived), None
            rig.port.came += arrived  # of what the laptop wrote the beginning arrives
            rig.service.turn()
            rig.plug()
            raise UnpluggedError("The cable was unplugged. Plug it in again.")
        rig.passed += len(data)
        return data

    def _plugged(self) -> None:
        if self._service is not self.rig.service:
            raise UnpluggedError("The cable was unplugged. Plug it in again.")


@contextmanager
def rigged(config: Config, studio: CableStudio, model_id: str, dimension: int) -> Iterator[Rig]:
    """A rig on a store of its own."""
    clock = FakeClock()
    said: list[tuple[str, Mapping[str, Plain]]] = []
    with SqliteStore.open(config.store_path, model_id, dimension, clock) as store:
        registry = Registry(store, model_id, dimension, Limits(0.6), 0.05)
        guardian = Guardian(config, registry, store, FailingBolt(), clock, lambda k, v: said.append((k, v)))
        yield Rig(config, guardian, clock, studio, said)
