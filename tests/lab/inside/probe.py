"""Try everything that a service must not be able to do, and say of each whether it was refused: a line of JSON each.

Runs inside a unit's own sandbox (as its ExecStartPre), and for comparison as root outside: what is refused to root too
would prove nothing. Only the system's Python; it leaves nothing behind. ``probe.py door|eyes|link|stick GUARDIAN_PID``.
"""

import contextlib
import ctypes
import json
import mmap
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)
STATE, CONTROL, LOOKS = "/var/lib/facelatch", "/run/facelatch/control.sock", "/run/facelatch/looks/looks.sock"
CABLE, LINK_STATE, STICK = "/run/facelatch/cable/cable.sock", "/var/lib/facelatch-link", "/run/facelatch-stick/sda1"
PTRACE_ATTACH, PTRACE_DETACH = 16, 17
CLONE_NEWUSER = 0x10000000


def c(result: int) -> None:
    """The C library's way to fail, as Python's."""
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def opened(path: str, flags: int = os.O_RDWR) -> None:
    os.close(os.open(path, flags))


def written(path: str) -> None:
    """Make a file and remove it."""
    Path(path).write_text("probe")
    os.unlink(path)


def moved(path: str) -> None:
    """Move a file away and back."""
    os.rename(path, f"{path}.probe")
    os.rename(f"{path}.probe", path)


def family(number: int, kind: int = socket.SOCK_DGRAM) -> None:
    socket.socket(number, kind).close()


def reached(path: str, kind: int = socket.SOCK_SEQPACKET) -> None:
    with socket.socket(socket.AF_UNIX, kind) as line:
        line.connect(path)


def read(path: str) -> None:
    with open(path, "rb") as file:
        file.read(1)


def traced(pid: int) -> None:
    c(libc.ptrace(PTRACE_ATTACH, pid, None, None))
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
    c(libc.ptrace(PTRACE_DETACH, pid, None, None))


def code_made() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def mounted() -> None:
    c(libc.mount(b"probe", b"/mnt", b"tmpfs", 0, None))
    c(libc.umount(b"/mnt"))


def in_a_child(what: Callable[[], None]) -> Callable[[], None]:
    """For what would change this process."""

    def run() -> None:
        child = os.fork()
        if child == 0:
            try:
                what()
            except OSError as error:
                os._exit(error.errno or 255)
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code:
            raise OSError(code, os.strerror(code) if code > 0 else signal.Signals(-code).name)

    return run


def set_clock() -> None:
    time.clock_settime(time.CLOCK_REALTIME, time.time())


def first(*paths: str) -> str:
    return next((path for path in paths if os.path.exists(path)), paths[0])


