"""What the service manager hears, on a real datagram socket."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.notify import Notifier
from tests.fakes import FakeClock


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "n"))
        listener.setblocking(False)
        yield listener


def environment(manager: socket.socket, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": manager.getsockname(), **more}


def heard(manager: socket.socket) -> list[str]:
    said = []
    while True:
        try:
            said.append(manager.recv(4096).decode())
        except BlockingIOError:
            return said


def test_ready_alive_and_stopping(manager: socket.socket) -> None:
    clock = FakeClock()
    notifier = Notifier(clock, environment(manager, WATCHDOG_USEC="2000000"))
    notifier.ready("LOCKED")
    for _ in range(10):
        notifier.alive("LOCKED")
        clock.advance(0.1)
    notifier.stopping("SIGTERM came")
    assert heard(manager) == [
        "READY=1\nSTATUS=LOCKED",
        "WATCHDOG=1\nSTATUS=LOCKED",
        "WATCHDOG=1\nSTATUS=LOCKED",
        "STOPPING=1\nSTATUS=SIGTERM came",
    ]
    notifier.close()


def test_an_abstract_socket_is_found() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        name = f"facelatch-test-{os.getpid()}"
        listener.bind(f"\0{name}")
        notifier = Notifier(FakeClock(), {"NOTIFY_SOCKET": f"@{name}"})
        notifier.ready("x")
        assert listener.recv(100) == b"READY=1\nSTATUS=x"
        notifier.close()


def test_a_status_holds_no_second_assignment(manager: socket.socket) -> None:
    notifier = Notifier(FakeClock(), environment(manager))
    notifier.ready("fine\nMAINPID=1\r\x00")
    (said,) = heard(manager)
    assert said.splitlines()[1:] == ["STATUS=fine MAINPID=1  "]
    notifier.close()


@pytest.mark.parametrize("usec", ["", "0", "soon", "-5", "٣", "9" * 30])
def test_without_a_watchdog_it_is_fed_once_at_most(manager: socket.socket, usec: str) -> None:
    clock = FakeClock()
    notifier = Notifier(clock, environment(manager, WATCHDOG_USEC=usec))
    for _ in range(10):
        clock.advance(1000)
        notifier.alive("x")
    assert heard(manager) == []
    notifier.close()


def test_a_watchdog_of_another_process_is_not_fed(manager: socket.socket) -> None:
    notifier = Notifier(FakeClock(), environment(manager, WATCHDOG_USEC="1000", WATCHDOG_PID="1"))
    notifier.alive("x")
    assert heard(manager) == []
    notifier.close()


@pytest.mark.parametrize("address", ["", "/nowhere/at/all", "x" * 500, "\0\0", "@"])
def test_nobody_there_is_no_error(address: str) -> None:
    notifier = Notifier(FakeClock(), {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000000"})
    notifier.ready("x")
    notifier.alive("x")
    notifier.stopping("x")
    notifier.close()


def test_a_manager_that_does_not_read_is_not_waited_for(manager: socket.socket) -> None:
    notifier = Notifier(FakeClock(), environment(manager))
    for _ in range(10_000):
        notifier.ready("x" * 400)
    notifier.close()
