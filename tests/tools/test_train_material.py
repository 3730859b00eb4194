"""Which pictures are learned from, read from a small tree of the same layout."""

import shutil
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import InputError
from tools.train import material


@pytest.fixture(scope="module")
def data(photos: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    face = photos["obama_partial_face.jpg"]
    for name in (
        "print_attack/live/0001/0001_00_00_01_1.jpg", "print_attack/live/0001/0001_00_00_01_2.jpg",
        "print_attack/live/0002/0002_00_00_01_1.jpg", "print_attack/photo/0001/0001_00_01_02_7.jpg",
        "attack_crops/live/neon_00001.jpg", "attack_crops/attack/saikan_00001.jpg",
        "london/neutral_front/001_03.jpg", "london/smiling_front/001_08.jpg",
        "lfw_view1/images/Ada/Ada_0001.jpg", "lfw_view1/images/Ada/Ada_0002.jpg", "lfw_view1/images/Bob/Bob_0001.jpg",
    ):  # fmt: skip
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(face, path)
    (folder / "attack_crops/live/neon_00002.jpg").write_bytes(b"\xff\xd8\xff broken")
    (folder / "replay_attack").mkdir()
    (folder / "clips").mkdir()
    for name in ("tran_real", "tran_fake", "lestari_real", "lestari_fake"):
        video(folder / "replay_attack" / f"{name}.mp4", "mp4v", 7)
    video(folder / "clips" / "yes.mkv", "MJPG", 30)
    (folder / "clips" / "identities.csv").write_text("clip,person\nyes.mkv,A\n")
    return folder


def video(path: Path, codec: str, frames: int) -> None:
    """Frames of a rising brightness."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 10, (64, 48))  # type: ignore[attr-defined]
    assert writer.isOpened()
    for number in range(frames):
        writer.write(np.full((48, 64, 3), 8 * number, np.uint8))
    writer.release()


def test_every_set_gives_its_pictures_with_who_and_what_they_show(data: Path) -> None:
    found = list(material.samples(data))
    counted = Counter((sample.collection, sample.kind) for sample in found)
    assert counted == {
        ("lfw", "live"): 2,  # one of each person
        ("london", "live"): 2,
        ("clips", "live"): material.FRAMES["clips"],
        ("nuaa", "live"): 3,
        ("nuaa", "print"): 1,
        ("tran", "live"): 7,
        ("tran", "replay"): 7,
        ("lestari", "live"): 7,
        ("lestari", "replay"): 7,
        ("crops", "live"): 1,  # the damaged one is passed over
        ("crops", "replay"): 1,
    }
    assert {sample.collection for sample in found} == {*material.ATTACKED, *material.STILLS}
    assert {sample.person for sample in found if sample.collection == "nuaa"} == {"0001", "0002"}
    sequences = {sample.sequence for sample in found if sample.collection == "nuaa"}
    assert sequences == {"live-0001_00_00_01", "live-0002_00_00_01", "print-0001_00_01_02"}
    assert all(sample.rgb.dtype == np.uint8 and sample.rgb.shape[2] == 3 for sample in found)


def test_frames_of_a_video_are_spread_evenly(data: Path) -> None:
    frames = [sample.rgb.mean() for sample in material.samples(data) if sample.collection == "clips"]
    assert frames == sorted(frames)
    assert frames[0] < 15
    assert frames[-1] > 8 * 28


def test_the_files_that_are_read_are_those_that_the_manifest_tells_of(data: Path) -> None:
    sources = material.sources(data)
    assert {name: len(paths) for name, paths in sources.items()} == {
        "lfw": 2, "london": 2, "clips": 1, "nuaa": 4, "tran": 2, "lestari": 2, "crops": 3,
    }  # fmt: skip


def test_a_set_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lfw_view1"):
        list(material.samples(tmp_path))


def test_a_video_that_cannot_be_read_is_told(data: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(data, tmp_path / "data")
    (broken / "replay_attack" / "tran_real.mp4").write_bytes(b"no video")
    with pytest.raises(InputError, match="tran_real"):
        list(material.samples(broken))
