"""What the lock's camera sees during an enrolment, in a file for a picture viewer: no face stays on the laptop."""

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from edge import wire
from edge.core.names import shown
from edge.errors import InputError


class Preview:
    """A file that is there while it is entered; ``path`` None: no file at all."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def __enter__(self) -> Self:
        """Raises InputError for a file that exists: whatever it is, it would be overwritten and removed."""
        if self._path is not None:
            try:
                os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            except OSError as error:
                raise InputError(
                    f"{shown(str(self._path), 100)} cannot be made ({error.strerror}). Give another name for --preview."
                ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._path is not None:
            for path in (self._path, self._fresh(self._path)):
                with suppress(OSError):
                    path.unlink(missing_ok=True)

    def show(self, picture: wire.Picture) -> None:
        """Replace what it shows, whole. A file that cannot be written, as one that a viewer holds on Windows, stays."""
        if self._path is None or picture.jpeg is None:
            return
        fresh = self._fresh(self._path)
        with suppress(OSError):
            with open(fresh, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
                file.write(picture.jpeg)
            fresh.replace(self._path)

    @staticmethod
    def _fresh(path: Path) -> Path:
        return path.with_name(f"{path.name}.new")
