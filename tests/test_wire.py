"""Whatever arrives is a message or a WireError, and what was sent arrives as it was."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import wire
from edge.errors import WireError
from edge.types import TEMPLATES_MAX, Embedding, Person
from tests.core.looks import look

DIMENSION = 4
BIOMETRIC = ("model_id", "templates", "crops")


def report(**changes: object) -> wire.Report:
    made = wire.to_report(7, 100.0, 1, [look()])
    return msgspec.structs.replace(made, **changes)


def changed_look(**changes: object) -> wire.Report:
    return report(looks=[msgspec.structs.replace(report().looks[0], **changes)])


def test_a_look_arrives_as_it_was_sent() -> None:
    sent = look(123.5, track=3, faces=2, frame=9)
    received = wire.from_eyes(wire.encode(wire.to_report(9, 123.5, 2, [sent])))
    assert isinstance(received, wire.Report)
    (arrived,) = wire.to_looks(received, DIMENSION)
    assert np.array_equal(arrived.embedding, sent.embedding)
    for name in ("track", "liveness", "quality", "box", "faces_in_frame", "frame", "captured_s"):
        assert getattr(arrived, name) == getattr(sent, name)


@given(st.integers(1, 512), st.integers(0, 2**32 - 1))
def test_an_embedding_survives_the_way(dimension: int, seed: int) -> None:
    vector = np.random.default_rng(seed).normal(size=dimension)
    unit: Embedding = np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)
    assert np.array_equal(wire.to_embedding(wire.to_bytes(unit), dimension), unit)


@given(st.binary(max_size=300))
def test_noise_is_never_more_than_a_wire_error(data: bytes) -> None:
    for decode in (wire.from_eyes, wire.question, wire.answer):
        try:
            decode(data)
        except WireError:
            continue


@given(st.data())
def test_a_damaged_report_is_refused_or_whole(data: st.DataObject) -> None:
    """Flip bytes of a real message: what still decodes must still be finite and of unit norm."""
    raw = bytearray(wire.encode(report()))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        message = wire.from_eyes(bytes(raw))
        looks = wire.to_looks(message, DIMENSION) if isinstance(message, wire.Report) else []
    except WireError:
        return
    for each in looks:
        assert abs(float(np.linalg.norm(each.embedding)) - 1) < 2e-3
        assert math.isfinite(each.captured_s)
        assert math.isfinite(each.quality.face_px)


@pytest.mark.parametrize(
    "embedding",
    [
        b"",
        b"\x00" * 16,
        b"\x00" * 12,
        np.full(4, np.nan, "<f4").tobytes(),
        np.full(4, np.inf, "<f4").tobytes(),
        np.full(4, 1.0, "<f4").tobytes(),
    ],
)
def test_what_is_no_unit_vector_is_refused(embedding: bytes) -> None:
    with pytest.raises(WireError):
        wire.to_looks(changed_look(embedding=embedding), DIMENSION)


@pytest.mark.parametrize(
    "name", ["face_px", "eye_distance_px", "yaw_deg", "brightness", "probability", "sharpness", "eyes"]
)
def test_a_figure_that_is_no_number_is_refused(name: str) -> None:
    with pytest.raises(WireError):
        wire.to_looks(changed_look(**{name: math.nan}), DIMENSION)


@pytest.mark.parametrize("captured_s", [math.nan, math.inf])
def test_a_capture_time_that_is_no_number_is_refused(captured_s: float) -> None:
    with pytest.raises(WireError):
        wire.to_looks(report(captured_s=captured_s), DIMENSION)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "report", "frame": -1, "captured_s": 1.0, "faces_in_frame": 0, "looks": []},
        {"type": "report", "frame": 1, "captured_s": 1.0, "faces_in_frame": 0, "looks": [], "extra": 1},
        {"type": "report", "frame": 1, "captured_s": "now", "faces_in_frame": 0, "looks": []},
        {"type": "open_the_door"},
        {"type": "hello", "version": 1, "model_id": "", "dimension": 192, "camera": "x"},
        {"type": "hello", "version": 1, "model_id": "m", "dimension": 192, "camera": "x" * 501},
        {"type": "trouble", "reason": "x" * 501},
        ["hello"],
        None,
    ],
)
def test_a_message_outside_the_schema_is_refused(message: object) -> None:
    with pytest.raises(WireError):
        wire.from_eyes(msgspec.msgpack.encode(message))


def test_more_looks_than_allowed_are_refused() -> None:
    many = report(looks=report().looks * (wire.LOOKS_MAX + 1))
    with pytest.raises(WireError):
        wire.from_eyes(msgspec.msgpack.encode(many))


def test_a_full_page_of_people_fits_one_packet() -> None:
    longest = Person(2**53, "\N{CJK UNIFIED IDEOGRAPH-20000}" * 64, 20, "2026-01-01T00:00:00.000+00:00")
    page = wire.People([wire.PersonLine.of(longest)] * wire.PAGE, more=True)
    assert len(wire.encode(page)) < wire.PACKET_MAX_BYTES


def test_a_message_larger_than_a_packet_is_not_sent() -> None:
    with pytest.raises(WireError):
        wire.encode(wire.Trouble("x" * (wire.PACKET_MAX_BYTES + 1)))


def test_the_status_line_always_names_bolt_and_liveness() -> None:
    line = wire.Status("LOCKED", "started", "simulated (nothing is driven)", "off", "away", 2, 0.6).line()
    assert "bolt simulated" in line
    assert "liveness off" in line


def test_the_camera_enrols_on_the_same_terms_as_photographs() -> None:
    """A term that one of the two lacks would be lost on the way, or would not be offered."""
    of_photographs = {each.name: each.default for each in msgspec.structs.fields(wire.AskEnroll)}
    at_the_camera = {each.name: each.default for each in msgspec.structs.fields(wire.EnrollTerms)}
    assert at_the_camera == {name: of_photographs[name] for name in of_photographs if name not in BIOMETRIC}


def test_the_longest_answer_about_an_enrolment_fits_a_packet() -> None:
    kept = [wire.KeptLook("ahead", 1234.5678, -23.456789, 123.456789, 0.123456)] * TEMPLATES_MAX
    sitting = wire.Sitting(kept, TEMPLATES_MAX, "x" * 200, {f"{number} {'x' * 100}": 2**31 for number in range(20)})
    assert len(wire.encode(sitting)) < wire.PACKET_MAX_BYTES
