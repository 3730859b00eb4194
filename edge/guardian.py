"""The guardian: gathers looks, keys and contacts into a decision and moves the door. It has no socket and no thread.

Order is everything here: the bolt first, then whoever is told, then the log, which may have to wait for a slow card.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import msgspec

from edge import wire
from edge.access import CALENDAR_EVERY_S, Access
from edge.approaches import Approaches
from edge.booth import Booth
from edge.config import template
from edge.core import door as dr
from edge.core.evidence import Recognised
from edge.core.match import rounded
from edge.core.rules import Mode
from edge.daily import DailyBackup
from edge.drill import Drill
from edge.entrance import Entrance
from edge.errors import CameraError, DoorError, FacelatchError, PersonError, WireError
from edge.expiry import Expiry
from edge.latch import Latch
from edge.pairing import Pairings
from edge.pinning import CameraPin
from edge.ports import Bolt, Clock, Indicator, Store
from edge.proof import Proof
from edge.registry import Registry
from edge.settings import Config
from edge.snapshots import Snapshots
from edge.sticks import Sticks
from edge.teller import Announce, Teller, quoted
from edge.types import Input, Look, Person, Sensed, Sign
from edge.upkeep import Upkeep

EYES_AWAY_S = 3.0
"""Without a report for so long the eyes are away: fifteen frames at the slowest useful rate of 5 a second."""

LISTED_MAX = 20
"""People listed in one notice; with ids of any length it stays far below the log's ``MAX_DETAIL_BYTES``."""

TOLD_MAX_CHARS = 1000
"""Of the changed settings in one notice; below the log's ``MAX_DETAIL_BYTES`` even where every character is escaped to
four."""

CHANGES: Mapping[type[wire.Question], str] = {
    wire.AskEnroll: "enrolled",
    wire.AskForget: "forgotten",
    wire.AskRename: "renamed",
    wire.AskAgree: "agreed",
    wire.AskAllow: "allowed",
    wire.AskPin: "pin",
    wire.AskHolidays: "holidays",
}
"""Questions that change who may come in, and what is said of them to whoever watches."""


