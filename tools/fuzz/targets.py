"""What is fuzzed: each takes bytes, and raises when something holds no more that should."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from edge.cable import talk
from edge.cable.channel import MESSAGE_MAX_BYTES, Channel
from edge.cable.ends import LaptopEnd, LockEnd
from edge.cable.frames import FRAME_MAX_BYTES, Decoder, Frame, Kind, encode
from edge.cable.noise import new_key, public_of
from edge.cable.uploads import Uploads
from edge.errors import FacelatchError, WireError

ANSWER_MAX_BYTES = 256
"""Of the lock to one frame of somebody who has not proved a key: a handshake's answer or a refusal, with escapes."""

LOCK, LAPTOP = new_key(), new_key()


def line(data: bytes) -> None:
    """Raw bytes at both ends."""
    decoder = Decoder()
    decoder.feed(data)
    must(len(decoder._held) <= FRAME_MAX_BYTES)
    lock, laptop = _lock(), LaptopEnd(1, LAPTOP, lock=public_of(LOCK))
    for start in range(0, len(data), 700):
        must(lock.receive(data[start : start + 700], start / 1000) == [])
        lock.outgoing(start / 1000)
        try:
            laptop.receive(data[start : start + 700], start / 1000)
            laptop.outgoing(start / 1000)
        except WireError:
            return


def frames(data: bytes) -> None:
    """Frames whose CRC is right, and everything in them is the fuzzer's choice; a real handshake's beginning too."""
    lock, hello = _lock(), LaptopEnd(7, LAPTOP, lock=public_of(LOCK)).outgoing(0)
    now_s = 0.0
    while data:
        head, data = data[:8].ljust(8, b"\0"), data[8:]
        payload, data = data[: head[7]], data[head[7] :]
        now_s += head[0] / 16
        if head[1] > 250:
            raw = hello
        else:
            raw = encode(Frame(Kind(1 + head[1] % 5), head[2] % 8, head[3], head[4], payload, 1 + (head[5] > 250)))
        must(lock.receive(raw, now_s) == [])
        said = lock.outgoing(now_s)
        must(len(said) <= ANSWER_MAX_BYTES + 8 * len(raw))
        must(len(lock._channel._receiver.parts) <= MESSAGE_MAX_BYTES)


def requests(data: bytes) -> None:
    """What a paired laptop may seal: decoded, and photographs taken."""
    try:
        asked = talk.request(data)
    except WireError:
        return
    must(isinstance(talk.request(talk.encode(asked)), type(asked)))
    try:
        if isinstance(asked, talk.Offer):
            UPLOADS.offer(asked.photos)
        elif isinstance(asked, talk.Piece):
            UPLOADS.take(asked)
    except FacelatchError:
        return


def window(data: bytes) -> None:
    """A channel whose other end acknowledges and asks again as the fuzzer likes."""
    channel = Channel(1)
    channel.send(b"x" * 20_000)
    for place in range(0, len(data) - 3, 4):
        kind, sequence, ack, wait = data[place : place + 4]
        channel.receive(encode(Frame(Kind(1 + kind % 4), 1, sequence % 32, ack % 32, b"y" * (kind % 7))), place)
        try:
            must(len(channel.outgoing(place + wait)) <= 20 * FRAME_MAX_BYTES)
        except WireError:
            return
    must(channel.unsent_bytes <= 20_000)


TARGETS: dict[str, Callable[[bytes], None]] = {each.__name__: each for each in (line, frames, requests, window)}

_FOLDER = tempfile.TemporaryDirectory(prefix="fl-fuzz-")
UPLOADS = Uploads(Path(_FOLDER.name))


def seeds(target: str) -> list[bytes]:
    """Something right to begin with."""
    if target == "requests":
        photo = talk.Photo("a.jpg", bytes(32), 10)
        asked: list[talk.Request] = [talk.Status(), talk.People(), talk.Log(), talk.Offer([photo]), talk.Live("Ada")]
        asked += [talk.Piece(bytes(32), 0, b"x"), talk.Enroll("ticket", "Ada", [photo]), talk.Forget("Ada")]
        return [talk.encode(each) for each in asked]
    if target == "line":
        return [LaptopEnd(1, LAPTOP, lock=public_of(LOCK)).outgoing(0)]
    return [bytes(range(64)), b"\0\xff" + bytes(30)]


def must(holds: bool) -> None:
    """Raises AssertionError."""
    if not holds:
        raise AssertionError


def _lock() -> LockEnd:
    return LockEnd(LOCK, lambda key: True, lambda: bytes(32), lambda key, label: None)
