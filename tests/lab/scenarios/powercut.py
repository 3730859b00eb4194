"""The power is cut at random moments of writing and of an upgrade; nothing that was acknowledged is lost.

A cut is what lies on the disk at one moment: what the guest's kernel had not written is lost. Of ten cuts one is made
by killing qemu, and the same disk boots cold, services and all; the others keep the disk as it is at that moment while
the machine goes on (qemu's external snapshots), and a second machine mounts each, which replays the file system's
journal, and opens its store with the installed product. A fifth of all cuts falls into an upgrade, between the backup
that precedes it and READY of the new version. `--cuts` says how many.

Then the store opens, its log's chain holds, every acknowledged enrolment and log entry is there, nobody who was
forgotten is back; and where the machine booted, the bolt stayed secured from power-on.
"""

import json
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from edge import app
from edge.settings import Config
from tests.lab import board, releases, stages
from tests.lab.lab import Lab
from tests.lab.places import INSIDE
from tests.lab.vm import Guest, overlay

PIN = 17
SEED = 20261127
BETWEEN_S = 4.0
"""The longest time between two cuts in one run of the machine; the shortest is none."""
UPGRADE_S = 20.0
"""About how long the upgrade's part that changes anything takes in emulation, from its backup to READY."""
PYTHON = "/opt/facelatch/bin/python"


@dataclass(slots=True)
class Acknowledged:
    """What the guest had said over ssh, before its power was cut."""

    people: set[str] = field(default_factory=set)
    forgetting: set[str] = field(default_factory=set)
    forgotten: set[str] = field(default_factory=set)
    reasons: set[str] = field(default_factory=set)
    backups: int = 0

    @classmethod
    def of(cls, lines: Sequence[str]) -> "Acknowledged":
        told = cls()
        for line in lines:
            kind, _, what = line.partition(" ")
            match kind:
                case "person":
                    told.people.add(what)
                case "forgetting":  # from here on it may have happened, or not
                    told.people.discard(what)
                    told.forgetting.add(what)
                case "forgotten":
                    told.forgotten.add(what)
                case "log":
                    told.reasons.add(what)
                case "backup":
                    told.backups += 1
        return told


@dataclass(frozen=True, slots=True)
class Cut:
    """A disk as the cut left it, and how many lines had been heard before. ``upgrading``: of the second part."""

    disk: Path
    heard: int
    upgrading: bool