class Guardian:
    """One door. Every method takes the messages as they arrive; ``tick`` is called at ``next_tick_s`` at the latest."""

    def __init__(
        self,
        config: Config,
        registry: Registry,
        store: Store,
        bolt: Bolt,
        clock: Clock,
        announce: Announce,
        indicator: Indicator | None = None,
        found: Sequence[Sensed] = (),
        backups: Callable[[Teller], DailyBackup] | None = None,
    ) -> None:
        """Secures the bolt before anything else. ``found``: how the inputs stand; ``backups`` makes what backs the
        store up, where that is wanted. Raises BoltError when the bolt cannot be secured."""
        self._config, self._registry, self._store, self._clock = config, registry, store, clock
        door_terms = dr.Terms(relock_on_open=config.door.relock == "open", held_open_s=config.door.held_open_s)
        is_open = any(each.input is Input.DOOR_CONTACT and each.active for each in found)
        self._latch = Latch(bolt, clock, door_terms, config.door.held_open_warning_s, is_open=is_open)
        self._indicator = indicator
        self._approaches = Approaches(config, registry, clock, self._show)
        self._evidence = self._approaches.evidence
        self._access = Access(config, store, clock)
        self._camera: str | None = None  # what the eyes on the line said hello with
        self._eyes = "away"
        self._heard_s = float("-inf")
        self._calendar_s = float("-inf")
        self._malformed = 0
        self._teller = Teller(store, announce, clock, lambda: self.status().line())
        self._pin = CameraPin(store, self._teller)
        self._proof = Proof(config, store, clock, self._teller)
        self._snapshots = Snapshots(config.snapshots_path, config.log.snapshots_days, clock)
        self._entrance = Entrance(
            *(config, self._access, self._latch, clock, self._teller),
            registry.name_of,
            self._show,
            self._snapshots.keep,
            self._proof,
        )
        self._booth = Booth(self._change, registry.model_id, config.faces.min_px, clock, self._teller, self._show)
        self._drill = Drill(self._approaches_of, self._proof, clock, self._teller, self._show)
        self._pairings = Pairings(store, clock, self._teller)
        self._sticks = Sticks(store, clock, self._teller, self._pairings, self._show)
        self._upkeep = Upkeep(config.log, store, clock, self._teller, self._snapshots)
        self._expiry = Expiry(config.privacy.remind_days, store, clock, self._teller, self._erase)
        self._backups = None if backups is None else backups(self._teller)
        self._teller.tell("started")
        self._tell_config_changes()
        registry.log_threshold()
        self._latched = self._latched_before()
        for each in found:
            if each.input is Input.TAMPER or each.fault:
                self.sensed(each)
        self._tell_who_must_enrol_again()

    @property
    def door(self) -> dr.Door:
        return self._latch.door

    def next_tick_s(self) -> float:
        """When the door has to be looked at again, monotonic."""
        due = [self._latch.next_s(), self._calendar_s + CALENDAR_EVERY_S]
        if self._eyes != "away":
            due.append(self._heard_s + EYES_AWAY_S)
        return min(due)

    def tick(self) -> None:
        """Let time pass: relock, free hours, notice absent eyes, attempts that ended, try a faulty bolt again."""
        self._latch.tick(self._teller)
        now_s = self._clock.now_s()
        if now_s - self._calendar_s >= CALENDAR_EVERY_S:
            self._calendar_s = now_s
            self._access.recover()
            self._entrance.keep_hours()
            self._upkeep.tick()
            self._expiry.tick()
            if self._backups is not None:
                self._backups.tick()
            self._keep_latched()
            self._count_attempts()
        if self._eyes != "away" and now_s - self._heard_s > EYES_AWAY_S:
            self._away("nothing heard from them")
        self._booth.tick()
        self._drill.tick()
        self._sticks.tick()
        if self._access.mode is Mode.LOCKDOWN:
            self._booth.close("lockdown")
            self._drill.close("lockdown")
        sign = self._latch.sign()
        self._show(Sign.WARNING if sign is Sign.READY and self._eyes != "away" and self._pin.refused else sign)

    def wants_pictures(self) -> bool:
        """Whether the eyes shall send what they see, though nobody refused is to be kept: somebody watches them."""
        return self._booth.previewed

    def sound(self) -> bool:
        """Whether the bolt is as commanded: the watchdog is fed only then."""
        return self._latch.sound()

    def eyes_say(self, message: wire.FromEyes) -> None:
        """One message of the eyes. Raises WireError when it cannot be believed."""
        match message:
            case wire.Hello():
                self._greet(message)
            case wire.Trouble():
                self._camera, self._eyes = None, "away"
                self._lose_sight()
                self._teller.tell_sparingly("eyes_away", reason=quoted(message.reason))
            case wire.Snapshot() if self._camera is not None:
                self._snapshots.seen(message.jpeg)
                self._booth.pictured(message.jpeg)
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
            self._teller.tell("malformed", reason=str(error), count=self._malformed)

    def eyes_gone(self, reason: str) -> None:
        """The eyes died or gave up. The door goes on without them: an open one still closes on time."""
        self._camera = None
        self._pin.gone()
        self._proof.gone()
        self._away(reason)

    def sense(self, news: Sequence[Sensed]) -> None:
        """Everything that the inputs have to say, in order."""
        for each in news:
            self.sensed(each)

    def sensed(self, news: Sensed) -> None:
        """A button, contact or switch has settled, or cannot be trusted any more."""
        if news.fault:
            self._teller.tell_sparingly("input_fault", reason=f"{news.input.value}: {quoted(news.fault)}")
        match news.input:
            case Input.EXIT_BUTTON if news.active:
                self._entrance.exit_button()
            case Input.DOOR_CONTACT:
                signal = dr.Signal.OPENED if news.active else dr.Signal.CLOSED
                self._latch.move(dr.Event(signal), self._teller)
                self._teller.tell_sparingly("opened" if news.active else "closed")
            case Input.TAMPER:
                self._latch.tampered = news.active
                if news.active:
                    tampered = dr.Event(dr.Signal.TAMPER, reason="the case was opened")
                    self._latch.move(tampered, self._teller)
                    self._keep_latched()  # before the power is cut, too
                    self._teller.tell_sparingly("tamper")

    def keys(self, pressed: str) -> None:
        """Keys of the keypad, in order."""
        for key in pressed:
            typed = self._access.entry.feed(key, self._clock.now_s())
            if typed is not None:
                self._entrance.pin(typed, self._evidence.standing(self._clock.now_s()))

    def answer(self, question: wire.Question, who: str = "") -> wire.Answer:
        """An operator's question; ``who`` asks. Raises the FacelatchError that says why it cannot be answered."""
        match question:
            case wire.AskStatus():
                pass
            case wire.AskUnlock():
                self._entrance.unlock(question, who)
            case wire.AskMode():
                self._entrance.set_mode(question, who)
            case wire.AskClear():
                self._clear(question, who)
            case wire.AskUsbReport() | wire.AskUsbWindow():
                return self._sticks.answer(question, who)
            case wire.AskPair() | wire.AskUsbKeys() | wire.AskRevoke():
                return self._pairings.answer(question, who)
            case _:
                return self._look(question, who)
        return self.status()

    def _clear(self, question: wire.AskClear, who: str) -> None:
        if question.camera and not self._pin.accept(who):
            raise CameraError("There is no camera to accept. Start facelatch-eyes, and try again.")
        self._count_attempts()  # those that have ended: they must not lock anybody out a moment later
        self._access.clear_lockouts()
        self._latch.clear(self._teller)
        self._teller.tell("cleared", by=who)

    def _look(self, question: wire.Question, who: str) -> wire.Answer:
        """What is asked of the camera, or else of the people."""
        match question:
            case wire.AskCamera() | wire.AskCameraProgress() | wire.AskCameraPicture() | wire.AskCameraCancel():
                if isinstance(question, wire.AskCamera):
                    if self._drill.occupied:
                        raise DoorError("A drill goes on. Wait for its end, or end it.")
                    self._registry.expect(question.terms)
                    self._prepare()
                return self._booth.answer(question, who)
            case wire.AskDrill() | wire.AskPresent() | wire.AskDrillProgress() | wire.AskDrillEnd():
                if isinstance(question, wire.AskDrill):
                    self._prepare_drill()
                return self._drill.answer(question, who)
            case wire.AskDrillReport():
                return self._proof.report()
        return self._change(question, who)

    def cable_says(self, message: wire.FromCable) -> wire.Answer:
        """The process on the USB cable asks. Raises the FacelatchError that says why there is no answer."""
        match message:
            case wire.CableAdmit():
                return self._pairings.admit(message.key)
            case wire.CableCode():
                return self._pairings.code()
            case wire.CablePaired():
                return self._pairings.paired(message)
            case wire.StickEnroll():
                return self._change(*self._sticks.from_a_folder(message.question))
            case wire.StickBundle() | wire.StickWindow() | wire.StickProgress() | wire.StickReport():
                return self._sticks.hear(message)
        return self.answer(message.question, self._pairings.allow(message.key, message.question))

    def _prepare(self) -> None:
        """Make ready for an enrolment at the camera, or a drill. Raises the FacelatchError that says why there can be
        none."""
        if self._access.mode is Mode.LOCKDOWN:
            raise DoorError("The door is locked down. Set another mode first: `facelatch door mode normal`.")
        if self._eyes == "away":
            raise CameraError("The eyes are away, so nobody can be seen. Start facelatch-eyes, or use photographs.")
        if self._pin.refused:
            raise CameraError(f"The camera is not accepted ({self._pin.refused}).")
        self._evidence.weigh_anew()

    def _prepare_drill(self) -> None:
        """Raises the FacelatchError that says why there can be no drill."""
        if self._booth.occupied:
            raise DoorError("Somebody is being enrolled at the camera. Wait for its end.")
        if self._config.liveness.mode == "off":
            raise DoorError('Liveness is off, so every picture would pass. Set liveness.mode = "required" first.')
        if not len(self._registry.index):
            raise PersonError("Nobody is enrolled whose picture could be shown. `facelatch enroll NAME --camera`.")
        self._prepare()
        if not self._proof.judge:
            raise CameraError("The eyes judge nobody: they run with liveness off. Restart facelatch-eyes.")

    def _approaches_of(self, alive: bool, show: Callable[[Sign], None]) -> Approaches:
        """Others than the door's, of the same settings; not ``alive``: as with liveness off."""
        live = self._config.liveness if alive else msgspec.structs.replace(self._config.liveness, mode="off")
        config = msgspec.structs.replace(self._config, liveness=live)
        return Approaches(config, self._registry, self._clock, show)

    def _change(self, question: wire.Question, who: str) -> wire.Answer:
        """A question about people, told to whoever watches where it changes who may come in."""
        kind = CHANGES.get(type(question))
        is_list = isinstance(question, wire.AskHolidays) and not (question.add or question.remove)
        if is_list or kind is None:
            return self._registry.answer(question, who)
        self._evidence.weigh_anew()
        before = self._registry.similarity_min
        try:
            answer = self._registry.answer(question, who)  # which logs it, too
        finally:
            self._access.reload()
            self._evidence.require(self._registry.similarity_min)
        if isinstance(question, wire.AskForget):
            self._sticks.forget()
        if self._registry.similarity_min != before:
            self._teller.say("threshold", {"similarity_min": self._registry.similarity_min, "before": before})
        person = answer.people[0] if isinstance(answer, wire.People) else None
        self._teller.say(kind, {"name": person.name, "templates": person.templates} if person else {})
        return answer

    def status(self) -> wire.Status:
        """For the status line and ``--json``."""
        return wire.Status(
            door=self.door.state.value,
            reason=self.door.reason,
            bolt=self._latch.bolt_name,
            liveness=self._config.liveness.mode,
            eyes=self._eyes_told(),
            people=len(self._registry.index),
            similarity_min=self._registry.similarity_min,
            enrol_again=len(self._registry.enrol_again),
            mode=self._access.mode_now().value,
            is_open=self.door.is_open,
            latched=self.door.latched,
            threshold=self._registry.decision.reason,
            drill=self._proof.told(),
        )

    def _eyes_told(self) -> str:
        more = ", enrolling" if self._booth.occupied else ", in a drill" if self._drill.occupied else ""
        if self._eyes != "away" and self._pin.refused:
            more += f", NOT COUNTED: {self._pin.refused}"
        return f"{self._eyes}{more}"

    def stop(self, reason: str) -> None:
        """Secure the door for good and say so. Raises BoltError."""
        self._latch.move(dr.Event(dr.Signal.SECURE, reason=reason), self._teller)
        self._latch.secure()
        self._booth.close("the guardian stops")
        self._drill.close("the guardian stops")
        self._show(Sign.OFF)
        if self._backups is not None:
            self._backups.wait()
        self._upkeep.tell_head()
        self._teller.tell("stopped", reason=reason)

    def _erase(self, person: Person) -> None:
        self.answer(wire.AskForget(person.name), f"the end of {person.expires}")

    def _count_attempts(self) -> None:
        for attempt in self._evidence.attempts(self._clock.now_s()):
            self._entrance.attempted(attempt)

    def _latched_before(self) -> str:
        """A fault that was latched outlasts its power being cut. Its reason, empty when there was none."""
        try:
            reason = self._store.setting("latched") or ""
        except FacelatchError as error:
            reason = f"whether a fault was latched cannot be read ({error})"
        if reason:
            self._latch.move(dr.Event(dr.Signal.TAMPER, reason=quoted(reason)), self._teller)
        return reason

    def _keep_latched(self) -> None:
        reason = self.door.reason if self.door.latched else ""
        if reason != self._latched:
            with suppress(FacelatchError):  # tried again in a second
                self._store.keep("latched", reason)
                self._latched = reason

    def _tell_config_changes(self) -> None:
        """Which settings differ from those of the last start."""
        now = template(self._config)
        try:
            before = self._store.setting("config")
            self._store.keep("config", now)
        except FacelatchError as error:
            self._teller.say("log_failed", {"reason": str(error)})
            return
        if before is not None and before != now:
            changed = sorted(set(now.splitlines()) - set(before.splitlines()))
            settings = "; ".join(line.partition("#")[0].strip() for line in changed)
            self._teller.tell("config_changed", settings=settings[:TOLD_MAX_CHARS])

    def _tell_who_must_enrol_again(self) -> None:
        again = self._registry.enrol_again
        if again:
            self._teller.tell(
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
        self._approaches.forget_all()
        self._lose_sight()
        self._pin.greet(hello.identity)
        self._proof.greet(hello.identity, hello.judge)
        self._camera, self._eyes = quoted(hello.camera), "away"
        self._hear(self._camera)

    def _hear(self, camera: str | None) -> None:
        self._heard_s = self._clock.now_s()
        if self._eyes == "away":
            self._eyes = f"present ({camera})"
            self._teller.tell_sparingly("eyes_present", camera=camera)

    def _away(self, reason: str) -> None:
        """Eyes that are silent may go on, and are the same that said hello."""
        self._lose_sight()
        if self._eyes != "away":
            self._eyes = "away"
            self._teller.tell_sparingly("eyes_away", reason=quoted(reason))

    def _lose_sight(self) -> None:
        self._booth.eyes_away()
        self._drill.eyes_away()

    def _judge(self, looks: list[Look], report: wire.Report) -> None:
        if self._pin.refused:
            return
        if self._booth.occupied:
            self._booth.see(looks, report.faces_in_frame)
            return
        if self._drill.occupied:
            self._drill.see(looks, report)
            return
        chosen = self._approaches.choose(looks, report.faces_in_frame)
        if chosen is None:
            return
        self._show(Sign.LOOKING)
        verdict = self._approaches.judge(chosen, report.captured_s, report.frame)
        if isinstance(verdict, Recognised):
            self._entrance.face(verdict)
        elif verdict is not None:
            self._show(Sign.REFUSED)
            self._teller.tell_sparingly(
                "refused",
                reason=verdict.reason,
                similarity=rounded(verdict.similarity),
                frame=verdict.frame,
                track=verdict.track,
                snapshot=self._snapshots.keep(),
            )

    def _show(self, sign: Sign) -> None:
        if self._indicator is not None:
            self._indicator.show(sign)
