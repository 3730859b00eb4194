"""The guest's image, built by image.sh when what goes into it has changed, and its snapshot ``ready``: booted once."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.lab import host, stamps
from tests.lab.places import GUEST, HERE, KEY, LAB, LabError
from tests.lab.vm import Guest, Image, Snapshot, run_host

Say = Callable[[str], None]


def image(suite: str, arch: str, say: Say) -> tuple[Image, str]:
    """The image and its stamp. Raises LabError with the place of the log, when it cannot be built."""
    folder = LAB / "images" / f"{suite}-{arch}"
    if not KEY.exists():
        LAB.mkdir(parents=True, exist_ok=True)
        run_host(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "facelatch-lab", "-f", str(KEY)])
    value = stamps.digest([HERE / "image.sh", GUEST, KEY.with_suffix(".pub")], suite, arch)
    if not stamps.is_fresh(folder / "stamp", value):
        host.check(arch)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "stamp").unlink(missing_ok=True)
        log = folder / "build.log"
        say(f"Building the image {suite} {arch}: some minutes, once ({log})")
        with log.open("w") as into:
            built = subprocess.run(
                ["bash", str(HERE / "image.sh"), suite, arch, str(folder), str(KEY.with_suffix(".pub"))],
                stdout=into,
                stderr=into,
                check=False,
            )
        if built.returncode:
            raise LabError(f"The image could not be built. The end of {log}:\n{log.read_text()[-2000:]}")
        (folder / "stamp").write_text(value)
    return Image(folder, arch, suite), value


def ready(machine: Image, stamp: str, say: Say) -> Snapshot:
    """A booted machine before anything is installed, frozen."""
    snapshot = Snapshot(machine.folder / "ready")
    if not (snapshot.exists and stamps.is_fresh(snapshot.folder / "stamp", stamp)):
        say("Booting the image once, for the snapshot `ready`")
        (snapshot.folder / "stamp").unlink(missing_ok=True)
        guest = Guest(machine, machine.folder / "boot")
        try:
            state = guest.run("systemctl is-system-running --wait").stdout.strip()
            if state != "running":
                raise LabError(f"The guest boots, but is {state}:\n{guest.run('systemctl --failed').stdout}")
            guest.freeze(snapshot)
        except BaseException:
            guest.throw_away()
            raise
        (snapshot.folder / "stamp").write_text(stamp)
    return snapshot


def built_wheels(machine: Image) -> list[Path]:
    """Wheels that were built inside the image, as no index has them."""
    return sorted((machine.folder / "wheels").glob("*.whl"))
