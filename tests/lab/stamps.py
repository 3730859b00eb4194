"""Stamps: what something was made of, so that it is made again exactly when that has changed."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def digest(files: Iterable[Path], *more: str) -> str:
    """One digest over files (folders: everything in them) by name and content, and over some words."""
    seen = hashlib.sha256("\n".join(more).encode())
    for each in files:
        for path in sorted(each.rglob("*")) if each.is_dir() else [each]:
            if path.is_file() and "__pycache__" not in path.parts:
                seen.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return seen.hexdigest()[:16]


def is_fresh(stamp: Path, value: str) -> bool:
    """Whether a stamp file says ``value``."""
    return stamp.exists() and stamp.read_text() == value
