"""The product as an owner gets it: its wheel, and a folder of wheels of everything it needs on the guest's Python."""

import shutil
import sys
from pathlib import Path

from tests.lab import stamps
from tests.lab.places import LAB, ROOT
from tests.lab.vm import Image, run_host

PYTHON = {"trixie": "3.13", "bookworm": "3.11"}
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
    value = stamps.digest([ROOT / "requirements-product.lock", ROOT / "tools" / "wheels.py", *built])
    if not stamps.is_fresh(folder.with_suffix(".stamp"), value):
        shutil.rmtree(folder, ignore_errors=True)
        fetch = [
            "-m",
            "tools.wheels",
            "fetch",
            str(folder),
            "--python",
            PYTHON[suite],
            "--machine",
            MACHINE[image.arch],
        ]
        run_host([sys.executable, *fetch])
        for wheel in built:
            shutil.copy(wheel, folder)
        folder.with_suffix(".stamp").write_text(value)
    return folder