class Heard:
    """What a program in the guest says, line by line, from all runs."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def listen(self, stream: IO[bytes]) -> threading.Thread:
        """Hear until the stream ends, in a thread."""

        def hear() -> None:
            for line in stream:
                if line.endswith(b"\n"):  # else the power went in the middle of it
                    self.lines.append(line.decode(errors="replace").rstrip("\n"))

        thread = threading.Thread(target=hear, daemon=True)
        thread.start()
        return thread

    def wait_for(self, line: str, within_s: float) -> None:
        """Raises AssertionError when it is not said."""
        end_s = time.monotonic() + within_s
        while line not in self.lines:
            if time.monotonic() > end_s:
                raise AssertionError(f"{line!r} was not said within {within_s:.0f} s, but {self.lines[-5:]}")
            time.sleep(0.05)


def run(lab: Lab) -> None:
    chance = random.Random(SEED)  # noqa: S311 - moments, no secret
    in_upgrade = lab.cuts // 5
    heard = Heard()
    disks = lab.out / "disks"
    disks.mkdir()
    cuts, boots = _while_writing(lab, disks, lab.cuts - in_upgrade, heard, chance)
    if in_upgrade:
        cuts += _while_upgrading(lab, disks, in_upgrade, chance)
        boots += 1
    _examine(lab, cuts, heard)
    told = Acknowledged.of(heard.lines)
    made = len(cuts) + boots
    lab.check(
        f"{lab.cuts} cuts were made", made == lab.cuts, f"{boots} with a cold boot, {len(cuts)} of the disk alone"
    )
    people = len(told.people) + len(told.forgotten)
    lab.check(
        "... and lost nothing acknowledged",
        not lab.failed and people > 0,
        f"{people} enrolments, {len(told.forgotten)} erasures, {len(told.reasons)} entries, {told.backups} backups",
    )
    for disk in disks.iterdir():
        disk.unlink()


def _while_writing(lab: Lab, disks: Path, wanted: int, heard: Heard, chance: random.Random) -> tuple[list[Cut], int]:
    """Machines that write until their power is cut; each boots from the disk that the one before has left."""
    model_id = app.embedder(Config()).model_id
    boots = max(1, wanted // 10)
    cuts: list[Cut] = []
    disk = disks / "0.qcow2"
    overlay(disk, lab.installed.disk)
    for boot in range(boots + 1):
        # The first goes on from its memory, the others boot.
        with Guest(lab.image, lab.out, disk=disk, snapshot=None if boot else lab.installed) as guest:
            if boot:
                _booted(lab, guest, Acknowledged.of(heard.lines), f"boot {boot}")
            if boot == boots:
                break
            images = (wanted - boots) * (boot + 1) // boots - (wanted - boots) * boot // boots
            guest.without_camera()
            guest.push(INSIDE / "writer.py", "/root")
            with guest.stream(f"{PYTHON} -u /root/writer.py {boot + 1} {model_id}") as writer:
                assert writer.stdout is not None
                listening = heard.listen(writer.stdout)
                heard.wait_for(f"person Visitor {boot + 1} 1", 120)
                for _ in range(images):
                    time.sleep(chance.uniform(0, BETWEEN_S))
                    known = len(heard.lines)
                    cuts.append(Cut(guest.moment_of_disk(disks / f"{len(cuts) + 1}.qcow2"), known, False))
                time.sleep(chance.uniform(0, BETWEEN_S))
                guest.cut()
                disk = guest.disk
                listening.join(60)
    return cuts, boots


def _while_upgrading(lab: Lab, disks: Path, wanted: int, chance: random.Random) -> list[Cut]:
    """One upgrade whose disk is kept at moments, and whose power is cut for good at the last of them."""
    upgradable = stages.upgradable(lab)
    cuts: list[Cut] = []
    said = Heard()
    disk = disks / "upgrade-0.qcow2"
    overlay(disk, upgradable.disk)
    with Guest(lab.image, lab.out, disk=disk, snapshot=upgradable) as guest:
        with guest.stream(releases.install(releases.NEXT)) as installer:
            assert installer.stdout is not None
            listening = said.listen(installer.stdout)
            said.wait_for("- back up the store", 300)
            for _ in range(wanted - 1):
                time.sleep(chance.uniform(0, 2 * UPGRADE_S / (wanted + 1)))
                cuts.append(Cut(guest.moment_of_disk(disks / f"upgrade-{len(cuts) + 1}.qcow2"), 0, True))
            time.sleep(chance.uniform(0, 2 * UPGRADE_S / (wanted + 1)))
            ended = installer.poll() is not None
            guest.cut()
            listening.join(60)
        disk = guest.disk
    lab.keep("upgrade.txt", "\n".join(said.lines))
    lab.check("the upgrade was cut off in its middle", not ended, said.lines[-1:])
    with Guest(lab.image, lab.out, disk=disk) as guest:
        _booted(lab, guest, Acknowledged(people={releases.ENROLLED}), "boot after the cut upgrade")
        lab.check("... either version is in use", True, guest.sh("facelatch --version"))
    return cuts


def _booted(lab: Lab, guest: Guest, told: Acknowledged, which: str) -> None:
    guest.until("systemctl is-active -q facelatch-door", within_s=300)
    guest.push(INSIDE / "checker.py", "/root")
    _judge(lab, json.loads(guest.sh(f"{PYTHON} /root/checker.py").splitlines()[-1]), told, told, which)
    highs = [write for write in board.written(guest, PIN) if write.level]
    lab.check(f"{which}: the bolt is secured from power-on", not highs and guest.line(PIN) == 0, highs or "")
    lab.keep_journal(guest)


def _examine(lab: Lab, cuts: Sequence[Cut], heard: Heard) -> None:
    """Mount every disk in one machine, and open its store: in one process, or with what that disk has installed."""
    at_last = Acknowledged.of(heard.lines)
    with lab.guest() as guest:
        guest.sh("systemctl stop facelatch-eyes facelatch-door")
        guest.push(INSIDE / "checker.py", "/root")
        for number, cut in enumerate(cuts):
            # A layer of its own, as mounting writes.
            layer = cut.disk.with_suffix(".look")
            overlay(layer, cut.disk)
            device = guest.plug_in(layer, f"cut{number}")
            guest.sh(f"mkdir -p /mnt/{number} && mount {device} /mnt/{number}")
        writing = [number for number, cut in enumerate(cuts) if not cut.upgrading]
        folders = " ".join(f"/mnt/{number}/var/lib/facelatch" for number in writing)
        found = dict(
            zip(writing, _documents(guest.sh(f"{PYTHON} /root/checker.py {folders}", within_s=900)), strict=True)
        )
        for number in range(len(cuts)):
            if number in found:
                continue
            into = f"/mnt/{number}"
            guest.sh(
                f"cp /root/checker.py {into}/root; for each in dev proc; do mount --bind /$each {into}/$each; done"
            )
            (found[number],) = _documents(guest.sh(f"chroot {into} {PYTHON} /root/checker.py"))
            found[number]["version"] = guest.sh(f"basename $(readlink {into}/opt/facelatch)")
            # A unit that is empty is masked: the lock would not start. A .new was not in use yet.
            empty = guest.sh(f"find {into}/etc -name '*facelatch*' ! -name '*.new' -type f -size 0")
            found[number]["broken"] = found[number]["broken"] or empty.replace("\n", " ")
    for number, cut in enumerate(cuts):
        told = Acknowledged(people={releases.ENROLLED}) if cut.upgrading else Acknowledged.of(heard.lines[: cut.heard])
        _judge(lab, found[number], told, at_last, f"cut {number + 1}{' (upgrade)' if cut.upgrading else ''}")


def _judge(lab: Lab, found: dict[str, Any], told: Acknowledged, at_last: Acknowledged, which: str) -> None:
    people, reasons = set(found["people"]), set(found["reasons"])
    # Who was about to be forgotten may be there or not: that line may have been on its way.
    lost = sorted(told.people - at_last.forgetting - people) + sorted(told.reasons - reasons)
    back = sorted(told.forgotten & people)
    seen = [f"{len(people)} people, {len(reasons)} entries, a chain of {found['checked']}", found.get("version", "")]
    seen += [f"lost {lost[:5]}"] * bool(lost) + [f"back {back[:5]}"] * bool(back) + [found["broken"]]
    lab.check(f"{which}: the store is whole", not (lost or back or found["broken"]), "; ".join(filter(None, seen)))


def _documents(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]
