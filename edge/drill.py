"""A drill while the lock runs: pictures and people before the camera, judged as at the door, and nothing opens.

At most one, begun, asked about and ended by an operator's command. Every presentation is judged twice, by the very
code and settings of the door: as the door does it, and as it would with liveness off. A picture counts only when it
would have opened the door with liveness off, as a face that nobody knows, or too poor a picture, proves nothing.

What was counted is kept at once, whether its command hears of it or not; a drill that breaks off has lost the
presentation that was going on, and the next goes on from there.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edge import wire
from edge.approaches import Approaches
from edge.core.drill import ATTACKS, KINDS
from edge.core.evidence import FUTURE_MAX_S, Recognised, Refused
from edge.core.names import shown
from edge.errors import CameraError, DoorError, FacelatchError, InputError
from edge.ports import Clock
from edge.proof import Proof
from edge.teller import Teller
from edge.types import Look, Sign

ASKED_EVERY_S = 5.0
"""A command that has not asked for so long is gone: twenty times its pace."""

HOLD_S = 10.0
"""So long a presentation lasts, unless the door would have opened before: time for two challenges."""

GONE_S = 2.0
"""Without a face for so long a presentation is over: longer than the tracker keeps a track at a usable rate."""

IDLE_S = 60.0
"""So long somebody has to come before the camera."""

LOOKS_MIN = 5
"""Looks that the judge must have measured, or the presentation proves nothing: a clear case takes the judge three and
the evidence two."""

AFTER_MIN = 4
"""... and so many of an attack's face after the one by which liveness off would have opened. The door knows it two
looks later, as the judge does not answer before its third: twice that."""

TAKE_AWAY = "take it away, and present it anew"
WAITING = "present it now"
HOLD = "hold it there, and move it a little"

ASKING = frozenset({Sign.TURN_GREEN, Sign.TURN_RED, Sign.CLOSER})


@dataclass(slots=True)
class _Presentation:
    """``door`` judges as the door does, ``bare`` as it would with liveness off. Times are monotonic, in seconds.
    ``looks``: measured, by track; ``known``: the track that liveness off would open to, and its looks by then."""

    kind: str
    door: Approaches
    bare: Approaches
    began_s: float
    first_s: float | None = None
    last_s: float = 0.0
    looks: Counter[int] = field(default_factory=Counter)
    last_track: int = -1
    opened: bool = False
    known: tuple[int, int] | None = None
    hints: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Session:
    ticket: str
    who: str
    asked_s: float
    counted: int = 0
    seen_s: float = float("-inf")
    guidance: str = ""
    presenting: _Presentation | None = None
    presented: wire.Presented | None = None


AskTheDrill = wire.AskDrill | wire.AskPresent | wire.AskDrillProgress | wire.AskDrillEnd


class Drill:
    """Give it every frame's looks while ``occupied``, and let time pass with ``tick``."""

    def __init__(
        self,
        approaches: Callable[[bool, Callable[[Sign], None]], Approaches],
        proof: Proof,
        clock: Clock,
        teller: Teller,
        show: Callable[[Sign], None],
    ) -> None:
        """``approaches`` makes new ones, as at the door, or with liveness off, and what shows their signs."""
        self._approaches, self._proof, self._clock = approaches, proof, clock
        self._teller, self._show = teller, show
        self._session: _Session | None = None
        self._spent_track = -1
        """The last track that was presented, in this drill or another since the eyes started."""
        self._ended: tuple[str, FacelatchError] | None = None

    @property
    def occupied(self) -> bool:
        return self._session is not None

    def answer(self, question: AskTheDrill, who: str) -> wire.Drilling:
        """Raises the FacelatchError that ended the drill, DoorError when one cannot begin, InputError, StoreError."""
        match question:
            case wire.AskDrill():
                return self._begin(question, who)
            case wire.AskPresent():
                return self._present(self._of(question.ticket), question.kind)
            case wire.AskDrillProgress():
                return self._progress(self._of(question.ticket))
            case wire.AskDrillEnd():
                session = self._of(question.ticket)
                told = self._told(session)
                self._end("it was ended", DoorError("This drill was ended. Begin another one: it goes on from there."))
                return told

    def see(self, looks: Sequence[Look], report: wire.Report) -> None:
        """One frame. Looks captured before the presentation began, or in the future, are passed over."""
        session, now_s = self._session, self._clock.now_s()
        if session is None:
            return
        if report.faces_in_frame:
            session.seen_s = now_s
        presenting = session.presenting
        if presenting is None or presenting.opened:
            return
        if not presenting.began_s <= report.captured_s <= now_s + FUTURE_MAX_S:
            return
        if any(look.track <= self._spent_track for look in looks):
            session.guidance = TAKE_AWAY  # what was judged once would be judged by what is remembered of it
            return
        chosen = presenting.door.choose(looks, report.faces_in_frame)
        if chosen is None:
            return
        self._show(Sign.LOOKING)
        presenting.first_s, presenting.last_s = presenting.first_s or now_s, now_s
        presenting.last_track = max([presenting.last_track, *(look.track for look in looks)])
        if session.guidance not in {sign.value for sign in ASKING}:
            session.guidance = HOLD
        if isinstance(chosen, Look) and chosen.liveness is not None:
            presenting.looks[chosen.track] += 1
        verdict = presenting.door.judge(chosen, report.captured_s, report.frame)
        bare = presenting.bare.judge(chosen, report.captured_s, report.frame)
        presenting.opened = isinstance(verdict, Recognised)
        if presenting.known is None and isinstance(chosen, Look) and isinstance(bare, Recognised):
            presenting.known = chosen.track, presenting.looks[chosen.track]
        if isinstance(bare, Refused):
            presenting.hints.append(bare.reason)

    def tick(self) -> None:
        """Let time pass: presentations end, and a command that asks no more has gone."""
        session, now_s = self._session, self._clock.now_s()
        if session is None:
            return
        presenting = session.presenting
        if presenting is not None and _is_over(presenting, now_s):
            self._settle(session, presenting)
        if now_s - session.asked_s > ASKED_EVERY_S:
            self._end("its command has gone", DoorError("The command asked no more: its drill is over. Begin again."))

    def eyes_away(self) -> None:
        """There is nothing to see any more, and track ids begin again."""
        self._spent_track = -1
        message = "The eyes went away, and the drill with them; what was counted is kept. See `facelatch status`."
        self._end("the eyes went away", CameraError(message))

    def close(self, reason: str) -> None:
        """Lockdown, or the guardian's end."""
        self._end(reason, DoorError(f"The drill ended: {reason}. What was counted is kept; go on with it later."))

    def _begin(self, question: wire.AskDrill, who: str) -> wire.Drilling:
        if self._session is not None:
            raise DoorError(f"A drill goes on already, by {self._session.who}. Wait for its end.")
        if question.anew:
            self._proof.forget(who)
        self._session, self._ended = _Session(question.ticket, who, self._clock.now_s()), None
        self._teller.tell("drilling", by=who, reason="faces open nothing meanwhile")
        return self._told(self._session)

    def _present(self, session: _Session, kind: str) -> wire.Drilling:
        if kind not in KINDS:
            raise InputError(f"{shown(kind, 40)} is nothing that a drill has. Write one of {', '.join(KINDS)}.")
        session.asked_s = now_s = self._clock.now_s()
        door, bare = (self._approaches(alive, show) for alive, show in ((True, self._ask), (False, _nobody)))
        session.presenting, session.presented = _Presentation(kind, door, bare, now_s), None
        session.guidance = WAITING
        return self._told(session)

    def _progress(self, session: _Session) -> wire.Drilling:
        session.asked_s = self._clock.now_s()
        return self._told(session)

    def _settle(self, session: _Session, presenting: _Presentation) -> None:
        """Count a presentation that is over, whoever may have gone meanwhile; a drill that cannot be kept ends."""
        session.presenting, session.guidance = None, ""
        self._spent_track = max(self._spent_track, presenting.last_track)
        reason = _not_counted(presenting)
        if not reason:
            try:
                self._proof.add(presenting.kind, opened=presenting.opened)
            except FacelatchError as error:
                self._end(f"it cannot be kept ({type(error).__name__})", error)
                return
            session.counted += 1
        seen = presenting.first_s is not None
        told = wire.Presented(presenting.kind, presenting.opened, presenting.looks.total(), reason, seen)
        session.presented = told
        self._teller.tell("presented", what=told.kind, opened=told.opened, looks=told.looks, reason=reason or None)

    def _of(self, ticket: str) -> _Session:
        """The drill of this name. Raises the FacelatchError that ended it."""
        if self._session is not None and self._session.ticket == ticket:
            return self._session
        if self._ended is not None and self._ended[0] == ticket:
            raise self._ended[1]
        raise DoorError("There is no such drill (any more). Begin another one: it goes on from what was counted.")

    def _told(self, session: _Session) -> wire.Drilling:
        presenting = None if session.presenting is None else session.presenting.kind
        in_view = self._clock.now_s() - session.seen_s <= GONE_S
        return wire.Drilling(self._proof.report(), in_view, presenting, session.guidance, session.presented)

    def _ask(self, sign: Sign) -> None:
        """A challenge: on the lights, and in the words of the command."""
        if self._session is not None:
            self._session.guidance = sign.value if sign in ASKING else HOLD
        self._show(sign)

    def _end(self, reason: str, error: FacelatchError) -> None:
        session, self._session = self._session, None
        if session is not None:
            self._ended = session.ticket, error
            self._teller.tell("drilling_ended", by=session.who, reason=reason, counted=session.counted)


