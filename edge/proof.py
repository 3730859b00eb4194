"""What drills have shown at this door, and whether a face alone may open it.

Presentations are kept as they are counted, each in one transaction, with what they were shown to: the camera, the
networks and the judge that the eyes say they use, and the settings that decide who is alive. Another one of these, and
the drill has expired: its presentations count no more. What cannot be read was never shown.

Left out on purpose: the similarity that a match needs. It follows who is enrolled, and a picture is counted only where
it would have opened the door without liveness.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from edge import wire
from edge.core import drill
from edge.core.drill import Count
from edge.errors import FacelatchError
from edge.ports import Clock, Store
from edge.settings import Config
from edge.teller import Teller, quoted

KEY = "drill"
SCHEMA = 1

HOW = "run `facelatch drill`"

Times = Annotated[int, Meta(ge=0, le=drill.SHOWN_MAX)]


class Basis(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a presentation was shown to. ``camera`` as it is pinned, empty for a replay; ``judge`` as the eyes say."""

    camera: str
    judge: str
    live_min: float
    attack_max: float
    challenge: str
    several: str
    min_px: float


WORDS = {
    "camera": "another camera",
    "judge": "other networks, or another judge",
    "live_min": "liveness.live_min",
    "attack_max": "liveness.attack_max",
    "challenge": "liveness.challenge",
    "several": "faces.several",
    "min_px": "faces.min_px",
}


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As it is kept; ``counts``: shown and opened, by kind."""

    schema: int
    basis: Basis
    began_utc: str
    last_utc: str
    counts: dict[str, tuple[Times, Times]]

    def __post_init__(self) -> None:
        if self.schema != SCHEMA or not set(self.counts) <= set(drill.KINDS):
            raise ValueError("of another release")
        if any(opened > shown for shown, opened in self.counts.values()):
            raise ValueError("more opened than shown")


class Proof:
    """Say ``greet`` when the eyes have opened a camera, ``gone`` when they went away."""

    def __init__(self, config: Config, store: Store, clock: Clock, teller: Teller) -> None:
        self._config, self._store, self._clock, self._teller = config, store, clock, teller
        self._here: tuple[str, str] | None = None
        self._record: _Record | None = None
        self._unreadable = ""
        self._read()

    @property
    def judge(self) -> str:
        """What the eyes on the line judge with; empty where they judge nobody, or there are none."""
        return "" if self._here is None else self._here[1]

    def greet(self, camera: str, judge: str) -> None:
        """The eyes have opened this camera, and judge with these networks."""
        self._here = camera, judge
        self._read()

    def gone(self) -> None:
        """The eyes closed the connection: what the next ones will see through is not known."""
        self._here = None

    def lacking(self) -> str:
        """Why there is no passed drill that still holds, or empty. Nothing is lacking where liveness is off: the owner
        has chosen that a photograph opens the door."""
        if self._config.liveness.mode == "off":
            return ""
        if self._unreadable:
            return f"no drill ({self._unreadable})"
        if self._record is None:
            return "no drill yet"
        return self._expired() or drill.lacking(self.tally)

    def refusal(self) -> str:
        """Why no face opens the door by itself, or empty."""
        lacking = self.lacking()
        return f"{lacking}: no face opens alone, {HOW}" if lacking and not self.waived else ""

    @property
    def waived(self) -> bool:
        """Whether the owner wants no drill."""
        return self._config.liveness.drill == "waived"

    def told(self) -> str:
        """For the status line; empty where liveness is off, which says it all."""
        if self._config.liveness.mode == "off":
            return ""
        lacking = self.lacking()
        if not lacking and self._record is not None:
            shown = drill.attacks(self.tally)
            said = f"drill passed {self._record.last_utc[:10]} ({shown.opened} of {shown.shown} attacks passed)"
            return f"{said}, WAIVED in the settings" if self.waived else said
        return f"drill WAIVED ({lacking})" if self.waived else f"NO FACE OPENS ALONE: {lacking}, {HOW}"

    @property
    def tally(self) -> dict[str, Count]:
        """What was shown that still holds."""
        if self._record is None or self._expired():
            return {}
        return {kind: Count(*count) for kind, count in self._record.counts.items()}

    def add(self, kind: str, *, opened: bool) -> None:
        """Count one presentation, and keep it. Where the drill has expired another one begins with it.

        Raises StoreError, and then nothing was counted.
        """
        here = self._basis()
        now_utc = self._clock.utc()
        record = self._record
        if record is None or record.basis != here:
            record = _Record(SCHEMA, here, now_utc, now_utc, {})
        shown, before = record.counts.get(kind, (0, 0))
        count = min(shown + 1, drill.SHOWN_MAX), min(before + opened, drill.SHOWN_MAX)
        record = msgspec.structs.replace(record, last_utc=now_utc, counts={**record.counts, kind: count})
        self._keep(record)

    def forget(self, who: str) -> None:
        """Begin from nothing. Raises StoreError."""
        self._store.keep(KEY, "")
        self._record, self._unreadable = None, ""
        self._teller.tell("drill_forgotten", by=who)

    def report(self) -> wire.DrillReport:
        """Everything, for the command."""
        record, tally = self._record, self.tally
        holds = record is not None and not self._expired()
        counts = [wire.DrillCount(kind, count.shown, count.opened) for kind, count in tally.items()]
        return wire.DrillReport(
            camera="" if self._here is None else self._here[0],
            judge=self.judge,
            liveness=self._config.liveness.mode,
            counts=counts,
            lacking=self.lacking(),
            waived=self.waived,
            began_utc=record.began_utc if record is not None and holds else None,
            last_utc=record.last_utc if record is not None and holds else None,
        )

    def _expired(self) -> str:
        """What is another one than the drill was made with."""
        record = self._record
        if record is None:
            return ""
        here = self._basis()
        for field, was in msgspec.structs.asdict(record.basis).items():
            now = getattr(here, field)
            if now == was:
                continue
            if field in ("camera", "judge"):
                return f"the drill has EXPIRED ({WORDS[field]})"
            return f"the drill has EXPIRED ({WORDS[field]} was {was}, and is {now})"
        return ""

    def _basis(self) -> Basis:
        """As it is now. Of eyes that are away nothing is known, and nothing has changed."""
        live, faces, record = self._config.liveness, self._config.faces, self._record
        known = ("", "") if record is None else (record.basis.camera, record.basis.judge)
        camera, judge = self._here or known
        return Basis(camera, judge, live.live_min, live.attack_max, live.challenge, faces.several, faces.min_px)

    def _read(self) -> None:
        self._record, self._unreadable = None, ""
        try:
            text = self._store.setting(KEY)
            self._record = msgspec.json.decode(text, type=_Record) if text else None
        except (FacelatchError, msgspec.DecodeError, ValueError, RecursionError) as error:
            self._unreadable = f"what was shown cannot be read: {quoted(str(error))[:100]}"

    def _keep(self, record: _Record) -> None:
        self._store.keep(KEY, msgspec.json.encode(record).decode())
        was = self.lacking()
        self._record, self._unreadable = record, ""
        if bool(was) != bool(self.lacking()):
            self._teller.tell("drill_holds" if was else "drill_lacking", reason=self.told())
