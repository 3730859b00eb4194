"""Photographs that come over the cable, piece by piece, in a folder of the runtime directory.

They outlast a cable that is pulled and a process that ends, not a boot. The folder holds the photographs of one offer
at most: another offer removes what was not asked for again.
"""

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from edge.cable.talk import PHOTO_MAX_BYTES, Enrolled, Photo, Piece
from edge.core.names import shown
from edge.errors import InputError, StoreError

_DONE = "done"


class Done(msgspec.Struct, frozen=True):
    """Who was enrolled last, over which key and ticket."""

    key: bytes
    ticket: str
    answer: Enrolled


class Uploads:
    """Names of files are digests, made here."""

    def __init__(self, folder: Path) -> None:
        """Raises StoreError when the folder cannot be made."""
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(folder, error) from error
        self._folder = folder
        self._wanted: dict[bytes, int] = {}

    def offer(self, photos: Sequence[Photo]) -> list[int]:
        """How many bytes of each are here; everything else is removed. Raises StoreError."""
        self._wanted = {photo.digest: photo.size for photo in photos}
        try:
            for path in self._folder.iterdir():
                if path.name != _DONE and path.name not in {digest.hex() for digest in self._wanted}:
                    path.unlink()
            return [self._held(photo.digest) for photo in photos]
        except OSError as error:
            raise _unusable(self._folder, error) from error

    def take(self, piece: Piece) -> None:
        """The next bytes; such as are here already are passed over. Raises InputError, StoreError."""
        size = self._wanted.get(piece.digest)
        if size is None:
            raise InputError("A piece of a photograph came that was not offered. Try again.")
        try:
            held = self._held(piece.digest)
            if piece.offset > held or piece.offset + len(piece.data) > size:
                raise InputError("A piece of a photograph does not fit what came before. Try again.")
            fresh = piece.data[held - piece.offset :]
            if fresh:
                with open(self._path(piece.digest), "ab", opener=_private) as file:
                    file.write(fresh)
        except OSError as error:
            raise _unusable(self._folder, error) from error

    def read(self, photo: Photo) -> bytes:
        """A photograph's whole file. Raises InputError when it is not here, or not what was offered."""
        try:
            with open(self._path(photo.digest), "rb") as file:
                data = file.read(PHOTO_MAX_BYTES + 1)
        except OSError:
            data = b""
        if len(data) != photo.size or hashlib.sha256(data).digest() != photo.digest:
            with suppress(OSError):
                self._path(photo.digest).unlink()
            raise InputError(f"The photograph {shown(photo.source)} is not on the lock. Send it again.")
        return data

    def clear(self) -> None:
        """Remove every photograph. Raises StoreError."""
        self.offer([])

    def keep(self, done: Done) -> None:
        """Remember who was enrolled, for a laptop whose cable was pulled before it heard that. Raises StoreError."""
        try:
            with open(self._folder / _DONE, "wb", opener=_private) as file:
                file.write(msgspec.msgpack.encode(done))
        except OSError as error:
            raise _unusable(self._folder, error) from error

    def done(self, key: bytes, ticket: str) -> Enrolled | None:
        """What was answered to this key and ticket."""
        try:
            kept = msgspec.msgpack.decode((self._folder / _DONE).read_bytes(), type=Done)
        except (OSError, msgspec.DecodeError):
            return None
        return kept.answer if (kept.key, kept.ticket) == (key, ticket) else None

    def _held(self, digest: bytes) -> int:
        path = self._path(digest)
        return path.stat().st_size if path.exists() else 0

    def _path(self, digest: bytes) -> Path:
        return self._folder / digest.hex()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _unusable(folder: Path, error: OSError) -> StoreError:
    reason = error.strerror or str(error)
    return StoreError(f"Photographs cannot be kept in {shown(str(folder), 120)} ({reason}). Make room, then try again.")
