"""24 hours of visitors in accelerated time: memory, open files and the log stay as large as they are.

Through camera, networks, sockets, store and pin, one after the other: somebody who is enrolled, nobody, a stranger,
nobody. After each round the calendar is set an hour ahead, so that the day's entries have the times of a day; what the
guardian does by the monotonic clock (pruning, the log's head) comes as often as it comes. The log is at its limit from
the beginning, as it is in a lock that is in use for long. Figures are compared from the fourth round on.
"""

import json
from dataclasses import dataclass

from tests.lab import board
from tests.lab.lab import Lab
from tests.lab.places import INSIDE
from tests.lab.vm import Guest

PIN = 17
PHOTOS = "/root/facelatch/photos"
HOURS = 24
WARM = 4
"""Rounds before the first figures: allocators and caches have what they need by then."""
KEEP_ROWS = 1000
ROUND_S = 180.0
GROWTH_MIB = 4.0
"""Of resident memory from then on: what the allocators move. A megabyte a frame or a visitor would be hundreds."""
SETTINGS = f"""
[door]
unlock_s = 1.0

[log]
keep_rows = {KEEP_ROWS}
head_every_s = 10
"""
MEASURE = """
for unit in door eyes; do
    pid=$(systemctl show -P MainPID facelatch-$unit)
    echo $unit $pid $(awk '/VmRSS/ { print $2 }' /proc/$pid/status) $(ls /proc/$pid/fd | wc -l)
done
echo log $(sqlite3 -readonly /var/lib/facelatch/facelatch.db 'SELECT count(*) FROM events') \
    $(du -sb --exclude=backups /var/lib/facelatch | cut -f1) 0
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """At one moment: process ids, resident memory (KiB), open files, entries and bytes of the store."""

    pids: tuple[int, int]
    memory_kib: tuple[int, int]
    files: tuple[int, int]
    entries: int
    store_bytes: int

    @classmethod
    def of(cls, guest: Guest) -> "Figures":
        door, eyes, log = ([int(each) for each in line.split()[1:]] for line in guest.sh(MEASURE).splitlines())
        return cls((door[0], eyes[0]), (door[1], eyes[1]), (door[2], eyes[2]), log[0], log[1])


def run(lab: Lab) -> None:
    with lab.guest() as guest:
        guest.without_camera()
        guest.sh("cat >>/etc/facelatch/facelatch.toml; facelatch config check", given=SETTINGS.encode())
        guest.sh("systemctl restart facelatch-door; systemctl stop facelatch-eyes", within_s=180)
        guest.push(INSIDE / "fill_log.py", "/root")
        guest.sh(f"/opt/facelatch/bin/python /root/fill_log.py {KEEP_ROWS + 200}", within_s=600)
        begun_s = board.now_s(guest)
        figures = _day(lab, guest)
        ended_s = board.now_s(guest)
        spans = board.highs(board.written(guest, PIN, begun_s), ended_s)
        entered = len(json.loads(guest.sh("facelatch log --json --last 5000 --kind released")))
        lab.check("everybody enrolled was let in", len(spans) >= HOURS, f"{len(spans)} releases, {entered} in the log")
        _flat(lab, figures)
        verified = guest.run("facelatch log verify", within_s=600)
        lab.check("the log is whole", verified.returncode == 0, verified.stdout)


def _day(lab: Lab, guest: Guest) -> list[Figures]:
    figures = []
    since = guest.moment()
    with guest.showing("obama2.jpg", "black", "astronaut.png", "black"):
        guest.sh("systemctl start facelatch-eyes")
        for hour in range(HOURS):
            guest.hear(" released ", since, within_s=ROUND_S)
            since = guest.moment()
            guest.hear("refused .*not recognised", since, within_s=ROUND_S)
            if hour >= WARM:
                figures.append(Figures.of(guest))
            guest.sh("date --set='+1 hour' >/dev/null")
            since = guest.moment()
    lab.keep("figures.txt", "\n".join(map(str, figures)))
    return figures


def _flat(lab: Lab, figures: list[Figures]) -> None:
    first, last = figures[0], figures[-1]
    lab.check("neither process was started again", len({each.pids for each in figures}) == 1)
    for which, name in enumerate(("guardian", "eyes")):
        grown = (last.memory_kib[which] - first.memory_kib[which]) / 1024
        seen = f"{first.memory_kib[which] / 1024:.1f} -> {last.memory_kib[which] / 1024:.1f} MiB"
        lab.check(f"the {name}'s memory is flat", grown < GROWTH_MIB, seen)
        counts = [each.files[which] for each in figures]
        lab.check(f"the {name}'s open files are flat", counts[-1] <= counts[0] + 1, f"{counts[0]} -> {counts[-1]}")
    lab.check("the log is at its limit", last.entries <= KEEP_ROWS + 200, f"{first.entries} -> {last.entries} entries")
    grown = last.store_bytes - first.store_bytes
    lab.check("the store's size is flat", grown <= 64 * 1024, f"{first.store_bytes} -> {last.store_bytes} bytes")
