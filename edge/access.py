"""Who may come in now, beside the face: mode, schedules, permissions, lockouts and PINs, read from the store.

Whatever cannot be read refuses: a mode that is not one is a lockdown, permissions that cannot be had let nobody in.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date

from edge import pin
from edge.core.evidence import Attempt
from edge.core.keys import PinEntry, PinLimiter
from edge.core.lockout import Lockouts, LockoutTerms
from edge.core.rules import House, Mode, Moment, free_until, mode_now, over, refusal
from edge.core.schedule import Schedule
from edge.errors import FacelatchError
from edge.ports import Clock, Store
from edge.settings import Config
from edge.types import Permission, PinHash

UNREADABLE = "the rules cannot be read"

CALENDAR_EVERY_S = 1.0
"""How often mode and free hours are looked up: schedules are to the minute."""


class Access:
    """The rules in force. ``mode`` is what the owner set; ``mode_now`` what follows from it at this moment."""

    def __init__(self, config: Config, store: Store, clock: Clock) -> None:
        """Reads everything. Raises nothing: what cannot be read refuses."""
        self._config, self._store, self._clock = config, store, clock
        attempts = config.attempts
        terms = LockoutTerms(attempts.allowed, attempts.lockout_s, attempts.lockout_max_s, attempts.forget_s)
        self.lockouts = Lockouts(terms)
        self.entry, self.limiter = PinEntry(), PinLimiter()
        self.mode = Mode.LOCKDOWN
        self._unkept: Mode | None = None
        self._permissions: Mapping[int, Permission] | None = None
        self._last_days: Mapping[int, str] = {}
        self._pins: list[PinHash] = []
        self._house = House(_schedule(config.door.free), _schedule(config.door.night), frozenset(), False)
        self.reload()
        with suppress(FacelatchError):  # nobody is locked out that was before; the fault shows in reload
            self.lockouts.load(store.setting("lockouts") or "", clock.now_s())

    def reload(self) -> None:
        """Read the store anew, after a change of people, permissions, PINs, holidays or mode."""
        try:
            self._last_days = {each.id: each.expires for each in self._store.people() if each.expires is not None}
            self._permissions = self._store.permissions()
            self._pins = self._store.pins()
            holidays = frozenset(date.fromisoformat(each) for each in self._store.holidays())
            self._house = replace(
                self._house, holidays=holidays, untrusted_opens=self._config.door.clock_untrusted == "open"
            )
            self.mode = self._unkept or Mode(self._store.setting("mode") or Mode.NORMAL.value)
        except (FacelatchError, ValueError):
            self._permissions, self._pins, self.mode = None, [], Mode.LOCKDOWN

    def recover(self) -> None:
        """Try again what could not be read."""
        if self._permissions is None:
            self.reload()

    def set_mode(self, mode: Mode) -> None:
        """Raises StoreError when it cannot be kept; a lockdown then holds all the same until the next start."""
        try:
            self._store.keep("mode", mode.value)
        except FacelatchError:
            if mode is Mode.LOCKDOWN:
                self.mode = self._unkept = mode
            raise
        self.mode, self._unkept = mode, None

    def mode_now(self) -> Mode:
        return mode_now(self.mode, self._house, self._moment())

    def free_for_s(self) -> float | None:
        """How long the door is free from now on, in seconds, or None."""
        moment = self._moment()
        until = free_until(self.mode, self._house, moment)
        if until is None or self.mode_now() is not Mode.FREE:
            return None
        left_s = until.timestamp() - moment.local.timestamp()
        return left_s if left_s > 0 else None

    def refusal(self, person_id: int) -> str | None:
        """Why this person may not come in now, or None."""
        if self._permissions is None:
            return UNREADABLE
        permission, moment = self._permissions.get(person_id, Permission()), self._moment()
        reason = refusal(permission, self.mode_now(), self._house, moment)
        return reason or over(self._last_days.get(person_id), moment)

    def pin_required(self, person_id: int) -> bool:
        """Whether this person's face alone opens nothing: at night, or where somebody else looks alike."""
        if self.mode_now() is Mode.NIGHT or self._permissions is None:
            return True
        return self._permissions.get(person_id, Permission()).pin_required

    def spend(self, person_id: int) -> str | None:
        """Count one use, where they are counted. Returns why that cannot be done: it is then refused."""
        if self._permissions is None:
            return UNREADABLE
        permission = self._permissions.get(person_id)
        if permission is None or permission.uses_left is None:
            return None
        try:
            self._store.spend_use(person_id)
        except FacelatchError as error:
            return f"the use cannot be counted ({error})"
        self.reload()
        return None

    def attempted(self, attempt: Attempt) -> float | None:
        """Count an attempt at a person's face. For how many seconds that face is locked out by it, or None."""
        now_s = self._clock.now_s()
        until_s = self.lockouts.attempt(attempt.person_id, now_s)
        self._keep_lockouts()
        return None if until_s is None else until_s - now_s

    def locked_out_for_s(self, person_id: int) -> float | None:
        """How long this person's face opens nothing, or None."""
        now_s = self._clock.now_s()
        until_s = self.lockouts.locked_until_s(person_id, now_s)
        return None if until_s is None else until_s - now_s

    def came_in(self, person_id: int) -> None:
        """A person recognised by face: attempts at it so far were probably the person's own."""
        self.lockouts.succeeded(person_id)

    def clear_lockouts(self) -> None:
        self.lockouts.clear()
        self._keep_lockouts()

    def whose_pin(self, typed: str) -> PinHash | str:
        """Whose PIN it is, or why it opens nothing. A duress PIN counts in spite of earlier wrong ones."""
        waits = self.pins_wait()
        found = pin.find(typed, self._pins)
        if found is not None and (found.duress or waits is None):
            if not found.duress:
                self.limiter.right()
            return found
        if waits is None:
            self.limiter.wrong(self._clock.now_s())
        return waits or "wrong PIN"

    def pins_wait(self) -> str | None:
        """Why PINs have to wait after wrong ones, or None."""
        wait_s = self.limiter.wait_s(self._clock.now_s())
        return f"too many wrong PINs: wait {wait_s:.0f} s" if wait_s > 0 else None

    def _keep_lockouts(self) -> None:
        with suppress(FacelatchError):  # they hold until the next start
            self._store.keep("lockouts", self.lockouts.dump(self._clock.now_s()))

    def _moment(self) -> Moment:
        return Moment(self._clock.local(), self._clock.trusted())


def _schedule(text: str) -> Schedule | None:
    """Raises InputError; the configuration was checked before."""
    return Schedule.parse(text) if text else None
