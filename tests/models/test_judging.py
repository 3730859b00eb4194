"""The judge's weights beside the networks: whole, understood, and for this network, or refused."""

import shutil
import tomllib
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from edge.core.living.judge import Weights
from edge.errors import ModelError
from edge.models.judging import FILE_MAX_BYTES, JUDGE, digest, judge_weights
from edge.models.manifest import LIVENESS, MANIFEST, Shelf, own_folder
from tools.liveness.__main__ import write
from tools.liveness.evaluation import Evaluation
from tools.models.manifest_writer import dumps

WEIGHTS = Weights(3.4, 0.6, -0.3, -1.0)
NOTHING = Evaluation(None, "net", "0" * 64, [], [], [], {"one": {"bias": 1.0}}, [], [])


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """The committed networks with one more, called liveness; its judge is written by the tool."""
    folder = tmp_path / "shelf"
    shutil.copytree(own_folder(), folder)
    document = tomllib.loads((folder / MANIFEST).read_text())
    document["models"].setdefault(LIVENESS, document["models"]["pnet"])
    (folder / MANIFEST).write_text(dumps(document))
    found = Shelf.open(folder)
    write(found, WEIGHTS, NOTHING)
    return found


def test_what_the_tool_writes_is_what_the_eyes_read(shelf: Shelf) -> None:
    assert judge_weights(shelf) == WEIGHTS
    assert judge_weights(Shelf.open(shelf.folder, "edgetpu")) == WEIGHTS


def test_the_digest_stands_for_the_networks_and_the_judge_and_nothing_else(shelf: Shelf) -> None:
    own = digest(shelf)
    assert own == digest(Shelf.open(shelf.folder))
    assert own != digest(Shelf.open(shelf.folder, "edgetpu"))
    text = (shelf.folder / JUDGE).read_text()
    (shelf.folder / JUDGE).write_text(f"{text}\n# a remark\n")
    assert own == digest(shelf)
    changed(shelf, "bias = 3.4", "bias = 3.5")
    assert own != digest(shelf)
    (shelf.folder / JUDGE).write_text(text)
    for name in (LIVENESS, "onet"):
        other = msgspec.structs.replace(shelf.card(name), sha256="0" * 64)
        another = replace(shelf, cards={**shelf.cards, name: other})
        if name == LIVENESS:
            with pytest.raises(ModelError, match="another network"):
                digest(another)
        else:
            assert own != digest(another)


def changed(shelf: Shelf, before: str, after: str) -> None:
    path = shelf.folder / JUDGE
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_a_judge_of_another_network_is_refused(shelf: Shelf) -> None:
    digest = shelf.card(LIVENESS).sha256
    changed(shelf, digest, digest[::-1])
    with pytest.raises(ModelError, match="another network"):
        judge_weights(shelf)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("appearance = 0.6", "appearance = -0.6"),
        ("edges = -0.3", "edges = 0.3"),
        ("parallax = -1.0", 'parallax = "much"'),
        ("bias = 3.4", "bias = nan"),
        ("bias = 3.4", ""),
        ("schema = 1", "schema = 2"),
        ("[weights]", "[weights"),
    ],
)
def test_weights_that_cannot_be_meant_are_refused(shelf: Shelf, before: str, after: str) -> None:
    changed(shelf, before, after)
    with pytest.raises(ModelError, match=JUDGE):
        judge_weights(shelf)


def test_a_judge_that_is_missing_or_endless_is_refused(shelf: Shelf) -> None:
    path = shelf.folder / JUDGE
    path.write_text("#" * (FILE_MAX_BYTES + 1))
    with pytest.raises(ModelError, match="too large"):
        judge_weights(shelf)
    path.unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        judge_weights(shelf)
