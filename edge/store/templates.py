"""Embeddings as they are stored: what is let in, how it becomes bytes, and how bytes are trusted again."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edge.errors import InputError, TemplateModelError
from edge.store.faults import damaged
from edge.types import TEMPLATES_MAX, Embedding, FloatArray

if TYPE_CHECKING:
    from sqlite_utils import Database

NORM_TOLERANCE = 1e-3
"""How far an embedding's Euclidean norm may be from 1: a float32 unit vector is off by 1e-6 at most; 1e-3 moves no
similarity by more than the third decimal."""

_STORED = np.dtype("<f4")


def check_templates(templates: Sequence[Embedding], dimension: int) -> None:
    """Raise unless there are 1 to TEMPLATES_MAX, each (dimension,) float32, finite and of unit norm.

    Raises TemplateModelError for another dimension, otherwise InputError.
    """
    if not templates:
        raise InputError("There is no template to store. Give at least one picture with a face.")
    check_count(len(templates))
    for number, template in enumerate(templates, start=1):
        if template.dtype != np.float32 or template.ndim != 1:
            found = f"{template.dtype} of shape {template.shape}"
            raise InputError(f"Template {number} is {found}. Hand over float32 vectors of the embedder.")
        if len(template) != dimension:
            raise TemplateModelError(
                f"Template {number} has {len(template)} values, the store's have {dimension}. "
                "Use the embedding model that the store was made with."
            )
        if not _is_unit(template[np.newaxis]).all():
            raise InputError(f"Template {number} is not a finite unit vector. Embed the face again.")


def check_count(count: int) -> None:
    """Raise InputError when one person would have ``count`` templates and that is too many."""
    if count > TEMPLATES_MAX:
        raise InputError(
            f"One person would have {count} templates, and {TEMPLATES_MAX} are the most. "
            "Give fewer pictures, or forget the person and enrol anew."
        )


def to_blob(template: Embedding) -> bytes:
    """Float32, little-endian, 4 bytes a value."""
    return template.astype(_STORED).tobytes()


def read_templates(
    db: "Database", path: Path, model_id: str, dimension: int
) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """This model's templates in the order of storing: (N,) int64 whose it is, and (N, dimension) float32 unit rows.

    Embeddings of two models lie in spaces that have nothing to do with each other, even where the dimension is the
    same: a similarity between them would be chance. The arrays are the caller's own. Raises StoreDamagedError,
    sqlite3.Error.
    """
    of_this_model = "FROM templates WHERE model_id = ? AND dimension = ?"
    count = db.execute(f"SELECT count(*) {of_this_model}", [model_id, dimension]).fetchone()[0]
    person_ids = np.empty(count, dtype=np.int64)
    matrix = np.empty((count, dimension), dtype=np.float32)
    # Row by row: the embeddings are the store's bulk and are not held twice.
    sql = f"SELECT person_id, embedding {of_this_model} ORDER BY id LIMIT ?"
    rows = db.execute(sql, [model_id, dimension, count])
    for row, (person_id, blob) in enumerate(rows):
        if len(blob) != dimension * _STORED.itemsize:
            raise damaged(path, "holds a template of the wrong length")
        person_ids[row] = person_id
        matrix[row] = np.frombuffer(blob, dtype=_STORED)
    if not _is_unit(matrix).all():
        raise damaged(path, "holds a template that is not a finite unit vector")
    return person_ids, matrix


def _is_unit(rows: FloatArray) -> npt.NDArray[np.bool_]:
    """(N,) bool: which rows are finite and of norm 1; a norm that is not finite compares as False."""
    squares = np.einsum("nd,nd->n", rows, rows, dtype=np.float64)
    return np.asarray(np.abs(np.sqrt(squares) - 1.0) <= NORM_TOLERANCE)
