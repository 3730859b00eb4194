"""Faces with known boxes, in the form of WIDER FACE (Yang et al. 2016): ``boxes.txt`` names pictures and their faces.

For each picture: its path below the folder, the number of faces, and for each face a line ``x y w h blur expression
illumination invalid occlusion pose``. Only ``x y w h`` and ``invalid`` are used.
"""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from edge.core.names import shown
from edge.errors import InputError
from edge.types import FloatArray

BOXES = "boxes.txt"
LAYOUT = f"Give a folder with {BOXES} (WIDER FACE's form) and the pictures that it names."
FILE_MAX_BYTES = 50_000_000
INVALID_FIELD = 7


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """``boxes``: (N, 4) float32 xyxy in the file's pixels; ``invalid``: (N,) bool, given up by the annotators."""

    path: Path
    boxes: FloatArray
    invalid: npt.NDArray[np.bool_]


def open_pictures(folder: Path) -> list[Picture]:
    """Every picture that ``boxes.txt`` names. Raises InputError when the folder has another layout."""
    path = folder / BOXES
    where = shown(str(path), 120)
    try:
        with path.open("rb") as file:
            lines = file.read(FILE_MAX_BYTES).decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{where} cannot be read as text ({type(error).__name__}). {LAYOUT}") from error
    pictures = []
    place = 0
    try:
        while place < len(lines):
            count = int(lines[place + 1])
            rows = max(count, 1)  # WIDER FACE writes a row of zeros where there is no face
            if count < 0 or place + 2 + rows > len(lines):
                raise ValueError(f"{count} faces")
            faces = lines[place + 2 : place + 2 + rows]
            pictures.append(_picture(folder, lines[place], faces[:count]))
            place += 2 + rows
    except (ValueError, IndexError) as error:
        raise InputError(f"{where} is not a list of faces (after line {place + 1}: {error}). {LAYOUT}") from error
    if not pictures:
        raise InputError(f"{where} names no picture. {LAYOUT}")
    return pictures


def _picture(folder: Path, name: str, faces: list[str]) -> Picture:
    inside = PurePosixPath(name)
    if not inside.name or inside.is_absolute() or ".." in inside.parts or "\0" in name:
        raise ValueError(f"{shown(name)} is no path below the folder")
    rows = [[float(field) for field in face.split()[: INVALID_FIELD + 1]] for face in faces]
    if any(len(row) <= INVALID_FIELD for row in rows):
        raise ValueError(f"a face of {shown(name)} has too few numbers")
    fields = np.array(rows, dtype=np.float32).reshape(-1, INVALID_FIELD + 1)
    if not np.isfinite(fields).all():
        raise ValueError(f"a face of {shown(name)} is not finite")
    boxes = np.concatenate([fields[:, :2], fields[:, :2] + fields[:, 2:4]], axis=1)
    return Picture(folder / inside, boxes, fields[:, INVALID_FIELD] != 0)
