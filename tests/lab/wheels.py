"""The product as an owner gets it: its wheel, and a folder of wheels of everything it needs on the guest's Python."""

import re
import shutil
import sys
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement

from tests.lab import stamps
from tests.lab.places import LAB, ROOT
from tests.lab.vm import Image, run_host

PYTHON = {"trixie": "3.13", "bookworm": "3.11"}
GLIBC_MINOR = {"trixie": 41, "bookworm": 36}
"""Debian's: wheels for an older glibc are taken too."""
MACHINE = {"amd64": "x86_64", "arm64": "aarch64"}


def product(root: Path = ROOT, into: Path = LAB / "dist") -> Path:
    """Build the wheel of a checkout; the build is reproducible, so that nothing changes when nothing has."""
    shutil.rmtree(into, ignore_errors=True)
    build = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(into)]
    run_host([sys.executable, *build, str(root)])
    (wheel,) = into.glob("facelatch-*.whl")
    return wheel


def needed(suite: str, image: Image, built: list[Path]) -> Path:
    """A folder of every locked package for the guest, fetched once a lock. ``built``: wheels that are added."""
    folder = LAB / "wheels" / f"{suite}-{image.arch}"
    lock = ROOT / "requirements-product.lock"
    value = stamps.digest([lock, Path(__file__), *built])
    if not stamps.is_fresh(folder.with_suffix(".stamp"), value):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        wanted = folder.with_suffix(".txt")
        wanted.write_text(for_guest(lock.read_text(), PYTHON[suite], MACHINE[image.arch]))
        platforms = [f"manylinux_2_{minor}_{MACHINE[image.arch]}" for minor in range(GLIBC_MINOR[suite], 4, -1)]
        platforms.append(f"manylinux2014_{MACHINE[image.arch]}")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        command += ["--only-binary", ":all:", "--python-version", PYTHON[suite], "--dest", str(folder)]
        run_host([*command, *(f"--platform={each}" for each in platforms), "--requirement", str(wanted)])
        for wheel in built:
            shutil.copy(wheel, folder)
        folder.with_suffix(".stamp").write_text(value)
    return folder


def for_guest(lock: str, python: str, machine: str) -> str:
    """The lines of a lock that hold on the guest, without their conditions, which pip would read for *this* Python."""
    guest = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "platform_machine": machine,
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    kept = []
    for entry in re.sub(r"\\\n\s*", " ", lock).splitlines():
        if not entry.strip() or entry.lstrip().startswith("#"):
            continue
        said, *hashes = entry.split(" --hash=")
        wanted = Requirement(said.strip())
        holds = wanted.marker is None or Marker(str(wanted.marker)).evaluate(guest)
        if holds:
            kept.append(" ".join([f"{wanted.name}{wanted.specifier}", *(f"--hash={each.strip()}" for each in hashes)]))
    return "\n".join(kept) + "\n"
