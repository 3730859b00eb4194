"""A PIN as it is typed, and how wrong ones are slowed down."""

import math

ENTER, CLEAR = "\n", "\b"

PIN_MAX_DIGITS = 12
PIN_PAUSE_S = 10.0
"""Whoever pauses longer between two keys starts anew: what a visitor left half typed is nobody's beginning."""

WRONG_ALLOWED = 3
"""Wrong PINs in a row before the first wait. A thousandth of a four-digit PIN's 10,000 is tried in the first hour."""

WAIT_FIRST_S, WAIT_MAX_S = 30.0, 900.0
"""The first wait, doubled with each further wrong PIN, and the longest."""


FORGET_S = 3600.0
"""After an hour without a wrong PIN the count begins anew: a household that mistypes once a week never waits."""


class PinEntry:
    """Collects keys into a PIN."""

    def __init__(self) -> None:
        self._typed = ""
        self._last_s = -math.inf

    def feed(self, key: str, now_s: float) -> str | None:
        """Take a key: a digit, ENTER or CLEAR; others are ignored. The digits typed, when ENTER ends them.

        More than ``PIN_MAX_DIGITS`` are no PIN: nothing is returned for them.
        """
        if not now_s - self._last_s <= PIN_PAUSE_S:
            self._typed = ""
        self._last_s = now_s
        if key == CLEAR:
            self._typed = ""
        elif key == ENTER:
            typed, self._typed = self._typed, ""
            return typed if 0 < len(typed) <= PIN_MAX_DIGITS else None
        elif len(key) == 1 and key in "0123456789":
            self._typed = (self._typed + key)[: PIN_MAX_DIGITS + 1]
        return None


class PinLimiter:
    """Slows down wrong PINs. It does not stop a duress PIN."""

    def __init__(self) -> None:
        self._wrong = 0
        self._last_s = -math.inf
        self._until_s = -math.inf

    def wait_s(self, now_s: float) -> float:
        """Seconds until a PIN is looked at again, 0 when it is now."""
        return max(0.0, self._until_s - now_s)

    def wrong(self, now_s: float) -> None:
        """A PIN was wrong, while none had to wait."""
        self._wrong = self._wrong + 1 if now_s - self._last_s <= FORGET_S else 1
        self._last_s = now_s
        if self._wrong >= WRONG_ALLOWED:
            further = min(self._wrong - WRONG_ALLOWED, 10)
            self._until_s = now_s + min(WAIT_FIRST_S * 2.0**further, WAIT_MAX_S)

    def right(self) -> None:
        """A PIN was right."""
        self._wrong = 0
