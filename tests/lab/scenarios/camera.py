"""The camera freezes, goes black, is pulled out, is replaced by another: nobody is let in by it, and service goes on.

The exit button works throughout, what is wrong is told, and with a camera again the person enrolled is let in. The
kernel's v4l2loopback has no plug: pulled out means that its source ends and then that the module, and the device's node
with it, is gone.
"""

from tests.lab import board
from tests.lab.lab import Lab
from tests.lab.vm import Guest

PIN, EXIT_BUTTON = 17, 22
HIGH = f"grep -q 1 /run/lab-lines/sim_gpio{PIN}/value"
LOW = f"grep -q 0 /run/lab-lines/sim_gpio{PIN}/value"
PHOTOS = "/root/facelatch/photos"
FACE_S = 300.0
"""How long a face may take until it is judged, the eyes' start included: here emulated, some tens of seconds."""
PULLED_OUT = "until modprobe -r v4l2loopback 2>/dev/null; do sleep 0.2; done; ! test -e /dev/video0"
PLUGGED_IN = "modprobe v4l2loopback video_nr=0 card_label=another exclusive_caps=1 max_buffers=2; udevadm settle"


def run(lab: Lab) -> None:
    with lab.guest() as guest:
        begun_s = board.now_s(guest)
        _frozen(lab, guest)
        _black(lab, guest)
        _pulled_out(lab, guest)
        button = [write.at_s for write in board.written(guest, PIN, begun_s) if write.level]
        lab.check("until then nobody was let in but by the exit button", len(button) == 3, f"{len(button)} times")
        _replaced(lab, guest)
        verified = guest.run("facelatch log verify")
        lab.check("the log is whole", verified.returncode == 0, verified.stdout)


def _frozen(lab: Lab, guest: Guest) -> None:
    """One frame of the person enrolled, for ever."""
    since = guest.moment()
    with guest.showing("obama2.jpg", still=True):
        lab.check("a frozen camera is told", True, guest.hear("repeats one frame", since, within_s=FACE_S))
        _button_works(lab, guest, "with a frozen camera")


def _black(lab: Lab, guest: Guest) -> None:
    """Black to the last bit, as a covered lens may be: no fault, and nobody is seen."""
    since = guest.moment()
    with guest.showing("black"):
        lab.check("with a black picture the eyes report", True, guest.hear("eyes_present", since, within_s=FACE_S))
        _button_works(lab, guest, "with a black camera")
        status = guest.sh("facelatch status")
        lab.check("... and are still there", "eyes present" in status, status)


def _pulled_out(lab: Lab, guest: Guest) -> None:
    since = guest.moment()
    lab.check("a camera without frames is told", True, guest.hear("gave no frame|stopped|does not open", since))
    guest.sh(PULLED_OUT)
    since = guest.moment()
    lab.check("one that is not there is told", True, guest.hear("does not open", since))
    _button_works(lab, guest, "without a camera")


def _replaced(lab: Lab, guest: Guest) -> None:
    guest.sh(PLUGGED_IN)
    with guest.showing("obama2.jpg"):
        took_s = guest.until(HIGH, within_s=FACE_S)
        lab.check("with another camera the person enrolled is let in", True, f"{took_s:.1f} s after it was plugged in")


def _button_works(lab: Lab, guest: Guest, how: str) -> None:
    guest.pull(EXIT_BUTTON, 0)
    guest.until(HIGH, within_s=30)
    guest.pull(EXIT_BUTTON, 1)
    guest.until(LOW, within_s=60)
    lab.check(f"the exit button works {how}", True)
