"""Somebody who looks like somebody enrolled: not without the owner's decision."""

import json

import numpy as np
import pytest

from edge import wire
from edge.devices.clock import SystemClock
from edge.errors import FaceError, StoreError
from edge.models.manifest import template_space
from edge.settings import Config
from edge.store.sqlite import SqliteStore
from edge.types import Embedding
from tests.cli.facelatch import ok, ok_json, run
from tests.guardian.household import ADA, MODEL, STRANGER, Household
from tests.store.helpers import vectors


def like(person: Embedding, similarity: float) -> Embedding:
    """A unit vector at this cosine to ``person``, otherwise in a direction of its own."""
    other = np.zeros_like(person)
    other[3] = 1
    return np.asarray(similarity * person + np.sqrt(1 - similarity**2) * other, np.float32)


def enroll(
    household: Household, name: str, *templates: Embedding, add: bool = False, pin_required: bool = False
) -> None:
    question = wire.AskEnroll(name, MODEL, [wire.to_bytes(each) for each in templates], add, pin_required)
    household.guardian.answer(question, "root")


@pytest.mark.parametrize(
    ("similarity", "consequence"), [(0.7, "let Ida in as Ada"), (0.57, "poor look of Ida could be taken for Ada")]
)
def test_who_looks_like_somebody_is_refused_with_the_figure_and_the_consequence(
    household: Household, similarity: float, consequence: str
) -> None:
    with pytest.raises(FaceError, match=consequence) as caught:
        enroll(household, "Ida", like(ADA, similarity))
    assert f"{similarity:.2f}" in str(caught.value)
    assert "--same-as 'Ada'" in str(caught.value)
    assert [person.name for person in household.store.people()] == ["Ada"]


def test_who_looks_like_nobody_is_enrolled_as_ever(household: Household) -> None:
    enroll(household, "Ida", like(ADA, 0.54))
    assert household.guardian.answer(wire.AskAlike()) == wire.Alike(0.6 - 0.05, [])


def test_more_pictures_of_the_same_person_need_no_decision(household: Household) -> None:
    enroll(household, "Ada", like(ADA, 0.9), add=True)
    assert household.comes(ADA, 1)


def test_both_come_in_by_pin_only_once_that_was_decided(household: Household) -> None:
    enroll(household, "Ida", like(ADA, 0.7), pin_required=True)
    assert not household.comes(ADA, 1)
    assert household.told("refused")[-1]["reason"] == "this person comes in by PIN"
    household.guardian.answer(wire.AskPin("Ada", "73915"), "root")
    household.types("73915")
    assert household.is_open()
    alike = household.guardian.answer(wire.AskAlike())
    assert isinstance(alike, wire.Alike)
    [pair] = alike.pairs
    assert ({pair.first, pair.second}, pair.pin_required) == ({"Ada", "Ida"}, True)


def test_more_pictures_of_a_decided_pair_need_no_new_decision_but_a_third_alike_does(household: Household) -> None:
    enroll(household, "Ida", like(ADA, 0.7), pin_required=True)
    enroll(household, "Ida", like(ADA, 0.71), add=True)
    with pytest.raises(FaceError, match="Eda"):
        enroll(household, "Eda", like(ADA, 0.72))


def test_an_enrolment_that_fails_leaves_nobody_who_could_come_in_as_the_other(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StoreError("The disk is full. Free some space.")

    monkeypatch.setattr(household.store, "enroll", full)
    with pytest.raises(StoreError):
        enroll(household, "Ida", like(ADA, 0.7), pin_required=True)
    assert not household.comes(ADA, 1)  # by PIN only already: safe, and an operator can take it back
    household.guardian.answer(wire.AskAllow("Ada", pin_required=False), "root")
    assert household.comes(ADA, 2)


def test_a_stranger_is_not_concerned(household: Household) -> None:
    enroll(household, "Zoe", STRANGER)
    assert household.comes(ADA, 1)


@pytest.fixture
def twins(house: Config) -> Config:
    """Two who were enrolled before anybody compared them."""
    [anna] = vectors(1, 1)
    [other] = vectors(1, 2)
    mixed = anna + 0.4 * other
    with SqliteStore.open(house.store_path, *template_space("cpu", "none", None), SystemClock()) as store:
        store.enroll("Anna", [anna])
        store.enroll("Hanna", [(mixed / np.linalg.norm(mixed)).astype(np.float32)])
        store.enroll("Zoe", vectors(1, 3))
    return house


def test_the_check_finds_them_until_it_is_decided(twins: Config) -> None:
    done = run(twins, "people", "check", "--json")
    assert done.returncode == 1
    [pair] = json.loads(done.stdout)["pairs"]
    assert {pair["first"], pair["second"]} == {"Anna", "Hanna"}
    assert "by PIN only" in run(twins, "people", "check").stdout
    for name in ("Anna", "Hanna"):
        ok(twins, "people", "allow", name, "--pin-required")
    assert ok_json(twins, "people", "check")["pairs"][0]["pin_required"]


def test_people_are_listed_and_renamed(twins: Config) -> None:
    assert "now Johanna" in ok(twins, "people", "rename", "Hanna", "Johanna")
    assert [person["name"] for person in ok_json(twins, "people", "list")] == ["Anna", "Johanna", "Zoe"]
    assert [line["kind"] for line in ok_json(twins, "log")] == ["renamed"]
