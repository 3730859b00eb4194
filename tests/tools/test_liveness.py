"""The liveness judge's workshop: rates, the fit, and what is judged."""

import itertools
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.interval import clopper_pearson
from edge.core.living.judge import LOOKS_MAX, MEASURE_EVERY, Judge, Signs, Weights, judged
from edge.errors import InputError
from edge.images import read_rgb
from tools.liveness.fitting import fit, measured, stretches
from tools.liveness.judging import answers, approaches, left_out, opening, operating, points, table
from tools.liveness.rates import auc, share, threshold_for, threshold_refusing
from tools.liveness.seeing import Seen, SeenSequence
from tools.liveness.sets import FRAMES_MAX, sequences


def stay(collection: str, kind: str, number: int, appearance: float, edges: float, looks: int = 20) -> SeenSequence:
    generator = np.random.default_rng(number)
    seen: list[Seen | None] = [
        Seen(
            {"net": float(np.clip(appearance + generator.normal(0, 0.1), 0, 1))},
            float(np.clip(edges + generator.normal(0, 1), 0, 12)),
            [None if i <= ago else float(generator.normal(-0.2 if kind == "live" else 0.2, 0.1)) for ago in range(4)],
        )
        for i in range(looks)
    ]
    return SeenSequence(collection, kind, f"{collection} {number}", f"{collection} {kind} {number}", seen)


PLACES = [
    stay(collection, kind, number, *((0.9, 4.0) if kind == "live" else (0.1, 10.0)))
    for collection in ("one", "two")
    for kind in ("live", "print")
    for number in range(3)
]


