"""A PIN as it is typed, and how wrong ones are slowed down."""

from hypothesis import given
from hypothesis import strategies as st

from edge.core.keys import PIN_MAX_DIGITS, PIN_PAUSE_S, WAIT_FIRST_S, WAIT_MAX_S, WRONG_ALLOWED, PinEntry, PinLimiter


def typed(keys: str, entry: PinEntry | None = None, now_s: float = 0.0) -> list[str]:
    entry = entry or PinEntry()
    return [pin for pin in (entry.feed(key, now_s) for key in keys) if pin is not None]


def test_enter_ends_a_pin_and_clear_begins_anew() -> None:
    assert typed("1234\n") == ["1234"]
    assert typed("99\b1234\n56\n") == ["1234", "56"]
    assert typed("\n\n") == []
    assert typed("12a3\x1b4\n") == ["1234"]


def test_too_many_digits_are_no_pin() -> None:
    assert typed("1" * PIN_MAX_DIGITS + "\n") == ["1" * PIN_MAX_DIGITS]
    assert typed("1" * (PIN_MAX_DIGITS + 1) + "\n12\n") == ["12"]


def test_what_somebody_left_half_typed_is_nobodys_beginning() -> None:
    entry = PinEntry()
    assert typed("12", entry, 0.0) == []
    assert typed("34\n", entry, PIN_PAUSE_S + 0.1) == ["34"]


@given(st.text("0123456789\n\b x٣", max_size=200))
def test_a_pin_is_digits_and_never_long(keys: str) -> None:
    for pin in typed(keys):
        assert pin.isascii()
        assert pin.isdecimal()
        assert 1 <= len(pin) <= PIN_MAX_DIGITS


def test_wrong_ones_are_forgotten_after_a_quiet_hour() -> None:
    limiter = PinLimiter()
    for week in range(10):
        limiter.wrong(week * 7 * 86400.0)
        assert limiter.wait_s(week * 7 * 86400.0) == 0
    for number in range(WRONG_ALLOWED):
        limiter.wrong(1e7 + number)
    assert limiter.wait_s(1e7 + WRONG_ALLOWED) > 0


def test_after_three_wrong_ones_each_waits_twice_as_long() -> None:
    limiter, now_s, waits = PinLimiter(), 0.0, []
    for _ in range(WRONG_ALLOWED + 7):
        limiter.wrong(now_s)
        waits.append(limiter.wait_s(now_s))
        now_s += limiter.wait_s(now_s)
    assert waits[:5] == [0.0, 0.0, WAIT_FIRST_S, 2 * WAIT_FIRST_S, 4 * WAIT_FIRST_S]
    assert max(waits) == waits[-1] == WAIT_MAX_S


def test_a_right_one_begins_anew() -> None:
    limiter = PinLimiter()
    for _ in range(WRONG_ALLOWED):
        limiter.wrong(0.0)
    limiter.right()
    limiter.wrong(100.0)
    assert limiter.wait_s(100.0) == 0.0
