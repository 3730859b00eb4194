"""From a photograph of one person in the middle to that person's embedding, kept in a cache."""

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.core.names import shown
from edge.errors import FaceError, InputError
from edge.images import read_rgb
from edge.ports import Detector, Embedder
from edge.types import Face, FloatArray, Rgb
from tools.evaluate.networks import MIN_FACE_PX, Networks, code_digest
from tools.evaluate.progress import tracked
from tools.evaluate.sets import DataSet


def subject(rgb: Rgb, found: Sequence[Face]) -> Face | None:
    """The face whose box is nearest the picture's centre, where such data sets hold the person they name."""
    middle = (rgb.shape[1] / 2, rgb.shape[0] / 2)

    def off_centre(face: Face) -> float:
        box = face.box
        return float(np.hypot((box.x0 + box.x1) / 2 - middle[0], (box.y0 + box.y1) / 2 - middle[1]))

    return min(found, key=off_centre, default=None)


def describe(path: Path, detector: Detector, embedder: Embedder) -> FloatArray:
    """(D,) unit embedding of the subject; NaN when no face is found. Raises ImageError."""
    rgb = read_rgb(path)
    face = subject(rgb, detector.detect(rgb))
    if face is not None:
        try:
            return embedder.embed(embedder.align(rgb, face.landmarks))
        except FaceError:  # landmarks that coincide: as good as no face
            pass
    return np.full(embedder.dimension, np.nan, dtype=np.float32)


def describe_all(data_set: DataSet, networks: Networks, cache: Path | None = None) -> FloatArray:
    """(N, D) embeddings of the set's pictures, in their order; NaN where no face is found.

    With ``cache``, a folder, what was computed before by the same networks and code is taken from there. Raises
    ImageError, ModelError; InputError when there are faces of fewer than two people.
    """
    file = None if cache is None else cache / f"{_key(data_set.folder, networks)}.npz"
    embedder = networks.embedder()
    known = {} if file is None else _read(file, embedder.dimension)
    missing = [name for name in data_set.names if name not in known]
    if missing:
        detector = networks.detector()
        for name in tracked(missing, f"Embedding, {networks.variant}"):
            known[name] = describe(data_set.folder / name, detector, embedder)
        if file is not None:
            _write(file, known)
    embeddings = np.stack([known[name] for name in data_set.names])
    if len(np.unique(data_set.owners[faces(embeddings)])) < 2:
        raise InputError(
            f"A face is found in {int(faces(embeddings).sum())} of the {len(embeddings)} pictures of {data_set.name}, "
            "and not of two people. Use a data set that shows people."
        )
    return embeddings


def faces(embeddings: FloatArray) -> npt.NDArray[np.bool_]:
    """(N,) in which pictures a face was found."""
    found: npt.NDArray[np.bool_] = ~np.isnan(embeddings).any(axis=1)
    return found


def _key(folder: Path, networks: Networks) -> str:
    parts = (str(folder.resolve()), networks.digest, networks.variant, code_digest(), str(MIN_FACE_PX))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _read(file: Path, dimension: int) -> dict[str, FloatArray]:
    try:
        with np.load(file, allow_pickle=False) as kept:
            names, embeddings = kept["names"].tolist(), kept["embeddings"]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"The cache {shown(str(file), 120)} is damaged ({error}). Delete it.") from error
    if embeddings.dtype != np.float32 or embeddings.shape != (len(names), dimension):
        raise InputError(f"The cache {shown(str(file), 120)} holds something else than embeddings. Delete it.")
    return dict(zip(names, embeddings, strict=True))


def _write(file: Path, known: dict[str, FloatArray]) -> None:
    """Whole or not at all."""
    names: npt.NDArray[np.str_] = np.array(list(known))
    with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".npz", delete=False) as work:
        np.savez(work, names=names, embeddings=np.stack(list(known.values())))
    os.replace(work.name, file)
