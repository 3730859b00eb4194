"""An enrolment bundle: people and their photographs in one file for one lock, to be carried there on a stick.

It is the one-way pattern Noise_X (specification, section 7.4) with the keys of a pairing: sealed to the lock's key, and
made by nobody but the owner of the laptop's. (Or by somebody who has the lock's private key, who needs none.) The
guardian takes it once, before its day, and only where nobody was forgotten since it was made.
"""

import hashlib
import struct
from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from edge import wire
from edge.cable.noise import KEY_BYTES, Handshake, NoiseError
from edge.cable.talk import Photo
from edge.errors import InputError

MAGIC = b"facelatch bundle 1\n"
SUFFIX = ".facelatch"

PEOPLE_MAX, PHOTOS_MAX = 200, 20

BUNDLE_MAX_BYTES = 64 * 2**20
"""It is held in memory while it is read: 200 people at 300 kB."""

_PIECE_BYTES = 60_000
_LENGTH = struct.Struct(">I")
_FIRST_BYTES = KEY_BYTES + (KEY_BYTES + 16) + 16  # e, s, and an empty payload


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One person."""

    name: wire.Name
    photos: Annotated[list[Photo], Meta(min_length=1, max_length=PHOTOS_MAX)]
    consent: bool = False


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is in it. ``id``: 16 random bytes; times as ``Clock.utc`` writes them."""

    id: Annotated[bytes, Meta(min_length=16, max_length=16)]
    created_utc: wire.Utc
    expires_utc: wire.Utc
    people: Annotated[list[Entry], Meta(min_length=1, max_length=PEOPLE_MAX)]


class Opened(msgspec.Struct, frozen=True):
    """Its maker's public key, what is in it, and the photographs by digest."""

    maker: bytes
    head: Head
    files: dict[bytes, bytes]


def write(head: Head, files: Mapping[bytes, bytes], private: bytes, lock: bytes) -> bytes:
    """The file's bytes. Raises InputError for one that is too large."""
    photos = [photo for entry in head.people for photo in entry.photos]
    told = msgspec.msgpack.encode(head)
    plain = _LENGTH.pack(len(told)) + told + b"".join(files[photo.digest] for photo in photos)
    if len(plain) > BUNDLE_MAX_BYTES - 2**20:
        raise InputError(f"The bundle would have {len(plain) // 2**20} MB. Make several of fewer people.")
    handshake = Handshake("X", private, begins=True, prologue=MAGIC, remote=lock)
    out = bytearray(MAGIC + handshake.write())
    cipher = handshake.split()[0]
    starts = range(0, len(plain), _PIECE_BYTES)
    for start in starts:
        sealed = cipher.encrypt(plain[start : start + _PIECE_BYTES], _mark(start == starts[-1]))
        out += _LENGTH.pack(len(sealed)) + sealed
    return bytes(out)


def read(data: bytes, private: bytes) -> Opened:
    """The inverse, for the lock with this private key; whether its maker may have it taken is for the guardian to say.

    Raises NoiseError for what is not for this lock, changed or cut off, InputError for what is no bundle.
    """
    if not data.startswith(MAGIC) or len(data) > BUNDLE_MAX_BYTES:
        raise InputError("That is no enrolment bundle of this release. Make it with `facelatch bundle create`.")
    handshake = Handshake("X", private, begins=False, prologue=MAGIC)
    place = len(MAGIC) + _FIRST_BYTES
    handshake.read(data[len(MAGIC) : place])
    cipher, plain, ended = handshake.split()[1], bytearray(), False
    while place < len(data):
        if ended or len(data) < place + _LENGTH.size:
            raise NoiseError("The bundle does not end where it should. Copy it anew.")
        (count,) = _LENGTH.unpack_from(data, place)
        place += _LENGTH.size
        sealed, place = data[place : place + count], place + count
        ended = place >= len(data)
        plain += cipher.decrypt(sealed, _mark(ended))
    if not ended:
        raise NoiseError("The bundle is cut off. Copy it anew.")
    return _taken_apart(handshake.remote or b"", bytes(plain))


def _taken_apart(maker: bytes, plain: bytes) -> Opened:
    try:
        (count,) = _LENGTH.unpack_from(plain)
        head = msgspec.msgpack.decode(plain[_LENGTH.size : _LENGTH.size + count], type=Head)
    except (struct.error, msgspec.DecodeError, RecursionError) as error:
        raise InputError("The bundle holds something else than people. Use one release for both.") from error
    place, files = _LENGTH.size + count, {}
    for photo in (photo for entry in head.people for photo in entry.photos):
        files[photo.digest], place = plain[place : place + photo.size], place + photo.size
        if hashlib.sha256(files[photo.digest]).digest() != photo.digest:
            raise InputError("The bundle holds a photograph that is not what it says. Make it anew.")
    return Opened(maker, head, files)


def _mark(is_last: bool) -> bytes:
    """What is sealed with each piece, so that a bundle cannot be cut off between two."""
    return b"last" if is_last else b"more"
