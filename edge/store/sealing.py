"""Sealing with AES-256-GCM (NIST SP 800-38D): what lies in a file can neither be read nor changed without its key."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
"""AES-256."""

NONCE_BYTES, TAG_BYTES = 12, 16
"""SP 800-38D, 8.2.2: 96 random bits serve 2**32 messages a key; one person's key seals a few dozen."""

OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES


def seal(key: bytes, plain: bytes, purpose: str) -> bytes:
    """Nonce, ciphertext and tag. ``purpose`` says what it is and whose: only as that is it ever opened again."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, purpose.encode())


def unseal(key: bytes, sealed: bytes, purpose: str) -> bytes:
    """What was sealed. Raises ValueError, saying nothing of the content, unless key, bytes and purpose are those."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], purpose.encode())
    except (InvalidTag, ValueError) as error:
        raise ValueError("not what was sealed with this key") from error
