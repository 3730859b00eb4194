"""What this machine must have before the lab can run. It says what is missing, and installs nothing."""

import os
import shutil

from tests.lab.places import LabError

PACKAGES = {
    "cpio": "cpio",
    "depmod": "kmod",
    "mke2fs": "e2fsprogs",
    "mmdebstrap": "mmdebstrap",
    "qemu-img": "qemu-utils",
    "qemu-system-x86_64": "qemu-system-x86",
    "readelf": "binutils",
    "ssh": "openssh-client",
    "xz": "xz-utils",
    "zstd": "zstd",
}
"""By the program that is looked for, the Debian package that brings it."""

ARM_PACKAGES = {
    "arch-test": "arch-test",
    "qemu-system-aarch64": "qemu-system-arm",
    "qemu-aarch64-static": "qemu-user-static",
}
"""For the arm64 guest only."""


def check(arch: str) -> None:
    """Raises LabError with the one line that installs everything, when something is missing."""
    wanted = PACKAGES | (ARM_PACKAGES if arch == "arm64" else {})
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = sorted({package for program, package in wanted.items() if not shutil.which(program, path=path)})
    if missing:
        always = ["debian-archive-keyring", *missing]
        raise LabError(
            "The lab needs programs that this machine lacks. On Debian 12 or newer run:\n"
            f"  sudo apt-get install --no-install-recommends {' '.join(sorted(always))}"
        )
    if os.geteuid() != 0:
        raise LabError("The lab's image is built as root (device nodes, a chroot). Run: sudo make lab")
