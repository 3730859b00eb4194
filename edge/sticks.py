"""What is taken of sticks: an owner's bundles, once, before their day, and nobody is brought back by one; plain folders
of photographs, by whomever, while an operator has a window open for them.

Who was forgotten leaves no name behind to compare with. So a bundle that is older than the newest forgetting is not
taken at all: a new one is made quickly.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from edge import wire
from edge.core.names import shown
from edge.errors import DoorError, InputError, StoreError
from edge.pairing import Pairings
from edge.ports import Clock, Store
from edge.teller import Teller
from edge.types import Sign

DAYS_MAX = 30
"""How long a bundle is good at most, so that the list of used ones stays short."""

USED_MAX = 100

SKEW = timedelta(minutes=10)
"""How far a laptop's clock may be off: a bundle from the future waits, and who was forgotten so shortly before it was
made counts as forgotten after it."""

SETTING = "usb_bundles"

SIGNS = {"looking": Sign.LOOKING, "kept": Sign.KEPT, "refused": Sign.GUIDANCE}
"""What lights and buzzer show while a stick is read, as in an enrolment at the camera."""

FromStick = wire.StickBundle | wire.StickWindow | wire.StickProgress | wire.StickReport


@dataclass(frozen=True, slots=True)
class _Window:
    until_s: float
    who: str
    consent: bool


class Sticks:
    """The list of bundles that were used, the window for plain folders, and the last stick's report."""

    def __init__(
        self, store: Store, clock: Clock, teller: Teller, pairings: Pairings, show: Callable[[Sign], None]
    ) -> None:
        self._store, self._clock, self._teller, self._pairings, self._show = store, clock, teller, pairings, show
        self._report = wire.UsbReport([])
        self._window: _Window | None = None

    def answer(self, question: wire.AskUsbReport | wire.AskUsbWindow, who: str) -> wire.UsbReport | wire.UsbWindow:
        """An operator asks for the last stick's report, or lets plain folders in for a while; opened again, that is
        what counts."""
        if isinstance(question, wire.AskUsbReport):
            return self._report
        self._window = _Window(self._clock.now_s() + question.for_s, who, question.consent)
        self._teller.tell("usb_window", for_s=question.for_s, consent=question.consent, by=who)
        return self._told_window()

    def hear(self, message: FromStick) -> wire.UsbKeys | wire.UsbWindow | wire.UsbReport:
        """What the process at a stick says. Raises DoorError for what is not taken, InputError for times that are
        none, StoreError."""
        match message:
            case wire.StickBundle():
                return self._take(message)
            case wire.StickWindow():
                return self._told_window()
            case wire.StickProgress():
                self._show(SIGNS[message.sign])
                return wire.UsbReport([])
        return self._came(message)

    def from_a_folder(self, question: wire.AskEnroll) -> tuple[wire.AskEnroll, str]:
        """What a plain folder's person may be enrolled with, and who is said to ask: nobody gets more templates by it,
        and nobody has agreed of whom the operator did not say so. Raises DoorError when no window is open."""
        window = self._open()
        consent, expires = (question.consent, question.expires) if window.consent else (None, None)
        allowed = msgspec.structs.replace(question, add=False, pin_required=False, consent=consent, expires=expires)
        return allowed, f"plain folders on a stick, as {window.who} allowed"

    def tick(self) -> None:
        """Let time pass: the window closes by itself."""
        if self._window is not None and self._clock.now_s() >= self._window.until_s:
            by, self._window = self._window.who, None
            self._teller.tell("usb_window_closed", by=by)

    def forget(self) -> None:
        """Somebody was forgotten: the report may have the name."""
        self._report = wire.UsbReport([])

    def _take(self, message: wire.StickBundle) -> wire.UsbKeys:
        """Use a bundle up."""
        line = self._pairings.owner(message.key)
        created, expires = _time(message.created_utc), _time(message.expires_utc)
        now = _time(self._clock.utc())
        if not self._clock.trusted():
            raise DoorError("The lock does not know the time, so no bundle is taken. Let it find a time server.")
        if now >= expires or expires - created > timedelta(days=DAYS_MAX) + SKEW:
            raise DoorError(f"The bundle has expired, or is meant for more than {DAYS_MAX} days. Make a new one.")
        if created > now + SKEW:
            raise DoorError("The bundle is from the future: look at the laptop's clock, or at the lock's.")
        self._require_nobody_forgotten_since(created - SKEW)
        used = {key: until for key, until in self._used().items() if _time(until) > now}
        if message.id.hex() in used:
            raise DoorError("The bundle was used before. Make a new one.")
        if len(used) >= USED_MAX:
            raise DoorError(f"{USED_MAX} bundles were used that have not expired yet. Use the cable.")
        used[message.id.hex()] = message.expires_utc
        self._store.keep(SETTING, msgspec.json.encode(used).decode())
        self._teller.tell("usb_bundle", laptop=line.label, key=line.mark, id=message.id.hex()[:8])
        return wire.UsbKeys([line])

    def _came(self, message: wire.StickReport) -> wire.UsbReport:
        """Keep a report, and show how it went on lights and buzzer."""
        self._report = wire.UsbReport(message.lines, self._clock.utc())
        enrolled = sum(line.refused is None for line in message.lines)
        refused = len(message.lines) - enrolled
        self._teller.tell("usb_stick", enrolled=enrolled, refused=refused)
        self._show(Sign.REFUSED if refused or not enrolled else Sign.KEPT)
        return self._report

    def _told_window(self) -> wire.UsbWindow:
        window = self._open()
        return wire.UsbWindow(window.until_s - self._clock.now_s(), window.consent)

    def _open(self) -> _Window:
        self.tick()
        if self._window is None:
            raise DoorError(
                "Plain folders are taken for a while alone. Let them in with `facelatch usb window` on the lock, then "
                "plug the stick in again; or make a bundle."
            )
        return self._window

    def _require_nobody_forgotten_since(self, since: datetime) -> None:
        forgotten = self._store.log_page(kind="forgotten", last=1)
        first = self._store.log_page(limit=1)
        is_pruned = bool(first) and first[0].id > 1 and _time(first[0].at_utc) > since
        if is_pruned or (forgotten and _time(forgotten[-1].at_utc) >= since):
            raise DoorError(
                "Somebody was forgotten since the bundle was made, or the log does not reach back so far. Make a new "
                "one without that person."
            )

    def _used(self) -> dict[str, str]:
        text = self._store.setting(SETTING)
        try:
            return {} if text is None else msgspec.json.decode(text, type=dict[str, str])
        except msgspec.DecodeError as error:
            raise StoreError(
                f"The list of used bundles cannot be read ({shown(str(error), 80)[1:-1]}). Restore a backup."
            ) from error


def _time(utc: str) -> datetime:
    try:
        found = datetime.fromisoformat(utc)
    except ValueError as error:
        raise InputError(f"{shown(utc)} is no time. Make the bundle with `facelatch bundle create`.") from error
    if found.tzinfo is None:
        raise InputError(f"{shown(utc)} has no time zone. Make the bundle with `facelatch bundle create`.")
    return found
