"""A known face opens, a stranger's does not; exit button, door contact and tamper switch do what they say.

The eyes see photographs on a real V4L2 device, the guardian drives a real kernel's pins, and both run as installed.
Each statement is read off the pin's own record.
"""

import json

from tests.lab import board
from tests.lab.lab import Lab
from tests.lab.vm import Guest

PIN, EXIT_BUTTON, DOOR_CONTACT, TAMPER = 17, 22, 23, 24
UNLOCK_S = 5.0
"""door.unlock_s, the default."""
PHOTOS = "/root/facelatch/photos"
HIGH = f"grep -q 1 /run/lab-lines/sim_gpio{PIN}/value"
LOW = f"grep -q 0 /run/lab-lines/sim_gpio{PIN}/value"
FACE_S = 240.0
"""How long a face may take until it is judged: seconds on a board, here emulated, some tens of them."""


def run(lab: Lab) -> None:
    with lab.guest() as guest:
        _faces(lab, guest)
        _exit_button(lab, guest)
        _door_contact(lab, guest)
        _tamper(lab, guest)
        journal = guest.run("facelatch log verify")
        lab.check("the log is whole", journal.returncode == 0, journal.stdout)
        lab.keep("log.txt", guest.run("facelatch log --last 1000").stdout)


def _faces(lab: Lab, guest: Guest) -> None:
    for stranger in ("astronaut.png", "biden.jpg"):
        begun_s, since = board.now_s(guest), guest.moment()
        with guest.showing(stranger):
            said = guest.hear("refused .*not recognised", since, within_s=FACE_S)
        lab.check(f"a stranger ({stranger}) is refused", True, said)
        writes = board.written(guest, PIN, begun_s)
        lab.check(f"... and the pin did not move ({stranger})", not any(write.level for write in writes))
    begun_s = board.now_s(guest)
    with guest.showing("obama2.jpg"):
        took_s = guest.until(HIGH, within_s=FACE_S)
        guest.until(LOW, within_s=60)
    ended_s = board.now_s(guest)
    spans = board.highs(board.written(guest, PIN, begun_s), ended_s)
    lab.check(
        "the person enrolled is let in", bool(spans), f"{took_s:.1f} s after the camera; {_last(guest, 'released')}"
    )
    lengths = [round(to - since, 2) for since, to in spans]
    lab.check("... once, for as long as is set", len(spans) == 1 and abs(lengths[0] - UNLOCK_S) < 1.5, lengths)


def _exit_button(lab: Lab, guest: Guest) -> None:
    begun_s = board.now_s(guest)
    guest.pull(EXIT_BUTTON, 0)
    guest.until(HIGH, within_s=30)
    guest.until(LOW, within_s=60)
    guest.pull(EXIT_BUTTON, 1)
    spans = board.highs(board.written(guest, PIN, begun_s), board.now_s(guest))
    lengths = [round(to - since, 2) for since, to in spans]
    lab.check("the exit button releases once, however long it is held", len(spans) == 1, lengths)
    lab.check("... for as long as is set", bool(spans) and abs(lengths[0] - UNLOCK_S) < 1.5)


def _door_contact(lab: Lab, guest: Guest) -> None:
    since = guest.moment()
    guest.pull(DOOR_CONTACT, 1)
    lab.check("a door that opens without a grant is forced", True, guest.hear("forced ", since))
    guest.pull(DOOR_CONTACT, 0)
    guest.hear("LOCKED", since)
    lab.check("... and locked again when it is shut", True)
    begun_s = board.now_s(guest)
    guest.sh("facelatch unlock --for 20s --reason 'the contact'")
    guest.until(HIGH, within_s=30)
    guest.pull(DOOR_CONTACT, 1)
    guest.until(LOW, within_s=15)
    (span,) = board.highs(board.written(guest, PIN, begun_s), board.now_s(guest))
    lab.check("the bolt is secured as the door opens", span[1] - span[0] < 15, f"after {span[1] - span[0]:.1f} of 20 s")
    since = guest.moment()
    guest.pull(DOOR_CONTACT, 0)
    guest.hear(" closed", since)


def _tamper(lab: Lab, guest: Guest) -> None:
    guest.sh("facelatch unlock --for 20s --reason 'the case'")
    guest.until(HIGH, within_s=30)
    opened_s = board.now_s(guest)
    since = guest.moment()
    guest.pull(TAMPER, 1)
    guest.until(LOW, within_s=15)
    guest.hear(" tamper", since)
    fell_s = [write.at_s for write in board.written(guest, PIN, opened_s) if not write.level][:1]
    lab.check("an opened case secures", bool(fell_s), f"{fell_s[0] - opened_s:.1f} s after" if fell_s else "")
    refused = guest.run("facelatch unlock --reason 'in spite of it'")
    lab.check("... and holds until it is cleared", guest.line(PIN) == 0, refused.stdout)
    guest.pull(TAMPER, 0)
    guest.sh("facelatch status | grep -q ^FAULT")
    guest.sh("facelatch clear")
    status = guest.sh("facelatch status")
    lab.check("... with the case shut, by an operator", status.startswith("LOCKED"), status)


def _last(guest: Guest, kind: str) -> str:
    (entry,) = json.loads(guest.sh(f"facelatch log --json --last 1 --kind {kind}"))
    return json.dumps(entry["detail"])
