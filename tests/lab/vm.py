"""One emulated machine: started cold or from a snapshot, told what to do over ssh, frozen, or its power cut.

Software emulation only (TCG): it is the same on every host, and needs no right to /dev/kvm. The guest has no network
but the forward of one port of the host's loopback to its sshd.
"""

import contextlib
import json
import os
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.lab.places import KEY, LabError

BOOT_S = 400.0
"""A cold boot takes 30 to 60 s on two idle cores; more than this is a machine that does not come."""
COMMAND_S = 300.0
"""A command that takes longer has hung, or says so itself by another limit."""

PATCHED_S, PATCHING_TRIES = 60.0, 3
"""Long after a kernel has patched itself; how often one that has panicked over it is started again."""

MONITOR_S = 120.0
"""qemu answers at once, and while it reads a snapshot within seconds."""


@dataclass(frozen=True, slots=True)
class Image:
    """What a machine is made of: the folder of image.ext4, kernel and initrd, and its architecture."""

    folder: Path
    arch: str
    suite: str

    @property
    def console(self) -> str:
        return "ttyS0" if self.arch == "amd64" else "ttyAMA0"

    def machine(self) -> list[str]:
        """qemu's program and processor."""
        if self.arch == "amd64":
            return ["qemu-system-x86_64", "-M", "q35", "-cpu", "max"]
        return ["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A frozen machine: ``ram.zst`` and ``disk.qcow2`` in a folder."""

    folder: Path

    @property
    def exists(self) -> bool:
        return (self.folder / "ram.zst").exists()

    @property
    def disk(self) -> Path:
        return self.folder / "disk.qcow2"


class CommandError(LabError):
    """A command in the guest failed where it should not have."""


class Guest:
    """A running machine. As a context manager it is ended at the end, and its disk removed."""

    def __init__(
        self,
        image: Image,
        out: Path,
        *,
        snapshot: Snapshot | None = None,
        disk: Path | None = None,
        append: str = "",
    ) -> None:
        """Start it: from a ``snapshot`` with its memory, or cold from ``disk`` or a copy of the image's.

        ``out``: the folder for its console's text. ``append``: more for the kernel's command line. Raises LabError.
        """
        self.image = image
        self.out = out
        self.out.mkdir(parents=True, exist_ok=True)
        # Short, as a Unix socket's path may have 107 characters; ssh and qemu each make one here.
        self._run = Path(tempfile.mkdtemp(prefix="facelatch-lab-"))
        self.disk = disk or self._run / "disk.qcow2"
        if disk is None:
            overlay(self.disk, snapshot.disk if snapshot else image.folder / "image.ext4")
        self._port = _free_port()
        self._monitor_path = self._run / "qmp"
        self.console = out / f"console-{time.time_ns()}.txt"
        command = [*image.machine(), "-accel", "tcg,thread=multi,tb-size=512", "-m", "2048", "-smp", "2"]
        command += ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
        command += ["-kernel", str(image.folder / "kernel"), "-initrd", str(image.folder / "initrd")]
        command += [
            "-append",
            f"root=/dev/vda rw console={image.console} loglevel=4 net.ifnames=0 audit=0 panic=-1 {append}",
        ]
        # unsafe: what the guest flushes reaches the host's memory, and no further. There it outlives qemu, which is all
        # that is ever killed here. A busy host's disk takes seconds now and then, which the watchdog does not grant.
        command += ["-drive", f"file={self.disk},if=virtio,id=root,format=qcow2,cache=unsafe"]
        command += ["-netdev", f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{self._port}-:22"]
        command += ["-device", "virtio-net-pci,netdev=net", "-device", "virtio-rng-pci"]
        command += ["-device", "virtio-scsi-pci,id=bay"]  # where further disks are plugged in
        command += ["-serial", f"file:{self.console}", "-qmp", f"unix:{self._monitor_path},server=on,wait=off"]
        if snapshot:
            command += ["-incoming", f"exec:zstd -dc {shlex.quote(str(snapshot.folder / 'ram.zst'))}"]
        started_s = time.monotonic()
        self._errors = self._run / "errors"
        self._start(command)
        try:
            if snapshot:
                self._let_go_on()
            else:
                self._see_it_through_its_patches(command)
            self._wait_for_ssh(BOOT_S)
            if snapshot:  # it slept; only the calendar shows it
                self.sh(f"date --set=@{int(time.time())} >/dev/null")
        except BaseException:
            self.cut()
            raise
        self.boot_s = time.monotonic() - started_s

    def _start(self, command: Sequence[str]) -> None:
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)

    def _see_it_through_its_patches(self, command: Sequence[str]) -> None:
        """Start it again where the emulator, not the guest, was at fault: a kernel that patches its own code in its
        first seconds is now and then seen half patched by qemu's other processor, and panics over the breakpoint (int3)
        that it has put there meanwhile. Nothing has been mounted by then."""
        for _ in range(PATCHING_TRIES):
            end_s = time.monotonic() + PATCHED_S
            while self._process.poll() is None and "Welcome to" not in self._console_text():
                if time.monotonic() > end_s:
                    return
                time.sleep(0.2)
            if self._process.poll() is None or "Oops: int3" not in self._console_text():
                return
            self._start(command)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.throw_away()

    # --- telling it what to do

    def ssh(self, command: str, *options: str) -> list[str]:
        """The host's command that runs one in the guest. All share one connection: a handshake costs a second."""
        control = ["-o", "ControlMaster=auto", "-o", f"ControlPath={self._run}/ssh", "-o", "ControlPersist=600"]
        known = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes"]
        alive = ["-o", "ConnectTimeout=60", "-o", "ServerAliveInterval=30", "-o", "ServerAliveCountMax=10"]
        where = ["-F", "none", "-q", "-p", str(self._port), "-i", str(KEY)]
        return ["ssh", *where, *control, *known, *alive, *options, "root@127.0.0.1", command]

    def run(
        self, command: str, *, given: bytes | None = None, within_s: float = COMMAND_S
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command as root; its output, both streams in ``stdout``, and exit code. Raises LabError."""
        try:
            done = subprocess.run(
                self.ssh(command),
                input=given if given is not None else b"",
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=within_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise CommandError(f"Not done within {within_s:.0f} s: {command}") from error
        return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(errors="replace"))

    def sh(self, command: str, *, given: bytes | None = None, within_s: float = COMMAND_S) -> str:
        """The output of a command that must succeed. Raises CommandError."""
        done = self.run(command, given=given, within_s=within_s)
        if done.returncode:
            raise CommandError(f"Exit code {done.returncode}: {command}\n{done.stdout[-3000:]}")
        return done.stdout.strip()

    def stream(self, command: str) -> subprocess.Popen[bytes]:
        """A command that goes on beside, its output in a pipe. A connection of its own: it lives as long as it can."""
        return subprocess.Popen(
            self.ssh(command, "-o", "ControlMaster=no", "-o", "ControlPath=none"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def until(self, condition: str, *, within_s: float = 120.0) -> float:
        """Wait until a shell condition holds in the guest; the seconds it took. Raises CommandError."""
        started_s = time.monotonic()
        quoted = shlex.quote(f"until {condition}; do sleep 0.4; done")  # each look takes from the services
        done = self.run(f"timeout {within_s:.0f} sh -c {quoted}", within_s=within_s + 60)
        if done.returncode:
            raise CommandError(f"Not within {within_s:.0f} s: {condition}\n{done.stdout[-3000:]}")
        return time.monotonic() - started_s

    def moment(self) -> str:
        """Where its journal is now, for ``hear``."""
        return self.sh("journalctl -n 0 --show-cursor").rsplit("cursor: ", 1)[-1]

    def hear(self, pattern: str, since: str, *, within_s: float = 120.0) -> str:
        """Wait until the guardian or the eyes have said something since a ``moment``; the line. Raises CommandError.

        Cheaper than to ask: every start of Python takes seconds here, and takes them from the services.
        """
        services = "-u facelatch-door -u facelatch-eyes"
        journal = f"journalctl -f -n all -o cat {services} --after-cursor={shlex.quote(since)} 2>/dev/null"
        script = f"grep -m 1 -E {shlex.quote(pattern)} < <({journal})"
        done = self.run(f"timeout {within_s:.0f} bash -c {shlex.quote(script)}", within_s=within_s + 60)
        if done.returncode:
            raise CommandError(f"Nobody said {pattern!r} within {within_s:.0f} s")
        return done.stdout.strip()

    def push(self, source: Path, into: str) -> None:
        """Copy a file into the guest's folder ``into``, or a folder's contents."""
        folder, names = (source, ["."]) if source.is_dir() else (source.parent, [source.name])
        with subprocess.Popen(["tar", "-C", str(folder), "-cf", "-", *names], stdout=subprocess.PIPE) as tar:
            unpack = f"mkdir -p {shlex.quote(into)} && tar -C {shlex.quote(into)} --no-same-owner -xmf -"
            subprocess.run(self.ssh(unpack), stdin=tar.stdout, check=True, timeout=COMMAND_S)

    def write(self, path: str, text: str) -> None:
        """Put a text into a file of the guest."""
        self.sh(f"mkdir -p $(dirname {shlex.quote(path)}) && cat >{shlex.quote(path)}", given=text.encode())

    def without_camera(self) -> None:
        """Let eyes that find no camera rest for long: each start of theirs takes seconds of the processor here."""
        rest = "/run/systemd/system/facelatch-eyes.service.d/50-lab.conf"
        self.write(rest, "[Service]\nRestartSec=1h\n")
        self.sh("systemctl daemon-reload; systemctl stop facelatch-eyes")

    # --- its board

    def line(self, number: int) -> int:
        """A pin's level, as the board has it."""
        return int(self.sh(f"cat /run/lab-lines/sim_gpio{number}/value"))

    def pull(self, number: int, level: int) -> None:
        """Drive an input: press a button (0), let it go (1)."""
        self.sh(f"echo pull-{'up' if level else 'down'} >/run/lab-lines/sim_gpio{number}/pull")

    @contextlib.contextmanager
    def showing(self, *pictures: str, still: bool = False) -> Iterator[None]:
        """Show one of the guest's pictures on its camera meanwhile, or several in turn; see inside/lab-show."""
        self.sh(f"systemd-run -q --unit=lab-show /root/lab-show {'--still ' if still else ''}{shlex.join(pictures)}")
        try:
            yield
        finally:
            self.run("systemctl stop lab-show; systemctl reset-failed lab-show")

    # --- its power

    @property
    def is_off(self) -> bool:
        """Whether it was switched off, or frozen."""
        return self._process.poll() is not None

    def freeze(self, snapshot: Snapshot) -> None:
        """Save it with its memory as ``snapshot``, and end it. Raises LabError."""
        self.sh("sync")
        snapshot.folder.mkdir(parents=True, exist_ok=True)
        ram = snapshot.folder / "ram.fresh"
        self._close_ssh()
        with self._monitor() as ask:
            ask("stop")
            ask("migrate-set-parameters", **{"max-bandwidth": 10**11})
            ask("migrate", uri=f"exec:zstd -1 -q -T2 -c >{shlex.quote(str(ram))}")
            while (status := ask("query-migrate").get("status")) != "completed":
                if status in ("failed", "cancelled"):
                    raise LabError(f"The guest could not be frozen: {status}")
                time.sleep(0.2)
            ask("quit")
        self._process.wait(60)
        shutil.move(self.disk, snapshot.disk)
        os.replace(ram, snapshot.folder / "ram.zst")  # last: with it the snapshot exists
        shutil.rmtree(self._run, ignore_errors=True)

    def moment_of_disk(self, beyond: Path) -> Path:
        """What is on its disk now, as a file: the disk that a power cut at this moment leaves. The machine goes on, and
        writes ``beyond`` it. Raises LabError."""
        left, self.disk = self.disk, beyond
        with self._monitor() as ask:
            ask("blockdev-snapshot-sync", device="root", **{"snapshot-file": str(beyond), "format": "qcow2"})
        return left

    def plug_in(self, disk: Path, name: str) -> str:
        """Plug in a further disk; the device that the guest has of it. Raises LabError."""
        with self._monitor() as ask:
            file = {"driver": "file", "filename": str(disk)}
            unsafe = {"no-flush": True}
            ask("blockdev-add", **{"driver": "qcow2", "node-name": name, "file": file, "cache": unsafe})
            ask("device_add", driver="scsi-hd", bus="bay.0", drive=name, serial=name)
        device = f"/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_{name}"
        self.until(f"test -e {device}", within_s=60)
        return device

    def power_off(self) -> None:
        """Shut down in order, the disk kept."""
        self.run("systemctl poweroff --no-block")
        try:
            self._process.wait(180)
        except subprocess.TimeoutExpired:
            self.cut()
        self._close_ssh()

    def cut(self) -> None:
        """Cut the power, now: qemu is killed, and what the guest's kernel had not written is lost. The disk is kept."""
        self._process.kill()
        self._process.wait()
        self._close_ssh()

    def throw_away(self) -> None:
        """Cut the power, and remove the disk that was made for it."""
        self.cut()
        shutil.rmtree(self._run, ignore_errors=True)

    # --- inside

    def _wait_for_ssh(self, within_s: float) -> None:
        end_s = time.monotonic() + within_s
        while time.monotonic() < end_s:
            if self._process.poll() is not None:
                raise LabError(f"qemu ended: {self._errors.read_text(errors='replace')[-2000:]}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 2) as way_in:
                way_in.settimeout(10)
                if way_in.recv(4) == b"SSH-":
                    return
            time.sleep(0.2)
        raise LabError(f"No guest within {within_s:.0f} s. The end of {self.console}:\n{self._console_end()}")

    def _console_text(self) -> str:
        return self.console.read_text(errors="replace") if self.console.exists() else ""

    def _console_end(self) -> str:
        return self._console_text()[-2000:]

    def _let_go_on(self) -> None:
        """A guest that comes from a snapshot arrives paused."""
        end_s = time.monotonic() + 120
        while time.monotonic() < end_s and self._process.poll() is None:
            with contextlib.suppress(OSError), self._monitor() as ask:
                if ask("query-status")["status"] == "paused":
                    ask("cont")
                    return
            time.sleep(0.1)
        raise LabError(f"The snapshot does not start: {self._errors.read_text(errors='replace')[-2000:]}")

    @contextlib.contextmanager
    def _monitor(self) -> Iterator[Any]:
        """qemu's monitor: a function that gives a command and returns its answer."""
        with socket.socket(socket.AF_UNIX) as line, line.makefile("rw") as talk:
            line.settimeout(MONITOR_S)
            line.connect(str(self._monitor_path))
            talk.readline()  # its greeting

            def ask(command: str, **arguments: object) -> Any:
                talk.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
                talk.flush()
                while answer := json.loads(talk.readline() or "null"):
                    if "error" in answer:
                        raise LabError(f"qemu refuses {command}: {answer['error'].get('desc')}")
                    if "return" in answer:
                        return answer["return"]
                raise LabError(f"qemu ended while it was asked {command}")

            ask("qmp_capabilities")
            yield ask

    def _close_ssh(self) -> None:
        subprocess.run(self.ssh("true", "-O", "exit"), capture_output=True, check=False, timeout=30)


def overlay(disk: Path, below: Path) -> None:
    """Make a disk that takes what is written, and reads everything else from ``below``."""
    kind = "raw" if below.suffix == ".ext4" else "qcow2"
    run_host(["qemu-img", "create", "-q", "-f", "qcow2", "-F", kind, "-b", str(below), str(disk)])


def run_host(command: Sequence[str]) -> str:
    """Run a command on this machine. Raises LabError with what it said."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"{shlex.join(command)} failed: {(done.stderr or done.stdout)[-2000:]}")
    return done.stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
