"""What the store's tests share."""

import hashlib
from pathlib import Path

import numpy as np

from edge.store.sqlite import SqliteStore
from edge.types import Embedding
from tests.fakes import FakeClock

MODEL = "test-model"
DIMENSION = 192


def vectors(count: int, seed: int = 0, dimension: int = DIMENSION) -> list[Embedding]:
    """Unit vectors, other ones for another seed."""
    rows = np.random.default_rng(seed).normal(size=(count, dimension))
    return list((rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32))


def open_store(path: Path, model: str = MODEL, dimension: int = DIMENSION) -> SqliteStore:
    return SqliteStore.open(path, model, dimension, FakeClock())


def digests(path: Path) -> dict[str, str]:
    """The store's file and its write-ahead log as they are on the disk; nothing stray may lie beside them."""
    own = {path.name + end for end in ("", "-wal", "-shm", ".lock", ".logkey", ".keys", ".master")}
    strays = {file.name for file in path.parent.iterdir()} - own
    assert not strays
    files = (path, path.with_name(path.name + "-wal"))
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.exists()}
