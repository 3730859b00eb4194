"""What looks at photographs of a cable or a stick: a darkroom that decodes, the networks, one session a person."""

from collections.abc import Callable
from importlib.metadata import version

from edge import wire
from edge.cable.talk import Finding
from edge.darkroom import Darkroom
from edge.enroll.session import Session
from edge.errors import FacelatchError
from edge.ports import Detector, Embedder
from edge.settings import Config
from edge.types import Rgb

MAX_PIXELS = 4_000_000
"""Of a photograph from the cable: five times what a laptop sends (``edge.laptop.prepare``), 12 MB decoded."""

STICK_LONGEST_PX = 1024
"""To which photographs of a stick are scaled: the size that a laptop sends at most, so that the templates are like
those of the cable (``edge.laptop.prepare.STEPS``)."""


class CableStudio:
    """The networks, loaded once, and the process that decodes."""

    def __init__(
        self,
        config: Config,
        detector: Detector,
        embedder: Embedder,
        max_pixels: int = MAX_PIXELS,
        longest_px: int | None = None,
    ) -> None:
        """``max_pixels`` and ``longest_px``: see ``Darkroom``."""
        self._config, self._detector, self._embedder = config, detector, embedder
        self._darkroom = Darkroom(max_pixels, longest_px)
        self._darkroom.start()

    @property
    def model_id(self) -> str:
        return self._embedder.model_id

    def session(self) -> Session:
        """For one person."""
        keeps = self._config.privacy.keep_pictures
        return Session(self._detector, self._embedder, self._config.faces.min_px, keeps_pictures=keeps)

    def develop(self, data: bytes, source: str) -> Rgb:
        """Raises ImageError."""
        return self._darkroom.develop(data, source)

    def close(self) -> None:
        self._darkroom.close()


def findings(studio: CableStudio, guardian: Callable[[wire.FromCable], wire.Answer], key: bytes) -> list[Finding]:
    """What a laptop is told of the lock's health: what the process on the cable can see."""
    found = [
        Finding("release", "ok", f"facelatch {version('facelatch')}"),
        Finding("networks", "ok", f"loaded; templates of {studio.model_id}"),
    ]
    try:
        answer = guardian(wire.CableAsk(key, wire.AskStatus()))
        line = answer.line() if isinstance(answer, wire.Status) else "answered something else"
        state = "ok" if isinstance(answer, wire.Status) and answer.eyes != "away" else "note"
        found.append(Finding("guardian", state, line))
    except FacelatchError as error:
        found.append(Finding("guardian", "fault", str(error)))
    return found
