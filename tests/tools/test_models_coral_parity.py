"""Parity: real faces through a real delegate, which computes what the processor computes or does not."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from edge.errors import ModelError
from edge.models.manifest import MANIFEST, Shelf
from tests.models.delegate import compiled
from tests.tools.replay_compiler import ReplayCompiler, all_mapped, printed
from tools.models import compiler as compiling
from tools.models import parity
from tools.models.coral import DIFFERENT, parity_command

OUTPUTS = {
    ("pnet", "logit"), ("pnet", "reg"),
    ("rnet", "logit"), ("rnet", "reg"),
    ("onet", "logit"), ("onet", "reg"), ("onet", "lmk"),
    ("mobilefacenet", "embedding"),
    ("liveness", "logit"),
}  # fmt: skip


@pytest.fixture(scope="module")
def edgetpu() -> Shelf:
    return Shelf.open(None, "edgetpu")


@pytest.fixture(scope="module")
def device(edgetpu: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``python -m tools.models edgetpu`` writes, with replay-compiler in the compiler's place."""
    folder = tmp_path_factory.mktemp("compiled")
    replay = ReplayCompiler.install(folder / "bin")
    for name, card in edgetpu.cards.items():
        replay.record(Path(card.file).stem, printed(all_mapped(edgetpu.load(name))))
    compiling.compile_shelf(edgetpu, folder / "networks", str(replay.path), lambda _done: None)
    return folder / "networks"


@pytest.fixture(scope="module")
def faces(photos: dict[str, Path]) -> Path:
    return photos["obama.jpg"].parent


def run(device: Path, delegate: Path, faces: Path, *more: str) -> Result:
    arguments = ["--models", str(device), "--delegate", str(delegate), "--faces", str(faces), *more]
    return CliRunner().invoke(parity_command, arguments)


def test_a_device_that_computes_rightly_passes(device: Path, faces: Path, tmp_path: Path) -> None:
    ran = run(device, compiled("CORRECT", tmp_path), faces, "--json")
    assert ran.exit_code == 0, ran.output
    found = json.loads(ran.stdout)
    assert {(each["network"], each["output"]) for each in found} == OUTPUTS
    assert all(each["same"] for each in found)


def test_a_device_that_drops_the_slope_of_prelu_is_found_out(device: Path, faces: Path, tmp_path: Path) -> None:
    ran = run(device, compiled("WITHOUT_SLOPE", tmp_path), faces)
    assert ran.exit_code == DIFFERENT
    assert ran.stdout.count("NO") == len(OUTPUTS)
    for name in ("pnet", "rnet", "onet", "mobilefacenet embedding"):
        assert name in ran.stderr
    assert "issue 460" in ran.stderr


def test_without_the_device_the_error_says_what_to_install(device: Path, faces: Path, tmp_path: Path) -> None:
    ran = run(device, compiled("NOT_CREATED", tmp_path), faces)
    assert ran.exit_code == ModelError.exit_code
    assert "libedgetpu1-std" in ran.stderr


def test_a_folder_without_faces_is_refused(device: Path, photos: dict[str, Path], tmp_path: Path) -> None:
    empty = tmp_path / "pictures"
    empty.mkdir()
    (empty / "coffee.png").write_bytes(photos["coffee.png"].read_bytes())
    (empty / "text.jpg").write_text("no picture")
    ran = run(device, compiled("CORRECT", tmp_path), empty)
    assert ran.exit_code == ModelError.exit_code
    assert "holds 0 faces, at least 5 are needed" in ran.stderr


def test_networks_compiled_from_others_are_not_compared(
    device: Path, edgetpu: Shelf, faces: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for path in device.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    text = (other / MANIFEST).read_text()
    source = f'source_sha256 = "{edgetpu.card("rnet").sha256}"'
    assert text.count(source) == 1
    (other / MANIFEST).write_text(text.replace(source, f'source_sha256 = "{"0" * 64}"'))
    ran = run(other, compiled("CORRECT", tmp_path), faces)
    assert ran.exit_code == ModelError.exit_code
    assert "The rnet in" in ran.stderr
    assert "was not compiled from the one" in ran.stderr


def test_the_shipped_networks_themselves_are_no_compiled_ones(edgetpu: Shelf) -> None:
    with pytest.raises(ModelError, match="was not compiled"):
        parity.refuse_others(edgetpu, edgetpu)


def test_equal_outputs_do_not_differ() -> None:
    values = np.arange(-96, 96, dtype=np.int16).reshape(2, 96)
    found = parity.difference("mobilefacenet", "embedding", values, values.copy())
    assert found.same
    assert (found.steps_mean, found.steps_p99, found.steps_max) == (0, 0, 0)
    assert found.cosine_min == pytest.approx(1)


def test_a_few_outputs_far_away_are_a_difference_though_the_mean_is_small() -> None:
    expected = np.zeros((100, 100), np.int16)
    computed = expected.copy()
    computed[:2, :] = 20
    found = parity.difference("onet", "lmk", expected, computed)
    assert found.steps_mean < parity.STEPS_MEAN_MAX
    assert not found.same


def test_one_embedding_that_points_elsewhere_is_a_difference() -> None:
    expected = np.random.default_rng(1).integers(-30, 30, (200, 192)).astype(np.int16)
    computed = expected.copy()
    computed[7, :24] = -computed[7, :24]
    found = parity.difference("mobilefacenet", "embedding", expected, computed)
    assert (found.steps_mean < 1.5, found.steps_p99 < 16, found.same) == (True, True, False)


def test_a_device_that_answers_nothing_is_a_difference() -> None:
    expected = np.random.default_rng(1).integers(-30, 30, (20, 192)).astype(np.int16)
    assert not parity.difference("mobilefacenet", "embedding", expected, np.zeros_like(expected)).same
