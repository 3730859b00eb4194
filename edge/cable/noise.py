"""The Noise protocol framework, revision 34 (https://noiseprotocol.org/noise.html), as far as the cable needs it:
Noise_IK, Noise_X and Noise_XXpsk0 with 25519, AESGCM and SHA256. The names are the specification's.

IK: both ends prove their keys, and the laptop's is told to nobody but the lock that it was paired with. XXpsk0: the
same between ends that do not know each other yet, with a secret that both must have. X: IK without an answer, for what
is carried. The primitives are those of
``cryptography`` and the standard library; the packages that implement Noise for Python had no release for years.
"""

import hashlib
import hmac
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from edge.errors import WireError

KEY_BYTES = 32

_PATTERNS: dict[str, tuple[tuple[str, ...], ...]] = {
    "IK": (("e", "es", "s", "ss"), ("e", "ee", "se")),
    "X": (("e", "es", "s", "ss"),),
    "XXpsk0": (("psk", "e"), ("e", "ee", "s", "es"), ("s", "se")),
}
_TAG_BYTES = 16


class NoiseError(WireError):
    """A message that was not made by the other end of this very connection, with the keys that it must have."""


def new_key() -> bytes:
    """A private key, 32 bytes."""
    return X25519PrivateKey.generate().private_bytes_raw()


