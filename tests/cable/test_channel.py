"""Messages arrive whole, in order and once, over a line that loses, doubles and changes; a dead line ends."""

from collections import deque
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.cable.channel import AGAIN_S, DEAD_S, MESSAGE_MAX_BYTES, WINDOW, Channel
from edge.cable.frames import PAYLOAD_MAX_BYTES, Decoder, Frame, Kind, Reason, encode
from edge.errors import WireError

MISHAPS = ("keep", "lose", "double", "late", "change", "cut")


@dataclass
class Line:
    """Both ends and what lies between. ``mishaps`` befall one write each, in turn; after them the line is sound."""

    mishaps: deque[str] = field(default_factory=deque)
    left: Channel = field(default_factory=lambda: Channel(1))
    right: Channel = field(default_factory=Channel)
    now_s: float = 0.0
    came_left: list[bytes] = field(default_factory=list)
    came_right: list[bytes] = field(default_factory=list)

    def run(self, for_s: float) -> None:
        end_s = self.now_s + for_s
        late: list[tuple[Channel, list[bytes], bytes]] = []
        while self.now_s < end_s:
            moved = False
            for channel, other, came in (
                (self.left, self.right, self.came_right),
                (self.right, self.left, self.came_left),
            ):
                data = channel.outgoing(self.now_s)
                if not data:
                    continue
                moved = True
                what = self.mishaps.popleft() if self.mishaps else "keep"
                if what == "late":
                    late.append((other, came, data))
                elif what != "lose":
                    came.extend(other.receive(_after(what, data), self.now_s))
            for other, came, data in late:
                came.extend(other.receive(data, self.now_s))
            late.clear()
            if not moved:
                self.now_s += 0.1


def _after(mishap: str, data: bytes) -> bytes:
    middle = len(data) // 2
    match mishap:
        case "double":
            return data + data
        case "change":
            return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        case "cut":
            return data[:middle]
    return data


messages = st.lists(st.binary(min_size=1, max_size=3 * PAYLOAD_MAX_BYTES), max_size=6)


@given(messages, messages, st.lists(st.sampled_from(MISHAPS), max_size=12))
def test_every_message_arrives_once_and_in_order(there: list[bytes], back: list[bytes], mishaps: list[str]) -> None:
    line = Line(deque(mishaps))
    there = [b"first", *there]  # nobody answers a line on which nobody has begun
    for message in there:
        line.left.send(message)
    line.run(DEAD_S)
    for message in back:
        line.right.send(message)
    line.run(10 * DEAD_S)
    assert line.came_right == there
    assert line.came_left == back
    assert line.left.unsent_bytes == line.right.unsent_bytes == 0


def test_no_more_than_a_window_is_on_its_way() -> None:
    channel = Channel(1)
    channel.send(b"x" * MESSAGE_MAX_BYTES)
    written = channel.outgoing(0)
    assert len(Decoder().feed(written)) == WINDOW
    assert channel.outgoing(0.1) == b""
    channel.receive(encode(Frame(Kind.ACK, 1, 0, 3)), 0.2)
    assert [frame.sequence for frame in Decoder().feed(channel.outgoing(0.2))] == [WINDOW, WINDOW + 1, WINDOW + 2]


def test_what_is_not_acknowledged_is_sent_again_and_at_last_the_line_is_dead() -> None:
    channel = Channel(1)
    channel.send(b"hello")
    first = channel.outgoing(0)
    assert channel.outgoing(AGAIN_S - 0.1) == b""
    assert channel.outgoing(channel.next_s()) == first
    with pytest.raises(WireError, match="does not answer"):
        channel.outgoing(DEAD_S + 0.1)


def test_a_missing_frame_is_asked_for_at_once_and_once() -> None:
    line = Line()
    line.left.send(b"a" * PAYLOAD_MAX_BYTES * 4)
    frames = Decoder().feed(line.left.outgoing(0))
    line.right.receive(encode(frames[0]) + encode(frames[2]) + encode(frames[3]), 0)
    answer = Decoder().feed(line.right.outgoing(0))
    assert [(frame.kind, frame.ack) for frame in answer] == [(Kind.NAK, 1)]
    line.left.receive(b"".join(map(encode, answer)), 0)
    again = line.left.outgoing(0)
    assert [frame.sequence for frame in Decoder().feed(again)] == [1, 2, 3]
    assert line.right.receive(again, 0) == [b"a" * PAYLOAD_MAX_BYTES * 4]


def test_frames_of_a_connection_before_are_passed_over() -> None:
    old, new, lock = Channel(1), Channel(2), Channel()
    old.send(b"old")
    recorded = old.outgoing(0)
    assert lock.receive(recorded, 0) == [b"old"]
    new.send(b"new")
    assert lock.receive(new.outgoing(0), 1) == [b"new"]
    assert lock.begun == 2
    assert new.receive(encode(Frame(Kind.END, 1, 0, 1, b"for the old one")), 2) == []
    assert lock.receive(encode(Frame(Kind.END, 1, 1, 0, b"more of the old one")), 3) == []


def test_a_message_without_end_is_refused_and_not_held() -> None:
    lock = Channel()
    for number in range(200):
        lock.receive(encode(Frame(Kind.PART, 1, number, 0, b"x" * PAYLOAD_MAX_BYTES)), 0)
        assert len(lock._receiver.parts) <= MESSAGE_MAX_BYTES
    kinds = [frame.kind for frame in Decoder().feed(lock.outgoing(0))]
    assert Kind.REFUSE in kinds


def test_refusals_are_bounded() -> None:
    lock = Channel()
    other_version = encode(Frame(Kind.END, 1, 0, 0, b"x", version=9))
    told = 0
    for number in range(1000):
        lock.receive(other_version, number / 1000)
        told += lock.outgoing(number / 1000).count(b"\xc0") // 2
    assert 1 <= told <= 2


def test_an_older_lock_is_recognised() -> None:
    laptop = Channel(1)
    laptop.receive(encode(Frame(Kind.REFUSE, 0, 0, 0, b"\x01", version=9)), 0)
    assert laptop.refused is Reason.VERSION


@given(st.lists(st.tuples(st.sampled_from(Kind), st.integers(0, 20), st.integers(0, 20), st.binary(max_size=8))))
def test_no_frame_makes_it_fail_or_grow(frames: list[tuple[Kind, int, int, bytes]]) -> None:
    channel = Channel(1)
    channel.send(b"x" * 5000)
    for number, (kind, sequence, ack, payload) in enumerate(frames):
        channel.receive(encode(Frame(kind, 1, sequence, ack, payload)), number / 1000)
        assert len(channel.outgoing(number / 1000)) <= 20 * WINDOW * PAYLOAD_MAX_BYTES
    assert channel.unsent_bytes <= 5000
