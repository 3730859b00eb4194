"""The laptop's own key, and the locks that it is paired with: one file of the user's, that nobody else may read."""

import hashlib
import os
from pathlib import Path

import click
import msgspec

from edge.cable.noise import new_key
from edge.core.names import shown
from edge.errors import InputError, StoreError

LOCKS_MAX = 100


class Lock(msgspec.Struct, frozen=True):
    """A lock that this laptop was paired with. ``name``: its id, what its key can be told by."""

    key: bytes
    name: str


def named(key: bytes) -> Lock:
    """By eight hexadecimal digits of the digest."""
    return Lock(key, hashlib.sha256(key).hexdigest()[:8])


class Keys(msgspec.Struct, frozen=True):
    """``locks``: the one used last comes first."""

    private: bytes
    locks: list[Lock] = []


class KeyFile:
    """Reads and replaces the file as a whole."""

    def __init__(self, path: Path | None = None) -> None:
        """``path`` None: where this system keeps a user's settings."""
        self.path = path or Path(click.get_app_dir("facelatch")) / "usb.json"

    def read(self) -> Keys:
        """What is there; a new key where nothing is. Raises StoreError, InputError."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Keys)
        except FileNotFoundError:
            return Keys(new_key())
        except OSError as error:
            raise self._unusable(error) from error
        except msgspec.DecodeError as error:
            raise InputError(
                f"{shown(str(self.path), 120)} is no list of locks. Move it away, and pair this laptop again."
            ) from error

    def remember(self, keys: Keys, lock: Lock) -> None:
        """Put a lock first, in place of what it was called before. Raises StoreError."""
        others = [each for each in keys.locks if each.key != lock.key]
        data = msgspec.json.encode(Keys(keys.private, [lock, *others][:LOCKS_MAX]))
        fresh = self.path.with_name(self.path.name + ".new")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh.unlink(missing_ok=True)
            with open(fresh, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                file.write(data)
            fresh.replace(self.path)
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> StoreError:
        reason = error.strerror or str(error)
        return StoreError(f"{shown(str(self.path), 120)} cannot be used ({reason}). Look at its permissions.")
