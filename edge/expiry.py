"""People whose time is over: refused at once, announced before, and then erased."""

from collections import deque
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
    """Called from the guardian's tick, about once a second; keeps to its own times.

    One person is told of, or erased, a tick: each is a write or several on a slow card, and an office that was enrolled
    on one day ends on one day.
    """

    def __init__(
        self, remind_days: int, store: Store, clock: Clock, teller: Teller, erase: Callable[[Person], None]
    ) -> None:
        """``erase`` forgets a person as an operator would."""
        self._remind_days, self._store, self._clock, self._teller = remind_days, store, clock, teller
        self._erase = erase
        self._next_s = self._believed_s = clock.now_s()
        self._offset_s: float | None = None
        self._due: deque[Person] = deque()
        self._reminded: set[tuple[int, date]] = set()

    def tick(self) -> None:
        """Announce and erase when it is time. What fails is told, and tried again an hour later."""
        now_s = self._clock.now_s()
        self._watch_calendar(now_s)
        try:
            if now_s >= self._next_s:
                self._next_s = now_s + EVERY_S
                self._due = deque(each for each in self._store.people() if each.expires is not None)
            while self._due and self._clock.trusted():
                if self._looked_after(self._due.popleft()):
                    return
        except (FacelatchError, ValueError) as error:
            self._teller.say("log_failed", {"reason": f"somebody's last day could not be kept ({error})"})

    def _looked_after(self, person: Person) -> bool:
        """Whether there was something to do."""
        today, last = self._clock.local().date(), date.fromisoformat(person.expires or "")
        days = (last - today).days
        if days < 0:
            # Looked up anew: the queue may be long, and a new last day may have been given since.
            stands = any(each == person for each in self._store.people())
            if not stands or self._clock.now_s() - self._believed_s < BELIEVED_S:
                return False
            self._erase(person)
            return True
        if days > self._remind_days or (person.id, today) in self._reminded:
            return False
        self._reminded = {each for each in self._reminded if each[1] == today} | {(person.id, today)}
        self._teller.tell("expires", person.id, name=person.name, last_day=last.isoformat(), days=days)
        return True

    def _watch_calendar(self, now_s: float) -> None:
        """The belief begins anew whenever the calendar is not trusted or was set."""
        offset_s = self._clock.local().timestamp() - now_s
        moved = self._offset_s is not None and abs(offset_s - self._offset_s) > JUMP_S
        self._offset_s = offset_s
        if moved or not self._clock.trusted():
            self._believed_s = now_s
