"""PINs as they are kept."""

import base64
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import pin
from edge.errors import InputError
from edge.types import PinHash

ADA = PinHash(1, pin.hash_pin("48151"), duress=False)
BOB = PinHash(2, pin.hash_pin("62342", [ADA]), duress=True)


def test_a_pin_is_found_and_another_is_not() -> None:
    assert pin.find("48151", [ADA, BOB]) is ADA
    assert pin.find("62342", [ADA, BOB]) is BOB
    assert pin.find("48152", [ADA, BOB]) is None
    assert pin.find("48151", []) is None


@pytest.mark.parametrize("typed", ["", "481", "48151 ", "48151\n", "٤٨١٥١", "4815100000000", "abcde"])
def test_what_is_no_pin_matches_nobody(typed: str) -> None:
    assert pin.find(typed, [ADA, BOB]) is None


@pytest.mark.parametrize(
    "easy",
    ["", "123", "1234", "9876", "0000", "111111", "7890", "3210", "0987", "1234567890123", "12 34", "abcd", "١٢٣٥"],
)
def test_a_pin_too_easy_or_none_is_refused_without_being_repeated(easy: str) -> None:
    with pytest.raises(InputError) as raised:
        pin.hash_pin(easy)
    assert len(easy) < 4 or easy not in str(raised.value)


def test_one_salt_serves_a_store_so_that_a_thousand_people_cost_one_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    real = hashlib.scrypt
    everybody = [PinHash(number, pin.hash_pin(str(48151 + 7 * number), [ADA]), duress=False) for number in range(20)]

    def counting(*args: Any, **options: Any) -> bytes:
        calls.append(options)
        return real(*args, **options)

    monkeypatch.setattr(hashlib, "scrypt", counting)
    assert pin.find(str(48151 + 7 * 19), everybody) is everybody[19]
    assert len(calls) == 1


def test_two_stores_have_two_salts() -> None:
    assert pin.hash_pin("48151") != ADA.text


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "48151",
            "scrypt$14$8$1$",
            "scrypt$30$8$1$AAAA$AAAA",
            "scrypt$14$8$1$****$****",
            "scrypt$14$8$1$AAAA$AAAA",
        ),
        # Hers are salted anew in every process: names of their own.
        pytest.param(ADA.text.replace("$14$", "$15$"), id="another cost"),
        pytest.param(ADA.text + "$", id="something more"),
        pytest.param("x" + ADA.text, id="another scheme"),
    ],
)
def test_a_row_that_we_did_not_write_matches_nobody_and_costs_nothing(text: str) -> None:
    assert pin.find("48151", [PinHash(1, text, duress=False)]) is None


def test_many_salts_do_not_hold_the_door_up(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def digest(typed: str, salt: bytes) -> bytes:
        calls.append(1)
        return b"\0" * 32

    monkeypatch.setattr(pin, "_digest", digest)
    rows = [
        PinHash(
            n,
            f"scrypt$14$8$1${base64.b64encode(n.to_bytes(16)).decode()}${base64.b64encode(bytes(32)).decode()}",
            False,
        )
        for n in range(100)
    ]
    pin.find("48151", rows)
    assert len(calls) <= 4


@given(st.text(max_size=200))
def test_no_text_raises(text: str) -> None:
    assert pin.find("48151", [PinHash(1, f"scrypt$14$8$1${text}", duress=False)]) is None
