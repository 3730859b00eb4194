"""The weights of the liveness judge: a small file beside the networks, written by ``python -m tools.liveness fit``.

They were fitted to the answers of one network, and hold for no other: the file names it by its SHA-256.
"""

import hashlib
from typing import Annotated

import msgspec
from msgspec import Meta

from edge.core.living.judge import VERSION, Weights
from edge.errors import ModelError
from edge.models.manifest import LIVENESS, Shelf

JUDGE = "judge.toml"
SCHEMA = 1
FILE_MAX_BYTES = 100_000

_Weight = Annotated[float, Meta(ge=-100, le=100)]


class _Weights(msgspec.Struct):
    bias: _Weight
    appearance: Annotated[float, Meta(ge=0, le=100)]
    edges: Annotated[float, Meta(ge=-100, le=0)]
    parallax: Annotated[float, Meta(ge=-100, le=0)]


class _Judge(msgspec.Struct):
    schema: int
    networks: dict[str, str]
    weights: _Weights


def digest(shelf: Shelf) -> str:
    """SHA-256, hexadecimal, of what decides who is alive: the networks that find and judge a face, the weights of the
    judge, and its version. What was tried with them holds for them alone. Raises ModelError."""
    text = f"{VERSION} {shelf.digest} {shelf.card(LIVENESS).sha256} {judge_weights(shelf)}"
    return hashlib.sha256(text.encode()).hexdigest()


def judge_weights(shelf: Shelf) -> Weights:
    """The weights for the shelf's liveness network. Keys that only people read (figures) are passed over.

    Raises ModelError when there are none, they cannot be understood, or were fitted to another network.
    """
    path = shelf.folder / JUDGE
    try:
        with path.open("rb") as file:
            content = file.read(FILE_MAX_BYTES + 1)
        if len(content) > FILE_MAX_BYTES:
            raise ValueError("it is too large")
        judge = msgspec.toml.decode(content, type=_Judge)
    except (OSError, ValueError, msgspec.DecodeError) as error:
        raise ModelError(f"The liveness judge {path} cannot be read ({error}). {shelf.remedy}") from error
    if judge.schema != SCHEMA or judge.networks.get(shelf.variant) != shelf.card(LIVENESS).sha256:
        raise ModelError(f"The liveness judge {path} was fitted to another network. {shelf.remedy}")
    return Weights(**msgspec.structs.asdict(judge.weights))
