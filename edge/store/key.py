"""The key of the log's chain: ``<store>.logkey``, 32 random bytes, for the guardian alone.

Whoever can read it can write a log that verifies: the chain shows an edited database, not an attacker who is root.
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
"""As long as the digest of HMAC-SHA256; a longer key adds nothing (RFC 2104, section 3)."""


def key_path(store: Path) -> Path:
    return store.with_name(store.name + ".logkey")


def log_key(store: Path, *, has_chain: bool) -> tuple[bytes, bool]:
    """The key, and whether the one that the store's chain was made with is lost.

    Where the new one cannot be kept either, it serves until the store is closed. Raises OSError for a store that has no
    chain yet.
    """
    try:
        key = read_key(store)
        if key is not None:
            return key, False
        key = make_key(store)
    except OSError as error:
        if not has_chain:
            raise
        _log.error("%s: the log's key can be neither read nor made (%s)", where(store), error.strerror)
        key = secrets.token_bytes(KEY_BYTES)
    return key, has_chain


def read_key(store: Path) -> bytes | None:
    """The key, None where there is none that can be used. Raises OSError when there may be one."""
    try:
        descriptor = os.open(key_path(store), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        key = os.read(descriptor, KEY_BYTES + 1) if regular else b""
    finally:
        os.close(descriptor)
    return key if len(key) == KEY_BYTES else None


def make_key(store: Path) -> bytes:
    """A new key in place of whatever is there, complete or not at all. Raises OSError."""
    path = key_path(store)
    fresh = path.with_name(path.name + ".new")
    key = secrets.token_bytes(KEY_BYTES)
    try:
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
            give_to_folder_owner(descriptor, store.parent)
            if os.write(descriptor, key) != KEY_BYTES:
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
    return key


def flush_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
