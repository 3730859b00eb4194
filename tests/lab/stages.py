"""What every scenario starts from: image, wheels, and a machine on which the real installer has run."""

import shutil
from pathlib import Path

from tests.lab import images, stamps, wheels
from tests.lab.images import Say
from tests.lab.lab import Lab
from tests.lab.places import LAB, ROOT
from tests.lab.scenarios import install
from tests.lab.vm import Snapshot
from tools import photos


def prepare(suite: str, arch: str, out: Path, say: Say) -> tuple[Lab, str]:
    """A lab whose guest has booted once, and the stamp of what would be installed. Raises LabError."""
    machine, image_stamp = images.image(suite, arch, say)
    ready = images.ready(machine, image_stamp, say)
    pictures = photos.fetch()
    wheel = wheels.product()
    needed = wheels.needed(suite, machine, images.built_wheels(machine))
    pushed = LAB / "push"
    shutil.rmtree(pushed, ignore_errors=True)
    shutil.copytree(ROOT / "systemd", pushed / "systemd")
    shutil.copy(ROOT / "requirements-product.lock", pushed)
    shutil.copytree(needed, pushed / "wheels", copy_function=_link)
    shutil.copy(wheel, pushed / "wheels")
    shutil.copytree(next(iter(pictures.values())).parent, pushed / "photos", copy_function=_link)
    stamp = stamps.digest([pushed / "systemd", pushed / "wheels", Path(install.__file__), install.CONFIG], image_stamp)
    lab = Lab(machine, ready, Snapshot(machine.folder / "installed"), pushed, pushed / "photos", out, say)
    return lab, stamp


def is_installed(lab: Lab, stamp: str) -> bool:
    """Whether the snapshot ``installed`` is of what would be installed now."""
    return lab.installed.exists and stamps.is_fresh(lab.installed.folder / "stamp", stamp)


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)
