"""A full disk, and a root that became read-only: the door goes on, and says what is wrong.

The exit button works throughout, the bolt is secured in time. A guardian that is *started* with a disk that cannot be
written to secures, does not serve, and tries again until it can: it would have no log of whom it lets in.
"""

from tests.lab import board
from tests.lab.lab import Lab
from tests.lab.vm import Guest

PIN, EXIT_BUTTON = 17, 22
HIGH = f"grep -q 1 /run/lab-lines/sim_gpio{PIN}/value"
LOW = f"grep -q 0 /run/lab-lines/sim_gpio{PIN}/value"
PHOTOS = "/root/facelatch/photos"


def run(lab: Lab) -> None:
    with lab.guest() as guest:
        guest.without_camera()
        _full(lab, guest)
        verified = guest.run("facelatch log verify")
        lab.check("the log is whole after the full disk", verified.returncode == 0, verified.stdout)
    with lab.guest() as guest:
        guest.without_camera()
        _read_only(lab, guest)


def _full(lab: Lab, guest: Guest) -> None:
    guest.run("dd if=/dev/zero of=/fill bs=1M; dd if=/dev/zero of=/fill2 bs=512; sync", within_s=600)
    free = guest.sh("df --output=avail / | tail -1")
    lab.check("the disk is full", int(free) == 0 or int(free) < 64, f"{free.strip()} KiB free for root")
    _button(lab, guest, "with a full disk")
    told = guest.run("journalctl -u facelatch-door --no-pager -o cat | grep -m1 log_failed")
    lab.check("the lock says that its log cannot be written", told.returncode == 0, told.stdout)
    enrolled = guest.run(f"cd {PHOTOS}; facelatch enroll 'Joe Biden' biden.jpg")
    lab.check("an enrolment is refused, and says why", enrolled.returncode != 0, enrolled.stdout[-200:])
    begun_s, since = board.now_s(guest), guest.moment()
    guest.sh("systemctl restart --no-block facelatch-door")
    said = guest.hear("^facelatch: The store .* cannot be (locked|written)", since, within_s=180)
    writes = board.written(guest, PIN, begun_s)
    lab.check("a guardian that starts with a full disk says why it does not serve", True, said)
    secured = bool(writes) and not any(write.level for write in writes)
    lab.check("... and has secured before", secured and guest.line(PIN) == 0, writes[-1:])
    guest.sh("rm -f /fill /fill2; sync")
    took_s = guest.until("systemctl is-active -q facelatch-door", within_s=120)
    lab.check("... with room again it serves by itself", True, f"after {took_s:.1f} s: {guest.sh('facelatch status')}")
    enrolled = guest.run(f"cd {PHOTOS}; facelatch enroll 'Joe Biden' biden.jpg")
    lab.check("with room again people are enrolled", enrolled.returncode == 0, enrolled.stdout[-200:])


def _read_only(lab: Lab, guest: Guest) -> None:
    guest.sh("echo u >/proc/sysrq-trigger; until grep -q ' / ext4 ro' /proc/mounts; do sleep 0.1; done")
    lab.check("the root became read-only", guest.run("touch /probe").returncode != 0)
    _button(lab, guest, "with a read-only root")
    lab.check("... and the guardian still answers", True, guest.sh("facelatch status"))
    begun_s = board.now_s(guest)
    guest.sh("facelatch unlock --for 25s --reason 'then killed'")
    guest.sh("kill -KILL $(systemctl show -P MainPID facelatch-door)")
    guest.until(LOW, within_s=60)
    count = "systemctl show -P NRestarts facelatch-door"
    guest.until(f"test $({count}) -ge 1", within_s=60)
    lows = [write for write in board.written(guest, PIN, begun_s) if not write.level]
    lab.check("a guardian killed then is followed by a write of the secure level", bool(lows), lows[-1:])
    state = guest.run("systemctl show -p ActiveState -p SubState facelatch-door; facelatch status").stdout
    lab.check("the bolt stays secured", guest.line(PIN) == 0, state)


def _button(lab: Lab, guest: Guest, how: str) -> None:
    begun_s = board.now_s(guest)
    guest.pull(EXIT_BUTTON, 0)
    guest.until(HIGH, within_s=30)
    guest.pull(EXIT_BUTTON, 1)
    guest.until(LOW, within_s=60)
    spans = board.highs(board.written(guest, PIN, begun_s), board.now_s(guest))
    lab.check(f"the exit button works {how}", len(spans) == 1, [f"{to - since:.1f} s" for since, to in spans])
