"""The shelf of networks: which files there are, what they must hash to, what goes in and comes out."""

import errno
import hashlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from edge.errors import ModelError

MANIFEST = "manifest.toml"
SCHEMA = 2
EMBEDDER = "mobilefacenet"
REINSTALL = "Reinstall facelatch."
COMPILE = "Compile the networks for it: run `python -m tools.models edgetpu` and set models.folder to what it writes."

STATIC = frozenset({"edgetpu"})
"""Variants whose networks take exactly the batch and the picture that the manifest says."""

MANIFEST_MAX_BYTES, LINE_MAX_BYTES = 200_000, 5_000
"""The one that is shipped has under 100,000, and lines of under 3,500. The reader's time grows with the square of the
parts of a dotted key: one key of a megabyte would keep the guardian for hours (measured: 3.4 s for 16 kB)."""

NETWORK_MAX_BYTES = 100_000_000
"""The largest on the shelf has 4 MB in float32; anything beyond this is no network for a small board."""

Side = Annotated[int, Meta(ge=1, le=10_000)]


class Tensor(msgspec.Struct, frozen=True):
    """Shape, dtype name, and for int8 tensors ``real = scale * (stored - zero_point)``."""

    shape: Annotated[tuple[Side, ...], Meta(min_length=1, max_length=4)]
    dtype: Literal["int8", "float32"]
    scale: Annotated[float, Meta(ge=0, le=1e6)] = 0.0
    zero_point: Annotated[int, Meta(ge=-128, le=127)] = 0

    def __post_init__(self) -> None:
        """Raises ValueError, which the manifest's reader turns into its ModelError."""
        if (self.dtype == "int8") != (self.scale >= 1e-9):
            raise ValueError("an int8 tensor has a scale of 1e-9 or more, a float32 one has none")


class Card(msgspec.Struct, frozen=True):
    """What the manifest says of one network in one variant: its file, its operators by the runtime's names, what
    goes in and comes out. Keys that only people read (source, licence, figures) are passed over."""

    file: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]+$", max_length=200)]
    sha256: str
    size_bytes: Annotated[int, Meta(ge=1, le=NETWORK_MAX_BYTES)]
    ops: tuple[str, ...]
    input: Tensor
    outputs: dict[str, Tensor]
    template_model: str = ""


class _Model(msgspec.Struct):
    variants: dict[str, Card]
    template_model: Annotated[str, Meta(max_length=64, pattern=r"^[a-zA-Z0-9._-]*$")] = ""