def public_of(private: bytes) -> bytes:
    """Its public half, 32 bytes."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


class CipherState:
    """One direction. Every message has the next nonce: one that is repeated, left out or moved does not open."""

    def __init__(self, key: bytes) -> None:
        self._cipher, self._count = AESGCM(key), 0

    def encrypt(self, plain: bytes, ad: bytes = b"") -> bytes:
        return self._cipher.encrypt(self._nonce(), plain, ad)

    def decrypt(self, sealed: bytes, ad: bytes = b"") -> bytes:
        """Raises NoiseError."""
        try:
            return self._cipher.decrypt(self._nonce(), sealed, ad)
        except (InvalidTag, ValueError) as error:
            raise NoiseError("A message on the cable was changed, or is of somebody else. Try again.") from error

    def _nonce(self) -> bytes:
        count, self._count = self._count, self._count + 1
        return bytes(4) + count.to_bytes(8, "big")


class _SymmetricState:
    def __init__(self, name: str) -> None:
        self.h = name.encode().ljust(32, b"\0") if len(name) <= 32 else hashlib.sha256(name.encode()).digest()
        self._ck = self.h
        self._cipher: CipherState | None = None

    def mix_hash(self, data: bytes) -> None:
        self.h = hashlib.sha256(self.h + data).digest()

    def mix_key(self, material: bytes) -> None:
        self._ck, key = _hkdf(self._ck, material, 2)
        self._cipher = CipherState(key)

    def mix_key_and_hash(self, material: bytes) -> None:
        self._ck, hashed, key = _hkdf(self._ck, material, 3)
        self.mix_hash(hashed)
        self._cipher = CipherState(key)

    def encrypt_and_hash(self, plain: bytes) -> bytes:
        sealed = plain if self._cipher is None else self._cipher.encrypt(plain, self.h)
        self.mix_hash(sealed)
        return sealed

    def decrypt_and_hash(self, sealed: bytes) -> bytes:
        plain = sealed if self._cipher is None else self._cipher.decrypt(sealed, self.h)
        self.mix_hash(sealed)
        return plain

    @property
    def has_key(self) -> bool:
        return self._cipher is not None

    def split(self) -> tuple[CipherState, CipherState]:
        first, second = _hkdf(self._ck, b"", 2)
        return CipherState(first), CipherState(second)


class Handshake:
    """One handshake, the messages in turn; ``done`` after the last."""

    def __init__(
        self,
        pattern: str,
        static: bytes,
        *,
        begins: bool,
        prologue: bytes,
        remote: bytes | None = None,
        psk: bytes | None = None,
        ephemeral: bytes | None = None,
    ) -> None:
        """``static``: this end's private key; ``remote``: the other's public key, where it is known before; ``psk``:
        (32,) bytes; ``ephemeral``: for tests alone."""
        self._messages: list[Sequence[str]] = list(_PATTERNS[pattern])
        self._state = _SymmetricState(f"Noise_{pattern}_25519_AESGCM_SHA256")
        self._begins, self._writes = begins, begins
        self._static, self._psk = X25519PrivateKey.from_private_bytes(static), psk
        self._ephemeral = X25519PrivateKey.from_private_bytes(ephemeral or new_key())
        self.remote = remote
        self._remote_ephemeral: bytes | None = None
        self._is_psk = psk is not None
        self._state.mix_hash(prologue)
        if pattern in {"IK", "X"}:
            known = remote if begins else self._static.public_key().public_bytes_raw()
            if known is None:
                raise ValueError(f"{pattern} needs the key of the end that answers")
            self._state.mix_hash(known)

    @property
    def done(self) -> bool:
        return not self._messages

    def write(self, payload: bytes = b"") -> bytes:
        """The next message, with a payload: encrypted as soon as the handshake has come to a key."""
        out = bytearray()
        for step in self._next(writes=True):
            if step == "e":
                own = self._ephemeral.public_key().public_bytes_raw()
                out += own
                self._mix_ephemeral(own)
            elif step == "s":
                out += self._state.encrypt_and_hash(self._static.public_key().public_bytes_raw())
            else:
                self._mix(step)
        return bytes(out + self._state.encrypt_and_hash(payload))

    def read(self, message: bytes) -> bytes:
        """The payload of the other end's next message. Raises NoiseError."""
        for step in self._next(writes=False):
            if step == "e":
                self._remote_ephemeral, message = _cut(message, KEY_BYTES)
                self._mix_ephemeral(self._remote_ephemeral)
            elif step == "s":
                sealed, message = _cut(message, KEY_BYTES + _TAG_BYTES * self._state.has_key)
                self.remote = self._state.decrypt_and_hash(sealed)
            else:
                self._mix(step)
        return self._state.decrypt_and_hash(message)

    def split(self) -> tuple[CipherState, CipherState]:
        """To encrypt what is sent, and to decrypt what comes, after the handshake."""
        if not self.done:
            raise ValueError("the handshake is not done")
        first, second = self._state.split()
        return (first, second) if self._begins else (second, first)

    def _next(self, *, writes: bool) -> Sequence[str]:
        if self.done or self._writes is not writes:
            raise ValueError("it is the other end's turn")
        self._writes = not writes
        return self._messages.pop(0)

    def _mix_ephemeral(self, public: bytes) -> None:
        self._state.mix_hash(public)
        if self._is_psk:
            self._state.mix_key(public)

    def _mix(self, step: str) -> None:
        if step == "psk":
            self._state.mix_key_and_hash(self._psk or b"")
            return
        own_static = {"ee": False, "ss": True, "es": not self._begins, "se": self._begins}[step]
        their_static = {"ee": False, "ss": True, "es": self._begins, "se": not self._begins}[step]
        own = self._static if own_static else self._ephemeral
        theirs = self.remote if their_static else self._remote_ephemeral
        try:
            self._state.mix_key(own.exchange(X25519PublicKey.from_public_bytes(theirs or b"")))
        except ValueError as error:  # a point of low order
            raise NoiseError("A key on the cable is none. Try again.") from error


def _hkdf(chaining: bytes, material: bytes, count: int) -> list[bytes]:
    """HKDF as the specification has it (section 4.3; RFC 5869 with SHA-256 and no info)."""
    key = hmac.digest(chaining, material, "sha256")
    outputs = [b""]
    for number in range(1, count + 1):
        outputs.append(hmac.digest(key, outputs[-1] + bytes([number]), "sha256"))
    return outputs[1:]


def _cut(message: bytes, count: int) -> tuple[bytes, bytes]:
    if len(message) < count:
        raise NoiseError("A message on the cable is too short. Try again.")
    return message[:count], message[count:]
