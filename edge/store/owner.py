"""Root at work in another user's folder: as that user, so that what is made belongs to the user and no link that the
user has laid there leads root anywhere else."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def as_owner_of(folder: Path) -> Iterator[None]:
    """For a command, which has nothing else to do meanwhile: the rights are the whole process's. Nothing changes for
    anybody but root, and in a folder that is root's or not there yet."""
    try:
        owner = folder.stat() if os.geteuid() == 0 else None
    except OSError:
        owner = None
    if owner is None or owner.st_uid == 0:
        yield
        return
    group = os.getegid()
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
