"""Shelves made for a test: copies whose manifest says something else."""

import hashlib
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.models.manifest import MANIFEST, Shelf
from tools.models.manifest_writer import dumps

Models = dict[str, Any]


def copied(folder: Path, change: Callable[[Models], None] = lambda models: None) -> Path:
    """The committed networks in ``folder``, with ``change`` made to the manifest's ``models``."""
    shutil.copytree(Shelf.open().folder, folder)
    return changed(folder, change)


def changed(folder: Path, change: Callable[[Models], None]) -> Path:
    """The manifest in ``folder`` rewritten."""
    path = folder / MANIFEST
    document = tomllib.loads(path.read_text())
    change(document["models"])
    path.write_text(dumps(document))
    return folder


def static(models: Models) -> None:
    """Give every network a variant ``edgetpu``: the processor's files, with the batch and the canvas as stored."""
    for model in models.values():
        model["variants"]["edgetpu"] = model["variants"]["cpu"]


def processor_only(models: Models) -> None:
    """Leave no network for an accelerator."""
    for model in models.values():
        model["variants"].pop("edgetpu", None)


def with_content(folder: Path, name: str, content: bytes) -> Path:
    """Replace a network, and have the manifest vouch for it: somebody's own model."""

    def vouch(models: Models) -> None:
        card = models[name]["variants"]["cpu"]
        (folder / card["file"]).write_bytes(content)
        card |= {"sha256": hashlib.sha256(content).hexdigest(), "size_bytes": len(content)}

    return changed(folder, vouch)
