"""What a scenario is given: fresh guests, the photographs, a place for what it finds, and a way to say what held."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.vm import CommandError, Guest, Image, Snapshot

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that had to hold, whether it did, and what was seen."""

    what: str
    holds: bool
    seen: str


@dataclass(slots=True)
class Lab:
    """One scenario's run. ``out`` keeps consoles, journals and transcripts."""

    image: Image
    ready: Snapshot
    installed: Snapshot
    pushed: Path
    photos: Path
    out: Path
    say: Say
    cuts: int = 10
    findings: list[Finding] = field(default_factory=list)

    @contextlib.contextmanager
    def guest(self, start: Snapshot | None = None) -> Iterator[Guest]:
        """A fresh guest of its own, from ``installed`` unless said otherwise; thrown away at the end."""
        with Guest(self.image, self.out, snapshot=start or self.installed) as guest:
            self.say(f"guest after {guest.boot_s:.1f} s")
            try:
                yield guest
            finally:
                self.keep_journal(guest)

    def check(self, what: str, holds: bool, seen: object = "") -> None:
        """State that something holds, or that it does not; the scenario goes on either way."""
        finding = Finding(what, holds, str(seen).strip())
        self.findings.append(finding)
        self.say(f"{'ok  ' if holds else 'FAIL'} {what}" + (f": {finding.seen}" if finding.seen else ""))

    def keep(self, name: str, text: str) -> Path:
        """Keep a text with the scenario's results."""
        path = self.out / name
        path.write_text(text if text.endswith("\n") else text + "\n")
        return path

    def keep_journal(self, guest: Guest) -> None:
        """Keep what the services said, if the guest still answers."""
        if guest.is_off:
            return
        with contextlib.suppress(CommandError):
            name = f"journal-{time.time_ns()}.txt"
            journal = "journalctl --no-pager -o short-monotonic -u 'facelatch*' -u 'lab-*'"
            self.keep(name, guest.run(journal, within_s=60).stdout)

    @property
    def failed(self) -> list[Finding]:
        return [finding for finding in self.findings if not finding.holds]
