"""One file out of a package's archive, by exact name: no path inside an archive ever reaches the disk."""

import tarfile
import zipfile
from pathlib import Path


def read_member(archive: Path, name: str) -> bytes:
    """The content of the plain file ``name`` in a wheel or a tar archive.

    Raises KeyError when there is none, tarfile.TarError and zipfile.BadZipFile when the archive is damaged. Check the
    archive's digest first: parsers are not for hostile bytes.
    """
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(name)
    with tarfile.open(archive) as source:
        info = source.getmember(name)
        file = source.extractfile(info) if info.isfile() else None  # tarfile follows a link to itself for ever
        if file is None:
            raise KeyError(f"{name} is not a plain file")
        return file.read()
