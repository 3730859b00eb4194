"""Embeddings as they are stored: what is let in, how it becomes bytes, and how bytes are trusted again."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edge.errors import InputError, TemplateModelError
from edge.store.faults import damaged
from edge.store.schema import CROP_MAX_BYTES
from edge.store.sealing import seal, unseal
from edge.types import TEMPLATES_MAX, Embedding, FloatArray

if TYPE_CHECKING:
    from sqlite_utils import Database

    from edge.store.keyring import KeyRing

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


def seal_template(key: bytes, person_id: int, model_id: str, blob: bytes) -> bytes:
    """The row's ``sealed``: a template of one model is never taken for one of another."""
    return seal(key, blob, _purpose(person_id, model_id))


def check_crops(crops: Sequence[bytes], templates: int) -> None:
    """Raise InputError unless there is none, or one of a size that is kept for each template."""
    if crops and (len(crops) != templates or not all(0 < len(crop) <= CROP_MAX_BYTES for crop in crops)):
        raise InputError(
            f"Hand over one picture of 1 to {CROP_MAX_BYTES} bytes for each template, or none; these are {len(crops)}."
        )


def seal_crop(key: bytes, person_id: int, jpeg: bytes) -> bytes:
    """The row's ``sealed``."""
    return seal(key, jpeg, _crop_purpose(person_id))


def read_crops(db: "Database", path: Path, person_id: int, key: bytes) -> list[bytes]:
    """The kept pictures of one person, JPEG, of whatever model's templates. Raises StoreDamagedError, sqlite3.Error."""
    sql = "SELECT crops.sealed FROM crops JOIN templates ON id = template_id WHERE person_id = ? ORDER BY id"
    try:
        return [unseal(key, sealed, _crop_purpose(person_id)) for (sealed,) in db.execute(sql, [person_id])]
    except ValueError as error:
        raise damaged(path, f"holds a picture of person {person_id} that the person's key does not open") from error


def read_templates(
    db: "Database", path: Path, model_id: str, dimension: int, ring: "KeyRing", only: int | None = None
) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """This model's templates in the order of storing (of the person numbered ``only``): (N,) int64 whose it is, and
    (N, dimension) float32 unit rows.

    Embeddings of two models lie in spaces that have nothing to do with each other, even where the dimension is the
    same: a similarity between them would be chance. Whose key is destroyed is left out. The arrays are the caller's
    own. Raises StoreDamagedError, StoreKeyError, sqlite3.Error.
    """
    of_this_model = "FROM templates WHERE model_id = ? AND dimension = ?" + " AND person_id = ?" * (only is not None)
    wanted = [model_id, dimension, *([] if only is None else [only])]
    count = db.execute(f"SELECT count(*) {of_this_model}", wanted).fetchone()[0]
    person_ids = np.empty(count, dtype=np.int64)
    matrix = np.empty((count, dimension), dtype=np.float32)
    # Row by row: the embeddings are the store's bulk and are not held twice.
    sql = f"SELECT person_id, sealed {of_this_model} ORDER BY id LIMIT ?"
    row = 0
    for person_id, sealed in db.execute(sql, [*wanted, count]):
        key = ring.key_of(person_id)
        if key is None:
            continue
        try:
            blob = unseal(key, sealed, _purpose(person_id, model_id))
            matrix[row] = np.frombuffer(blob, dtype=_STORED)
        except ValueError as error:
            raise damaged(
                path, f"holds a template of person {person_id} that the person's key does not open"
            ) from error
        person_ids[row] = person_id
        row += 1
    if not _is_unit(matrix[:row]).all():
        raise damaged(path, "holds a template that is not a finite unit vector")
    return person_ids[:row], matrix[:row]


def _purpose(person_id: int, model_id: str) -> str:
    return f"template of {person_id}, model {model_id}"


def _crop_purpose(person_id: int) -> str:
    return f"picture of {person_id}"


def _is_unit(rows: FloatArray) -> npt.NDArray[np.bool_]:
    """(N,) bool: which rows are finite and of norm 1; a norm that is not finite compares as False."""
    squares = np.einsum("nd,nd->n", rows, rows, dtype=np.float64)
    return np.asarray(np.abs(np.sqrt(squares) - 1.0) <= NORM_TOLERANCE)
