"""What scenarios start from: image, wheels, a machine on which the real installer has run, one before an upgrade."""

import shutil
import threading
from pathlib import Path

from tests.lab import images, releases, stamps, wheels
from tests.lab.images import Say
from tests.lab.lab import Lab
from tests.lab.places import INSIDE, LAB, ROOT
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
    pushed = LAB / "push" / f"{suite}-{arch}"
    shutil.rmtree(pushed, ignore_errors=True)
    shutil.copytree(ROOT / "systemd", pushed / "systemd")
    shutil.copy(ROOT / "requirements-product.lock", pushed)
    shutil.copytree(needed, pushed / "wheels", copy_function=_link)
    shutil.copy(wheel, pushed / "wheels")
    shutil.copytree(next(iter(pictures.values())).parent, pushed / "photos", copy_function=_link)
    made_of = [pushed / "systemd", pushed / "wheels", Path(install.__file__), install.CONFIG]
    made_of += [INSIDE / "lab-film", INSIDE / "lab-show"]
    stamp = stamps.digest(made_of, image_stamp)
    lab = Lab(machine, ready, Snapshot(machine.folder / "installed"), pushed, pushed / "photos", out, say)
    return lab, stamp


_one_at_a_time = threading.Lock()


def upgradable(lab: Lab) -> Snapshot:
    """The installed machine with the environments of the releases that follow made by the
    installer's own steps; none is in use yet. Made anew when one of them has changed.

    Copies of all environments lie in /opt/kept, as an upgrade removes what is not in use: to make one takes minutes in
    emulation, and pip is not what an upgrade's tests are about.
    """
    with _one_at_a_time:
        snapshot = Snapshot(lab.image.folder / "upgradable")
        following = [releases.following(version) for version in (releases.NEXT, releases.BROKEN)]
        maker = INSIDE / "make-environment"
        sources = [*following, maker, Path(releases.__file__)]
        stamp = stamps.digest(sources, (lab.installed.folder / "stamp").read_text())
        if snapshot.exists and stamps.is_fresh(snapshot.folder / "stamp", stamp):
            return snapshot
        (snapshot.folder / "stamp").unlink(missing_ok=True)
        lab.say("making the machine before an upgrade, once")
        with lab.guest() as guest:
            guest.push(lab.pushed / "wheels", "/root/facelatch/wheels")
            (present,) = lab.pushed.glob("wheels/facelatch-*.whl")
            guest.sh(f"mkdir {releases.FOLDER}; mv /root/facelatch/wheels/{present.name} {releases.FOLDER}")
            for wheel in following:
                guest.push(wheel, releases.FOLDER)
            guest.push(maker, "/root")
            guest.without_camera()
            guest.sh("facelatch unlock --for 1s --reason 'before the upgrade'")
            for wheel in following:
                arguments = f"--wheels /root/facelatch/wheels --wheel {releases.FOLDER}/{wheel.name}"
                guest.sh(f"bash /root/make-environment {arguments}", within_s=1200)
            guest.sh("rm -rf /root/facelatch/wheels/*; mkdir /opt/kept; cp -al /opt/facelatch-* /opt/kept/")
            guest.freeze(snapshot)
        (snapshot.folder / "stamp").write_text(stamp)
        return snapshot


def is_installed(lab: Lab, stamp: str) -> bool:
    """Whether the snapshot ``installed`` is of what would be installed now."""
    return lab.installed.exists and stamps.is_fresh(lab.installed.folder / "stamp", stamp)


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)
