"""From power-on to READY the pin is never active: not by the boot, the guardian's start, or an orderly end.

The kernel records every write to the pin from before its chip exists (guest/lab-board). The same machine is then shut
down in order and booted again.
"""

from tests.lab import board
from tests.lab.lab import Lab
from tests.lab.vm import Guest, overlay

PIN = 17


def run(lab: Lab) -> None:
    disk = lab.out / "disk.qcow2"
    overlay(disk, lab.installed.disk)
    try:
        for time in ("first", "second"):
            with Guest(lab.image, lab.out, disk=disk) as guest:
                _boot(lab, guest, time)
                guest.power_off()
    finally:
        disk.unlink()


def _boot(lab: Lab, guest: Guest, time: str) -> None:
    guest.until("systemctl is-active -q facelatch-door", within_s=300)
    ready_us = int(guest.sh("systemctl show -P ActiveEnterTimestampMonotonic facelatch-door"))
    ssh_s = guest.boot_s
    lab.check(f"{time} boot: READY", True, f"{ready_us / 1e6:.1f} s after the kernel's start; ssh after {ssh_s:.0f} s")
    writes = board.written(guest, PIN)
    lab.check(
        f"{time} boot: the guardian took the pin", bool(writes), [f"{w.at_s:.1f} s {w.who} {w.level}" for w in writes]
    )
    lab.check(f"{time} boot: the pin was never active", not any(w.level for w in writes))
    lab.check(f"{time} boot: the pin is low now", guest.line(PIN) == 0)
    took = [w.at_s for w in writes][:1]
    lab.check(f"{time} boot: it was safe before READY", bool(took) and took[0] <= ready_us / 1e6, took)
    guest.until("systemctl is-active -q facelatch-eyes", within_s=300)
    state = guest.run("systemctl is-system-running --wait").stdout.strip()
    lab.check(
        f"{time} boot: the whole system is up",
        state == "running",
        guest.run("systemctl --failed").stdout if state != "running" else "",
    )
    lab.keep_journal(guest)
