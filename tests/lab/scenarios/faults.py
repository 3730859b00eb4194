"""Eyes are stopped, killed and leak, the guardian hangs and is killed: the bolt is secured, and service goes on.

The pin's own record says when. gpio-sim drops a pin whose owner was killed, as older Raspberry Pi kernels do; a newer
one keeps it driven until `facelatch secure` (the guardian's ExecStopPost) writes: it is this write that is timed here.
"""

from tests.lab import board
from tests.lab.lab import Lab
from tests.lab.vm import Guest

PIN = 17
HIGH = f"grep -q 1 /run/lab-lines/sim_gpio{PIN}/value"
PHOTOS = "/root/facelatch/photos"
REPORTING = "eyes_present"
AWAY = "eyes_away"
SECURED_S = 12.0
"""WatchdogSec is 2 s, and starting Python takes up to some seconds in emulation (0.2 s on x86), while the eyes keep
every core busy. The unit's own limit is 15 s."""
MONOTONIC = "python3 -c 'import time; print(time.monotonic())'"


def run(lab: Lab) -> None:
    with lab.guest() as guest:
        since = guest.moment()
        with guest.showing("astronaut.png"):
            lab.check("the eyes report", True, guest.hear(REPORTING, since, within_s=240))
            _eyes_stopped(lab, guest)
            _eyes_killed(lab, guest)
            _eyes_leak(lab, guest)
            _guardian(lab, guest, "STOP")
            _guardian(lab, guest, "KILL")
        verified = guest.run("facelatch log verify")
        lab.check("the log is whole", verified.returncode == 0, verified.stdout)


def _eyes_stopped(lab: Lab, guest: Guest) -> None:
    since = guest.moment()
    guest.sh("kill -STOP $(systemctl show -P MainPID facelatch-eyes)")
    lab.check("stopped eyes are away", True, guest.hear(AWAY, since))
    _button_works(lab, guest, "without eyes")
    since = guest.moment()
    guest.sh("kill -CONT $(systemctl show -P MainPID facelatch-eyes)")
    lab.check("... and there again when they go on", True, guest.hear(REPORTING, since, within_s=240))


def _eyes_killed(lab: Lab, guest: Guest) -> None:
    since = guest.moment()
    guest.sh("kill -KILL $(systemctl show -P MainPID facelatch-eyes)")
    lab.check("killed eyes are missed", True, guest.hear(AWAY, since))
    lab.check("... started again, and report", True, guest.hear(REPORTING, since, within_s=240))


def _eyes_leak(lab: Lab, guest: Guest) -> None:
    """Something in the eyes' unit takes memory without end: all of it is ended at MemoryMax, and started again."""
    slice_ = "/sys/fs/cgroup$(systemctl show -P ControlGroup facelatch-eyes)"
    limit = int(guest.sh("systemctl show -P MemoryMax facelatch-eyes"))
    pid, since = guest.sh("systemctl show -P MainPID facelatch-eyes"), guest.moment()
    guest.write("/root/leak.py", "held = []\nwhile True:\n    held.append(bytearray(b'x' * 2**20))\n")
    leaked = guest.run(f"sh -c 'echo $$ >{slice_}/cgroup.procs; exec python3 /root/leak.py'", within_s=120)
    lab.check("what leaks in the eyes' unit is killed", leaked.returncode in {-9, 137, 255}, leaked.returncode)
    guest.hear(AWAY, since)
    told = guest.sh("journalctl -k -o cat --no-pager | grep -m1 'Memory cgroup out of memory'")
    lab.check("... at the unit's limit", limit == 512 * 2**20, f"{limit} bytes; {told}")
    guest.until(f"! test -e /proc/{pid}", within_s=30)
    lab.check("... and the eyes with it; the guardian serves", guest.sh("facelatch status").startswith("LOCKED"))
    lab.check("... they are started again, and report", True, guest.hear(REPORTING, since, within_s=240))


def _guardian(lab: Lab, guest: Guest, signal: str) -> None:
    """Stop or kill the guardian while the bolt is released for 25 s."""
    restarts = int(guest.sh("systemctl show -P NRestarts facelatch-door"))
    begun_s = board.now_s(guest)
    guest.sh(f"facelatch unlock --for 25s --reason 'SIG{signal}'")
    guest.until(HIGH, within_s=20)
    struck_s = float(guest.sh(f"{MONOTONIC}; kill -{signal} $(systemctl show -P MainPID facelatch-door)"))
    guest.until(f"test $(systemctl show -P NRestarts facelatch-door) -gt {restarts}", within_s=60)
    guest.until("systemctl is-active -q facelatch-door", within_s=120)
    ready_s = board.now_s(guest)
    writes = board.written(guest, PIN, begun_s)
    lab.keep(f"pin-{signal}.txt", "\n".join(f"{w.at_s - struck_s:8.3f} s {w.level} {w.who}" for w in writes))
    lows = [write.at_s for write in writes if write.at_s > struck_s and not write.level]
    took_s = lows[0] - struck_s if lows else float("inf")
    lab.check(f"SIG{signal}: `facelatch secure` writes the secure level", took_s < SECURED_S, f"after {took_s:.1f} s")
    again = [write for write in writes if write.at_s > struck_s and write.level]
    lab.check(f"SIG{signal}: the bolt is not released again", not again and guest.line(PIN) == 0, again or "")
    lab.check(f"SIG{signal}: the guardian serves again", True, f"{ready_s - struck_s:.1f} s after")


def _button_works(lab: Lab, guest: Guest, how: str) -> None:
    guest.pull(22, 0)
    guest.until(HIGH, within_s=30)
    guest.pull(22, 1)
    guest.until(f"grep -q 0 /run/lab-lines/sim_gpio{PIN}/value", within_s=60)
    lab.check(f"the exit button works {how}", True)
