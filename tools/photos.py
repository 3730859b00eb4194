"""Photographs for the tests and the demonstration, out of pinned packages: ``python -m tools.photos``.

Two people and a stranger (Barack Obama five times, Joe Biden: US Government work; Eileen Collins: NASA) and three
pictures without a face (CC0). None of them is in this repository. pip fetches the packages, so the user's index,
certificates and cache apply; nothing is installed.
"""

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from edge.errors import FacelatchError, InputError
from tools.archives import read_member

CACHE = Path(__file__).resolve().parent.parent / "build" / "photos"
"""Where ``make test`` and ``make demo`` keep the photographs."""

PIP_TIMEOUT_S = 900.0
"""For 18 MB, a quarter of an hour: longer means that the index cannot be reached."""


@dataclass(frozen=True, slots=True)
class Package:
    """One archive that pip can fetch, and what is wanted of it.

    ``files`` maps the names inside the archive, below ``folder``, to their sha256; ``options`` makes pip choose this
    very archive on every machine and Python.
    """

    requirement: str
    archive_sha256: str
    folder: str
    files: dict[str, str] = field(repr=False)
    options: tuple[str, ...] = ()


# Only the source distribution holds its test images. pip reads the metadata of a source distribution by running its
# build backend: after the sha256 matched (--require-hashes), and with our locked setuptools instead of a fetched one.
FACE_RECOGNITION = Package(
    requirement="face_recognition==1.3.0",
    archive_sha256="5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
    folder="face_recognition-1.3.0/tests/test_images",
    files={
        "biden.jpg": "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c",
        "obama.jpg": "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6",
        "obama2.jpg": "a7efcc907375274796f39646510704aa86672d59f6d5469d69af3c85590976a6",
        "obama3.jpg": "76ac6bf97c36dc2da0ad16a537d6a5ac1b10f48d49aac29a0cca9a17cdbc3ca3",
        "obama_partial_face.jpg": "c2d1f09e7ef3042352b41e41286e6eb0522f64f88308be13886991b95db52117",
        "obama_partial_face2.jpg": "9a812347f97633542b8cd9992de22def11b74f79d82056bc3ee830f13878e028",
    },
    options=("--no-binary=:all:", "--no-build-isolation"),
)

SCIKIT_IMAGE = Package(
    requirement="scikit-image==0.25.2",
    archive_sha256="a17e17eb8562660cc0d31bb55643a4da996a81944b82c54805c91b3fe66f4824",
    folder="skimage/data",
    files={
        "astronaut.png": "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        "chelsea.png": "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
        "coffee.png": "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        "rocket.jpg": "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
    },
    options=("--only-binary=:all:", "--python-version=3.12", "--abi=cp312", "--platform=manylinux2014_x86_64"),
)

PACKAGES = (FACE_RECOGNITION, SCIKIT_IMAGE)


def fetch(cache: Path = CACHE, packages: Sequence[Package] = PACKAGES) -> dict[str, Path]:
    """Every photograph's path in ``cache`` by its file name, such as ``"obama.jpg"``.

    A file whose sha256 matches is used as it is; otherwise its package is fetched and the file replaced in one step.
    Raises InputError when a package cannot be had, or when it or a file in it is not the pinned one.
    """
    for package in packages:
        if all(_digest(cache / name) == sha256 for name, sha256 in package.files.items()):
            continue
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as work:
            archive = _download(package, Path(work))
            for name, content in _read(package, archive).items():
                fresh = Path(work) / "photograph"
                fresh.write_bytes(content)
                os.replace(fresh, cache / name)
    return {name: cache / name for package in packages for name in package.files}


def _digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return None


def _download(package: Package, folder: Path) -> Path:
    """The archive, fetched by pip into ``folder``. pip compares its sha256 before it looks inside."""
    wanted = folder / "requirements.txt"
    wanted.write_text(f"{package.requirement} --hash=sha256:{package.archive_sha256}\n")
    into = folder / "archive"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", *package.options]
    command += ["--dest", str(into), "--requirement", str(wanted)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PIP_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"Fetching {package.requirement} took longer than {PIP_TIMEOUT_S:.0f} s. Check the network and try again."
        ) from error
    if "DO NOT MATCH THE HASHES" in done.stderr:
        raise InputError(
            f"The index offers a {package.requirement} that is not the pinned one (sha256 {package.archive_sha256}). "
            "Nothing of it was used; find out why it differs before you change the pin in tools/photos.py."
        )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if "error" in line.lower()] or ["no message"]
        raise InputError(
            f"pip could not fetch {package.requirement}: {said[-1].strip(' .')}. "
            "Check the network (the photographs are fetched once, then kept in build/photos)."
        )
    (archive,) = into.iterdir()
    return archive


def _read(package: Package, archive: Path) -> dict[str, bytes]:
    """The wanted files' bytes. Members are read by exact name, so no path inside an archive reaches the disk."""
    contents = {}
    try:
        for name, sha256 in package.files.items():
            content = read_member(archive, f"{package.folder}/{name}")
            if hashlib.sha256(content).hexdigest() != sha256:
                raise InputError(
                    f"{name} in {archive.name} has another sha256 than pinned. Correct the pins in tools/photos.py."
                )
            contents[name] = content
    except (KeyError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise InputError(f"{archive.name} lacks a wanted file: {error}. Correct tools/photos.py.") from error
    return contents


def main() -> int:
    """Fetch into build/photos what is not there yet, and say so."""
    try:
        with Console(stderr=True).status("Fetching the test photographs (18 MB, once)"):
            photos = fetch()
    except FacelatchError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"{len(photos)} test photographs in {os.path.relpath(CACHE)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
