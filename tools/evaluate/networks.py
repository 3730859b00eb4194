"""Which networks are judged, what they and this checkout are, and how they are named in a table."""

import hashlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import InputError
from edge.models.manifest import MANIFEST, Shelf, own_folder, variants
from edge.models.mobilefacenet import MobileFaceNet
from edge.models.mtcnn import Mtcnn

ROOT = Path(__file__).resolve().parents[2]
FP32 = ROOT / "build" / "models" / "fp32"
FP32_ABSENT = (
    "The fp32 references are not here: make them with `python -m tools.models fp32` "
    "(needs `pip install -e .[tools]`), and the others are compared with them."
)
REFERENCE = "fp32"
"""The variant that others are compared with."""

MIN_FACE_PX = 40
"""As for photographs in the product."""

THREADS = 2
"""The product's default."""

CODE = ("edge/core/align.py", "edge/core/boxes.py", "edge/core/pyramid.py", "edge/images.py", "edge/models")
"""What turns a picture into an embedding."""


@dataclass(frozen=True, slots=True)
class Networks:
    """One shelf in one variant. ``digest`` is of all its networks together; ``flip_average`` averages each face's
    embedding with that of its mirror image."""

    shelf: Shelf
    digest: str
    flip_average: bool = False

    @property
    def variant(self) -> str:
        return self.shelf.variant + (" + flip" if self.flip_average else "")

    @property
    def label(self) -> str:
        """The folder, below this checkout where it is there."""
        folder = self.shelf.folder.resolve()
        return str(folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder)

    @property
    def size_bytes(self) -> int:
        return sum(card.size_bytes for card in self.shelf.cards.values())

    def detector(self) -> Mtcnn:
        return Mtcnn(self.shelf, min_face_px=MIN_FACE_PX, threads=THREADS)

    def embedder(self) -> MobileFaceNet:
        return MobileFaceNet(self.shelf, threads=THREADS, flip_average=self.flip_average)


def open_networks(
    folders: Sequence[Path] = (), wanted: Sequence[str] = (), *, flip_average: bool = False
) -> list[Networks]:
    """Every variant in ``folders`` (only the ``wanted`` ones, if any are named), fp32 first.

    By default the committed folder, and the fp32 references where they have been built. With ``flip_average`` each
    variant comes a second time. Raises ModelError; InputError when nothing is left.
    """
    searched = folders or (own_folder(), *([FP32] if (FP32 / MANIFEST).is_file() else []))
    found = [(folder, variant) for folder in searched for variant in variants(folder)]
    chosen = [pair for pair in found if not wanted or pair[1] in wanted]
    if not chosen:
        there = ", ".join(variant for _, variant in found) or "none"
        raise InputError(f"None of the variants asked for is there (there are: {there}). Name another.")
    chosen.sort(key=lambda pair: pair[1] != REFERENCE)
    opened = [Shelf.open(folder, variant) for folder, variant in chosen]
    shelves = [Networks(shelf, shelf.digest) for shelf in opened]
    flipped = [Networks(networks.shelf, networks.digest, True) for networks in shelves] if flip_average else []
    return [*shelves, *flipped]


def code_digest() -> str:
    """SHA-256 of the code between a picture and its embedding."""
    digest = hashlib.sha256()
    for name in CODE:
        path = ROOT / name
        for file in sorted(path.glob("*.py")) if path.is_dir() else [path]:
            digest.update(file.read_bytes())
    return digest.hexdigest()


def revision() -> str | None:
    """The checkout's git revision, ``+`` when files differ from it; None where there is no git or no repository."""
    try:
        git = ["git", "-C", str(ROOT)]
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        changed = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.stdout.strip() + ("+" if changed.stdout else "")


def check_folder(folder: Path, what: str) -> None:
    """Raises InputError early, before minutes of work that could not be kept."""
    if not folder.is_dir():
        raise InputError(f"The folder {folder!s:.120} of {what} does not exist. Make it, or name another.")
