"""The shelf of networks: which files there are, what they must hash to, what goes in and comes out."""

import hashlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import msgspec

from edge.errors import ModelError

MANIFEST = "manifest.toml"
EMBEDDER = "mobilefacenet"
REINSTALL = "Reinstall facelatch."


class Tensor(msgspec.Struct, frozen=True):
    """Shape, dtype name, and for int8 tensors ``real = scale * (stored - zero_point)``."""

    shape: tuple[int, ...]
    dtype: str
    scale: float = 0.0
    zero_point: int = 0


class Card(msgspec.Struct, frozen=True):
    """What the manifest says of one network. Keys that only people read (source, licence, figures) are passed over."""

    file: str
    sha256: str
    size_bytes: int
    input: Tensor
    outputs: dict[str, Tensor]
    template_model: str = ""


class _Manifest(msgspec.Struct):
    schema: int
    models: dict[str, Card]


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder of networks with its manifest."""

    folder: Path
    cards: dict[str, Card]

    @classmethod
    def open(cls, folder: Path | None = None) -> "Shelf":
        """Read the manifest of ``folder``, by default of the installed package, else of the checkout.

        Raises ModelError when there is none or it cannot be understood.
        """
        folder = folder or _own_folder()
        path = folder / MANIFEST
        try:
            manifest = msgspec.toml.decode(path.read_bytes(), type=_Manifest)
        except OSError as error:
            raise ModelError(f"The networks' manifest {path} cannot be read ({error.strerror}). {REINSTALL}") from error
        except msgspec.DecodeError as error:
            raise ModelError(f"The networks' manifest {path} is damaged ({error}). {REINSTALL}") from error
        if manifest.schema != 1:
            raise ModelError(f"The networks' manifest {path} has schema {manifest.schema}, not 1. {REINSTALL}")
        return cls(folder, manifest.models)

    def card(self, name: str) -> Card:
        """Raises ModelError when the manifest does not name the network."""
        if name not in self.cards:
            raise ModelError(f"The networks' manifest in {self.folder} has no {name}. {REINSTALL}")
        return self.cards[name]

    def template_space(self) -> tuple[str, int]:
        """The name of the space that templates live in, and its dimension, without loading a network."""
        card = self.card(EMBEDDER)
        return card.template_model, card.outputs["embedding"].shape[-1]

    def load(self, name: str) -> bytes:
        """The network's bytes, only when size and SHA-256 are the manifest's. Raises ModelError."""
        card = self.card(name)
        path = self.folder / Path(card.file).name
        try:
            with path.open("rb") as file:
                content = file.read(card.size_bytes + 1)
        except OSError as error:
            raise ModelError(f"The network {path} cannot be read ({error.strerror}). {REINSTALL}") from error
        if len(content) != card.size_bytes or hashlib.sha256(content).hexdigest() != card.sha256:
            raise ModelError(f"The network {path} is not the one that its manifest describes. {REINSTALL}")
        return content


def _own_folder() -> Path:
    packaged = Path(str(resources.files("edge"))) / "_models"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "models_tflite"
