"""The daily backup, in a thread of its own: copying the store takes longer on a slow card than the door may wait."""

import threading
from collections.abc import Callable
from datetime import datetime

from edge.errors import FacelatchError
from edge.ports import Clock
from edge.teller import Teller

DAY_S = 86400.0

ENDING_S = 10.0
"""How long an ending guardian, its bolt secured, waits for a backup; systemd grants 90 s."""


class DailyBackup:
    """Called from the guardian's tick; a backup that is due is made beside it and told when it ended."""

    def __init__(self, make: Callable[[], str], newest_utc: str | None, clock: Clock, teller: Teller) -> None:
        """``make`` makes one and returns its name, in the thread; ``newest_utc``: when the last one was made."""
        self._make, self._clock, self._teller = make, clock, teller
        self._thread: threading.Thread | None = None
        self._outcome: tuple[str, dict[str, str]] | None = None
        self._due_s = clock.now_s() + self._wait_s(newest_utc)

    def tick(self) -> None:
        """Begin one when it is due, and tell of one that has ended."""
        if self._thread is not None:
            if self._thread.is_alive():
                return
            self._thread = None
            if self._outcome is not None:
                kind, values = self._outcome
                self._teller.tell(kind, None, **values)
        if self._clock.now_s() >= self._due_s:
            self._due_s = self._clock.now_s() + DAY_S
            self._outcome = None
            self._thread = threading.Thread(target=self._work, name="backup", daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Let one that is being made come to its end, for a moment: half of one would lie about until the next."""
        if self._thread is not None:
            self._thread.join(ENDING_S)
            self.tick()

    def _work(self) -> None:
        try:
            self._outcome = "backed_up", {"backup": self._make()}
        except FacelatchError as error:
            self._outcome = "backup_failed", {"reason": str(error)[:500]}
        except Exception as error:
            # Whatever it is, it ends this backup and is told; the door goes on.
            self._outcome = "backup_failed", {"reason": f"{type(error).__name__} while copying the store"}

    def _wait_s(self, newest_utc: str | None) -> float:
        """Seconds until a day has passed since the last one; none where there is none, or it is of the future."""
        if newest_utc is None:
            return 0.0
        age_s = (datetime.fromisoformat(self._clock.utc()) - datetime.fromisoformat(newest_utc)).total_seconds()
        return DAY_S - age_s if 0 <= age_s < DAY_S else 0.0
