"""A USB keypad through the kernel's input events (linux/input.h), or a pipe that stands for one.

The keypad is taken for this process alone, so that a PIN does not also arrive at a console's login.
"""

import errno
import fcntl
import logging
import os
import select
import stat
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from edge.core.keys import CLEAR, ENTER
from edge.devices.mailbox import Mailbox

_log = logging.getLogger(__name__)

AGAIN_S = 1.0
"""How often a keypad that was unplugged is looked for."""

_EVENT = struct.Struct("llHHi")  # struct input_event: seconds, microseconds, type, code, value
_EVIOCGRAB = 0x40044590  # _IOW('E', 0x90, int)
_EV_SYN, _EV_KEY, _SYN_DROPPED, _PRESSED = 0, 1, 3, 1

_DIGIT_ROW = dict(zip(range(2, 12), "1234567890", strict=True))
_NUMBER_BLOCK = dict(zip((82, 79, 80, 81, 75, 76, 77, 71, 72, 73), "0123456789", strict=True))
_OTHERS = {28: ENTER, 96: ENTER, 14: CLEAR, 1: CLEAR, 83: CLEAR, 111: CLEAR}  # Enter, KP Enter, ⌫, Esc, KP dot, Del
KEYS = {**_DIGIT_ROW, **_NUMBER_BLOCK, **_OTHERS}
"""linux/input-event-codes.h: a code to a digit, ENTER or CLEAR."""


def keys_of_events(data: bytes) -> str:
    """The keys pressed in whole input events. Lost events clear what was typed: a PIN with a digit missing is none."""
    typed = ""
    for _, _, kind, code, value in _EVENT.iter_unpack(data[: len(data) // _EVENT.size * _EVENT.size]):
        if (kind, code) == (_EV_SYN, _SYN_DROPPED):
            typed += CLEAR
        elif kind == _EV_KEY and value == _PRESSED:
            typed += KEYS.get(code, "")
    return typed


def keys_of_text(data: bytes) -> str:
    """The keys of a simulated keypad: digits, a line's end for ENTER, anything else CLEAR."""
    return "".join(chr(byte) if chr(byte) in "0123456789\n" else CLEAR for byte in data)


def open_device(path: Path) -> int:
    """The descriptor of an input device, taken for this process alone. Raises OSError."""
    device = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        fcntl.ioctl(device, _EVIOCGRAB, 1)
    except OSError:
        os.close(device)
        raise
    return device


def open_pipe(path: Path) -> int:
    """The descriptor of a named pipe, made where it is missing. Raises OSError."""
    with suppress(FileExistsError):
        os.mkfifo(path, 0o600)
    # Open for writing, too: the pipe then has no end when whoever typed goes away.
    pipe = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    if not stat.S_ISFIFO(os.fstat(pipe).st_mode):
        os.close(pipe)
        raise OSError(errno.EINVAL, "it is no pipe")
    return pipe


class KeyReader:
    """The keypad port: a thread reads, so that one that is unplugged and plugged in again goes on."""

    def __init__(self, path: Path, open_: Callable[[Path], int], keys: Callable[[bytes], str]) -> None:
        """``open_`` a descriptor of keys at ``path``, ``keys`` what bytes read from it mean."""
        self._path, self._open, self._keys = path, open_, keys
        self._typed: Mailbox[str] = Mailbox()
        self._closing = threading.Event()
        self._end, self._ending = os.pipe2(os.O_CLOEXEC)
        self._thread = threading.Thread(target=self._watch, name="keypad", daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        """See the port."""
        return self._typed.fileno()

    def read(self) -> str:
        """See the port."""
        return "".join(self._typed.take())

    def close(self) -> None:
        """Give the keypad back; may be called twice."""
        if self._closing.is_set():
            return
        self._closing.set()
        os.write(self._ending, b"\0")
        self._thread.join(timeout=2)
        self._typed.close()
        os.close(self._end)
        os.close(self._ending)

    def _watch(self) -> None:
        told = ""
        while not self._closing.is_set():
            try:
                device = self._open(self._path)
                try:
                    _log.info("the keypad %s is there", self._path)
                    told = ""
                    self._read_from(device)
                finally:
                    os.close(device)
            except OSError as error:
                if str(error) != told:  # once, not every second
                    told = str(error)
                    _log.warning("the keypad %s is not there (%s): looking for it", self._path, error.strerror)
            except Exception:  # a keypad that nobody reads any more would be found out at the door
                _log.exception("the keypad %s cannot be read: trying again", self._path)
            if not self._closing.is_set():
                self._typed.put(CLEAR)
                self._closing.wait(AGAIN_S)

    def _read_from(self, device: int) -> None:
        """Until the end is asked for. Raises OSError when the device goes."""
        while True:
            ready, _, _ = select.select([device, self._end], [], [])
            if self._end in ready:
                return
            data = os.read(device, _EVENT.size * 64)
            if not data:
                raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
            self._typed.put(*self._keys(data))
