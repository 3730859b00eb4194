"""The household of every test here: Ada is enrolled, and the eyes are present."""

from collections.abc import Iterator

import pytest

from edge.settings import Config
from edge.store.sqlite import SqliteStore
from tests.fakes import FakeClock
from tests.guardian.household import ADA, DIMENSION, MODEL, FailingBolt, Household, settle


@pytest.fixture
def household(house: Config) -> Iterator[Household]:
    clock = FakeClock()
    with SqliteStore.open(house.store_path, MODEL, DIMENSION, clock) as store:
        store.enroll("Ada", [ADA])
        yield settle(house, store, clock, FailingBolt())
