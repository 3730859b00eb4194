"""The pairing code: what an operator reads off the lock and types on the laptop, once.

Twelve characters are 60 random bits. The secret of Noise's psk wants no more than that nobody finds it while it counts:
at 10**10 tries a second, on what was recorded from the line, 60 bits last 1.8 years on average; the code lasts minutes.
On the line itself the guardian allows ``TRIES`` in all.
"""

import hashlib
import secrets

from edge.errors import InputError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: without I, L, O and U, which are misread (https://www.crockford.com/base32.html)."""

LENGTH, GROUP = 12, 4

TRIES = 3
VALID_S = 300.0

_MISREAD = str.maketrans("ILO", "110", " -")


def new_code() -> str:
    """As ``K7QM-2XPA-9DFE``."""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return "-".join(drawn[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def secret_of(typed: str) -> bytes:
    """The (32,) bytes that both ends make of it, in whatever case and groups it was typed. Raises InputError."""
    code = typed.upper().translate(_MISREAD)
    if len(code) != LENGTH or set(code) - set(ALPHABET):
        raise InputError(
            f"That is no pairing code: it has {LENGTH} letters and figures, as K7QM-2XPA-9DFE. `facelatch usb pair` on "
            "the lock shows one."
        )
    return hashlib.sha256(b"facelatch pairing code " + code.encode()).digest()
