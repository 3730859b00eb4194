"""PINs as they are kept: scrypt of salt and digits, never the digits.

All PINs of a store share one salt, so that a typed PIN costs one scrypt whoever is enrolled: it says who typed it, and
is therefore compared with everybody's. That two people have the same PIN is refused anyway, which is what a salt of
their own would hide; and 10,000 to 10^12 combinations are not protected by any salt once a store is stolen.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from itertools import pairwise

from edge.errors import InputError
from edge.types import PinHash

_LOG2_N, _R, _P = 14, 8, 1
"""scrypt's cost (RFC 7914): 16 MiB and 40 ms on x86-64, a few times that on a Pi."""

_SALT_BYTES, _DIGEST_BYTES = 16, 32
_DIGITS = re.compile(r"[0-9]{4,12}", re.ASCII)
_RULE = "A PIN is 4 to 12 digits, not all the same and not in sequence."


def hash_pin(pin: str, others: Sequence[PinHash] = ()) -> str:
    """As it is kept, with the salt of the ``others`` where there are any. Raises InputError for a PIN too easy."""
    if _DIGITS.fullmatch(pin) is None:
        raise InputError(f"That is no PIN. {_RULE}")
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    if steps in ({0}, {1}, {9}):
        raise InputError(f"That PIN is the first that anybody tries. {_RULE}")
    known = [parts for parts in (_parts(each.text) for each in others) if parts is not None]
    salt = known[0][0] if known else secrets.token_bytes(_SALT_BYTES)
    return f"scrypt${_LOG2_N}${_R}${_P}${_encoded(salt)}${_encoded(_digest(pin, salt))}"


def find(typed: str, pins: Sequence[PinHash]) -> PinHash | None:
    """Whose PIN was typed. Every one is compared, so that time tells nothing; a text that is none matches nobody."""
    if _DIGITS.fullmatch(typed) is None:
        return None
    digests: dict[bytes, bytes] = {}
    found = None
    for pin in pins:
        parts = _parts(pin.text)
        if parts is None:
            continue
        salt, kept = parts
        if salt not in digests:
            if len(digests) >= 4:  # a store of ours has one salt: a thousand would hold the door up
                continue
            digests[salt] = _digest(typed, salt)
        if hmac.compare_digest(digests[salt], kept):
            found = pin
    return found


def _parts(text: str) -> tuple[bytes, bytes] | None:
    """Salt and digest of a kept PIN, None for anything that we did not write: foreign costs would eat the memory."""
    head, _, rest = text.partition(f"scrypt${_LOG2_N}${_R}${_P}$")
    salt, separator, digest = rest.partition("$")
    if head or not separator:
        return None
    try:
        parts = base64.b64decode(salt, validate=True), base64.b64decode(digest, validate=True)
    except ValueError:
        return None
    return parts if (len(parts[0]), len(parts[1])) == (_SALT_BYTES, _DIGEST_BYTES) else None


def _digest(pin: str, salt: bytes) -> bytes:
    memory = 2 * 128 * _R * 2**_LOG2_N
    return hashlib.scrypt(pin.encode("ascii"), salt=salt, n=2**_LOG2_N, r=_R, p=_P, maxmem=memory, dklen=_DIGEST_BYTES)


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
