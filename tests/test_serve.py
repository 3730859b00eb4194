"""The guardian's loop on real sockets, in a thread, with real clients."""

import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge import wire
from edge.core.risk import Limits
from edge.devices.bolt import TimedBolt
from edge.devices.clock import SystemClock
from edge.devices.simulated import SimulatedLines
from edge.errors import DoorError, PersonError, WireError
from edge.guardian import Guardian
from edge.link import EyesLink, _connected, ask
from edge.registry import Registry
from edge.serve import CONTROL_MAX, Server, _only_one
from edge.settings import Config
from edge.store.sqlite import SqliteStore
from edge.teller import Plain
from edge.types import Look
from tests.core.looks import look

MODEL, DIMENSION = "test-space", 4
ADA = np.array([1, 0, 0, 0], dtype=np.float32)


@dataclass
class Served:
    """A serving guardian. ``heard`` wakes at every notice."""

    config: Config
    server: Server
    bolt: TimedBolt
    kinds: list[str] = field(default_factory=list)
    heard: threading.Condition = field(default_factory=threading.Condition)

    def say(self, kind: str, values: Mapping[str, Plain]) -> None:
        with self.heard:
            self.kinds.append(kind)
            self.heard.notify_all()

    def wait_for(self, kind: str, times: int = 1) -> None:
        with self.heard:
            assert self.heard.wait_for(lambda: self.kinds.count(kind) >= times, timeout=20), (kind, self.kinds)


@pytest.fixture
def served(house: Config) -> Iterator[Served]:
    clock = SystemClock()
    ready: list[Served] = []
    started = threading.Event()

    def serve() -> None:
        # The store belongs to the thread that opens it.
        with SqliteStore.open(house.store_path, MODEL, DIMENSION, clock) as store:
            store.enroll("Ada", [ADA])
            bolt = TimedBolt(SimulatedLines(house.lines_path).output(17, active_high=True), clock)
            household = Registry(store, MODEL, DIMENSION, Limits(0.6), 0.05)
            notices: list[tuple[str, Mapping[str, Plain]]] = []
            guardian = Guardian(
                house,
                household,
                store,
                bolt,
                clock,
                lambda k, v: ready[0].say(k, v) if ready else notices.append((k, v)),
            )
            server = Server(guardian, house.looks_path, house.control_path, clock, cable_path=house.cable_path)
            ready.append(Served(house, server, bolt))
            started.set()
            server.run(lambda _: None)
            server.close()
            bolt.close()

    thread = threading.Thread(target=serve)
    thread.start()
    assert started.wait(20)
    yield ready[0]
    ready[0].server.stopping = "the test is over"
    thread.join(20)
    assert not thread.is_alive()
    assert not house.control_path.exists()


def hello(link: EyesLink) -> None:
    link(wire.Hello(wire.VERSION, MODEL, DIMENSION, "a test"))


def see_ada(link: EyesLink, looks: int = 3) -> None:
    clock = SystemClock()
    for number in range(looks):
        now_s = clock.now_s() + number / 1e4  # three distinct frames
        face = look(now_s, frame=number)
        link(wire.to_report(number, now_s, 1, [Look(1, ADA, None, face.quality, face.box, 1, number, now_s)]))


def test_looks_over_the_socket_open_the_door_and_losing_the_eyes_does_not_hold_it(served: Served) -> None:
    link = EyesLink(served.config.looks_path)
    hello(link)
    see_ada(link)
    served.wait_for("released")
    link.close()
    served.wait_for("eyes_away")
    served.wait_for("secured")
    assert not served.bolt.released


def test_rubbish_from_the_eyes_is_dropped_and_the_next_message_counts(served: Served) -> None:
    link = EyesLink(served.config.looks_path)
    hello(link)
    raw = link._socket
    for packet in (b"\x00", b"rubbish", b"\xc1" * 1000, b"x" * wire.PACKET_MAX_BYTES):
        raw.send(packet)
    see_ada(link)
    served.wait_for("malformed")
    served.wait_for("released")
    link.close()


def test_a_packet_larger_than_any_message_is_dropped_whole(served: Served) -> None:
    link = EyesLink(served.config.looks_path)
    hello(link)
    link._socket.send(b"x" * (wire.PACKET_MAX_BYTES + 10))
    served.wait_for("malformed")
    see_ada(link)
    served.wait_for("released")
    link.close()


