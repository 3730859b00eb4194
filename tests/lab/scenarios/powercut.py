"""The power is cut at random moments while the store is written to; nothing that was acknowledged is lost.

qemu is killed, so that what the guest's kernel had not yet written to its disk is gone, and the same disk boots cold.
Then the store opens, its log's chain holds, every acknowledged enrolment and log entry is there, nobody who was
forgotten is back, and the bolt stays secured from power-on. `--cuts` says how often.
"""

import json
import random
import time
from dataclasses import dataclass, field

from edge import app
from edge.settings import Config
from tests.lab import board
from tests.lab.lab import Lab
from tests.lab.places import INSIDE
from tests.lab.vm import Guest, overlay

PIN = 17
SEED = 20261127
WRITES_S = 20.0
"""The cut comes at a random moment of so many seconds, from the first acknowledgement on."""


@dataclass(slots=True)
class Acknowledged:
    """What the guest said over ssh, before its power was cut."""

    people: set[str] = field(default_factory=set)
    forgotten: set[str] = field(default_factory=set)
    reasons: set[str] = field(default_factory=set)
    backups: int = 0

    def hear(self, line: str) -> None:
        kind, _, what = line.rstrip("\n").partition(" ")
        match kind:
            case "person":
                self.people.add(what)
            case "forgetting":
                self.people.discard(what)
            case "forgotten":
                self.forgotten.add(what)
            case "log":
                self.reasons.add(what)
            case "backup":
                self.backups += 1


def run(lab: Lab) -> None:
    chance = random.Random(SEED)  # noqa: S311 - a moment, no secret
    model_id = app.embedder(Config()).model_id
    told = Acknowledged()
    disk = lab.out / "disk.qcow2"
    overlay(disk, lab.installed.disk)
    try:
        for cut in range(lab.cuts + 1):
            with Guest(lab.image, lab.out, disk=disk) as guest:
                _after(lab, guest, told, cut)
                if cut < lab.cuts:
                    _write_until(guest, told, cut, chance.uniform(0.0, WRITES_S), model_id)
    finally:
        disk.unlink()
    people, entries = len(told.people) + len(told.forgotten), len(told.reasons)
    lab.check(
        f"{lab.cuts} cuts lost nothing acknowledged",
        not lab.failed and people > 0,
        f"{people} enrolments, {len(told.forgotten)} erasures, {entries} log entries, {told.backups} backups",
    )


def _write_until(guest: Guest, told: Acknowledged, cut: int, after_s: float, model_id: str) -> None:
    guest.push(INSIDE / "writer.py", "/root")
    with guest.stream(f"/opt/facelatch/bin/python -u /root/writer.py {cut + 1} {model_id}") as writer:
        assert writer.stdout is not None
        first = writer.stdout.readline().decode()
        if not first:
            raise AssertionError("the writer said nothing: " + guest.run("journalctl -n 20 --no-pager").stdout)
        end_s = time.monotonic() + after_s
        told.hear(first)
        while time.monotonic() < end_s and (line := writer.stdout.readline().decode()):
            told.hear(line)
        guest.cut()
        for line in writer.stdout.read().decode().splitlines(keepends=True):
            if line.endswith("\n"):  # said before the cut, and still on its way
                told.hear(line)


def _after(lab: Lab, guest: Guest, told: Acknowledged, cut: int) -> None:
    which = f"after cut {cut}" if cut else "before the first cut"
    guest.until("systemctl is-active -q facelatch-door", within_s=300)
    guest.push(INSIDE / "checker.py", "/root")
    found = json.loads(guest.sh("/opt/facelatch/bin/python /root/checker.py").splitlines()[-1])
    people, reasons = set(found["people"]), set(found["reasons"])
    lost = sorted(told.people - people) + sorted(told.reasons - reasons)
    back = sorted(told.forgotten & people)
    seen = f"{len(people)} people, {len(reasons)} entries"
    lab.check(f"{which}: nothing acknowledged is lost", not lost, lost[:5] or seen)
    lab.check(f"{which}: nobody forgotten is back", not back, back[:5] or "")
    lab.check(f"{which}: the log's chain holds", not found["broken"], found["broken"] or f"{found['checked']} entries")
    highs = [write for write in board.written(guest, PIN) if write.level]
    lab.check(f"{which}: the bolt is secured from power-on", not highs and guest.line(PIN) == 0, highs or "")
