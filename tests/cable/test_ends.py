"""Who may talk over the cable and who may not, with a real guardian behind it."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge import wire
from edge.cable import frames, talk
from edge.cable.channel import Channel
from edge.cable.ends import LockEnd, RefusedError
from edge.cable.frames import Reason
from edge.cable.noise import NoiseError, new_key, public_of
from edge.cable.service import IDLE_S
from edge.errors import DoorError, InputError, WireError
from edge.laptop.keys import Keys
from edge.pairing_code import TRIES, VALID_S, new_code, secret_of
from tests.cable.rig import Rig


def refused(rig: Rig) -> Reason:
    with pytest.raises(RefusedError) as caught:
        rig.greeted()
    return caught.value.reason


def code_of(rig: Rig, role: wire.Role = "owner") -> str:
    answer = rig.guardian.answer(wire.AskPair(role), "an operator")
    assert isinstance(answer, wire.PairCode)
    return answer.code


def test_a_laptop_pairs_with_the_code_and_asks(rig: Rig) -> None:
    rig.pair()
    status = rig.greeted().ask(talk.Status(), wire.Status)
    assert status.door == "LOCKED"
    assert {"usb_pairing", "usb_paired"} <= set(rig.kinds())


def test_nobody_who_is_not_paired_asks_anything(rig: Rig) -> None:
    assert refused(rig) is Reason.UNKNOWN_KEY


def test_the_code_is_good_once(rig: Rig) -> None:
    code = code_of(rig)
    rig.line().pair(secret_of(code), "first")
    rig.laptop = Keys(new_key())
    with pytest.raises(RefusedError) as caught:
        rig.line().pair(secret_of(code), "second")
    assert caught.value.reason is Reason.NOT_PAIRING


def test_the_code_is_good_for_minutes(rig: Rig) -> None:
    code = code_of(rig)
    rig.clock.advance(VALID_S)
    with pytest.raises(RefusedError) as caught:
        rig.line().pair(secret_of(code), "late")
    assert caught.value.reason is Reason.NOT_PAIRING


def test_after_three_wrong_codes_the_right_one_is_none(rig: Rig) -> None:
    code = code_of(rig)
    for _ in range(TRIES):
        rig.clock.advance(1)
        with pytest.raises(RefusedError) as caught:
            rig.line().pair(secret_of(new_code()), "a guess")
        assert caught.value.reason is Reason.WRONG_CODE
    rig.clock.advance(1)
    with pytest.raises(RefusedError) as caught:
        rig.line().pair(secret_of(code), "the right one")
    assert caught.value.reason is Reason.NOT_PAIRING


@pytest.mark.parametrize("typed", ["k7qm2xpa9dfe", "K7QM-2XPA-9DFE", "k7qm 2xpa 9dfe", "  K7QM2XPA9DFE "])
def test_a_code_is_read_however_it_is_typed(typed: str) -> None:
    assert secret_of(typed) == secret_of("K7QM-2XPA-9DFE")


@pytest.mark.parametrize("typed", ["", "K7QM-2XPA", "K7QM-2XPA-9DFEE", "K7QM-2XPA-9DF!", "x" * 10_000])
def test_what_is_no_code_is_said_before_a_try_is_spent(typed: str) -> None:
    with pytest.raises(InputError, match="no pairing code"):
        secret_of(typed)


def test_a_revoked_key_is_refused_in_the_middle_of_a_connection_and_at_the_next(rig: Rig) -> None:
    rig.pair()
    line = rig.greeted()
    rig.guardian.answer(wire.AskRevoke(1), "an operator")
    for request in (talk.Status(), talk.Doctor(), talk.Settings(), talk.People()):
        with pytest.raises(DoorError, match="revoked"):
            line.ask(request, wire.Status)
    assert refused(rig) is Reason.UNKNOWN_KEY
    assert rig.kinds().count("usb_revoked") == 1


def test_an_installer_sees_no_people_and_ends_with_the_days(rig: Rig) -> None:
    rig.clock.utc_jump(0)
    rig.pair("installer", days=2)
    line = rig.greeted()
    assert line.ask(talk.Status(), wire.Status)
    for request in (talk.People(), talk.Log(), talk.Forget("Ada")):
        with pytest.raises(DoorError, match="role"):
            line.ask(request, wire.People)
    rig.clock.utc_jump(2 * 86400 + 1)
    with pytest.raises(DoorError, match="expired"):
        line.ask(talk.Status(), wire.Status)
    rig.clock.utc_jump(-3 * 86400)  # the lock's clock decides, and it was set back: the laptop's is asked nothing
    assert line.ask(talk.Status(), wire.Status)


def test_paired_anew_a_laptop_is_what_it_was_paired_as_last(rig: Rig) -> None:
    rig.pair("owner")
    rig.pair("installer")
    listed = rig.guardian.answer(wire.AskUsbKeys(), "an operator")
    assert isinstance(listed, wire.UsbKeys)
    assert [(key.number, key.role) for key in listed.keys] == [(2, "installer")]


def test_another_lock_is_recognised(rig: Rig) -> None:
    rig.pair()
    rig.private = new_key()
    rig.plug()
    line = rig.line()
    with pytest.raises(RefusedError) as caught:
        line.greet(rig.laptop.locks[0].key)
    assert caught.value.reason is Reason.OTHER_LOCK


def test_without_a_guardian_the_laptop_is_told_so(rig: Rig) -> None:
    rig.pair()
    rig.is_guarded = False
    assert refused(rig) is Reason.NO_GUARDIAN


def test_an_older_protocol_is_named(rig: Rig) -> None:
    rig.pair()
    rig.meddle = _of_version(frames.VERSION + 1)
    assert refused(rig) is Reason.VERSION


def _of_version(version: int) -> Callable[[bytes], bytes]:
    def meddle(data: bytes) -> bytes:
        found = frames.Decoder().feed(data)
        return b"".join(
            frames.encode(frames.Frame(f.kind, f.connection, f.sequence, f.ack, f.payload, version)) for f in found
        )

    return meddle


def test_what_was_recorded_cannot_be_said_again(rig: Rig) -> None:
    """A whole connection that forgot somebody, played to the lock once more: nothing comes of it."""
    rig.pair()
    rig.recorded.clear()
    rig.greeted().ask(talk.Status(), wire.Status)
    recorded = bytes(rig.recorded)
    rig.plug()
    asked: list[talk.Request] = []
    end = LockEnd(rig.private, lambda key: True, lambda: None, lambda key, label: None)
    for _ in range(3):
        asked += end.receive(recorded, 0)
        end.outgoing(0)
    assert asked == []
    assert end.peer is None


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_byte_changed_on_the_way_is_never_believed(rig: Rig, data: st.DataObject) -> None:
    """The CRC is made right again, as somebody on the cable would: then nothing but the seal finds it."""
    if not rig.laptop.locks:
        rig.pair()
    at = data.draw(st.integers(0, 3), label="which write")
    place, bit = data.draw(st.integers(0, 2000)), data.draw(st.integers(0, 7))
    writes = 0

    def meddle(raw: bytes) -> bytes:
        nonlocal writes
        writes += 1
        if writes - 1 != at:
            return raw
        changed = []
        for frame in frames.Decoder().feed(raw):
            payload = bytearray(frame.payload)
            if payload:
                payload[place % len(payload)] ^= 1 << bit
            changed.append(
                frames.encode(frames.Frame(frame.kind, frame.connection, frame.sequence, frame.ack, bytes(payload)))
            )
        return b"".join(changed)

    rig.clock.advance(1)
    rig.plug()
    rig.meddle = meddle
    try:
        answer = rig.greeted().ask(talk.Status(), wire.Status)
    except (NoiseError, RefusedError):
        answer = None
    finally:
        rig.meddle = bytes
    assert answer is None or answer.door == "LOCKED"


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=300), max_size=10))
def test_rubbish_is_answered_by_little_and_ends_nothing(rig: Rig, pieces: list[bytes]) -> None:
    for number, piece in enumerate(pieces):
        rig.port.came += piece
        rig.port.came += frames.encode(frames.Frame(frames.Kind.END, number, 0, 0, piece[:1000]))
        rig.service.turn()
    assert len(rig.port.sent) <= 100 * len(pieces)
    rig.port.sent.clear()
    if not rig.laptop.locks:
        rig.pair()
    rig.clock.advance(1)
    assert rig.greeted().ask(talk.Status(), wire.Status)


def test_a_message_that_is_no_request_ends_the_connection(rig: Rig) -> None:
    rig.pair()
    line = rig.greeted()
    assert line._end is not None
    assert line._end._ciphers is not None
    line._end._channel.send(line._end._ciphers[0].encrypt(b"\xc1 no request"))
    with pytest.raises(RefusedError) as caught:
        line.drain(-1, lambda _: None)
    assert caught.value.reason is Reason.BROKEN


def test_no_question_over_the_cable_moves_the_door() -> None:
    """Neither in what a laptop may say, nor in what the process on the cable may ask the guardian for it."""
    moving = (wire.AskUnlock(5.0, "over the cable"), wire.AskMode("free"), wire.AskClear(), wire.AskPin("Ada", "1234"))
    for question in moving:
        data = wire.encode(question)
        with pytest.raises(WireError):
            talk.request(data)
        with pytest.raises(WireError):
            wire.from_cable(data)
        hidden = wire.CableAsk(bytes(32), question)  # type: ignore[arg-type]  # what a taken over process would send
        with pytest.raises(WireError):
            wire.from_cable(wire.encode(hidden))


def test_no_request_carries_an_embedding() -> None:
    fields = {name for request in talk.Request.__args__ for name in request.__struct_fields__}
    assert not fields & {"templates", "embedding", "crops", "model_id"}


def test_a_laptop_that_says_nothing_proves_itself_anew(rig: Rig) -> None:
    rig.pair()
    line = rig.greeted()
    line.ask(talk.Status(), wire.Status)
    rig.clock.advance(IDLE_S + 1)
    rig.service.turn()
    assert rig.service.end.peer is None
    with pytest.raises(RefusedError):
        line.ask(talk.Status(), wire.Status)


def test_a_new_connection_ends_the_one_before(rig: Rig) -> None:
    rig.pair()
    first, second = rig.greeted(), rig.greeted()
    assert second.ask(talk.Status(), wire.Status)
    with pytest.raises(WireError):
        first.ask(talk.Status(), wire.Status)


def test_the_first_message_is_all_that_a_stranger_learns_of_a_laptop() -> None:
    """IK: the laptop's key goes over the line sealed for its lock alone."""
    from edge.cable.ends import LaptopEnd

    private = new_key()
    written = LaptopEnd(1, private, lock=public_of(new_key())).outgoing(0)
    assert public_of(private) not in written
    assert Channel().receive(written, 0)
