"""The guardian: gathers looks into a decision, moves the door, and tells what happened. It has no socket and no thread.

Order is everything here: the bolt first, then whoever is told, then the log, which may have to wait for a slow card.
"""

import logging
from collections.abc import Callable, Mapping

from edge import wire
from edge.config import Config
from edge.core import door as dr
from edge.core.choose import Unusable, choose
from edge.core.evidence import Evidence, Recognised, Refused, Terms
from edge.core.names import shown
from edge.errors import BoltError, FacelatchError, WireError
from edge.ports import Bolt, Clock, Store
from edge.registry import Registry
from edge.types import Event, Look

_log = logging.getLogger(__name__)

Plain = str | int | float | bool | None
Announce = Callable[[str, Mapping[str, Plain]], None]
"""Told every notice: its kind, and plain values for people (names included, nothing biometric)."""

EYES_AWAY_S = 3.0
"""Without a report for so long the eyes are away: fifteen frames at the slowest useful rate of 5 a second."""

TOKENS_MAX, TOKENS_A_SECOND = 20.0, 1.0
"""Notices that the eyes may cause at once, and a second: a busy evening stays below, and a flood fills the card
slowly."""

TEXT_MAX_CHARS = 200
"""Of the eyes' own words in notices and log."""

LISTED_MAX = 20
"""People listed in one notice; with ids of any length it stays far below the log's ``MAX_DETAIL_BYTES``."""

CHECK_EVERY_S = 5.0
"""How often FAULT tries whether the bolt obeys again."""


