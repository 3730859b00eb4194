"""No core dumps: a crash must not write faces, names and keys to the disk, or hand them to a crash collector."""

import resource
from contextlib import suppress
from pathlib import Path


def forbid() -> None:
    """For this process and its children.

    The limit keeps the kernel from writing a file. A collector that is fed through a pipe does not mind the limit
    (core(5)); it then gets a dump without memory.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):  # where /proc is hidden the limit has to do
        Path("/proc/self/coredump_filter").write_text("0")