def test_no_error_at_all_has_an_interval_all_the_same() -> None:
    found = share(np.zeros(90, dtype=bool), ["a"] * 45 + ["b"] * 45, [str(i // 2) for i in range(90)])
    assert found.share == 0
    assert found.interval[1] == pytest.approx(clopper_pearson(0, 45)[1])


def test_an_interval_over_people_is_wider_than_their_many_looks_suggest() -> None:
    hits = np.array([True] * 50 + [False] * 150)
    found = share(hits, [str(i // 50) for i in range(200)], [str(i) for i in range(200)])
    assert found.interval[1] - found.interval[0] > 0.5


def test_auc_and_thresholds() -> None:
    live, attacks = np.array([0.9, 0.8, 0.7, 0.4]), np.array([0.1, 0.2, 0.5, 0.4])
    assert auc(live, attacks) == pytest.approx(14.5 / 16)
    assert threshold_for(attacks, 0.25) == pytest.approx(0.4, abs=1e-6)
    assert (attacks >= threshold_for(attacks, 0.0)).sum() == 0
    assert threshold_refusing(live, 0.0) == 0.4
    assert threshold_refusing(live, 0.25) == 0.7
    assert math.isnan(auc(live, np.array([])))


def test_the_fit_tells_what_it_was_shown_apart_and_every_weight_points_the_right_way() -> None:
    weights = fit(stretches(PLACES, "net", []))
    assert weights.appearance > 0 > weights.edges
    assert weights.parallax <= 0
    for each in PLACES:
        looks = [look.signs("net") for look in each.looks if look is not None]
        answer = judged([signs[0] for signs in looks if signs is not None], weights)
        assert (answer > 0.6) == (each.kind == "live")


def test_rooms_with_many_edges_make_edges_count_less() -> None:
    plain, busy = (fit(stretches(PLACES, "net", rooms)) for rooms in ([], [12.0, 11.0, 10.0]))
    assert abs(busy.edges) < abs(plain.edges)


def test_a_sign_that_misleads_gets_no_weight() -> None:
    turned = [
        stay("one", kind, n, 0.9 if kind == "live" else 0.1, 9.0 if kind == "live" else 3.0)
        for kind in ("live", "print")
        for n in range(3)
    ]
    assert fit(stretches(turned, "net", [])).edges == 0


def test_weights_never_come_from_the_collection_that_is_judged() -> None:
    spoilt = [
        *PLACES[:6],
        *(stay("two", each.kind, 9, 0.1 if each.kind == "live" else 0.9, 6.0) for each in PLACES[6:]),
    ]
    assert left_out(PLACES, "net", [])["two"] == left_out(spoilt, "net", [])["two"]
    assert left_out(PLACES[:6], "net", []) == {}


@given(
    st.lists(st.builds(Signs, st.floats(0, 1), st.floats(0, 12), st.none() | st.floats(-1, 1)), min_size=1, max_size=30)
)
def test_looks_are_judged_as_the_door_judges_them(looks: list[Signs]) -> None:
    weights = Weights(bias=4.0, appearance=0.5, edges=-0.5, parallax=-1.0)
    judge = Judge(weights)
    said = []
    for number, look in enumerate(looks):
        held = judge.held(1, 100 + number / 10)
        said.append(judge.add(1, look, 100 + number / 10) if held is None else held)
    assert answers([[look] * MEASURE_EVERY for look in looks], weights) == said


def test_a_look_is_compared_with_the_last_one_that_was_measured() -> None:
    """Parallax by how many looks ago it was, as far as it says: what the judge said of it shows which it took."""
    weights = Weights(bias=2.0, appearance=0.0, edges=0.0, parallax=-1.0)
    looks = [[Signs(0.5, 4.0, -ago / 4) for ago in range(MEASURE_EVERY)] for _ in range(LOOKS_MAX)]
    said = answers(looks, weights)
    assert said[2] == judged([look[0] for look in looks[:3]], weights)
    assert said[6] == judged([*(look[0] for look in looks[:3]), looks[6][3]], weights)
    assert measured(looks + looks)[3:5] == [looks[6][3], looks[0][3]]


def test_an_approach_opens_by_its_second_best_answer() -> None:
    weights = fit(stretches(PLACES, "net", []))
    shown = [Signs(0.95, 3.0, -0.3)] * 6 + [Signs(0.99, 3.0, -0.3)] + [Signs(0.01, 12.0, 0.3)] * 3
    looks = [[signs] * MEASURE_EVERY for signs in shown]
    assert opening(looks, weights) == sorted(answers(looks, weights)[2:])[-2] > answers(looks, weights)[0]
    assert [len(each) for each in approaches(looks + looks[:5] + looks[:2])] == [10, 7]
    assert [len(each) for each in approaches(looks + looks[:3])] == [10]


def test_the_table_has_every_judge_and_the_points_every_attack() -> None:
    rows, by_look, by_approach = table(PLACES, ["net"], "net", left_out(PLACES, "net", []))
    assert {row.judge for row in rows} == {"edges", "parallax", "net", "fusion with net"}
    assert {row.collections for row in rows} == {"one", "two", "one + two"}
    assert all(row.look_auc > 0.9 for row in rows)
    found = points(by_look, by_approach, 0.6)
    assert {(each.level, each.collections) for each in found} == {
        (level, of) for level in ("look", "approach") for of in ("one", "two", "one + two")
    }
    assert all(each.apcer.share == each.bpcer.share == each.acer == 0 for each in found)
    wanted = operating(by_look, by_approach)
    assert all(first.threshold <= second.threshold for first, second in itertools.pairwise(wanted[:4]))


def test_sequences_are_found_by_their_names(tmp_path: Path, photos: dict[str, Path]) -> None:
    for part in ("live", "photo"):
        folder = tmp_path / "print_attack" / part / "0001"
        folder.mkdir(parents=True)
        for number in (10, 9):
            (folder / f"0001_00_00_01_{number}.jpg").write_bytes(photos["obama.jpg"].read_bytes())
        other = tmp_path / "print_attack" / part / "0002"
        other.mkdir()
        (other / "0002_00_00_01_1.jpg").write_bytes(photos["biden.jpg"].read_bytes())
    (tmp_path / "replay_attack").mkdir()
    path = tmp_path / "replay_attack" / "ada_fake.mp4"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 30, (64, 48))
    for _ in range(12):
        video.write(np.full((48, 64, 3), 90, np.uint8))
    video.release()
    found = sequences(tmp_path)
    assert [(each.collection, each.kind, each.person) for each in found] == [
        ("nuaa", "live", "nuaa 0001"),
        ("nuaa", "live", "nuaa 0002"),
        ("nuaa", "print", "nuaa 0001"),
        ("nuaa", "print", "nuaa 0002"),
        ("replay ada", "replay", "replay ada"),
    ]
    assert [path.stem[-2:] for path in found[0].paths] == ["_9", "10"]
    assert np.array_equal(next(found[0].frames()), read_rgb(photos["obama.jpg"]))
    assert len(list(found[-1].frames())) == 4 <= FRAMES_MAX


def test_a_folder_without_attacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no attacks"):
        sequences(tmp_path)
