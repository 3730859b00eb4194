"""The master key: 32 random bytes that wrap every person's key. It lies beside the store (0600), in a file of the
owner's choice, or comes as a systemd credential, which an encrypted file or a TPM can hold."""

import os
import secrets
import stat
from pathlib import Path

from edge.core.names import shown
from edge.errors import StoreKeyError
from edge.store.faults import explained
from edge.store.key import KEY_BYTES, flush_folder, read_key, write_key

CREDENTIAL, NEXT = "facelatch.master", "facelatch.master.next"
"""Its name, and that of the one to follow it, in the unit's ``LoadCredentialEncrypted=`` (systemd.exec(5))."""


class MasterKey:
    """Where the key is; ``given`` when the lock may read it and never writes it."""

    def __init__(self, path: Path, *, given: bool = False) -> None:
        self.path, self.given = path, given

    @classmethod
    def beside(cls, store: Path) -> "MasterKey":
        """The default: a file that nobody but its owner may read."""
        return cls(store.with_name(store.name + ".master"))

    @classmethod
    def credential(cls) -> "MasterKey":
        """What systemd hands to the service. Raises StoreKeyError where it hands over nothing."""
        folder = os.environ.get("CREDENTIALS_DIRECTORY")
        if not folder:
            raise StoreKeyError(
                'The master key is a credential (paths.master_key = "credential"), and systemd hands none to this '
                "process. Ask the running guardian, and look at LoadCredentialEncrypted= of facelatch-door.service."
            )
        return cls(Path(folder) / CREDENTIAL, given=True)

    def read(self) -> bytes:
        """(32,) bytes. Raises StoreKeyError for one that is missing, of another length, or open to others."""
        key = self._read(self.path)
        if key is None:
            raise StoreKeyError(
                f"The master key {self._name} is missing. Put it back; without it nobody's templates can be read, and "
                "the way on is to move the store and its keys away and to enrol everybody anew."
            )
        return key

    def read_next(self) -> bytes | None:
        """The key that is to follow: a second credential, or what a change of keys that was interrupted had laid
        ready. Raises StoreKeyError."""
        return self._read(self._next)

    def make(self) -> bytes:
        """A new key where there is none. Raises StoreError, StoreKeyError."""
        if self.given:
            return self.read()
        if self._read(self.path) is None:
            with explained(self.path, "be made"):
                write_key(self.path, secrets.token_bytes(KEY_BYTES))
        return self.read()

    def prepare(self) -> bytes:
        """The key that is to follow: laid beside the present one, to take its place by ``put_in_place``; or the second
        credential, which must be there. Raises StoreKeyError, StoreError."""
        if self.given:
            key = self.read_next()
            if key is None:
                raise StoreKeyError(
                    "The master key is a credential, and no next one is loaded. Encrypt 32 new random bytes as "
                    f"{NEXT}, load it in facelatch-door.service beside the present one, restart, and rotate then."
                )
            return key
        with explained(self._next, "be written"):
            write_key(self._next, secrets.token_bytes(KEY_BYTES))
        return self._read(self._next) or self.read()

    def put_in_place(self) -> None:
        """The key that was prepared is the key from here on; of credentials the owner does that. Raises StoreError."""
        if not self.given:
            with explained(self.path, "be written"):
                self._next.replace(self.path)
                flush_folder(self.path.parent)

    def drop_next(self) -> None:
        """The change of keys never happened; a credential stays for the owner to use. Raises StoreError."""
        if not self.given:
            with explained(self._next, "be removed"):
                self._next.unlink(missing_ok=True)

    @property
    def _name(self) -> str:
        return shown(str(self.path), 120)

    @property
    def _next(self) -> Path:
        return self.path.with_name(self.path.name + ".next")

    def _read(self, path: Path) -> bytes | None:
        with explained(path, "be read"):
            key = read_key(path)
            mode = path.stat().st_mode if key is not None else 0
        if key is None:
            return None
        if len(key) != KEY_BYTES:
            raise StoreKeyError(
                f"The master key {shown(str(path), 120)} is not a file of {KEY_BYTES} bytes. Put the right one back."
            )
        if not self.given and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise StoreKeyError(
                f"The master key {shown(str(path), 120)} is open to others (mode {stat.S_IMODE(mode):04o}). Run: chmod "
                "600 on it, and `facelatch keys rotate` if somebody may have read it."
            )
        return key