def test_new_eyes_take_the_place_of_the_old(served: Served) -> None:
    old, new = EyesLink(served.config.looks_path), EyesLink(served.config.looks_path)
    hello(new)
    served.wait_for("eyes_present")
    see_ada(new)
    served.wait_for("released")
    old._socket.settimeout(20)
    assert old._socket.recv(1) == b""  # the guardian hung up on them
    old.close()
    new.close()


def test_an_operator_is_answered_while_the_eyes_flood(served: Served) -> None:
    link = EyesLink(served.config.looks_path)
    hello(link)
    stop = threading.Event()

    def flood() -> None:
        while not stop.is_set():
            see_ada(link, looks=50)

    flooding = threading.Thread(target=flood)
    flooding.start()
    try:
        for _ in range(20):
            answer = ask(served.config.control_path, wire.AskStatus())
            assert isinstance(answer, wire.Status)
    finally:
        stop.set()
        flooding.join()
        link.close()


def test_an_operators_mistake_comes_back_as_the_error_it_is(served: Served) -> None:
    with pytest.raises(PersonError, match="Adda"):
        ask(served.config.control_path, wire.AskForget("Adda"))
    people = ask(served.config.control_path, wire.AskPeople())
    assert isinstance(people, wire.People)
    assert [person.name for person in people.people] == ["Ada"]


def test_operators_who_never_ask_do_not_keep_others_out(served: Served) -> None:
    silent = []
    for _ in range(CONTROL_MAX + 3):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.connect(str(served.config.control_path))
        silent.append(connection)
    assert isinstance(ask(served.config.control_path, wire.AskStatus()), wire.Status)
    for connection in silent:
        connection.close()


def test_a_second_guardian_is_refused_and_the_first_goes_on(served: Served) -> None:
    guardian = served.server._guardian
    link = EyesLink(served.config.looks_path)
    hello(link)
    served.wait_for("eyes_present")
    with pytest.raises(WireError, match="Another guardian"):
        Server(guardian, served.config.looks_path, served.config.control_path, SystemClock())
    see_ada(link)
    served.wait_for("released")
    link.close()
    assert isinstance(ask(served.config.control_path, wire.AskStatus()), wire.Status)


def test_the_sockets_are_for_their_owner_and_group_only(served: Served) -> None:
    for path in (served.config.looks_path, served.config.control_path):
        assert path.stat().st_mode & 0o777 == 0o660
        assert path.parent.stat().st_mode & 0o777 == 0o750


ADMIN, EYES, NEITHER = 4322, 4323, 4324

KNOCK = """
import os, socket, sys
os.setgroups([])
os.setgid(int(sys.argv[1]))
os.setuid(4321)
for path in sys.argv[2:]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        try:
            s.connect(path)
        except PermissionError:
            print("refused")
        else:
            print("connected")
"""


@pytest.fixture
def folders_of_the_service(house: Config) -> None:
    """As systemd/facelatch.tmpfiles makes them: setgid, each with the group that may enter it."""
    run, looks = Path(house.paths.runtime), house.looks_path.parent
    looks.mkdir(parents=True)
    run.parent.chmod(0o755)
    for folder, group, mode in ((run, ADMIN, 0o2751), (looks, EYES, 0o2750)):
        os.chown(folder, 0, group)
        folder.chmod(mode)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to a group")
@pytest.mark.usefixtures("folders_of_the_service")
@pytest.mark.parametrize(
    ("group", "looks", "control"),
    [(ADMIN, "refused", "connected"), (EYES, "connected", "refused"), (NEITHER, "refused", "refused")],
)
def test_the_operators_reach_one_socket_and_the_eyes_the_other(
    served: Served, group: int, looks: str, control: str
) -> None:
    """By the files' modes alone, with a guardian that is in neither group."""
    paths = [str(served.config.looks_path), str(served.config.control_path)]
    command = [sys.executable, "-I", "-c", KNOCK, str(group), *paths]
    told = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert told.split() == [looks, control]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_guardian_of_root_leaves_the_service_its_lock(house: Config) -> None:
    run = Path(house.paths.runtime)
    run.mkdir()
    os.chown(run, 4321, 4321)
    os.close(_only_one(run / "guardian.lock"))
    assert (run / "guardian.lock").stat().st_uid == 4321


