"""Who comes in: a recognised face, a PIN, the exit button, an operator. Each is held against the rules, then the door
moves, then it is told.
"""

from collections.abc import Callable

from edge import wire
from edge.access import Access
from edge.core import door as dr
from edge.core.evidence import Attempt, Recognised
from edge.core.match import rounded
from edge.core.rules import Mode
from edge.errors import DoorError
from edge.latch import Latch
from edge.ports import Clock
from edge.proof import Proof
from edge.settings import Config
from edge.teller import Plain, Teller, quoted
from edge.types import Sign

UNLOCK_MIN_S = 0.5
"""What ``door.unlock_s`` may be at least, too: longer than the bolt's shortest pulse."""

PIN_EVERY_S = 1.0
"""One PIN a second is looked at, as each costs a slow hash: nobody types faster, a hostile keypad may."""

PIN_WAITING_EVERY_S = 10.0
"""And one in ten while wrong ones have to wait: a duress PIN opens then, too, and one of four digits could otherwise be
found in an hour and a half."""


class Entrance:
    """The ways through one door."""

    def __init__(
        self,
        config: Config,
        access: Access,
        latch: Latch,
        clock: Clock,
        teller: Teller,
        name_of: Callable[[int], str | None],
        show: Callable[[Sign], None],
        picture: Callable[[], str | None],
        proof: Proof,
    ) -> None:
        """``name_of`` a person's number, for notices; ``show`` a sign on lights and buzzer; ``picture`` of who is
        refused: its name, where such are kept; ``proof`` that a face alone may open."""
        self._config, self._access, self._latch, self._clock = config, access, latch, clock
        self._teller, self._name_of, self._show, self._picture = teller, name_of, show, picture
        self._proof = proof
        self._pin_s = float("-inf")

    def keep_hours(self) -> None:
        """Free hours begin and end."""
        free_s = self._access.free_for_s()
        is_free = self._latch.door.state is dr.State.FREE
        if free_s is not None and not is_free:
            self._latch.move(dr.Event(dr.Signal.FREE, min(free_s, dr.FREE_MAX_S)), self._teller)
        elif free_s is None and is_free:
            self._latch.move(dr.Event(dr.Signal.NOT_FREE, reason=dr.Signal.NOT_FREE.value), self._teller)

    def face(self, verdict: Recognised) -> None:
        """A face is recognised: may that person come in now, by the face alone?"""
        reason = self._access.refusal(verdict.person_id) or self._lockout(verdict.person_id)
        if reason is None and self._access.pin_required(verdict.person_id):
            reason = "type the PIN, too" if self._access.mode_now() is Mode.NIGHT else "this person comes in by PIN"
        reason = reason or self._proof.refusal() or None
        what: dict[str, Plain] = {
            "name": verdict.name,
            "similarity": rounded(verdict.similarity),
            "looks": verdict.looks,
            "frame": verdict.frame,
            "track": verdict.track,
            "look_age_ms": round((self._clock.now_s() - verdict.captured_s) * 1000, 1),
            "liveness": self._config.liveness.mode,
        }
        if self._config.liveness.mode == "required" and self._proof.waived:
            what["drill"] = "waived"
        if reason is not None:
            self._refuse(verdict.person_id, reason, what)
            return
        self._access.came_in(verdict.person_id)
        self._open(dr.Signal.FACE, verdict.person_id, what)

    def pin(self, typed: str, standing: Recognised | None) -> None:
        """A PIN opens what a face opens; at night only with that person's face, ``standing`` before the camera."""
        now_s = self._clock.now_s()
        waits = self._access.pins_wait()
        if now_s - self._pin_s < (PIN_WAITING_EVERY_S if waits else PIN_EVERY_S):
            self._refuse(None, waits or "PINs come too fast", {"by": "PIN"})
            return
        self._pin_s = now_s
        found = self._access.whose_pin(typed)
        if isinstance(found, str):
            self._refuse(None, found, {"by": "PIN"})
            return
        name = self._name_of(found.person_id)
        what: dict[str, Plain] = {"by": "PIN", "name": name}
        reason = self._access.refusal(found.person_id)
        if reason is None and self._access.mode_now() is Mode.NIGHT:
            if standing is None or standing.person_id != found.person_id:
                reason = "look at the camera while typing the PIN"
            elif not found.duress:
                reason = self._lockout(found.person_id)
        if reason is not None:
            self._refuse(found.person_id, reason, what)
        else:
            self._open(dr.Signal.PIN, found.person_id, what)
        if found.duress:
            self._teller.tell("duress", found.person_id, name=name)

    def exit_button(self) -> None:
        """Pressed: unlock, or mute the alarm for a door that opens from inside by itself."""
        signal = dr.Signal.SHUNT if self._config.inputs.exit_action == "shunt" else dr.Signal.EXIT
        released = self._latch.move(dr.Event(signal, self._config.door.unlock_s), self._teller)
        if released:
            self._show(Sign.WELCOME)
        self._teller.tell_sparingly("exit", released=released, reason=f"the door is {self._latch.door.state.value}")

    def unlock(self, question: wire.AskUnlock, who: str) -> None:
        """An operator unlocks. Raises DoorError."""
        door = self._latch.door
        if not UNLOCK_MIN_S <= question.for_s <= dr.UNLOCK_MAX_S:
            limit = f"One release lasts {UNLOCK_MIN_S} s at least and {dr.UNLOCK_MAX_S:.0f} s at most."
            raise DoorError(f"{limit} For longer use `facelatch door mode free`.")
        if self._access.mode_now() is Mode.LOCKDOWN:
            raise DoorError("The door is locked down. Set another mode first: `facelatch door mode normal`.")
        if not self._latch.move(dr.Event(dr.Signal.OPERATOR, question.for_s), self._teller):
            raise DoorError(
                f"The door was {door.state.value} ({door.reason}) and was not released. See `facelatch status`; "
                "a fault ends with `facelatch clear`."
            )
        self._teller.tell("released", for_s=question.for_s, by=who, reason=quoted(question.reason))

    def set_mode(self, question: wire.AskMode, who: str) -> None:
        """An operator sets the mode. A lockdown secures before it is kept. Raises StoreError."""
        mode = Mode(question.mode)
        if mode is Mode.LOCKDOWN:
            self._latch.move(dr.Event(dr.Signal.SECURE, reason="lockdown"), self._teller)
        self._access.set_mode(mode)
        self.keep_hours()
        self._teller.tell("mode", mode=mode.value, by=who, reason=quoted(question.reason))

    def attempted(self, attempt: Attempt) -> None:
        """An approach came close to somebody: enough of them lock that face out."""
        locked_s = self._access.attempted(attempt)
        self._teller.tell_sparingly(
            "attempt", attempt.person_id, name=attempt.name, similarity=rounded(attempt.similarity)
        )
        if locked_s is not None:
            self._teller.tell("lockout", attempt.person_id, name=attempt.name, for_s=round(locked_s))

    def _lockout(self, person_id: int) -> str | None:
        locked_s = self._access.locked_out_for_s(person_id)
        return None if locked_s is None else f"this face is locked out for another {locked_s:.0f} s"

    def _open(self, signal: dr.Signal, person_id: int, what: dict[str, Plain]) -> None:
        """Release for a person, once what limits the person has been counted."""
        self._latch.move(dr.Event(dr.Signal.TICK), self._teller)  # a release whose time is up saves nobody a use
        was, unlock_s = self._latch.door.state, self._config.door.unlock_s
        opens = was not in dr.RELEASED and was is not dr.State.FAULT
        uncounted = self._access.spend(person_id) if opens else None
        if uncounted is not None:
            self._refuse(person_id, uncounted, what)
        elif self._latch.move(dr.Event(signal, unlock_s), self._teller):
            self._show(Sign.WELCOME)
            self._teller.tell("released", person_id, for_s=unlock_s, **what)
        else:
            self._teller.tell("recognised", person_id, reason=f"the door was {was.value}", **what)

    def _refuse(self, person_id: int | None, reason: str, what: dict[str, Plain]) -> None:
        self._show(Sign.REFUSED)
        self._teller.tell_sparingly("refused", person_id, **what, reason=reason, snapshot=self._picture())
