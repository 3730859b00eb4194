"""A clock that nobody sets, an hour left out or repeated, a day that is skipped: schedules hold, releases end.

Everything that decides how long runs on the monotonic clock, so a calendar that jumps moves no bolt and holds none. Who
may come in by a schedule is looked up in the door's time zone; without NTP it is not believed. NTP is played by
adjtimex, which tells the kernel that its clock is held.
"""

from tests.lab import board
from tests.lab.lab import Lab
from tests.lab.vm import Guest

PIN, EXIT_BUTTON = 17, 22
HIGH = f"grep -q 1 /run/lab-lines/sim_gpio{PIN}/value"
LOW = f"grep -q 0 /run/lab-lines/sim_gpio{PIN}/value"
PHOTOS = "/root/facelatch/photos"
FACE_S = 300.0
UNLOCK_S = 5.0
"""door.unlock_s, the default."""
FREE = "Sun 02:15-02:45"
"""Within the hour that does not exist in Berlin on 29 March 2026, and that comes twice on 25 October."""
HIDDEN = "/run/systemd/system/facelatch-door.service.d/60-lab.conf"
HELD = """
import ctypes, sys
buffer = ctypes.create_string_buffer(512)
fields = (ctypes.c_uint * 2).from_buffer(buffer)  # modes, then padding; see adjtimex(2)
status = ctypes.c_int.from_buffer(buffer, 40)
fields[0], status.value = 0x0010 | 0x0004 | 0x0008, int(sys.argv[1])  # ADJ_STATUS, MAXERROR, ESTERROR
assert ctypes.CDLL(None).adjtimex(buffer) != -1
"""


def run(lab: Lab) -> None:
    with lab.guest() as guest:
        guest.write("/root/held.py", HELD)
        _nobody_sets_it(lab, guest)
        _daylight_saving(lab, guest)
        _a_day_is_skipped(lab, guest)
        verified = guest.run("facelatch log verify")
        lab.check("the log is whole after all of it", verified.returncode == 0, verified.stdout)


def _nobody_sets_it(lab: Lab, guest: Guest) -> None:
    """As on a board without a network or a clock of its own: by a schedule nobody comes in, until NTP holds it."""
    guest.sh("facelatch people allow 'Barack Obama' --schedule 'Mon-Sun 00:00-24:00'")
    _no_clock_with_a_battery(guest)
    begun_s, since = board.now_s(guest), guest.moment()
    with guest.showing("obama2.jpg"):
        seen = guest.hear("refused .*(clock|calendar|trust)", since, within_s=FACE_S)
    moved = [write for write in board.written(guest, PIN, begun_s) if write.level]
    status = guest.sh("facelatch status")
    lab.check("without NTP the lock serves", status.startswith("LOCKED"), status)
    lab.check("... but lets nobody in by a schedule that the clock decides", not moved, seen)
    guest.sh("python3 /root/held.py 0")
    with guest.showing("obama2.jpg"):
        took_s = guest.until(HIGH, within_s=FACE_S)
        lab.check("... and does so once the clock is held", True, f"{took_s:.1f} s after")
    guest.until(LOW, within_s=60)


def _no_clock_with_a_battery(guest: Guest) -> None:
    """The emulated PC has one, a Raspberry Pi before the 5 has none: the guardian looks for it."""
    guest.write(HIDDEN, "[Service]\nInaccessiblePaths=-/sys/class/rtc\n")
    guest.sh(
        "rm -f /dev/rtc0; python3 /root/held.py 64; systemctl daemon-reload; systemctl restart facelatch-door",
        within_s=180,
    )
    guest.until("systemctl is-active -q facelatch-door")


def _daylight_saving(lab: Lab, guest: Guest) -> None:
    """A door with free hours inside the hour that is left out, and inside the one that comes twice."""
    guest.without_camera()
    guest.sh(f"rm {HIDDEN}; systemctl daemon-reload")  # date, which sets the clock here, also ends NTP's hold
    guest.sh(
        f"""sed -i '/^\\[door\\]/d' /etc/facelatch/facelatch.toml; printf '%s\\n' '[door]' 'free = "{FREE}"' """
        "'time_zone = \"Europe/Berlin\"' >>/etc/facelatch/facelatch.toml; facelatch config check"
    )
    guest.sh("systemctl restart facelatch-door", within_s=180)
    guest.until("systemctl is-active -q facelatch-door")
    for when, utc, free in (
        ("a minute before the hour that is left out", "2026-03-29 00:59:00", False),
        ("a minute after it", "2026-03-29 01:01:00", False),
        ("02:30 in October, the first time", "2026-10-25 00:30:00", True),
        ("02:50, between the two", "2026-10-25 00:50:00", False),
        ("02:30 in October, the second time", "2026-10-25 01:30:00", True),
        ("03:10, after both", "2026-10-25 02:10:00", False),
    ):
        guest.sh(f"date --utc --set='{utc}' >/dev/null")
        wanted = f"grep -q {int(free)} /run/lab-lines/sim_gpio{PIN}/value"
        settled = guest.run(f"timeout 15 sh -c 'until {wanted}; do sleep 0.2; done; sleep 2; {wanted}'")
        status = guest.sh("facelatch status")
        right = settled.returncode == 0 and status.startswith("FREE" if free else "LOCKED")
        lab.check(f"{when} the door is {'free' if free else 'locked'}", right, status)


def _a_day_is_skipped(lab: Lab, guest: Guest) -> None:
    """Forwards and back, while the bolt is released."""
    for how in ("+1 day", "-1 day", "-20 years", "+20 years"):
        begun_s = board.now_s(guest)
        guest.pull(EXIT_BUTTON, 0)
        guest.until(HIGH, within_s=30)
        guest.sh(f"date --set='{how}' >/dev/null")
        guest.pull(EXIT_BUTTON, 1)
        guest.until(LOW, within_s=60)
        spans = board.highs(board.written(guest, PIN, begun_s), board.now_s(guest))
        lengths = [round(to - since, 2) for since, to in spans]
        right = len(spans) == 1 and abs(lengths[0] - UNLOCK_S) < 1.5
        lab.check(f"a calendar that moves by {how} meanwhile changes no release", right, lengths)
    people = guest.sh("facelatch people")
    lab.check("nobody was erased by it", "Barack Obama" in people, people)