def test_where_nobody_listens_there_is_no_answer(house: Config) -> None:
    assert ask(house.control_path, wire.AskStatus()) is None
    with pytest.raises(WireError, match="facelatch run"):
        EyesLink(house.looks_path)


def test_a_flood_of_notices_is_told_sparingly(served: Served) -> None:
    for _ in range(200):
        link = EyesLink(served.config.looks_path)
        hello(link)
        link.close()
    assert isinstance(ask(served.config.control_path, wire.AskStatus()), wire.Status)
    assert len(served.kinds) < 60


def test_words_of_the_eyes_cannot_stop_the_guardian_or_reach_a_terminal(served: Served) -> None:
    for camera in ("\U0001f600" * 500, "\x1b]0;owned\x07\x1b[2J"):
        link = EyesLink(served.config.looks_path)
        link(wire.Hello(wire.VERSION, MODEL, DIMENSION, camera))
        link(wire.Trouble("\U0001f600" * 500))
        link._socket.send(msgspec.msgpack.encode({"type": "hello", "x" * 60_000: 1}))
        link._socket.send(msgspec.msgpack.encode({"type": "y" * 60_000}))
        link.close()
        status = ask(served.config.control_path, wire.AskStatus())
        assert isinstance(status, wire.Status)
        assert status.line().isprintable()
    served.wait_for("malformed")


def test_a_socket_left_behind_by_a_killed_guardian_is_taken_over(house: Config) -> None:
    house.control_path.parent.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as dead:
        dead.bind(str(house.control_path))
        dead.listen()
    assert ask(house.control_path, wire.AskStatus()) is None


STRANGER = """
import os, socket, sys
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.settimeout(20)
s.connect(sys.argv[1])
sys.stdout.buffer.write(s.recv(4096))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_somebody_who_is_no_operator_and_not_the_eyes_is_refused(served: Served) -> None:
    """Whatever the files' modes let through."""
    for path in (served.config.control_path, served.config.looks_path):
        path.chmod(0o777)
    for folder in {*served.config.control_path.parents[:2], served.config.looks_path.parent}:
        folder.chmod(0o755)

    def heard(path: Path) -> bytes:
        command = [sys.executable, "-I", "-c", STRANGER, str(path)]
        return subprocess.run(command, capture_output=True, check=True).stdout

    failure = wire.answer(heard(served.config.control_path))
    assert isinstance(failure, wire.Failure)
    assert failure.error == "DoorError"
    assert "facelatch-admin" in failure.message
    assert heard(served.config.looks_path) == b""
    served.wait_for("malformed")
    assert isinstance(ask(served.config.control_path, wire.AskStatus()), wire.Status)


def test_a_flood_from_the_eyes_is_counted_and_starves_nobody(served: Served) -> None:
    link = EyesLink(served.config.looks_path)
    hello(link)
    flooding = threading.Event()
    sent: list[int] = []

    def flood() -> None:
        number = 0
        while not flooding.is_set():
            try:
                link(wire.Report(number, SystemClock().now_s(), 0, []))
            except WireError:
                break
            number += 1
        sent.append(number)

    thread = threading.Thread(target=flood)
    thread.start()
    served.wait_for("malformed", 5)  # 1, 2, 4, 8, 16 of them were dropped
    answer = ask(served.config.control_path, wire.AskUnlock(0.5, "while it floods"))
    assert isinstance(answer, wire.Status)
    served.wait_for("released")
    served.wait_for("secured")
    assert not served.bolt.released
    flooding.set()
    thread.join(20)
    link.close()
    assert sent[0] > 120


def test_an_operator_who_asks_without_end_is_told_to_slow_down(served: Served) -> None:
    answers = []
    with _connected(served.config.control_path) as connection:
        for _ in range(200):
            connection.send(wire.encode(wire.AskStatus()))
            answers.append(wire.answer(connection.recv(wire.PACKET_MAX_BYTES)))
    assert isinstance(answers[0], wire.Status)
    assert any(isinstance(answer, wire.Failure) and "slowly" in answer.message for answer in answers)
    assert isinstance(ask(served.config.control_path, wire.AskStatus()), wire.Status)