class _Manifest(msgspec.Struct):
    models: dict[str, _Model]


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder of networks with its manifest, in one variant."""

    folder: Path
    variant: str
    cards: dict[str, Card]

    @classmethod
    def open(cls, folder: Path | None = None, variant: str = "cpu") -> "Shelf":
        """Read the manifest of ``folder``, by default of the installed package, else of the checkout.

        Raises ModelError when there is none, it cannot be understood, or has no network of that variant.
        """
        folder = folder or own_folder()
        models = _read(folder)
        cards = {
            name: msgspec.structs.replace(model.variants[variant], template_model=model.template_model)
            for name, model in models.items()
            if variant in model.variants
        }
        shelf = cls(folder, variant, cards)
        if not cards:
            remedy = COMPILE if variant in STATIC else shelf.remedy
            raise ModelError(f"The networks' manifest in {folder} has no variant {variant}. {remedy}")
        return shelf

    @property
    def remedy(self) -> str:
        """What to do about a network of this shelf that cannot be used: the second sentence of every ModelError."""
        return _remedy(self.folder)

    def card(self, name: str) -> Card:
        """Raises ModelError when the manifest does not name the network."""
        if name not in self.cards:
            raise ModelError(
                f"The networks' manifest in {self.folder} has no {name} of variant {self.variant}. {self.remedy}"
            )
        return self.cards[name]

    def template_space(self) -> tuple[str, int]:
        """The name of the space that templates live in, and its dimension, without loading a network."""
        card = self.card(EMBEDDER)
        if not card.template_model or "embedding" not in card.outputs:
            raise ModelError(
                f"The networks' manifest in {self.folder} does not say in which space {EMBEDDER} puts its templates "
                f"(template_model, outputs.embedding). {self.remedy}"
            )
        return card.template_model, card.outputs["embedding"].shape[-1]

    @property
    def digest(self) -> str:
        """SHA-256 of all its networks together: what was measured with them holds for them alone."""
        files = "".join(f"{name} {card.sha256}\n" for name, card in sorted(self.cards.items()))
        return hashlib.sha256(files.encode()).hexdigest()

    def load(self, name: str) -> bytes:
        """The network's bytes, only when size and SHA-256 are the manifest's. Raises ModelError."""
        card = self.card(name)
        path = self.folder / card.file
        try:
            content = _bytes(path, card.size_bytes + 1)
        except OSError as error:
            raise ModelError(f"The network {path} cannot be read ({error.strerror}). {self.remedy}") from error
        if len(content) != card.size_bytes or hashlib.sha256(content).hexdigest() != card.sha256:
            raise ModelError(f"The network {path} is not the one that its manifest describes. {self.remedy}")
        return content


def variants(folder: Path | None = None) -> list[str]:
    """The variants in which every network of the manifest exists, sorted. Raises ModelError."""
    named = [set(model.variants) for model in _read(folder or own_folder()).values()]
    return sorted(set.intersection(*named)) if named else []


def template_space(device: str, fallback: str, folder: Path | None) -> tuple[str, int]:
    """``Shelf.template_space`` of the networks that ``edge.models.device`` would choose, read from the manifest alone:
    for the process that may load no network. Raises ModelError."""
    return configured(device, fallback, folder).template_space()


def configured(device: str, fallback: str, folder: Path | None) -> Shelf:
    """The shelf for the ``device``; with the fallback "cpu" the one that facelatch ships for the processor, where there
    is none. Raises ModelError."""
    try:
        shelf = Shelf.open(folder, device)
        shelf.template_space()
    except ModelError:
        if device not in STATIC or fallback != "cpu":
            raise
        return Shelf.open()
    return shelf


def own_folder() -> Path:
    """The networks that facelatch ships: in the installed package, else in the checkout."""
    packaged = Path(str(resources.files("edge"))) / "_models"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "models_tflite"


def _bytes(path: Path, at_most: int) -> bytes:
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "no file")  # a pipe would be waited for without end
    with path.open("rb") as file:
        return file.read(at_most)


def _remedy(folder: Path) -> str:
    if folder == own_folder():
        return REINSTALL
    return "Correct models.folder, or leave it empty for the networks that facelatch ships."


def _read(folder: Path) -> dict[str, _Model]:
    return section(folder, _Manifest).models


Section = TypeVar("Section", bound=msgspec.Struct)


def section(folder: Path, kind: type[Section]) -> Section:
    """Those tables of the folder's manifest that ``kind`` has fields for; others are passed over. Raises ModelError."""
    path = folder / MANIFEST
    try:
        content = _bytes(path, MANIFEST_MAX_BYTES + 1)
    except OSError as error:
        raise ModelError(
            f"The networks' manifest {path} cannot be read ({error.strerror}). {_remedy(folder)}"
        ) from error
    try:
        if len(content) > MANIFEST_MAX_BYTES:
            raise ValueError(f"larger than {MANIFEST_MAX_BYTES} bytes")
        if max(map(len, content.split(b"\n"))) > LINE_MAX_BYTES:
            raise ValueError(f"a line of more than {LINE_MAX_BYTES} bytes")
        document: dict[str, Any] = msgspec.toml.decode(content)
        schema = document.get("schema")
        if schema != SCHEMA:
            raise ValueError(f"its schema is {schema!r:.20}, not {SCHEMA}")
        return msgspec.convert(document, kind)
    except (ValueError, RecursionError) as error:
        # Not TOML, not UTF-8, brackets for ever, a field of another kind, a schema that cannot even be printed.
        raise ModelError(f"The networks' manifest {path} is damaged ({error}). {_remedy(folder)}") from error
