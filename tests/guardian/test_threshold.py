"""The threshold of a lock that derives it: it follows who lives there, and says so."""

from collections.abc import Iterator, Mapping

import msgspec
import pytest

from edge import wire
from edge.core.risk import Limits
from edge.errors import FacelatchError
from edge.guardian import Guardian
from edge.household import limits
from edge.registry import Registry
from edge.settings import Config, DoorConfig, MatchConfig
from edge.store.sqlite import SqliteStore
from edge.teller import Plain
from tests.fakes import FakeClock
from tests.guardian.household import ADA, DIMENSION, HELLO, MODEL, STRANGER, FailingBolt, Household

MARGIN = 0.05


def threshold_entries(store: SqliteStore) -> list[dict[str, object]]:
    return [dict(each.event.detail) for each in reversed(store.events(100)) if each.event.kind == "threshold"]


@pytest.fixture
def derived(house: Config) -> Iterator[Household]:
    """Nobody lives here yet; the odds are those of the networks that are shipped."""
    clock, bolt = FakeClock(), FailingBolt()
    with SqliteStore.open(house.store_path, MODEL, DIMENSION, clock) as store:
        said: list[tuple[str, Mapping[str, Plain]]] = []
        registry = Registry(store, MODEL, DIMENSION, limits(house), MARGIN)
        guardian = Guardian(house, registry, store, bolt, clock, lambda kind, values: said.append((kind, values)))
        guardian.eyes_say(HELLO)
        yield Household(guardian, store, bolt, clock, said)


def enroll(household: Household, name: str, *, templates: int = 1, add: bool = False) -> None:
    vector = wire.to_bytes(ADA if name == "Ada" else STRANGER)
    household.guardian.answer(wire.AskEnroll(name, MODEL, [vector] * templates, add), "root")


def test_it_rises_with_people_and_templates_and_falls_again(derived: Household) -> None:
    seen = [derived.guardian.status().similarity_min]
    for step in ("Ada", "Ida"):
        enroll(derived, step)
        seen.append(derived.guardian.status().similarity_min)
    enroll(derived, "Ida", templates=4, add=True)
    seen.append(derived.guardian.status().similarity_min)
    assert seen == sorted(seen)
    assert len(set(seen)) == 4
    derived.guardian.answer(wire.AskForget("Ida"), "root")
    assert derived.guardian.status().similarity_min == seen[1]
    told = [values["similarity_min"] for values in derived.told("threshold")]
    assert told == [*seen[1:], seen[1]]


def test_every_change_is_in_the_log_with_its_reasons_and_none_twice(derived: Household) -> None:
    enroll(derived, "Ada")
    derived.guardian.answer(wire.AskRename("Ada", "Ada L"), "root")
    first, second = threshold_entries(derived.store)
    assert (first["people"], second["people"], second["templates"]) == (0, 1, 1)
    assert second["before"] == f"{first['similarity_min']:.3f}"
    assert "derived for 1 in 10,000" in str(second["reason"])
    assert "(derived for 1 in 10,000: a stranger about 1 in" in derived.guardian.status().line()


def test_what_is_looked_for_is_the_threshold_in_force(derived: Household) -> None:
    enroll(derived, "Ada")
    assert derived.comes(ADA, track=1)
    assert not derived.comes(STRANGER, track=2)


def test_a_start_with_another_risk_is_told_once(derived: Household, house: Config) -> None:
    enroll(derived, "Ada")
    before = len(threshold_entries(derived.store))
    strict = msgspec.structs.replace(house, door=DoorConfig(strangers_admitted_max="strict"))
    for _ in range(2):
        stricter = Registry(derived.store, MODEL, DIMENSION, limits(strict), MARGIN)
        Guardian(strict, stricter, derived.store, derived.bolt, derived.clock, lambda kind, values: None)
    entries = threshold_entries(derived.store)
    assert len(entries) == before + 1
    assert entries[-1]["similarity_min"] == stricter.similarity_min > derived.guardian.status().similarity_min
    assert "1 in 100,000" in str(entries[-1]["reason"])


def test_a_threshold_set_by_hand_stays_and_its_odds_are_told(derived: Household, house: Config) -> None:
    by_hand = msgspec.structs.replace(house, match=MatchConfig(similarity_min=0.55))
    registry = Registry(derived.store, MODEL, DIMENSION, limits(by_hand), MARGIN)
    registry.answer(wire.AskEnroll("Ada", MODEL, [wire.to_bytes(ADA)]))
    assert registry.similarity_min == 0.55
    assert "set by hand: a stranger about 1 in" in registry.decision.reason


def test_networks_that_nobody_measured_open_no_store(derived: Household) -> None:
    with pytest.raises(FacelatchError, match="no threshold can be derived"):
        Registry(derived.store, MODEL, DIMENSION, Limits(0.0), MARGIN)
