"""Calibration samples, the check, and what a build leaves behind; with the real networks on real photographs."""

import errno
import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from click.testing import CliRunner

from edge.core.boxes import squared
from edge.errors import ModelError
from edge.images import read_rgb
from edge.models.interpreter import Net
from edge.models.liveness import probability, surroundings
from edge.models.manifest import LIVENESS, MANIFEST, Shelf
from edge.models.mobilefacenet import MobileFaceNet
from edge.models.mtcnn import Mtcnn, cropped, halved
from edge.types import FloatArray
from tools.models import __main__ as command
from tools.models import build as building
from tools.models import calibrate, check
from tools.models.manifest_writer import Entry
from tools.models.mtcnn_nets import INPUT_SHAPES
from tools.models.pixels import Pixels, normalised, with_extremes

FACES = ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png")


@pytest.fixture
def faces(photos: dict[str, Path], tmp_path: Path) -> Path:
    """A folder tree of photographs, with what such trees also hold."""
    folder = tmp_path / "faces"
    for name in FACES:
        place = folder / Path(name).stem.rstrip("23")
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(photos[name], place)
    shutil.copy(photos["biden.jpg"], folder / "obama" / "again.jpg")
    (folder / "obama" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    (folder / "notes.txt").write_text("not a picture")
    return folder


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two faces are enough, every other picture is for the check."""
    monkeypatch.setattr(calibrate, "FACES", {"calibration": 2, "check": 2})
    monkeypatch.setattr(calibrate, "CHECK_EVERY", 2)


def silent(_step: str, _done: float) -> None:
    pass


# --- pictures


def test_each_picture_once_in_an_order_of_its_own(faces: Path, tmp_path: Path) -> None:
    found = calibrate.pictures([faces, faces / "obama"], unseen=[])
    assert len(found) == len(FACES) + 1  # biden.jpg only once; the broken one is found out later
    moved = tmp_path / "elsewhere"
    shutil.copytree(faces, moved / "deep")
    (moved / "deep" / "obama" / "obama.jpg").rename(moved / "first.jpg")
    assert [path.read_bytes() for path in calibrate.pictures([moved], [])] == [path.read_bytes() for path in found]


def test_unseen_people_are_left_out(faces: Path) -> None:
    (faces / "obama" / "again.jpg").unlink()
    assert {path.parent.name for path in calibrate.pictures([faces], ["obama", "biden"])} == {"astronaut"}


def test_no_picture_at_all_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="--faces"):
        calibrate.pictures([tmp_path], [])


# --- samples


@pytest.mark.usefixtures("few")
def test_samples_are_what_the_cascade_is_fed(shelf: Shelf, faces: Path) -> None:
    seen: list[int] = []
    paths = calibrate.pictures([faces], [])
    samples = calibrate.collect(shelf, paths, seen.append)
    assert seen[-1] == 4
    assert seen == sorted(seen)
    for use in ("calibration", "check"):
        for name, pixels in samples[use].items():
            assert pixels.shape[1:] == shelf.card(name).input.shape[1:]
            assert pixels.dtype == np.uint8
            assert 1 <= len(pixels) <= 2
            assert all(sample.any() for sample in pixels)
    again = calibrate.collect(shelf, paths, seen.append)
    for use, by_name in samples.items():
        for name, pixels in by_name.items():
            np.testing.assert_array_equal(pixels, again[use][name])


def test_too_few_faces_are_told(shelf: Shelf, faces: Path) -> None:
    with pytest.raises(ModelError, match=r"6 pictures hold too few faces: 600 .* 200 .*--faces"):
        calibrate.collect(shelf, calibrate.pictures([faces], []), lambda _count: None)


def test_tiles_cover_the_whole_canvas() -> None:
    _, high, wide, _ = INPUT_SHAPES["pnet"]
    marks = np.arange((high + 4) * (wide + 2), dtype=np.int64).reshape(high + 4, wide + 2)
    canvas = np.stack([marks % 251, marks // 251 % 251, marks % 7], axis=2).astype(np.uint8)
    tiles = calibrate._tiles(canvas)
    assert {tile.shape for tile in tiles} == {(high, wide, 3)}
    covered = {pixel.tobytes() for tile in tiles for pixel in tile.reshape(-1, 3)}
    assert {pixel.tobytes() for pixel in canvas.reshape(-1, 3)} <= covered
    (small,) = calibrate._tiles(canvas[:50, :60])
    np.testing.assert_array_equal(small[:50, :60], canvas[:50, :60])
    assert (small[50:] == 128).all()


def test_extremes_make_the_input_scale_exact() -> None:
    pixels = np.full((2, 4, 4, 3), 100, np.uint8)
    marked = with_extremes(pixels)
    for sample in marked:
        assert (sample.min(), sample.max()) == (0, 255)
    assert (pixels == 100).all()
    low, high = normalised(marked).min(), normalised(marked).max()
    assert (high - low) / 255 == 1 / 128


# --- check


class Case:
    """The committed networks as the reference, and faces for each of them to be checked with."""

    def __init__(self, reference: Shelf, detector: Mtcnn, embedder: MobileFaceNet, photos: dict[str, Path]) -> None:
        self.reference = reference
        edgetpu = Shelf.open(reference.folder, "edgetpu")
        names = (*INPUT_SHAPES, "mobilefacenet", LIVENESS)
        self.models = {name: {"cpu": reference.load(name), "edgetpu": edgetpu.load(name)} for name in names}
        crops: dict[str, list[Pixels]] = {name: [] for name in names}
        for photo in FACES[:4]:
            rgb = read_rgb(photos[photo])
            face = detector.detect(rgb)[0]
            box = np.array([[face.box.x0, face.box.y0, face.box.x1, face.box.y1]], np.float32)
            windows = {size: cropped(halved(rgb), squared(box), size)[0] for size in (12, 24, 48)}
            tile = np.full(INPUT_SHAPES["pnet"][1:], 128, np.uint8)
            tile[40:52, 60:72] = windows[12]
            aligned = embedder.align(rgb, face.landmarks)
            square = surroundings(rgb, face.box, 128)
            for name, crop in zip(crops, (tile, windows[24], windows[48], aligned, square), strict=True):
                crops[name].append(crop)
        inputs = {name: np.stack(crop) for name, crop in crops.items()}
        self.samples = {"calibration": inputs, "check": inputs}

    def damaged(self, name: str, variant: str) -> dict[str, dict[str, bytes]]:
        """The networks with the largest weights of one file set to other numbers."""
        model = bytearray(self.models[name][variant])
        parsed = schema.Model.GetRootAs(bytes(model))
        buffers = [parsed.Buffers(i) for i in range(parsed.BuffersLength())]
        largest = max((each.DataAsNumpy() for each in buffers if each.DataLength()), key=len).tobytes()
        place = bytes(model).index(largest)
        model[place : place + len(largest)] = np.random.default_rng(3).bytes(len(largest))
        return {**self.models, name: {**self.models[name], variant: bytes(model)}}


@pytest.fixture
def case(shelf: Shelf, detector: Mtcnn, embedder: MobileFaceNet, photos: dict[str, Path]) -> Case:
    return Case(shelf, detector, embedder, photos)


@pytest.fixture
def build_with(case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, faces: Path) -> Any:
    """``build`` without TensorFlow and network: the check and the writing are real, what comes before them is given."""
    published = building.Published({}, b"", [], b"")
    monkeypatch.setattr(building, "get_published", lambda _work, _report: published)
    monkeypatch.setattr(building, "build_fp32", lambda _published, _folder, _report: case.reference)
    monkeypatch.setattr(calibrate, "collect", lambda *_arguments: case.samples)
    # The published file itself is not there to compare with; its figure is the build's own, not this test's.
    monkeypatch.setattr(check, "run_source", lambda _source, pixels: _embeddings(case.reference, pixels))
    monkeypatch.setattr(check, "run_liveness_source", lambda _source, pixels: _live(case.reference, pixels))

    def run(models: building.Models, out: Path) -> building.Figures:
        monkeypatch.setattr(building, "_quantised", lambda *_arguments: models)
        return building.build(tmp_path / "work", out, [faces], [], silent)

    return run


def _embeddings(shelf: Shelf, pixels: Pixels) -> FloatArray:
    return Net(shelf, "mobilefacenet").run_many(pixels)["embedding"]


def _live(reference: Shelf, pixels: Pixels) -> Any:
    return np.array([probability(logits) for logits in Net(reference, LIVENESS).run_many(pixels)["logit"]])


def test_a_good_build_is_written_with_its_figures(case: Case, build_with: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    figures = build_with(case.models, out)
    assert figures["onet"]["cpu"]["decision_agreement"] == 1.0
    assert figures["mobilefacenet"]["cpu"]["cosine_to_fp32_mean"] == 1.0
    assert 0.98 < figures["mobilefacenet"]["edgetpu"]["cosine_to_fp32_mean"] < 1.0
    shelves = {variant: Shelf.open(out, variant) for variant in building.VARIANTS}
    assert {
        name: {variant: shelf.load(name) for variant, shelf in shelves.items()} for name in case.models
    } == case.models
    files = {card.file for shelf in shelves.values() for card in shelf.cards.values()}
    assert {path.name for path in out.iterdir()} == {MANIFEST, *files}


def test_a_disk_that_fills_up_midway_leaves_the_shelf_as_it_was(
    case: Case, build_with: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    build_with(case.models, out)
    before = {path: path.read_bytes() for path in out.iterdir()}
    room = [3]
    write = Path.write_bytes

    def full_after_three(path: Path, content: bytes) -> int:
        if path.parent.parent == out:
            room[0] -= 1
            if room[0] < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full_after_three)
    with pytest.raises(OSError, match="No space left"):
        build_with(case.models, out)
    assert {path: path.read_bytes() for path in out.iterdir()} == before


def test_what_was_measured_stays_as_long_as_every_file_is_the_same(case: Case, build_with: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build_with(case.models, out)
    manifest = out / MANIFEST
    manifest.write_text(manifest.read_text() + "[accuracy.cpu]\nrecall = 0.5\n")
    build_with(case.models, out)
    assert tomllib.loads(manifest.read_text())["accuracy"] == {"cpu": {"recall": 0.5}}
    model = bytearray(case.models["pnet"]["cpu"])
    model[-1] ^= 1  # within a name or the padding at the file's end: another digest, the same network
    build_with({**case.models, "pnet": {**case.models["pnet"], "cpu": bytes(model)}}, out)
    assert "accuracy" not in tomllib.loads(manifest.read_text())


def test_another_network_on_the_shelf_stays_and_another_liveness_leaves_the_figures_of_the_others(
    case: Case, build_with: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    build_with(case.models, out)
    manifest = out / MANIFEST
    manifest.write_text(manifest.read_text() + "[accuracy.cpu]\nrecall = 0.5\n")
    other = {variant: case.models["rnet"][variant] for variant in building.VARIANTS}
    building.put([Entry(LIVENESS, "liveness", "Apache-2.0", {"trained_by": "somebody"}, other)], out)
    found = tomllib.loads(manifest.read_text())
    assert found["models"].keys() == case.models.keys()
    assert found["models"][LIVENESS]["source"] == {"trained_by": "somebody"}
    assert found["accuracy"] == {"cpu": {"recall": 0.5}}
    assert Shelf.open(out).load(LIVENESS) == other["cpu"]
    assert Shelf.open(out).load("pnet") == case.models["pnet"]["cpu"]


def test_a_network_that_the_edge_tpu_would_not_take_is_refused(case: Case, build_with: Any, tmp_path: Path) -> None:
    models = {name: dict.fromkeys(files, files["cpu"]) for name, files in case.models.items()}
    with pytest.raises(ModelError, match=r"breaks a rule of the Edge TPU's compiler.*FLOAT32"):
        build_with(models, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("variant", building.VARIANTS)
@pytest.mark.parametrize("name", ["rnet", "onet", "mobilefacenet"])
def test_a_bad_build_is_refused_and_writes_nothing(
    case: Case, build_with: Any, tmp_path: Path, name: str, variant: str
) -> None:
    out = tmp_path / "out"
    build_with(case.models, out)
    before = {path: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(ModelError, match=rf"{name} \({variant}\) was converted badly"):
        build_with(case.damaged(name, variant), out)
    assert {path: path.read_bytes() for path in out.iterdir()} == before
    with pytest.raises(ModelError):
        build_with(case.damaged(name, variant), tmp_path / "fresh")
    assert not (tmp_path / "fresh").exists()


def test_a_figure_that_is_no_number_is_refused() -> None:
    with pytest.raises(ModelError, match="box_error_mean is nan"):
        check.refuse_poor("pnet", {"box_error_mean": float("nan")})


# --- command


def test_the_command_says_what_to_pass(tmp_path: Path) -> None:
    result = CliRunner().invoke(command.main, ["build", "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "--faces DIR" in result.stderr
    assert not (tmp_path / "out").exists()


def test_the_command_says_what_to_install(tmp_path: Path, faces: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "NEEDED", ("json", "no_such_module"))
    monkeypatch.chdir(tmp_path)
    for arguments in (["fp32"], ["build", "--faces", str(faces)]):
        result = CliRunner().invoke(command.main, arguments)
        assert result.exit_code == ModelError.exit_code
        assert "needs no_such_module" in result.stderr
        assert "pip install" in result.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"faces"}


def test_a_place_that_cannot_be_written_is_told(
    tmp_path: Path, faces: Path, case: Case, build_with: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "_quantised", lambda *_arguments: case.models)
    monkeypatch.setattr(command, "NEEDED", ())
    (tmp_path / "file").touch()
    arguments = ["build", "--faces", str(faces), "--work", str(tmp_path / "w"), "--out", str(tmp_path / "file" / "out")]
    result = CliRunner().invoke(command.main, arguments)
    assert result.exit_code == ModelError.exit_code
    assert f"Not a directory: '{tmp_path / 'file' / 'out'}'" in result.stderr


def test_the_command_leaves_out_the_people_of_a_list(
    tmp_path: Path, faces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("2\nobama\t1\t2\nbiden\t1\tsomebody\t3\n")
    asked: list[set[str]] = []

    def build(_work: Path, _out: Path, _faces: object, unseen: set[str], _report: object) -> building.Figures:
        asked.append(unseen)
        return {"pnet": {"cpu": {"check_samples": 2}}}

    monkeypatch.setattr(command, "NEEDED", ())
    monkeypatch.setattr(building, "build", build)
    result = CliRunner().invoke(command.main, ["build", "--faces", str(faces), "--unseen", str(pairs), "--json"])
    assert asked == [{"obama", "biden", "somebody"}]
    assert json.loads(result.stdout) == {"folder": "models_tflite", "models": {"pnet": {"cpu": {"check_samples": 2}}}}
