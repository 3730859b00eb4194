"""Frames survive noise: what is damaged is dropped, and the next one is found."""

from hypothesis import given
from hypothesis import strategies as st

from edge.cable import frames
from edge.cable.frames import FRAME_MAX_BYTES, PAYLOAD_MAX_BYTES, Decoder, Frame, Kind, encode

words = st.integers(0, 2**32 - 1)
any_frame = st.builds(
    Frame,
    kind=st.sampled_from(Kind),
    connection=words,
    sequence=words,
    ack=words,
    # Delimiters and escapes more often than chance has them.
    payload=st.lists(st.sampled_from([b"\xc0", b"\xdb", b"\xdc", b"\xdd", b"a", b"\x00"]), max_size=64).map(b"".join),
)


@given(st.lists(any_frame, max_size=5), st.lists(st.integers(1, 40), max_size=20))
def test_frames_come_back_however_the_bytes_are_cut(sent: list[Frame], cuts: list[int]) -> None:
    line, decoder, found = b"".join(map(encode, sent)), Decoder(), []
    for cut in cuts:
        found += decoder.feed(line[:cut])
        line = line[cut:]
    assert found + decoder.feed(line) == sent
    assert decoder.damaged == 0


@given(any_frame, st.data())
def test_one_changed_byte_is_never_another_frame_and_the_next_is_found(frame: Frame, data: st.DataObject) -> None:
    line = bytearray(encode(frame))
    place = data.draw(st.integers(0, len(line) - 1))
    line[place] ^= data.draw(st.integers(1, 255))
    following = Frame(Kind.ACK, 7, 8, 9)
    found = Decoder().feed(bytes(line) + encode(following))
    assert following in found
    assert all(each in {frame, following} for each in found)


@given(st.binary(max_size=4 * FRAME_MAX_BYTES))
def test_noise_is_no_frame_and_is_not_kept(noise: bytes) -> None:
    decoder = Decoder()
    assert decoder.feed(noise) == []
    assert len(decoder._held) <= FRAME_MAX_BYTES
    frame = Frame(Kind.END, 1, 0, 0, b"after the noise")
    assert decoder.feed(encode(frame)) == [frame]


def test_a_line_without_any_delimiter_is_not_held() -> None:
    decoder = Decoder()
    for _ in range(100):
        decoder.feed(b"x" * 10_000)
        assert len(decoder._held) <= FRAME_MAX_BYTES
    assert decoder.damaged >= 1


def test_a_frame_of_another_version_is_counted_and_not_read() -> None:
    decoder = Decoder()
    assert decoder.feed(encode(Frame(Kind.END, 1, 0, 0, b"x", version=frames.VERSION + 1))) == []
    assert decoder.of_other_version == 1


def test_the_largest_frame_of_escapes_fits_the_bound() -> None:
    frame = Frame(Kind.END, 0xC0C0C0C0, 0xDBDBDBDB, 0xC0C0C0C0, b"\xc0" * PAYLOAD_MAX_BYTES)
    assert len(encode(frame)) <= FRAME_MAX_BYTES
    assert Decoder().feed(encode(frame)) == [frame]