class Guardian:
    """One door. Every method takes the messages as they arrive; ``tick`` is called at ``next_tick_s`` at the latest."""

    def __init__(
        self, config: Config, registry: Registry, store: Store, bolt: Bolt, clock: Clock, announce: Announce
    ) -> None:
        """Secures the bolt before anything else. Raises BoltError when that fails."""
        self._config, self._registry, self._store = config, registry, store
        self._bolt, self._clock, self._announce = bolt, clock, announce
        self._evidence = Evidence(terms(config))
        self._door = dr.Door()
        self._camera: str | None = None  # what the eyes on the line said hello with
        self._eyes = "away"
        self._heard_s = float("-inf")
        self._check_s = float("-inf")
        self._malformed = 0
        self._tokens, self._tokens_s, self._untold = TOKENS_MAX, clock.now_s(), 0
        bolt.secure()
        self._tell("started")
        self._tell_who_must_enrol_again()

    @property
    def door(self) -> dr.Door:
        return self._door

    def next_tick_s(self) -> float:
        """When the door has to be looked at again, monotonic."""
        due = [self._heard_s + EYES_AWAY_S] if self._eyes != "away" else []
        if self._door.deadline_s is not None:
            due.append(self._door.deadline_s)
        if self._door.state is dr.State.FAULT:
            due.append(self._check_s + CHECK_EVERY_S)
        return min(due, default=float("inf"))

    def tick(self) -> None:
        """Let time pass: relock, notice absent eyes, try a faulty bolt again."""
        now_s = self._clock.now_s()
        self._move(dr.Event(dr.Signal.TICK), now_s)
        if self._bolt.released and self._door.state is not dr.State.UNLOCKED:
            self._move(dr.Event(dr.Signal.BOLT_FAULT, reason="the bolt is released and should not be"), now_s)
        if self._eyes != "away" and now_s - self._heard_s > EYES_AWAY_S:
            self._away("nothing heard from them")
        if self._door.state is dr.State.FAULT and now_s - self._check_s >= CHECK_EVERY_S:
            self._check(now_s)

    def eyes_say(self, message: wire.FromEyes) -> None:
        """One message of the eyes. Raises WireError when it cannot be believed."""
        match message:
            case wire.Hello():
                self._greet(message)
            case wire.Trouble():
                self._camera, self._eyes = None, "away"
                self._tell_sparingly("eyes_away", reason=shown(message.reason, TEXT_MAX_CHARS)[1:-1])
            case wire.Report() if self._camera is None:
                raise WireError("The eyes report without having said hello. Restart facelatch-eyes.")
            case wire.Report():
                looks = wire.to_looks(message, self._registry.dimension)
                self._hear(self._camera)
                self._judge(looks, message)

    def malformed(self, error: WireError) -> None:
        """A message that is none: counted, dropped, and told when the count reaches 1, 2, 4, 8 ..."""
        self._malformed += 1
        if self._malformed.bit_count() == 1:
            self._tell("malformed", reason=str(error), count=self._malformed)

    def eyes_gone(self, reason: str) -> None:
        """The eyes died or gave up. The door goes on without them: an open one still closes on time."""
        self._camera = None
        self._away(reason)

    def answer(self, question: wire.Question) -> wire.Answer:
        """An operator's question. Raises the FacelatchError that says why it cannot be answered."""
        if isinstance(question, wire.AskStatus):
            return self.status()
        is_change = isinstance(question, wire.AskEnroll | wire.AskForget)
        if is_change:
            self._evidence.weigh_anew()
        answer = self._registry.answer(question)
        if is_change and isinstance(answer, wire.People):
            kind = "enrolled" if isinstance(question, wire.AskEnroll) else "forgotten"
            self._say(kind, {"name": answer.people[0].name, "templates": answer.people[0].templates})
        return answer

    def status(self) -> wire.Status:
        """For the status line and ``--json``."""
        return wire.Status(
            door=self._door.state.value,
            reason=self._door.reason,
            bolt=self._bolt.name,
            liveness=self._config.liveness.mode,
            eyes=self._eyes,
            people=len(self._registry.index),
            similarity_min=self._registry.similarity_min,
            enrol_again=len(self._registry.enrol_again),
        )

    def stop(self, reason: str) -> None:
        """Secure the door for good and say so. Raises BoltError."""
        self._move(dr.Event(dr.Signal.SECURE, reason=reason), self._clock.now_s())
        self._bolt.secure()
        self._tell("stopped", reason=reason)

    def _tell_who_must_enrol_again(self) -> None:
        again = self._registry.enrol_again
        if again:
            self._tell(
                "enrol_again",
                name=", ".join(person.name for person in again[:LISTED_MAX]),
                ids=", ".join(str(person.id) for person in again[:LISTED_MAX]),
                people=len(again),
                reason="their templates are of another model and are not compared",
            )

    def _greet(self, hello: wire.Hello) -> None:
        own = (wire.VERSION, self._registry.model_id, self._registry.dimension)
        if (hello.version, hello.model_id, hello.dimension) != own:
            raise WireError(
                f"The eyes speak version {hello.version} with the model {hello.model_id}, this guardian version "
                f"{own[0]} with {own[1]}. Run both from the same installation."
            )
        self._evidence.forget_all()
        self._camera, self._eyes = shown(hello.camera, TEXT_MAX_CHARS)[1:-1], "away"
        self._hear(self._camera)

    def _hear(self, camera: str | None) -> None:
        self._heard_s = self._clock.now_s()
        if self._eyes == "away":
            self._eyes = f"present ({camera})"
            self._tell_sparingly("eyes_present", camera=camera)

    def _away(self, reason: str) -> None:
        if self._eyes != "away":
            self._eyes = "away"
            self._tell_sparingly("eyes_away", reason=shown(reason, TEXT_MAX_CHARS)[1:-1])

    def _judge(self, looks: list[Look], report: wire.Report) -> None:
        faces = self._config.faces
        chosen = choose(looks, report.faces_in_frame, faces.several, faces.min_px)
        if chosen is None:
            return
        verdict: Recognised | Refused | None
        if not isinstance(chosen, Unusable):
            found = self._registry.index.best(chosen.embedding)
            verdict = self._evidence.add(chosen, found, self._clock.now_s())
        elif chosen.look is None:
            verdict = self._evidence.spoil(chosen.reason, report.captured_s, report.frame)
        else:
            verdict = self._evidence.unusable(chosen.reason, chosen.look)
        self._act_on(verdict)

    def _act_on(self, verdict: Recognised | Refused | None) -> None:
        if isinstance(verdict, Recognised):
            self._grant(verdict)
        elif verdict is not None:
            self._tell_sparingly(
                "refused",
                reason=verdict.reason,
                similarity=_rounded(verdict.similarity),
                frame=verdict.frame,
                track=verdict.track,
            )

    def _grant(self, verdict: Recognised) -> None:
        now_s = self._clock.now_s()
        was = self._door.state
        event = dr.Event(dr.Signal.GRANT, unlock_s=self._config.door.unlock_s)
        what: dict[str, Plain] = {
            "name": verdict.name,
            "similarity": _rounded(verdict.similarity),
            "looks": verdict.looks,
            "frame": verdict.frame,
            "track": verdict.track,
            "look_age_ms": round((now_s - verdict.captured_s) * 1000, 1),
            "liveness": self._config.liveness.mode,
        }
        if self._move(event, now_s):
            self._tell("released", verdict.person_id, for_s=event.unlock_s, **what)
        else:
            self._tell("recognised", verdict.person_id, reason=f"the door was {was.value}", **what)

    def _move(self, event: dr.Event, now_s: float) -> bool:
        """Step the door, drive the bolt, then tell of a fault or of securing. True when this event released the
        bolt."""
        before = self._door
        self._door, commands = dr.step(before, event, now_s)
        try:
            for command in commands:
                if isinstance(command, dr.Release):
                    self._bolt.release(command.until_s)
                else:
                    self._bolt.secure()
        except BoltError as error:
            self._door, _ = dr.step(self._door, dr.Event(dr.Signal.BOLT_FAULT, reason=str(error)), now_s)
        if self._door.state is dr.State.FAULT and before.state is not dr.State.FAULT:
            self._check_s = now_s
            self._secure_anyway()
            self._tell("fault", reason=self._door.reason)
        elif before.state is not self._door.state and self._door.state is dr.State.LOCKED:
            self._tell("secured", reason=self._door.reason)
        return self._door.state is dr.State.UNLOCKED and any(isinstance(each, dr.Release) for each in commands)

    def _check(self, now_s: float) -> None:
        """Whether the bolt obeys again: secure it and read it back."""
        self._check_s = now_s
        if self._secure_anyway() and not self._bolt.released:
            self._move(dr.Event(dr.Signal.CHECK_PASSED), now_s)

    def _secure_anyway(self) -> bool:
        try:
            self._bolt.secure()
        except BoltError:
            return False  # the door is in FAULT, has said so, and will try again
        return True

    def _tell(self, kind: str, person_id: int | None = None, **values: Plain) -> None:
        """Announce, then log. A log that cannot be written is announced and stops nothing: the bolt has moved."""
        self._say(kind, values)
        detail = {key: value for key, value in values.items() if key != "name"}
        try:
            self._store.log(Event(kind, person_id, detail))
        except FacelatchError as error:
            self._say("log_failed", {"reason": str(error)})

    def _tell_sparingly(self, kind: str, **values: Plain) -> None:
        """For what the eyes can cause at any rate: beyond the bucket it is counted, and the count told with the
        next."""
        now_s = self._clock.now_s()
        self._tokens = min(TOKENS_MAX, self._tokens + (now_s - self._tokens_s) * TOKENS_A_SECOND)
        self._tokens_s = now_s
        if self._tokens < 1:
            self._untold += 1
            return
        self._tokens -= 1
        if self._untold:
            values["untold"], self._untold = self._untold, 0
        self._tell(kind, None, **values)

    def _say(self, kind: str, values: Mapping[str, Plain]) -> None:
        """A terminal that is gone, or cannot write a name, must not stop the door."""
        try:
            self._announce(kind, {**values, "status": self.status().line()})
        except Exception:
            _log.exception("a notice could not be announced: %s", kind)


def terms(config: Config) -> Terms:
    """The configuration's ``[match]`` and ``[evidence]`` in seconds."""
    return Terms(
        similarity_min=config.match.similarity_min,
        margin_min=config.match.margin_min,
        looks_needed=config.evidence.looks_needed,
        looks_window=config.evidence.looks_window,
        window_s=config.evidence.window_s,
        look_age_max_s=config.evidence.look_age_max_ms / 1000,
    )


def _rounded(similarity: float | None) -> float | None:
    return None if similarity is None else round(similarity, 3)
