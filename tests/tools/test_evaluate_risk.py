"""What the odds are made of, and the table that holds them against what happened."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from edge.core.centre import centres
from edge.types import FloatArray
from tests.tools.evaluation import make_data, run
from tools.evaluate import calibration as cal
from tools.evaluate import odds
from tools.evaluate.calibration import Described
from tools.evaluate.odds import Line
from tools.evaluate.sets import DataSet, Picture

PEOPLE, EACH = 60, 5


def unit(rows: FloatArray) -> FloatArray:
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), np.float32)


def drawn(seed: int, people: int = PEOPLE, each: int = EACH, *, common: float = 0.0, noise: float = 0.5) -> Described:
    """People as directions in 64 dimensions; ``common``: what all of them share."""
    generator = np.random.default_rng(seed)
    persons = generator.standard_normal((people, 1, 64)) + common * np.ones(64)
    rows = unit((persons + noise * generator.standard_normal((people, each, 64))).reshape(-1, 64))
    names = [f"{person:03d}/{person:03d}_0_0_1_{look}.jpg" for person in range(people) for look in range(each)]
    pictures = tuple(Picture(f"{person:03d}", "1", names[person * each]) for person in range(people))
    owners = np.repeat(np.arange(people), each)
    return Described(DataSet("drawn", Path("nowhere"), pictures), rows, owners, names)


def test_people_who_share_something_are_found_to_be_more_alike() -> None:
    wide, crowd = drawn(1), drawn(2, common=0.5)
    similarities, lows, highs = cal.tail(cal.impostors(wide))
    assert all(low <= value <= high for low, value, high in zip(lows, similarities, highs, strict=True))
    assert list(similarities) == sorted(similarities)
    at = similarities[1]
    same, more = cal.crowd_lift(drawn(3), at), cal.crowd_lift(crowd, at)
    assert same.low < 0.01 < more.low
    assert more.source == "drawn, 60 people"


def test_the_mean_of_templates_is_more_alike_to_everybody_than_one() -> None:
    described = drawn(4, noise=1.0)
    lift = cal.template_lift(described)
    assert lift.low <= lift.value <= lift.high
    one, mean = [], []
    for person in range(PEOPLE):
        own = described.embeddings[described.owners == person]
        others = described.embeddings[described.owners != person].T
        one.append(own @ others)
        mean.append(centres(own, np.zeros(EACH, np.intp), 1) @ others)
    more = np.quantile(np.ravel(mean), 0.99) - np.quantile(np.concatenate([each.ravel() for each in one]), 0.99)
    assert lift.value >= more - 0.002


def test_looks_that_differ_little_correlate_much() -> None:
    wide = drawn(5)
    close, loose = (cal.looks_alike(drawn(6, 12, 20, noise=noise), wide) for noise in (0.1, 1.0))
    assert close[0].value > 0.95
    assert 0.3 < loose[0].value < 0.7
    assert close[1].value > loose[1].value  # and so do the looks themselves


def test_the_share_over_all_galleries_is_what_drawing_every_gallery_gives() -> None:
    generator = np.random.default_rng(7)
    crossed, whose = generator.random((9, 6)) < 0.3, np.array([0, 0, 1, 2, 2, 3, 4, 5, 5])
    crossed[np.arange(9), whose] = False
    for size in (1, 2, 4):
        let_in = [
            np.mean([crossed[row, list(gallery)].any() for gallery in itertools.combinations(others, size)])
            for row, person in enumerate(whose)
            for others in [[each for each in range(6) if each != person]]
        ]
        assert odds._shares(crossed, whose, size)[0] == pytest.approx(float(np.mean(let_in)))


def line(observed: float, low: float, let_in: int) -> Line:
    none = None if let_in else 0.03
    return Line("cpu", "x", 5, 1e-2, 0.5, 3e-3, 1e-2, 5e-2, observed, (low, 1.0), let_in, 100, 100, none)


def test_the_verdict_never_flatters() -> None:
    assert line(5e-3, 0, 3).verdict == "conservative"
    assert line(2e-2, 0, 3).verdict == "too low here; not for one kind"
    assert line(6e-2, 0, 3).verdict == "TOO LOW"
    assert line(0, 0, 0).verdict == "none seen: below 0.03"


@pytest.mark.parametrize("command", ["calibrate", "risk"])
def test_a_few_photographs_are_no_calibration(command: str, tmp_path: Path, photos: dict[str, Path]) -> None:
    done = run(command, "--data", make_data(tmp_path, photos))
    assert done.returncode == 4, done.stderr
    assert "Use LFW View 1" in done.stderr
    assert "Traceback" not in done.stderr
