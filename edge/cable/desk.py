"""What the lock does for a laptop that has proved its key: asks the guardian, and enrols from photographs.

An answer is a generator of replies; None says that there is nothing to send yet. It is closed when the laptop cancels,
begins another connection, or goes.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Protocol, TypeVar

import msgspec

from edge import wire
from edge.cable import talk
from edge.cable.uploads import Done, Uploads
from edge.core.names import shown
from edge.enroll.session import Sample, Session, templates
from edge.errors import FaceError, FacelatchError, ImageError, WireError
from edge.images import small_jpeg
from edge.types import Rgb

ASK_EVERY_S = 0.25
"""How often the guardian is asked how far an enrolment at the camera is."""

PREVIEW_EVERY_S = 2.0
"""How often a laptop that wants to gets to see it: 10 kB, of the 20 that a line of 115,200 baud carries meanwhile."""

Guardian = Callable[[wire.FromCable], wire.Answer]
"""Asks the guardian. Raises the FacelatchError that it answers with, WireError when there is none."""


Answered = TypeVar("Answered", bound=wire.Answer)


class Studio(Protocol):
    """What looks at photographs."""

    @property
    def model_id(self) -> str: ...

    def session(self) -> Session:
        """For one person."""

    def develop(self, data: bytes, source: str) -> Rgb:
        """Raises ImageError."""


class Desk:
    """Serves one laptop at a time; ``key`` is the one that it has proved."""

    def __init__(
        self,
        guardian: Guardian,
        uploads: Uploads,
        studio: Studio,
        findings: Callable[[bytes], Sequence[talk.Finding]],
        settings: str,
        agreed: Callable[[], tuple[wire.ConsentLine, str]],
        now_s: Callable[[], float],
    ) -> None:
        """``agreed``: a consent given now, and its last day."""
        self._guardian, self._uploads, self._studio = guardian, uploads, studio
        self._findings, self._settings, self._agreed, self._now_s = findings, settings, agreed, now_s

    def answer(self, key: bytes, request: talk.Request) -> Iterator[talk.Reply | None]:
        """The replies to one request; a FacelatchError becomes the last of them."""
        try:
            yield from self._answer(key, request)
        except FacelatchError as error:
            yield wire.Failure(type(error).__name__, str(error)[:2000])

    def _answer(self, key: bytes, request: talk.Request) -> Iterator[talk.Reply | None]:
        match request:
            case talk.Status():
                yield self._asked(key, wire.AskStatus(), wire.Status)
            case talk.People():
                yield self._asked(key, wire.AskPeople(request.start), wire.People)
            case talk.Forget():
                yield self._asked(key, wire.AskForget(request.name), wire.People)
            case talk.Log():
                yield self._asked(key, wire.AskLog(last=request.last), wire.Log)
            case talk.Offer():
                self._guardian(wire.CableAdmit(key))
                yield talk.Held(self._uploads.offer(request.photos))
            case talk.Piece():
                self._uploads.take(request)
            case talk.Enroll():
                yield from self._enroll(key, request)
            case talk.Live():
                yield from self._live(key, request)
            case talk.Doctor():
                self._guardian(wire.CableAdmit(key))
                yield talk.Findings(list(self._findings(key)))
            case talk.Settings():
                self._guardian(wire.CableAdmit(key))
                yield talk.SettingsText(self._settings)
            case talk.Cancel():
                raise WireError("Cancelled, or there was nothing to cancel. Nobody was enrolled by that.")

    def _enroll(self, key: bytes, request: talk.Enroll) -> Iterator[talk.Reply | None]:
        done = self._uploads.done(key, request.ticket)
        if done is not None:
            yield done
            return
        files = [(photo.source, self._uploads.read(photo)) for photo in request.photos]
        session = self._studio.session()
        for source, data in files:
            printable = shown(source, 120)[1:-1]
            refused = None
            try:
                session.add(printable, self._studio.develop(data, printable))
            except ImageError as error:
                refused = str(error)
                session.refuse(printable, refused)
            yield talk.Looked(printable, refused)
        samples = session.finish(request.looks)
        answer = self._asked(key, self._question(request, samples), wire.People)
        photos = [talk.Looked(sample.source, sample.refused) for sample in samples]
        enrolled = talk.Enrolled(answer.people[0], photos)
        self._uploads.keep(Done(key, request.ticket, enrolled))
        self._uploads.clear()
        yield enrolled

    def _question(self, request: talk.Enroll, samples: Sequence[Sample]) -> wire.AskEnroll:
        kept = [wire.to_bytes(template) for template in templates(samples)]
        if not kept:
            reasons = "\n".join(f"  {sample.source}: {sample.refused}" for sample in samples)
            raise FaceError(
                f"Nobody was enrolled, as no photograph can be used:\n{reasons}\n"
                "Use a sharp picture from the front, in even light, with one person in it."
            )
        crops = [small_jpeg(sample.aligned, wire.CROP_MAX_BYTES) for sample in samples if sample.aligned is not None]
        terms = msgspec.structs.asdict(self._terms(request))
        return wire.AskEnroll(model_id=self._studio.model_id, templates=kept, crops=crops, **terms)

    def _live(self, key: bytes, request: talk.Live) -> Iterator[talk.Reply | None]:
        ticket = secrets.token_hex(8)
        begun = wire.AskCamera(ticket, self._terms(request), request.looks, request.preview)
        sitting = self._asked(key, begun, wire.Sitting)
        preview_s, shown_before = self._now_s(), None
        try:
            while sitting.person is None:
                yield sitting
                if request.preview and self._now_s() >= preview_s:
                    picture = self._asked(key, wire.AskCameraPicture(ticket), wire.Picture)
                    if picture.jpeg not in (None, shown_before):
                        yield picture
                        preview_s, shown_before = self._now_s() + PREVIEW_EVERY_S, picture.jpeg
                due_s = self._now_s() + ASK_EVERY_S
                while self._now_s() < due_s:
                    yield None
                sitting = self._asked(key, wire.AskCameraProgress(ticket), wire.Sitting)
        except GeneratorExit:
            with suppress(FacelatchError):  # it ends by itself when nobody asks any more
                self._asked(key, wire.AskCameraCancel(ticket), wire.Sitting)
            raise
        yield sitting

    def _asked(self, key: bytes, question: wire.CableQuestion, kind: type[Answered]) -> Answered:
        answer = self._guardian(wire.CableAsk(key, question))
        if not isinstance(answer, kind):
            raise WireError("The guardian answered something else than was asked. Use one release for both.")
        return answer

    def _terms(self, request: talk.Enroll | talk.Live) -> wire.EnrollTerms:
        consent, expires = self._agreed() if request.consent else (None, None)
        return wire.EnrollTerms(request.name, request.add, request.pin_required, consent, expires)
