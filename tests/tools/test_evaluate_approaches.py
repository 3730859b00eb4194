"""Approaches as the tool judges them: the lock's own eyes and rule, galleries, what is counted, and the commands."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.annotate import save_png
from edge.core.risk import Limits
from edge.core.stopping import STANDARD
from edge.errors import InputError
from edge.images import read_rgb
from edge.models.calibration import calibration_of
from edge.models.manifest import MANIFEST
from edge.types import Embedding, FloatArray
from tests.core.looks import like
from tests.tools.evaluation import SESSIONS, put, run, shelf_of
from tools.evaluate import approaches, failures, reach
from tools.evaluate.approaches import Judged, World
from tools.evaluate.correlation import correlation
from tools.evaluate.neighbours import Neighbour, enrolled, household
from tools.evaluate.networks import Networks, open_networks
from tools.evaluate.sequences import open_sequences
from tools.evaluate.visits import Visit, judge, still

PATH = Path("nowhere.jpg")
TERMS = approaches.terms(0.6)


@pytest.fixture(scope="module")
def networks() -> Networks:
    return open_networks((), ("cpu",))[0]


def neighbour(person: str, embedding: Embedding) -> Neighbour:
    return Neighbour("a set", person, embedding[None], PATH)


def visit_of(person: str, session: str, embeddings: FloatArray) -> Visit:
    """Looks a fifth of a second apart."""
    stills = [still("a set", person, PATH, each, len(embeddings)) for each in embeddings]
    seen = tuple(each.seen[number] for number, each in enumerate(stills))
    return Visit("a set", person, session, f"{person} {session}", PATH, seen)


def faces_of(people: int, looks: int, spread: float, seed: int) -> FloatArray:
    """(P, L, 192) unit rows around one direction a person."""
    rng = np.random.default_rng(seed)
    own = rng.normal(size=(people, 1, 192))
    rows = own / np.linalg.norm(own, axis=-1, keepdims=True) + spread * rng.normal(size=(people, looks, 192)) / 14
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), np.float32)


def test_an_owner_is_let_in_after_as_many_looks_as_the_rule_asks_for() -> None:
    index = enrolled([neighbour("Ada", like(1)), neighbour("Bob", like(0, 1))])
    clear = judge(still("a set", "Ada", PATH, like(0.9), 10), index, TERMS, "refuse")
    assert (clear.admitted, clear.person_id, clear.looks) == (True, 0, STANDARD.looks_min)
    assert [clear.similarity, clear.seconds] == pytest.approx([0.9, 0.2])
    doubtful = judge(still("a set", "Bob", PATH, like(0, 0.65), 10), index, TERMS, "refuse")
    assert (doubtful.admitted, doubtful.person_id, doubtful.looks) == (True, 1, 5)


def test_whoever_stays_outside_is_told_by_how_much() -> None:
    index = enrolled([neighbour("Ada", like(1)), neighbour("Bob", like(0, 1))])
    outcome = judge(still("a set", "Eve", PATH, like(0.1, 0.4), 10), index, TERMS, "refuse")
    assert (outcome.admitted, outcome.person_id, outcome.looks) == (False, 1, 10)
    assert outcome.similarity == pytest.approx(0.4, abs=1e-6)


def test_a_second_face_stops_an_approach_or_is_passed_over_as_asked() -> None:
    index = enrolled([neighbour("Ada", like(1))])
    alone = still("a set", "Ada", PATH, like(0.9), 10)
    crowded = replace(alone, seen=tuple(replace(each, faces_in_frame=2) for each in alone.seen))
    assert not judge(crowded, index, TERMS, "refuse").admitted
    assert judge(crowded, index, TERMS, "nearest").admitted


@pytest.mark.parametrize("similarity", [0.3, 0.59, 0.61, 0.66, 0.9])
def test_more_of_the_same_look_change_nothing(similarity: float) -> None:
    index = enrolled([neighbour("Ada", like(1))])
    few, many = (
        judge(still("a set", "Eve", PATH, like(similarity), looks), index, TERMS, "refuse")
        for looks in (approaches.STILL_LOOKS, 50)
    )
    assert (few.admitted, few.person_id) == (many.admitted, many.person_id)
    assert few.similarity == pytest.approx(many.similarity, abs=1e-6)


def test_a_household_holds_the_owner_then_fellows_then_others_and_never_who_comes() -> None:
    rng = np.random.default_rng(1)
    fellows = [neighbour(f"fellow {number}", like(1)) for number in range(4)]
    others = [neighbour(f"other {number}", like(1)) for number in range(50)]
    owner = fellows[2]
    found = [each.person for each in household(owner, "fellow 2", 10, fellows, others, rng)]
    assert found[0] == "fellow 2"
    assert set(found[1:4]) == {"fellow 0", "fellow 1", "fellow 3"}
    assert len(set(found)) == 10
    stranger = [each.person for each in household(None, "fellow 2", 2, fellows, others, rng)]
    assert len(stranger) == 2
    assert "fellow 2" not in stranger
    assert [each.person for each in household(owner, "fellow 2", 1, fellows, others, rng)] == ["fellow 2"]


def test_looks_that_are_all_the_same_correlate_fully_and_looks_of_different_people_not() -> None:
    targets = faces_of(200, 1, 0.0, 1)[:, 0]
    same = faces_of(6, 10, 0.0, 2)
    assert correlation([str(n) for n in range(6)], list(same), targets).correlation == pytest.approx(1, abs=1e-6)
    mixed = faces_of(60, 1, 0.0, 3).reshape(6, 10, 192)
    assert abs(correlation([str(n) for n in range(6)], list(mixed), targets).correlation) < 0.1
    some = correlation([str(n // 2) for n in range(6)], list(faces_of(6, 10, 0.5, 4)), targets)
    assert 0.6 < some.interval[0] <= some.correlation <= some.interval[1] < 1
    assert set(some.by_person) == {"0", "1", "2"}


@pytest.fixture
def world() -> World:
    """Four people who came twice, and a hundred others."""
    faces = faces_of(104, 12, 0.3, 5)
    visits = [
        visit_of(f"p{number}", session, faces[number, part])
        for number in range(4)
        for session, part in (("1", slice(0, 6)), ("2", slice(6, 12)))
    ]
    fellows = {"a set": [neighbour(f"p{number}", faces[number, 0]) for number in range(4)]}
    others = [neighbour(f"o{number}", faces[number, 0]) for number in range(4, 104)]
    stills = [still("a set", f"o{number}", PATH, faces[number, 1], approaches.STILL_LOOKS) for number in range(4, 104)]
    return World(visits, fellows, others, stills)


def test_every_visitor_is_counted_as_what_he_is(world: World, networks: Networks) -> None:
    result, judged = approaches.evaluate(world, networks, (0.5, -1.0), (1, 20), "refuse")
    assert (result.sequences, result.people, result.crowded, result.stills) == (8, 4, 0, 100)
    assert [(line.enrolled, line.similarity_min) for line in result.lines] == [(1, 0.5), (1, -1), (20, 0.5), (20, -1)]
    at = {(line.enrolled, line.similarity_min): {kind.who: kind for kind in line.kinds} for line in result.lines}
    owners, strangers, stills = at[20, 0.5].values()
    assert (owners.approaches, owners.people, owners.wrongly, owners.as_another) == (8 * approaches.DRAWS, 4, 0, 0)
    assert (owners.looks, owners.interval) == ((2, 2), None)
    assert (strangers.approaches, strangers.wrongly, strangers.looks) == (8 * approaches.DRAWS, 0, None)
    assert stills.wrongly == 0
    everybody = at[1, -1.0]  # with one enrolled and no threshold everybody is that one
    assert everybody["strangers in sequences"].wrongly == 8 * approaches.DRAWS
    assert everybody["strangers in sequences"].people_wrongly == 4
    assert everybody[approaches.STILLS].wrongly == everybody[approaches.STILLS].approaches
    assert {each.enrolled for each in judged} == {20}


def test_thresholds_are_those_that_the_lock_derives(world: World, networks: Networks) -> None:
    result, _ = approaches.evaluate(world, networks, (), (1, 20), "refuse", (1e-3, 1e-4))
    found = {(line.enrolled, line.risk): line.similarity_min for line in result.lines}
    measured = calibration_of(networks.shelf)
    assert found == {
        (people, asked): Limits(0.0, asked, measured).decide([approaches.TEMPLATES] * people).similarity_min
        for people in (1, 20)
        for asked in (1e-3, 1e-4)
    }
    assert found[1, 1e-3] < found[20, 1e-3] < found[20, 1e-4]


def test_the_worst_are_those_who_came_closest_and_those_who_came_least_close(world: World, networks: Networks) -> None:
    _, judged = approaches.evaluate(world, networks, (0.5,), (20,), "refuse")
    found = failures.worst(judged, 3)
    assert [each.what for each in found] == ["stranger"] * 3 + ["owner"] * 3

    def similarities(what: str, whole: list[Judged]) -> list[float]:
        return [each.outcome.similarity for each in whole if (each.case.owner is None) == (what == "stranger")]

    strangers = [each.judged.outcome.similarity for each in found[:3]]
    assert strangers == sorted(strangers, reverse=True)
    assert strangers[0] == max(each for each in similarities("stranger", judged) if not np.isnan(each))
    assert found[3].judged.outcome.similarity == min(similarities("owner", judged))
    assert len({each.judged.case.visit.person for each in found[:3]}) == 3
    assert "no picture is flawed" in failures.explained(found[0], None)[1]


def test_a_face_half_as_large_is_twice_as_far_away_and_a_wide_lens_sees_it_nearer() -> None:
    assert reach.distance_cm(60, 66) == pytest.approx(2 * reach.distance_cm(120, 66))
    assert reach.distance_cm(60, 102) < reach.distance_cm(60, 66) < reach.distance_cm(60, 62.2)
    # 90 degrees: the picture is as wide as twice the distance; 640 px are 1 m at half a metre.
    face_cm = reach.EYES_CM / reach.EYES_SHARE
    assert reach.distance_cm(6.4 * face_cm, 90) == pytest.approx(50)


def shaken(folder: Path, photos: dict[str, Path], sequences: dict[str, str], count: int = 4) -> Path:
    """Frames of sequences named as NUAA's: one photograph, shifted a pixel at a time."""
    for name, photo in sequences.items():
        rgb = read_rgb(photos[photo])
        place = folder / "print_attack" / "live" / name[:4]
        place.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            save_png(np.roll(rgb, number, axis=1), place / f"{name}_{number}.png")
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, photos: dict[str, Path]) -> Path:
    folder = tmp_path_factory.mktemp("data")
    put(folder / "london", photos, SESSIONS)
    return shaken(
        folder, photos, {"0001_00_00_01": "obama.jpg", "0001_00_00_02": "obama2.jpg", "0002_00_00_01": "biden.jpg"}
    )


