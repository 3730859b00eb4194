"""``facelatch risk``, as it is installed."""

import json
import re

import pytest

from edge.devices.clock import SystemClock
from edge.models.manifest import template_space
from edge.settings import Config
from edge.store.sqlite import SqliteStore
from tests.cli.facelatch import ok, ok_json, run
from tests.store.helpers import vectors


@pytest.fixture
def two(house: Config) -> Config:
    with SqliteStore.open(house.store_path, *template_space("cpu", "none", None), SystemClock()) as store:
        store.enroll("Ada", vectors(1, 1, 192))
        store.enroll("Ida", vectors(5, 2, 192))
    return house


def test_it_says_the_odds_the_owners_the_sources_and_what_is_left_out(two: Config) -> None:
    said = ok(two, "risk", "--strangers-a-week", "100")
    assert re.search(r"With 2 people enrolled: a stranger is admitted about once in [\d,]+ approaches \(95 %: ", said)
    assert "At 100 strangers a week that is once in" in said
    assert re.search(r"Owners on another day than enrolled: .* of \d+ approaches", said)
    assert "LFW View 1" in said
    assert "Not covered: look-alikes" in said
    assert "photographs" in said


def test_json_and_status_agree(two: Config) -> None:
    found, status = ok_json(two, "risk"), ok_json(two, "status")
    assert found["similarity_min"] == status["similarity_min"]
    assert found["met"] is found["derived"] is True
    assert found["low"] <= found["admitted"] <= found["high"] <= found["admitted_max"] == 1e-4
    assert (found["people"], found["templates"]) == (2, 5)
    assert found["one_kind"] > found["high"]
    rates = [each["admitted"] for each in found["line"]]
    assert rates == sorted(rates, reverse=True)
    assert "derived for 1 in 10,000" in status["threshold"]


def test_what_if(two: Config) -> None:
    now = ok_json(two, "risk")
    more = ok_json(two, "risk", "--what-if", "people=50")
    assert more["people"] == 50
    assert more["similarity_min"] > now["similarity_min"]
    stricter = ok_json(two, "risk", "--what-if", "people=50", "--what-if", "strangers_admitted_max=strict")
    assert stricter["similarity_min"] > more["similarity_min"]
    by_hand = ok_json(two, "risk", "--what-if", "similarity_min=0.5")
    assert (by_hand["similarity_min"], by_hand["derived"], by_hand["met"]) == (0.5, False, False)
    assert ok_json(two, "status")["similarity_min"] == now["similarity_min"]  # supposed, not set


@pytest.mark.parametrize(
    "wish",
    [
        *("people", "people=", "people=-1", "people=1e3", "people=999999", "similarity_min=nan", "similarity_min=1"),
        *("similarity_min=0", "strangers_admitted_max=none", "door=open", "", "="),
    ],
)
def test_what_cannot_be_supposed_is_one_clear_error(two: Config, wish: str) -> None:
    done = run(two, "risk", "--what-if", wish)
    assert done.returncode == 4
    assert done.stderr.startswith("facelatch: ")
    assert "Traceback" not in done.stderr


def test_the_plot_marks_the_threshold(two: Config) -> None:
    lines = ok(two, "risk", "--plot").splitlines()
    marked = [line for line in lines if line.startswith(">")]
    assert len(marked) == 1
    assert "#" in marked[0]


def test_a_lock_where_nobody_lives(house: Config) -> None:
    assert "Nobody is enrolled" in ok(house, "risk")
    assert ok_json(house, "risk", "--what-if", "people=0")["admitted"] == 0
    assert json.dumps(ok_json(house, "risk", "--what-if", "people=1"))
