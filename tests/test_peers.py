"""Who is at the other end of a socket: real connections of real users."""

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from edge import peers

CONNECT = """
import os, socket, sys
os.setgroups([])
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[2]))
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(sys.argv[1])
s.recv(1)
"""
NOBODY = 65534


def judged(uid: int) -> tuple[str | None, bool]:
    """What is said of a process of that user that connects."""
    with (
        tempfile.TemporaryDirectory(prefix="fl-") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener,
    ):
        path = Path(folder) / "s"
        listener.bind(str(path))
        listener.listen(1)
        os.chmod(folder, 0o755)  # noqa: S103  # so that the other user gets to the socket
        path.chmod(0o777)
        code = CONNECT if uid != os.geteuid() else CONNECT.replace("os.set", "# ")
        other = subprocess.Popen([sys.executable, "-I", "-c", code, str(path), str(uid)])
        listener.settimeout(20)
        connection, _ = listener.accept()
        with connection:
            verdict = peers.operator(connection), peers.is_eyes(connection)
        other.wait(20)
        return verdict


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def test_ones_own_processes_operate_and_may_be_the_eyes() -> None:
    name, is_eyes = judged(os.geteuid())
    assert name is not None
    assert f"uid {os.geteuid()}" in name
    assert is_eyes


@needs_root
def test_somebody_else_does_neither() -> None:
    assert judged(NOBODY) == (None, False)


@needs_root
def test_a_user_without_an_account_does_neither() -> None:
    assert judged(54321) == (None, False)


@needs_root
def test_a_member_of_the_group_operates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "OPERATORS", "nogroup")  # nobody's group on Debian
    name, is_eyes = judged(NOBODY)
    assert name == f"nobody (uid {NOBODY})"
    assert not is_eyes


@needs_root
def test_the_user_of_the_eyes_is_the_eyes_and_no_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "EYES", "nobody")
    assert judged(NOBODY) == (None, True)
