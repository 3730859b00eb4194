"""The real installer, from a folder of wheels and without a network, makes a machine that serves the door.

It proves that a new owner's way works as it is documented: one command, READY, the pin never active meanwhile; that
running it again changes nothing; that `facelatch doctor` and systemd find nothing; that somebody can be enrolled. The
machine is then frozen: every other scenario starts from it. `transcript.txt` is what the owner sees.
"""

import time
from pathlib import Path

from tests.lab import board
from tests.lab.lab import Lab
from tests.lab.places import INSIDE
from tests.lab.vm import Guest

CONFIG = Path(__file__).parents[1] / "lab.toml"
PIN = 17
INSTALL = "/root/facelatch/systemd/install.sh --wheels /root/facelatch/wheels"
BOARD = "[Service]\nBindReadOnlyPaths=/run/lab-cpuinfo:/proc/cpuinfo\n"
INSTALL_S = 1200.0
"""In emulation the packages take some minutes to unpack and compile; a board takes less than one."""

STATE_OF_THINGS = (
    "getent passwd | grep facelatch; getent group | grep facelatch; "
    "find /etc/facelatch /var/lib/facelatch /opt/facelatch/bin /etc/systemd/system -xdev "
    "-not -name '*.db*' -not -path '*backups*' -printf '%p %u %g %m\\n' | sort; cat /etc/facelatch/*"
)
"""What a second run must leave as it was."""


def run(lab: Lab) -> None:
    with lab.guest(lab.ready) as guest:
        guest.push(lab.pushed, "/root/facelatch")
        # The board's revision again: ProtectProc= gives the guardian a /proc of its own, without what guest/lab-board
        # laid over it.
        guest.write("/etc/systemd/system/facelatch-door.service.d/90-lab.conf", BOARD)
        _install(lab, guest)
        before = guest.sh(STATE_OF_THINGS)
        started_s = time.monotonic()
        again = guest.run(INSTALL, within_s=INSTALL_S)
        lab.keep("transcript-again.txt", again.stdout)
        lab.check("a second run succeeds", again.returncode == 0, f"{time.monotonic() - started_s:.0f} s")
        after = guest.sh(STATE_OF_THINGS)
        changed = sorted(set(before.splitlines()) ^ set(after.splitlines()))
        lab.check("a second run changes nothing", not changed, changed[:5] or "")

        guest.write("/etc/facelatch/facelatch.toml", CONFIG.read_text())
        guest.sh("systemctl restart facelatch-door facelatch-eyes")
        guest.until("systemctl is-active -q facelatch-door")
        status = guest.sh("facelatch status")
        lab.check("the owner's settings are in force", "LOCKED" in status and "simulated" not in status, status)
        doctor = guest.run("facelatch doctor")
        lab.keep("doctor.txt", doctor.stdout)
        lab.check(
            "`facelatch doctor` finds no fault", doctor.returncode == 0, doctor.stdout if doctor.returncode else ""
        )
        _sandboxes(lab, guest)
        writes = board.written(guest, PIN)
        lab.check("the pin was driven, and never active", bool(writes) and not any(w.level for w in writes), writes[:3])
        enrolled = guest.run("cd /root/facelatch/photos; facelatch enroll 'Barack Obama' obama.jpg obama3.jpg")
        lab.check("two photographs are enrolled while the lock runs", enrolled.returncode == 0, enrolled.stdout[-200:])
        for show in ("lab-film", "lab-show"):
            guest.push(INSIDE / show, "/root")
        guest.sh("rm -rf /root/facelatch/wheels; sh /root/lab-film")
        lab.keep_journal(guest)
        guest.freeze(lab.installed)


def _install(lab: Lab, guest: Guest) -> None:
    started_s = time.monotonic()
    installed = guest.run(INSTALL, within_s=INSTALL_S)
    took_s = time.monotonic() - started_s
    lab.keep("transcript.txt", f"$ sudo {INSTALL}\n{installed.stdout}\n({took_s:.0f} s in emulation)")
    lab.check("the installer succeeds", installed.returncode == 0, f"{took_s:.0f} s")
    if installed.returncode:
        raise AssertionError(installed.stdout[-2000:])
    lab.check("the guardian is READY", guest.run("systemctl is-active facelatch-door").stdout.strip() == "active")
    users = guest.sh("id facelatch-door; id facelatch-eyes; getent group facelatch-admin")
    members = users.rsplit(":", 1)[-1]
    lab.check("both users, and an operators' group without either", "facelatch" not in members, users)


def _sandboxes(lab: Lab, guest: Guest) -> None:
    units = guest.sh("cd /etc/systemd/system; ls facelatch*.service").split()
    verified = guest.run(f"cd /etc/systemd/system; systemd-analyze verify --man=no {' '.join(units)}")
    lab.check("`systemd-analyze verify` is clean", verified.returncode == 0 and not verified.stdout, verified.stdout)
    for unit, most in (("facelatch-door", 1.5), ("facelatch-eyes", 2.5)):
        table = guest.run(f"systemd-analyze security --no-pager {unit}.service").stdout
        lab.keep(f"security-{unit}.txt", table)
        exposure = float(table.rsplit("level for", 1)[-1].split(":")[1].split()[0])
        lab.check(f"exposure of {unit} at most {most}", exposure <= most, exposure)
