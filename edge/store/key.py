"""Files of 32 random bytes, for the guardian alone: the log's key, and the master key.

Whoever can read the log's key can write a log that verifies: the chain shows an edited database, not an attacker who is
root.
"""

import logging
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from edge.store.faults import where
from edge.store.lock import give_to_folder_owner

_log = logging.getLogger(__name__)

KEY_BYTES = 32
"""As long as the digest of HMAC-SHA256; a longer key adds nothing (RFC 2104, section 3). And the key of AES-256."""


def key_path(store: Path) -> Path:
    """Where the log's key lies."""
    return store.with_name(store.name + ".logkey")


def log_key(store: Path, *, has_chain: bool) -> tuple[bytes, bool]:
    """The key, and whether the one that the store's chain was made with is lost.

    Where the new one cannot be kept either, it serves until the store is closed. Raises OSError for a store that has no
    chain yet.
    """
    path = key_path(store)
    try:
        key = read_key(path)
        if key is not None and len(key) == KEY_BYTES:
            return key, False
        key = secrets.token_bytes(KEY_BYTES)
        write_key(path, key)
    except OSError as error:
        if not has_chain:
            raise
        _log.error("%s: the log's key can be neither read nor made (%s)", where(store), error.strerror)
        key = secrets.token_bytes(KEY_BYTES)
    return key, has_chain


def read_key(path: Path) -> bytes | None:
    """The file's first 33 bytes, none of what is no file, None where nothing is. Raises OSError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        return os.read(descriptor, KEY_BYTES + 1) if regular else b""
    finally:
        os.close(descriptor)


def write_key(path: Path, key: bytes) -> None:
    """In place of whatever is there, complete or not at all. Raises OSError."""
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
            give_to_folder_owner(descriptor, path.parent)
            if os.write(descriptor, key) != len(key):
                raise OSError("the key was written in part only")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        fresh.rename(path)
        flush_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise


def flush_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
