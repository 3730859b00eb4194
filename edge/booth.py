"""The enrolment at the camera while the lock runs: at most one, begun, asked about and ended by an operator's command.

While it lasts the guardian judges no faces: their looks come here. Nothing is stored but in answer to the command that
began it, through the same question as photographs, so that one who has gone enrols nobody.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from edge import wire
from edge.core.evidence import FUTURE_MAX_S
from edge.core.sitting import LOOKS_MIN, Kept, Sitting
from edge.errors import CameraError, DoorError, FaceError, FacelatchError
from edge.ports import Clock
from edge.teller import Teller
from edge.types import Look, Sign

ASKED_EVERY_S = 5.0
"""A command that has not asked for so long is gone: twenty times its pace."""

IDLE_S = 60.0
"""Without a look kept for so long nobody comes any more; with ``LOOKS_MIN`` of them kept they are enough."""


@dataclass(slots=True)
class _Session:
    question: wire.AskCamera
    who: str
    sitting: Sitting
    began_s: float
    asked_s: float
    kept_s: float
    picture: bytes | None = None


AskBooth = wire.AskCamera | wire.AskCameraProgress | wire.AskCameraPicture | wire.AskCameraCancel


class Booth:
    """Give it every frame's looks while ``occupied``, and let time pass with ``tick``."""

    def __init__(
        self,
        enrol: Callable[[wire.AskEnroll, str], wire.Answer],
        model_id: str,
        min_face_px: float,
        clock: Clock,
        teller: Teller,
        show: Callable[[Sign], None],
    ) -> None:
        """``enrol`` stores: the question, and who asks. It raises the FacelatchError that says why not."""
        self._enrol, self._model_id, self._min_face_px = enrol, model_id, min_face_px
        self._clock, self._teller, self._show = clock, teller, show
        self._session: _Session | None = None
        self._ended: tuple[str, FacelatchError] | None = None

    @property
    def occupied(self) -> bool:
        return self._session is not None

    @property
    def previewed(self) -> bool:
        """Whether whoever began it wants to see what the camera sees."""
        return self._session is not None and self._session.question.preview

    def pictured(self, jpeg: bytes) -> None:
        """What the camera shows now."""
        if self._session is not None and self._session.question.preview:
            self._session.picture = jpeg

    def answer(self, question: AskBooth, who: str) -> wire.Sitting | wire.Picture:
        """Raises the FacelatchError that ended an enrolment, DoorError when one cannot begin."""
        match question:
            case wire.AskCamera():
                return self._begin(question, who)
            case wire.AskCameraProgress():
                return self._progress(self._of(question.ticket), who)
            case wire.AskCameraPicture():
                return wire.Picture(self._of(question.ticket).picture)
            case wire.AskCameraCancel():
                session = self._of(question.ticket)
                self._end("cancelled", DoorError("This enrolment was cancelled. Begin another one."))
                return _told(session.sitting)

    def see(self, looks: Sequence[Look], faces_in_frame: int) -> None:
        """One frame. Looks captured before the enrolment began, or in the future, are passed over."""
        session, now_s = self._session, self._clock.now_s()
        if session is None or session.sitting.complete:
            return
        if not all(session.began_s <= look.captured_s <= now_s + FUTURE_MAX_S for look in looks):
            return
        if session.sitting.add(looks, faces_in_frame):
            session.kept_s = now_s
            self._show(Sign.KEPT)
        elif faces_in_frame:
            self._show(Sign.GUIDANCE)

    def tick(self) -> None:
        """Let time pass: a command that asks no more has gone."""
        if self._session is not None and self._clock.now_s() - self._session.asked_s > ASKED_EVERY_S:
            self._end("its command has gone", DoorError("The command asked no more: its enrolment is over. Try again."))

    def eyes_away(self) -> None:
        """There is nothing to see any more."""
        message = "The eyes went away, and the enrolment ended with that. See `facelatch status`, then try again."
        self._end("the eyes went away", CameraError(message))

    def close(self, reason: str) -> None:
        """Lockdown, or the guardian's end."""
        self._end(reason, DoorError(f"The enrolment ended: {reason}. Nobody was enrolled; try again afterwards."))

    def _begin(self, question: wire.AskCamera, who: str) -> wire.Sitting:
        if self._session is not None:
            raise DoorError(f"Somebody is being enrolled at the camera already, by {self._session.who}. Wait for it.")
        now_s = self._clock.now_s()
        sitting = Sitting(question.looks, self._min_face_px)
        self._session, self._ended = _Session(question, who, sitting, now_s, now_s, now_s), None
        self._teller.tell("enrolling", by=who, reason="at the camera; faces open nothing meanwhile")
        return _told(sitting)

    def _progress(self, session: _Session, who: str) -> wire.Sitting:
        session.asked_s = now_s = self._clock.now_s()
        sitting = session.sitting
        if not sitting.complete and now_s - session.kept_s <= IDLE_S:
            return _told(sitting)
        try:
            if len(sitting.kept) < LOOKS_MIN:
                raise FaceError(_too_few(sitting))
            embeddings = [wire.to_bytes(each.embedding) for each in sitting.kept]
            terms = msgspec.structs.asdict(session.question.terms)
            answer = self._enrol(wire.AskEnroll(model_id=self._model_id, templates=embeddings, **terms), who)
        except FacelatchError as error:
            self._end(f"nobody was enrolled ({type(error).__name__})", error)
            raise
        self._end("somebody was enrolled", DoorError("This enrolment is over. Begin another one."))
        person = answer.people[0] if isinstance(answer, wire.People) else None
        return msgspec.structs.replace(_told(sitting), person=person)

    def _of(self, ticket: str) -> _Session:
        """The enrolment of this name. Raises the FacelatchError that ended it."""
        if self._session is not None and self._session.question.ticket == ticket:
            return self._session
        if self._ended is not None and self._ended[0] == ticket:
            raise self._ended[1]
        raise DoorError("There is no such enrolment at the camera (any more). Begin another one.")

    def _end(self, reason: str, error: FacelatchError) -> None:
        session, self._session = self._session, None
        if session is not None:
            self._ended = session.question.ticket, error
            kept = len(session.sitting.kept)
            self._teller.tell("enrolling_ended", by=session.who, reason=reason, kept=kept)


def _told(sitting: Sitting) -> wire.Sitting:
    return wire.Sitting(
        [_line(each) for each in sitting.kept], sitting.wanted, sitting.guidance, dict(sitting.refused.most_common())
    )


def _line(kept: Kept) -> wire.KeptLook:
    quality = kept.quality
    pose = None if kept.wish is None else kept.wish.name.lower()
    return wire.KeptLook(pose, quality.face_px, quality.yaw_deg, quality.brightness, quality.sharpness)


def _too_few(sitting: Sitting) -> str:
    reasons = ", ".join(f"{count} {reason}" for reason, count in sitting.refused.most_common(3))
    return (
        f"Nobody was enrolled, as for {IDLE_S:.0f} s no look could be kept ({len(sitting.kept)} of at least {LOOKS_MIN}"
        f"{'; ' * bool(reasons)}{reasons}). The last thing to do was: {sitting.guidance}."
    )