def test_sequences_are_found_with_their_days(data: Path) -> None:
    found = open_sequences(data)
    assert [(each.person, each.session, len(each.pictures)) for each in found] == [
        ("nuaa 0001", "01", 4),
        ("nuaa 0001", "02", 4),
        ("nuaa 0002", "00_00_01", 4),
    ]
    assert [frame.captured_s for frame in found[0].frames()] == pytest.approx([0, 0.2, 0.4, 0.6])


def test_a_folder_without_sequences_and_clips_without_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither"):
        open_sequences(tmp_path)
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "identities.csv").write_text("file,who\nx.mkv,A\n")
    with pytest.raises(InputError, match="cannot be read"):
        open_sequences(tmp_path)


def test_the_command_looks_judges_draws_and_keeps(tmp_path: Path, data: Path) -> None:
    (tmp_path / "cache").mkdir()
    shelf = shelf_of(tmp_path / "models", "cpu")
    command = ("approaches", "--models", shelf, "--faces", data, "--cache", tmp_path / "cache")
    few = ("--enrolled", "1", "--enrolled", "2", "--similarity-min", "0.5")
    done = run(*command, *few, "--failures", tmp_path / "worst.png", "--record", "--json")
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)["results"]
    kinds: dict[str, Any] = {kind["who"]: kind for kind in result["lines"][0]["kinds"]}
    assert (kinds["owners"]["approaches"], kinds["owners"]["wrongly"], kinds["owners"]["looks"]) == (2, 0, [2, 2])
    assert kinds["strangers in sequences"]["wrongly"] == 0
    assert kinds[approaches.STILLS]["wrongly"] == 0
    assert {kind["who"]: kind["people"] for kind in result["lines"][1]["kinds"]}[approaches.STILLS] == 3
    assert read_rgb(tmp_path / "worst.png").shape[1] > 4 * failures.SIDE_PX
    assert f"correlation = {result['looks']['correlation']:.4f}".rstrip("0") in (shelf / MANIFEST).read_text()
    again = run(*command, *few)
    assert again.returncode == 0, again.stderr
    assert "strangers by stills" in again.stdout
    assert run(*command, "--failures", tmp_path / "nowhere" / "worst.png").returncode == 4


def test_reach_is_told_by_size_and_by_lens(data: Path) -> None:
    command = ("reach", "--models", "models_tflite", "--variant", "cpu", "--faces", data)
    done = run(*command, "--json")
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)["results"]
    lines = {(line["source"], line["face_px"]): line for line in result["by_size"]}
    assert lines["london", 120]["found"] == lines["london", 120]["pictures"] == 1
    assert lines["london", 120]["quantiles"][2] > 0.6
    assert list(lines["london", 60]["distance_cm"]) == list(reach.LENSES_DEG)
