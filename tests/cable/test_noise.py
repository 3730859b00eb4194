"""The handshakes are Noise's: byte for byte those of another implementation, and closed to everybody else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.cable.noise import Handshake, NoiseError, new_key, public_of

PROLOGUE = b"prologue"
PSK = bytes(range(32))
KEYS = {name: bytes([number]) * 32 for number, name in enumerate(("ours", "our e", "theirs", "their e"), 1)}

# Made with noiseprotocol 0.3.1 (PyPI) from the keys above: each handshake message with "payload N", then one sealed
# message each way, "up" and "down".
VECTORS = {
    "IK": [
        "ce8d3ad1ccb633ec7b70c17814a5c76ecd029685050d344745ba05870e587d5909a5444ba2d3c4b9d9f3472cb62f7f25ce1bf82ba40434e42"
        "26a0fbbd23172b29d57c21c626b5b182c4d8110a59e489d12a061a633492553c3c413efaea0bb1ea6986bd037ca09a152",
        "ac01b2209e86354fb853237b5de0f4fab13c7fcbf433a61c019369617fecf10b305e39c2a8bc777b25d038b55e93a53f460dfdf5e85c9ec02"
        "a",
        "57ec76c36c74fb229a160d85889e9f24ff9d",
        "32eb2a9c33dc42e61cbd6f322ca1f9ec9144705e",
    ],
    "XXpsk0": [
        "ce8d3ad1ccb633ec7b70c17814a5c76ecd029685050d344745ba05870e587d594f37d5ca61b4a8f6e2a76f02fec04c657be2c791b5a2e81dc"
        "d",
        "ac01b2209e86354fb853237b5de0f4fab13c7fcbf433a61c019369617fecf10bf52543eba02fbf8d14ee15fbf9252f1ad8fa4291a7f5081a6"
        "64e9955fcd128dcf51e07a5431bafefcca3fb5a5b219834edab93f30436288253f920e9b7011f0450e32ccd2912f8fadb",
        "29f7f78a7d46078cf09634a033b860b950f0c3bc873465df6405e52a587e743eeac35d6735595b271527164d9429cc7fd8c7399f6432a9c48"
        "029c106d3788b0ec6573cffffe00d9219",
        "931816f77646b8f9103dcea44551993172c1",
        "46045476f9d09b7e573ce16bade120d4ed41ffaf",
    ],
}


def ends(pattern: str, *, psk: bytes = PSK, their_psk: bytes = PSK, lock: bytes | None = None) -> list[Handshake]:
    shared = pattern == "XXpsk0"
    known = None if shared else (lock or public_of(KEYS["theirs"]))
    return [
        Handshake(
            *(pattern, KEYS["ours"]),
            begins=True,
            prologue=PROLOGUE,
            remote=known,
            psk=psk if shared else None,
            ephemeral=KEYS["our e"],
        ),
        Handshake(
            *(pattern, KEYS["theirs"]),
            begins=False,
            prologue=PROLOGUE,
            psk=their_psk if shared else None,
            ephemeral=KEYS["their e"],
        ),
    ]


@pytest.mark.parametrize("pattern", VECTORS)
def test_messages_are_those_of_another_implementation(pattern: str) -> None:
    pair, *vectors = ends(pattern), *VECTORS[pattern]
    up, down = vectors[-2:]
    for number, vector in enumerate(vectors[:-2]):
        writer, reader = pair[number % 2], pair[1 - number % 2]
        message = writer.write(f"payload {number}".encode())
        assert message.hex() == vector
        assert reader.read(message) == f"payload {number}".encode()
    assert pair[0].remote == public_of(KEYS["theirs"])
    assert pair[1].remote == public_of(KEYS["ours"])
    (send, receive), (their_send, their_receive) = pair[0].split(), pair[1].split()
    assert send.encrypt(b"up").hex() == up
    assert their_receive.decrypt(bytes.fromhex(up)) == b"up"
    assert their_send.encrypt(b"down").hex() == down
    assert receive.decrypt(bytes.fromhex(down)) == b"down"


@pytest.mark.parametrize("pattern", VECTORS)
@given(data=st.data())
def test_a_changed_byte_ends_the_handshake(pattern: str, data: st.DataObject) -> None:
    pair = ends(pattern)
    changed = data.draw(st.integers(0, len(VECTORS[pattern]) - 3))
    for number in range(changed + 1):
        message = bytearray(pair[number % 2].write(b"x"))
        reader = pair[1 - number % 2]
        if number == changed:
            message[data.draw(st.integers(0, len(message) - 1))] ^= 1 << data.draw(st.integers(0, 6))
            with pytest.raises(NoiseError):
                reader.read(bytes(message))
        else:
            reader.read(bytes(message))


@pytest.mark.parametrize("pattern", VECTORS)
@given(st.binary(max_size=200))
def test_rubbish_is_no_handshake(pattern: str, rubbish: bytes) -> None:
    with pytest.raises(NoiseError):
        ends(pattern)[1].read(rubbish)


def test_a_wrong_code_shows_in_the_first_message() -> None:
    left, right = ends("XXpsk0", their_psk=bytes(32))
    with pytest.raises(NoiseError):
        right.read(left.write())


def test_another_lock_cannot_read_who_asks() -> None:
    left, right = ends("IK", lock=public_of(new_key()))
    with pytest.raises(NoiseError):
        right.read(left.write())


def test_points_of_low_order_are_refused() -> None:
    with pytest.raises(NoiseError):
        ends("IK")[1].read(bytes(32) + bytes(100))


def test_sealed_messages_open_once_in_their_order() -> None:
    left, right = ends("IK")
    right.read(left.write())
    left.read(right.write())
    send, receive = left.split()[0], right.split()[1]
    first, second = send.encrypt(b"first"), send.encrypt(b"second")
    with pytest.raises(NoiseError):
        right.split()[1].decrypt(second)
    assert receive.decrypt(first) == b"first"
    with pytest.raises(NoiseError):
        receive.decrypt(first)
