"""Pictures of refused visitors, where the owner wants them: JPEG files beside the store, for a number of days.

The eyes send the pictures, so their bytes are a stranger's: they are bounded and kept, and never decoded here.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

from edge.ports import Clock

EVERY_S = 5.0
"""At most one picture is kept so often: two of one approach show the same, and a card wears out."""

FRESH_S = 2.0
"""An older picture may show somebody else."""

FILES_MAX = 2000
"""With the eyes' at most 64 kB each no more than 130 MB; beyond it the oldest goes."""


class Snapshots:
    """A folder of pictures. Nothing that fails here stops the door; a picture is then not kept."""

    def __init__(self, folder: Path, keep_days: int, clock: Clock) -> None:
        """``keep_days`` 0: nothing is kept, and what was kept before goes at the first ``prune``."""
        self._folder, self._keep_days, self._clock = folder, keep_days, clock
        self._newest: bytes | None = None
        self._came_s = self._kept_s = float("-inf")

    def seen(self, jpeg: bytes) -> None:
        """What the eyes see now."""
        if self._keep_days:
            self._newest, self._came_s = jpeg, self._clock.now_s()

    def keep(self) -> str | None:
        """Keep the newest picture; its file's name for the log, None when there is none to keep."""
        now_s = self._clock.now_s()
        if self._newest is None or now_s - self._came_s > FRESH_S or now_s - self._kept_s < EVERY_S:
            return None
        name = f"{self._clock.utc().replace(':', '')[:17]}Z.jpg"
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            partial = self._folder / "partial"
            with suppress(FileNotFoundError):
                partial.unlink()
            file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with open(file, "wb") as opened:
                opened.write(self._newest)
            partial.rename(self._folder / name)
        except OSError:
            return None
        self._newest, self._kept_s = None, now_s
        return name

    def prune(self) -> None:
        """Remove what is too old or too much. Age counts by the calendar only while that can be believed."""
        with suppress(OSError):
            files = sorted(self._folder.glob("*.jpg"))
            oldest_s = time.time() - self._keep_days * 86400
            believed = self._clock.trusted()
            for file in files[: max(len(files) - FILES_MAX, 0)]:
                file.unlink()
            for file in files[max(len(files) - FILES_MAX, 0) :]:
                if not self._keep_days or (believed and file.stat().st_mtime < oldest_s):
                    file.unlink()
