"""People whose time is over: refused at once, announced before, and then erased."""

from collections.abc import Callable
from datetime import date

from edge.errors import FacelatchError
from edge.ports import Clock, Store
from edge.teller import Teller
from edge.types import Person

EVERY_S = 3600.0
"""How often the people are looked through; the last day is a whole one."""

BELIEVED_S = 3600.0
"""Nobody is erased before the calendar has held for so long in this run, trusted and without a jump: a clock that is
put right after the start must not cost anybody the enrolment."""

JUMP_S = 60.0
"""A calendar that moved by more than this against the monotonic clock since the last look was set."""


class Expiry:
    """Called from the guardian's tick; keeps to its own times."""

    def __init__(
        self, remind_days: int, store: Store, clock: Clock, teller: Teller, erase: Callable[[Person], None]
    ) -> None:
        """``erase`` forgets a person as an operator would."""
        self._remind_days, self._store, self._clock, self._teller, self._erase = (
            remind_days,
            store,
            clock,
            teller,
            erase,
        )
        self._next_s = self._believed_s = clock.now_s()
        self._offset_s: float | None = None
        self._reminded: set[tuple[int, date]] = set()

    def tick(self) -> None:
        """Announce and erase when it is time. What fails is told, and tried again an hour later."""
        now_s = self._clock.now_s()
        self._watch_calendar(now_s)
        if now_s < self._next_s:
            return
        self._next_s = now_s + EVERY_S
        try:
            for person in self._store.people():
                if person.expires is not None and self._clock.trusted():
                    self._look_at(person, date.fromisoformat(person.expires))
        except (FacelatchError, ValueError) as error:
            self._teller.say("log_failed", {"reason": f"who is to be erased cannot be read ({error})"})

    def _look_at(self, person: Person, last: date) -> None:
        today = date.fromisoformat(self._clock.utc()[:10])
        days = (last - today).days
        if days < 0 and self._clock.now_s() - self._believed_s >= BELIEVED_S:
            self._erase(person)
        elif days <= self._remind_days and (person.id, today) not in self._reminded:
            self._reminded = {each for each in self._reminded if each[1] == today} | {(person.id, today)}
            self._teller.tell("expires", person.id, name=person.name, last_day=last.isoformat(), days=days)

    def _watch_calendar(self, now_s: float) -> None:
        """The belief begins anew whenever the calendar is not trusted or was set."""
        offset_s = self._clock.local().timestamp() - now_s
        moved = self._offset_s is not None and abs(offset_s - self._offset_s) > JUMP_S
        self._offset_s = offset_s
        if moved or not self._clock.trusted():
            self._believed_s = now_s
