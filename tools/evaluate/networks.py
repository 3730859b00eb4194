"""Which networks are judged, what they and this checkout are, and how they are named in a table."""

import hashlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import InputError
from edge.models.manifest import EMBEDDER, MANIFEST, Shelf
from edge.models.mobilefacenet import MobileFaceNet
from edge.models.mtcnn import Mtcnn

ROOT = Path(__file__).resolve().parents[2]
FP32 = ROOT / "build" / "models" / "fp32"
FP32_ABSENT = (
    "The fp32 references are not here: make them with `python -m tools.models fp32` "
    "(needs `pip install -e .[tools]`), and they become a row of their own."
)

MIN_FACE_PX = 40
"""As for photographs in the product."""

THREADS = 2
"""The product's default."""

CODE = ("edge/core/align.py", "edge/core/boxes.py", "edge/core/pyramid.py", "edge/images.py", "edge/models")
"""What turns a picture into an embedding."""


@dataclass(frozen=True, slots=True)
class Networks:
    """One shelf. ``kind`` is int8 or fp32; ``digest`` is of all its networks together; ``label`` says where it lies."""

    shelf: Shelf
    kind: str
    digest: str

    @property
    def label(self) -> str:
        folder = self.shelf.folder.resolve()
        return str(folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder)

    def detector(self) -> Mtcnn:
        return Mtcnn(self.shelf, min_face_px=MIN_FACE_PX, threads=THREADS)

    def embedder(self) -> MobileFaceNet:
        return MobileFaceNet(self.shelf, threads=THREADS)


def open_networks(folders: Sequence[Path]) -> list[Networks]:
    """The shelves in ``folders``; by default the committed one, and the fp32 references where they have been built.

    Raises ModelError.
    """
    if folders:
        return [_networks(Shelf.open(folder)) for folder in folders]
    built = [Shelf.open(FP32)] if (FP32 / MANIFEST).is_file() else []
    return [_networks(shelf) for shelf in (Shelf.open(), *built)]


def _networks(shelf: Shelf) -> Networks:
    kind = {"float32": "fp32"}.get(dtype := shelf.card(EMBEDDER).input.dtype, dtype)
    files = "".join(f"{name} {card.sha256}\n" for name, card in sorted(shelf.cards.items()))
    return Networks(shelf, kind, hashlib.sha256(files.encode()).hexdigest())


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