def test_a_guardian_that_ends_before_it_answers_is_told(tmp_path: Path) -> None:
    """As when its watchdog ends it: what was asked may be done, or not."""
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        listener.listen(1)

        def end() -> None:
            connection, _ = listener.accept()
            connection.recv(wire.PACKET_MAX_BYTES)
            connection.close()

        ending = threading.Thread(target=end)
        ending.start()
        with pytest.raises(WireError, match="ended before it answered"):
            ask(path, wire.AskStatus())
        ending.join()


@pytest.mark.parametrize(
    "question",
    [wire.AskUnlock(5.0, "over the cable"), wire.AskMode("free"), wire.AskPair("owner"), wire.AskStatus()],
    ids=lambda question: type(question).__name__,
)
def test_an_operators_question_is_none_on_the_cables_socket(served: Served, question: wire.Question) -> None:
    """Whoever has taken over the process on the cable can say nothing there that opens the door or pairs a laptop."""
    with pytest.raises(WireError, match="Not a message"):
        ask(served.config.cable_path, question)
    assert not served.bolt.released
    assert "released" not in served.kinds


def test_a_laptop_is_paired_and_asks_over_the_cables_socket(served: Served) -> None:
    key = bytes(range(32))
    with pytest.raises(DoorError, match="not paired"):
        ask(served.config.cable_path, wire.CableAsk(key, wire.AskPeople()))
    ask(served.config.control_path, wire.AskPair("owner"))
    assert isinstance(ask(served.config.cable_path, wire.CableCode()), wire.PairCode)
    ask(served.config.cable_path, wire.CablePaired(key, "a laptop"))
    people = ask(served.config.cable_path, wire.CableAsk(key, wire.AskPeople()))
    assert isinstance(people, wire.People)
    assert [person.name for person in people.people] == ["Ada"]


def test_cables_do_not_keep_operators_out(served: Served) -> None:
    with ExitStack() as cables:
        for _ in range(2 * CONTROL_MAX):
            cables.enter_context(_connected(served.config.cable_path))
        assert isinstance(ask(served.config.control_path, wire.AskStatus()), wire.Status)


def test_who_makes_room_and_asks_in_the_same_turn_does_not_end_the_guardian(served: Served) -> None:
    path = served.config.control_path
    busy, go = threading.Event(), threading.Event()

    def rest() -> None:
        ours.recv(1)
        busy.set()
        go.wait(20)

    with ExitStack() as held:
        ours, theirs = (held.enter_context(each) for each in socket.socketpair())
        first, *_, eighth = [held.enter_context(_connected(path)) for _ in range(CONTROL_MAX)]
        assert isinstance(_asked(eighth), wire.Status)  # so all are taken
        served.server.attend(ours.fileno(), rest)
        theirs.send(b"x")
        assert busy.wait(20)
        last = held.enter_context(_connected(path))
        first.send(wire.encode(wire.AskStatus()))
        go.set()
        assert isinstance(_asked(last), wire.Status)


def _asked(connection: socket.socket) -> wire.Answer:
    connection.send(wire.encode(wire.AskStatus()))
    return wire.answer(connection.recv(wire.PACKET_MAX_BYTES))


def test_the_eyes_are_told_while_somebody_watches_and_new_ones_too(served: Served) -> None:
    def told(link: EyesLink, wanted: bool) -> None:
        end_s = SystemClock().now_s() + 20
        while link.previewed() is not wanted:
            assert SystemClock().now_s() < end_s
            select.select([link._socket], [], [], 0.1)

    link = EyesLink(served.config.looks_path)
    hello(link)
    served.wait_for("eyes_present")
    assert not link.previewed()
    control = served.config.control_path
    ask(control, wire.AskCamera("a", wire.EnrollTerms("Grace"), preview=True))
    told(link, True)
    ask(control, wire.AskCameraCancel("a"))
    told(link, False)
    link._socket.send(b"rubbish")
    assert not link.previewed()
    link.close()


def test_what_the_guardian_does_not_say_is_no_reason_to_send_pictures() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    link = EyesLink.__new__(EyesLink)
    link._socket, link._previewed = ours, False
    for packet, wanted in ((wire.encode(wire.Preview(True)), True), (b"rubbish", False)):
        theirs.send(packet)
        assert link.previewed() is wanted
    theirs.send(wire.encode(wire.Preview(True)))
    assert link.previewed()
    theirs.close()
    assert link.previewed(), "that it is gone is noticed when something is sent"
    link.close()
