"""The camera is the one that the lock knows: another one, or the same in another size, is an alarm, and shows nobody
until an operator has accepted it.

Whoever puts a virtual camera, or a cable with a recorder, in the camera's place would otherwise be the lock's eyes. The
first camera is taken as it is, and told. A replay has no identity and is never taken for the camera.
"""

from edge.errors import FacelatchError
from edge.ports import Store
from edge.teller import Teller, quoted

KEY = "camera"


class CameraPin:
    """What the store says of the camera, held against what the eyes say."""

    def __init__(self, store: Store, teller: Teller) -> None:
        self._store, self._teller = store, teller
        self._here: str | None = None
        self.refused = ""

    def greet(self, identity: str) -> None:
        """The eyes have opened a camera. ``refused`` says from now on why its looks do not count, or is empty."""
        self._here, self.refused = identity, ""
        try:
            known = self._store.setting(KEY)
            if known is None and identity:
                self._store.keep(KEY, identity)
                self._teller.tell("camera_pinned", camera=quoted(identity))
        except FacelatchError as error:
            self.refused = f"which camera belongs here cannot be read ({quoted(str(error))})"
        else:
            if known is not None and known != identity:
                self.refused = f"another camera than {known}: accept it by `facelatch clear --camera`"
                self._teller.tell("camera_changed", camera=quoted(identity), reason=f"it was {quoted(known)}")

    def gone(self) -> None:
        """The eyes went away: there is no camera to accept."""
        self._here = None

    def accept(self, who: str) -> bool:
        """Take the camera that is there for the lock's own; False where there is none. Raises StoreError."""
        if not self._here:
            return False
        self._store.keep(KEY, self._here)
        self.refused = ""
        self._teller.tell("camera_pinned", camera=quoted(self._here), by=who)
        return True
