"""A keypad's keys: the kernel's events, a pipe that stands for them, and the kernel's keypad where it has uinput."""

import errno
import os
import select
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.keys import CLEAR, ENTER
from edge.devices.keypad import KEYS, KeyReader, keys_of_events, keys_of_text, open_device, open_pipe
from tests.devices.kernel import UINPUT, UinputKeypad


def event(kind: int, code: int, value: int) -> bytes:
    return struct.pack("llHHi", 0, 0, kind, code, value)


def pressed(code: int) -> bytes:
    """A key down, repeated, up, and the reports between."""
    return b"".join(event(1, code, value) + event(0, 0, 0) for value in (1, 2, 0))


def test_the_digit_row_and_the_number_block_type_the_same() -> None:
    assert keys_of_events(b"".join(map(pressed, (2, 3, 11, 28)))) == f"120{ENTER}"
    assert keys_of_events(b"".join(map(pressed, (79, 80, 82, 96)))) == f"120{ENTER}"


def test_every_digit_has_two_keys() -> None:
    assert sorted(KEYS.values()).count("7") == 2
    assert {key for key in KEYS.values() if key.isdigit()} == set("0123456789")


def test_lost_events_clear_what_was_typed() -> None:
    assert keys_of_events(pressed(2) + event(0, 3, 0) + pressed(3)) == f"1{CLEAR}2"


@given(st.binary(max_size=500))
def test_any_bytes_are_survived(data: bytes) -> None:
    assert set(keys_of_events(data)) <= set(KEYS.values())
    assert set(keys_of_text(data)) <= {*"0123456789", ENTER, CLEAR}


@pytest.fixture
def keypad(tmp_path: Path) -> Iterator[KeyReader]:
    reader = KeyReader(tmp_path / "keypad", open_pipe, keys_of_text)
    yield reader
    reader.close()
    reader.close()


def typed(reader: KeyReader, count: int) -> str:
    """At least so many keys."""
    keys = ""
    while len(keys) < count:
        ready, _, _ = select.select([reader.fileno()], [], [], 20)
        assert ready
        keys += reader.read()
    return keys


def test_a_pipe_is_typed_into_by_whoever_comes(keypad: KeyReader, tmp_path: Path) -> None:
    for text in ("1234\n", "99\n"):
        while not (tmp_path / "keypad").exists():
            select.select([], [], [], 0.01)
        (tmp_path / "keypad").write_text(text)
        assert typed(keypad, len(text)) == text


def test_a_keypad_that_comes_later_is_found_and_one_that_goes_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when it is plugged in, pulled out and plugged in again."""
    monkeypatch.setattr("edge.devices.keypad.AGAIN_S", 0.01)
    plugged: list[int] = []

    def opened(path: Path) -> int:
        if not plugged:
            raise FileNotFoundError(2, "it is not plugged in")
        return plugged.pop()

    reader = KeyReader(tmp_path / "keypad", opened, keys_of_events)
    for digit in (2, 3):
        device, far = os.pipe()
        plugged.append(device)
        os.write(far, pressed(digit))
        while (keys := typed(reader, 1)).strip(CLEAR) == "":
            pass  # each time it is looked for, what was half typed is cleared
        assert KEYS[digit] in keys
        os.close(far)  # pulled out
    reader.close()


def test_what_is_no_input_device_is_not_taken_for_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(pressed(2))
    with pytest.raises(OSError, match="ioctl"):
        open_device(tmp_path / "file")
    with pytest.raises(OSError, match="pipe"):
        open_pipe(tmp_path / "file")


@pytest.mark.skipif(not os.access(UINPUT, os.W_OK), reason="this machine has no uinput")
def test_a_keypad_of_the_kernel_is_taken_for_this_process_alone() -> None:
    keypad = UinputKeypad("facelatch-test")
    try:
        reader = KeyReader(keypad.path, open_device, keys_of_events)
        while not held_by_another(keypad.path):
            select.select([], [], [], 0.01)
        for code in (2, 3, 28):
            keypad.press(code)
        assert typed(reader, 3) == f"12{ENTER}"
        keypad.close()
        assert typed(reader, 1) == CLEAR
        reader.close()
    finally:
        keypad.close()


def held_by_another(path: Path) -> bool:
    """Whether somebody has taken it already."""
    try:
        os.close(open_device(path))
    except OSError as error:
        return error.errno == errno.EBUSY
    return False