def _is_over(presenting: _Presentation, now_s: float) -> bool:
    """Opened, gone, long enough, or nobody came."""
    if presenting.first_s is None:
        return now_s - presenting.began_s > IDLE_S
    since_s, gone_s = now_s - presenting.first_s, now_s - presenting.last_s
    return presenting.opened or since_s > HOLD_S or gone_s > GONE_S


def _not_counted(presenting: _Presentation) -> str:
    """Why a presentation proves nothing, or empty."""
    if presenting.opened:
        return ""
    if presenting.first_s is None:
        return f"nobody was seen for {IDLE_S:.0f} s"
    hint = f" ({presenting.hints[-1]})" if presenting.hints else ""
    if presenting.looks.total() < LOOKS_MIN:
        return f"too little was seen: {presenting.looks.total()} of at least {LOOKS_MIN} looks{hint}"
    if presenting.kind not in ATTACKS:
        return ""
    if presenting.known is None:
        return f"it would not have opened with liveness off either{hint}: take a better picture of somebody enrolled"
    track, before = presenting.known
    if (after := presenting.looks[track] - before) < AFTER_MIN:
        return f"it was taken away too soon: {after} looks of the face that was known, of at least {AFTER_MIN}"
    return ""


def _nobody(sign: Sign) -> None:
    """What is judged without liveness asks nobody anything."""
