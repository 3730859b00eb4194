"""Make a stick's image: ``stick_image.py IMAGE KIND [FOLDER] [--damage SEED]``. Only the system's Python and busybox.

``vfat``: partitioned as sticks are, with what is in FOLDER. ``ext4``: the same as another file system. ``crowded``:
100,000 files, on a FAT16 without partitions that is written here, as a kernel takes hours for so many. ``--damage``
writes random bytes over the tables and folders of a vfat, and over some of its files.
"""

import argparse
import random
import struct
import subprocess
from pathlib import Path

SECTOR, START = 512, 2048
"""Bytes; where the partition begins, as on sticks that one buys."""

SIZE = 64 * 2**20
HITS, HIT_BYTES = 30, 16
USED = 2**20
"""Of the files' place, about; the first folders are at its beginning."""
ROOT_NAMES, PEOPLE_NAMES = 65_520, 40_000
"""The uppermost folder of a FAT16 has a fixed size, of at most so many names."""


def partitioned(image: Path, kind: str, folder: Path | None) -> None:
    sectors = SIZE // SECTOR
    types = {"vfat": 0x0C, "ext4": 0x83}
    entry = struct.pack("<B3sB3sII", 0, b"\xfe\xff\xff", types[kind], b"\xfe\xff\xff", START, sectors)
    with image.open("wb") as file:
        file.write((bytes(446) + entry).ljust(510, b"\0") + b"\x55\xaa")
        file.truncate(START * SECTOR + SIZE)
    loop = told("losetup", "--find", "--show", "--offset", str(START * SECTOR), str(image))
    try:
        told(*(("busybox", "mkdosfs") if kind == "vfat" else ("mke2fs", "-q", "-t", "ext4")), loop)
        if folder is not None:
            told("mount", *(("-o", "utf8") if kind == "vfat" else ()), loop, "/mnt")
            try:
                told("cp", "-r", "--", f"{folder}/.", "/mnt/")
            finally:
                told("umount", "/mnt")
    finally:
        told("losetup", "--detach", loop)


def damage(image: Path, seed: int) -> None:
    """The file system still says that it is one; of what it says else nothing can be relied on."""
    drawn = random.Random(seed)  # noqa: S311 - places to damage
    with image.open("r+b") as file:
        file.seek(START * SECTOR)
        boot = file.read(SECTOR)
        reserved, copies, table = *struct.unpack_from("<HB", boot, 14), struct.unpack_from("<I", boot, 36)[0]
        tables = (START + reserved) * SECTOR
        files = tables + copies * table * SECTOR
        places = [tables + drawn.randrange(USED // 128) for _ in range(HITS)]  # of 512 bytes each has 4
        places += [files + drawn.randrange(64 * SECTOR) for _ in range(HITS)]  # where the folders are
        places += [files + drawn.randrange(USED) for _ in range(HITS)]
        for place in drawn.sample(places, HITS):
            file.seek(place)
            file.write(drawn.randbytes(HIT_BYTES))


def crowded(image: Path) -> None:
    sectors, per_cluster = 131_072, 8
    fat_sectors, root_sectors = 64, ROOT_NAMES * 32 // SECTOR
    boot = struct.pack(
        "<3s8sHBHBHHBHHHIIBBBI11s8s",
        *(b"\xeb\x3c\x90", b"facelatc", SECTOR, per_cluster, 1, 2, ROOT_NAMES, 0, 0xF8, fat_sectors),
        *(32, 64, 0, sectors, 0x80, 0, 0x29, 1, b"CROWDED    ", b"FAT16   "),
    )
    clusters = -(-(PEOPLE_NAMES + 2) * 32 // (per_cluster * SECTOR))
    chain = [3 + number for number in range(clusters - 1)] + [0xFFFF]
    fat = struct.pack(f"<{2 + clusters}H", 0xFFF8, 0xFFFF, *chain).ljust(fat_sectors * SECTOR, b"\0")
    folder = name("PEOPLE", "", 0x10, 2)
    root = folder + b"".join(name(f"F{number:05}", "JPG") for number in range(ROOT_NAMES - 1))
    inner = name(".", "", 0x10, 2) + name("..", "", 0x10, 0)
    inner += b"".join(name(f"P{number:05}", "JPG") for number in range(PEOPLE_NAMES))
    with image.open("wb") as file:
        file.write(boot.ljust(510, b"\0") + b"\x55\xaa" + fat + fat + root.ljust(root_sectors * SECTOR, b"\0") + inner)
        file.truncate(sectors * SECTOR)


def name(stem: str, suffix: str, kind: int = 0x20, cluster: int = 0) -> bytes:
    """A folder's entry of 32 bytes (Microsoft's FAT specification 1.03)."""
    return struct.pack("<8s3sB14xHI", stem.ljust(8).encode(), suffix.ljust(3).encode(), kind, cluster, 0)


def told(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("image", type=Path)
    parser.add_argument("kind", choices=("vfat", "ext4", "crowded"))
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--damage", type=int)
    chosen = parser.parse_args()
    if chosen.kind == "crowded":
        crowded(chosen.image)
    else:
        partitioned(chosen.image, chosen.kind, chosen.folder)
    if chosen.damage is not None:
        damage(chosen.image, chosen.damage)


main()
