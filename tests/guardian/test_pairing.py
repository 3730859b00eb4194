"""Which laptops may talk: kept by the guardian, past its end, and asked of every question anew."""

import pytest

from edge import wire
from edge.errors import DoorError, InputError, StoreError
from edge.pairing import INSTALLER_DAYS, KEYS_MAX, MAY, SETTING, Pairings
from edge.pairing_code import TRIES, VALID_S
from edge.teller import Teller
from tests.guardian.household import Household

KEY, OTHER = bytes([1]) * 32, bytes([2]) * 32
DAY_S = 86_400


def paired(household: Household, key: bytes = KEY, role: wire.Role = "owner", days: int | None = None) -> wire.UsbKey:
    household.guardian.answer(wire.AskPair(role, days), "an operator")
    household.guardian.cable_says(wire.CableCode())
    answer = household.guardian.cable_says(wire.CablePaired(key, "a laptop"))
    assert isinstance(answer, wire.UsbKeys)
    return answer.keys[0]


def test_a_key_is_listed_with_who_paired_it_and_logged(household: Household) -> None:
    line = paired(household)
    assert (line.number, line.label, line.role, line.paired_by) == (1, "a laptop", "owner", "an operator")
    assert household.told("usb_paired")[0]["key"] == line.mark
    kinds = [entry.event.kind for entry in household.store.log_page(0, limit=100)]
    assert {"usb_pairing", "usb_paired"} <= set(kinds)


def test_nothing_is_paired_without_an_operator(household: Household) -> None:
    for message in (wire.CableCode(), wire.CablePaired(KEY, "a laptop")):
        with pytest.raises(DoorError, match="No pairing is open"):
            household.guardian.cable_says(message)


def test_a_code_counts_for_minutes_tries_and_one_laptop(household: Household) -> None:
    household.guardian.answer(wire.AskPair("owner"), "an operator")
    for _ in range(TRIES):
        household.guardian.cable_says(wire.CableCode())
    with pytest.raises(DoorError):
        household.guardian.cable_says(wire.CableCode())
    with pytest.raises(DoorError):
        household.guardian.cable_says(wire.CablePaired(KEY, "too late"))
    household.guardian.answer(wire.AskPair("owner"), "an operator")
    household.clock.advance(VALID_S)
    with pytest.raises(DoorError):
        household.guardian.cable_says(wire.CablePaired(KEY, "too late"))
    paired(household)
    with pytest.raises(DoorError):
        household.guardian.cable_says(wire.CablePaired(OTHER, "the second"))


def test_keys_outlast_the_guardian_and_numbers_are_not_given_twice(household: Household) -> None:
    paired(household)
    household.guardian.answer(wire.AskRevoke(1), "an operator")
    paired(household)
    teller = Teller(household.store, lambda kind, values: None, household.clock, str)
    again = Pairings(household.store, household.clock, teller)
    assert [line.number for line in again.admit(KEY).keys] == [2]
    with pytest.raises(DoorError):
        again.admit(OTHER)


def test_an_installers_key_ends_and_needs_a_clock_that_is_known(household: Household) -> None:
    paired(household, role="installer")
    household.clock.utc_jump(INSTALLER_DAYS * DAY_S - 5)
    household.guardian.cable_says(wire.CableAdmit(KEY))
    household.clock.is_trusted = False
    with pytest.raises(DoorError, match="expired"):
        household.guardian.cable_says(wire.CableAdmit(KEY))
    household.clock.is_trusted = True
    household.clock.utc_jump(10)
    with pytest.raises(DoorError, match="expired"):
        household.guardian.cable_says(wire.CableAdmit(KEY))


def test_a_role_may_what_is_listed_and_nothing_else(household: Household) -> None:
    paired(household, KEY, "owner")
    paired(household, OTHER, "installer")
    questions: list[wire.CableQuestion] = [
        *(wire.AskStatus(), wire.AskPeople(), wire.AskForget("Ada"), wire.AskLog()),
        *(wire.AskCameraProgress("none"), wire.AskCameraCancel("none")),
    ]
    for question in questions:
        if isinstance(question, MAY["installer"]):
            continue
        with pytest.raises(DoorError, match="role"):
            household.guardian.cable_says(wire.CableAsk(OTHER, question))
    assert not household.told("forgotten")
    household.guardian.cable_says(wire.CableAsk(KEY, wire.AskForget("Ada")))
    assert household.told("forgotten")


def test_no_role_may_move_the_door() -> None:
    moving = {wire.AskUnlock, wire.AskMode, wire.AskClear, wire.AskPin, wire.AskAllow}
    for questions in MAY.values():
        assert not moving & set(questions)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (wire.AskPair("owner", 3), "does not expire"),
        (wire.AskRevoke(7), "No laptop has the number 7"),
    ],
)
def test_what_an_operator_mistook_is_said(household: Household, question: wire.Question, words: str) -> None:
    with pytest.raises(InputError, match=words):
        household.guardian.answer(question, "an operator")


def test_there_are_not_more_laptops_than_can_be_kept(household: Household) -> None:
    for number in range(KEYS_MAX):
        paired(household, bytes([number]) * 32)
    with pytest.raises(InputError, match="Revoke one"):
        household.guardian.answer(wire.AskPair("owner"), "an operator")


def test_a_list_that_cannot_be_read_admits_nobody(household: Household) -> None:
    paired(household)
    household.store.keep(SETTING, '{"last": "rubbish"}')
    with pytest.raises(StoreError, match="list of laptops"):
        household.guardian.cable_says(wire.CableAdmit(KEY))


def test_a_laptops_words_are_shown_harmlessly(household: Household) -> None:
    household.guardian.answer(wire.AskPair("owner"), "an operator")
    answer = household.guardian.cable_says(wire.CablePaired(KEY, "\x1b[2J" + "x" * 400))
    assert isinstance(answer, wire.UsbKeys)
    assert answer.keys[0].label.isprintable()
    assert len(answer.keys[0].label) <= 60