def attempts(who: str, guardian: int) -> dict[str, Callable[[], None]]:
    """What must be refused to both, and to this one."""
    common: dict[str, Callable[[], None]] = {
        "make an IPv4 socket": lambda: family(socket.AF_INET),
        "make an IPv6 socket": lambda: family(socket.AF_INET6),
        "make a raw packet socket": lambda: family(socket.AF_PACKET, socket.SOCK_RAW),
        "write below /etc": lambda: written("/etc/probe"),
        "write below /etc/facelatch": lambda: written("/etc/facelatch/probe"),
        "write below /opt/facelatch": lambda: written("/opt/facelatch/probe"),
        "write below /usr/local/bin": lambda: written("/usr/local/bin/probe"),
        "write below /var/lib": lambda: written("/var/lib/probe"),
        "read what others keep in /var/tmp": lambda: read("/var/tmp/lab-marker"),
        "read another home (/root)": lambda: read("/root/lab-marker"),
        "read another home (/home/owner)": lambda: read("/home/owner/lab-marker"),
        "read the disk /dev/vda": lambda: opened("/dev/vda", os.O_RDONLY),
        "read /dev/mem": lambda: opened("/dev/mem", os.O_RDONLY),
        "read an input device": lambda: opened(first("/dev/input/event0", "/dev/input/event1"), os.O_RDONLY),
        "read the kernel's log": lambda: opened("/dev/kmsg", os.O_RDONLY),
        "read the password file": lambda: read("/etc/shadow"),
        "become root": in_a_child(lambda: os.setresuid(0, 0, 0)),
        "make a user namespace": in_a_child(lambda: c(libc.unshare(CLONE_NEWUSER))),
        "mount a file system": mounted,
        "set the clock": set_clock,
        "set the host's name": lambda: socket.sethostname(socket.gethostname()),
        "write a kernel setting": lambda: opened("/proc/sys/kernel/hostname", os.O_WRONLY),
        "signal process 1": lambda: os.kill(1, 0),
        "take real-time priority": in_a_child(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))),
    }
    if who == "door":
        return common | {
            "open the camera": lambda: opened("/dev/video0"),
            "execute memory that it has written": code_made,
        }
    apart = common | {
        "open the GPIO chip": lambda: opened("/dev/gpiochip0"),
        "ask at the control socket": lambda: reached(CONTROL),
        "read the store": lambda: read(f"{STATE}/facelatch.db"),
        "read the people's keys": lambda: read(f"{STATE}/facelatch.db.keys"),
        "read the master key": lambda: read(f"{STATE}/facelatch.db.master"),
        "read the log's key": lambda: read(f"{STATE}/facelatch.db.logkey"),
        "write into the guardian's folder": lambda: written("/run/facelatch/probe"),
        "write into the looks' folder": lambda: written("/run/facelatch/looks/probe"),
        "remove the looks socket": lambda: moved(LOOKS),
        "see the guardian's process": lambda: read(f"/proc/{guardian}/status"),
        "read the guardian's memory": lambda: opened(f"/proc/{guardian}/mem", os.O_RDONLY),
        "trace the guardian": lambda: traced(guardian),
        "signal the guardian": lambda: os.kill(guardian, 0),
        "speak to the message bus": lambda: reached("/run/dbus/system_bus_socket", socket.SOCK_STREAM),
    }
    if who == "eyes":
        return apart
    apart |= {
        "open the camera": lambda: opened("/dev/video0"),
        "report to the looks socket": lambda: reached(LOOKS),
    }
    if who == "link":
        return apart
    return apart | {
        "open the cable's serial port": lambda: opened("/dev/ttyGS0", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK),
        "read the stick past its file system": lambda: opened("/dev/sda1", os.O_RDONLY),
    }


def rights(who: str) -> dict[str, Callable[[], None]]:
    """What it must be able to do: a probe that finds everything refused may itself be broken."""
    if who == "door":
        return {
            "open the GPIO chip": lambda: opened("/dev/gpiochip0"),
            "write its state": lambda: written(f"{STATE}/probe"),
            "write its sockets' folder": lambda: written("/run/facelatch/probe"),
        }
    cable = {
        "ask at the cable socket": lambda: reached(CABLE),
        "write its state": lambda: written(f"{LINK_STATE}/probe"),
        "write a /tmp of its own": lambda: written("/tmp/probe"),
    }
    if who == "link":
        port = "open the cable's serial port"
        return cable | {port: lambda: opened("/dev/ttyGS0", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)}
    if who == "stick":
        return cable | {"read the stick": lambda: read(f"{STICK}/marker")}
    return {
        "open the camera": lambda: opened("/dev/video0"),
        "report to the looks socket": lambda: reached(LOOKS),
        "write a /tmp of its own": lambda: written("/tmp/probe"),
    }


def main() -> None:
    who, guardian = sys.argv[1], int(sys.argv[2])
    for kind, table in (("attempt", attempts(who, guardian)), ("right", rights(who))):
        for what, attempt in table.items():
            try:
                attempt()
                said = ""
            except (OSError, ValueError) as error:
                said = f"{type(error).__name__}: {error}"
            print("PROBE " + json.dumps({"kind": kind, "what": what, "refused": said}), flush=True)


main()
