"""Aligned faces of LFW View 1, and how well an embedder tells them apart."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edge.core.align import similarity_transform
from edge.images import read_rgb
from edge.models.interpreter import load_runtime
from edge.models.manifest import Shelf
from edge.models.mtcnn import Mtcnn
from edge.types import FloatArray, Rgb
from tools.evaluate.comparing import Indices, genuine_of, impostors_of, tars
from tools.evaluate.describe import subject
from tools.evaluate.lfw import View
from tools.evaluate.networks import MIN_FACE_PX
from tools.evaluate.progress import tracked
from tools.evaluate.report import power
from tools.evaluate.verification import FARS
from tools.models.check import cosines
from tools.models.pixels import Pixels, normalised


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """The subjects of a view's pictures: where a detector finds a face, its landmarks; the others are left out.

    ``owners``: (N,) whose face each is; ``listed``: per list of pairs the rows of its genuine pairs, (2, P), and
    ``people``: per list the rows of its people's faces. ``spare``: rows of the people to calibrate with.
    """

    paths: list[Path]
    landmarks: FloatArray
    owners: Indices
    listed: list[Indices]
    people: list[Indices]
    spare: Indices

    def aligned(self, scale: float = 1.0) -> Pixels:
        """(N, 112, 112, 3): the template enlarged by ``scale`` about its middle."""
        pictures = zip(tracked(self.paths, "Aligning"), self.landmarks, strict=True)
        return np.stack([_aligned(read_rgb(path), landmarks, scale) for path, landmarks in pictures])


def find(view: View, shelf: Shelf) -> Faces:
    """Search every picture of a view with the detector of ``shelf``."""
    detector = Mtcnn(shelf, min_face_px=MIN_FACE_PX)
    found: dict[str, FloatArray] = {}
    for name in tracked(view.data_set.names, "Finding faces"):
        rgb = read_rgb(view.data_set.folder / name)
        face = subject(rgb, detector.detect(rgb))
        if face is not None:
            found[name] = face.landmarks
    names = [name for name in view.data_set.names if name in found]
    row = {name: number for number, name in enumerate(names)}
    whose = dict(zip(view.data_set.names, view.data_set.owners, strict=True))
    listed, people = [], []
    for pairs in view.lists:
        rows = [(row[a.name], row[b.name]) for a, b in pairs.genuine if a.name in row and b.name in row]
        listed.append(np.array(rows, dtype=np.intp).T)
        people.append(np.array(sorted(row[each.name] for each in pairs.pictures if each.name in row), dtype=np.intp))
    spare = sorted({row[p.name] for p in view.lists[0].pictures if p.person in view.spare and p.name in row})
    return Faces(
        [view.data_set.folder / name for name in names],
        np.stack([found[name] for name in names]),
        np.array([whose[name] for name in names], dtype=np.intp),
        listed,
        people,
        np.array(spare, dtype=np.intp),
    )


def embedded(model: bytes, faces: Pixels, what: str) -> FloatArray:
    """(N, 192) unit rows by a network that is on no shelf."""
    interpreter = load_runtime().Interpreter(model_content=model, num_threads=2)
    interpreter.allocate_tensors()
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    rows = []
    for face in tracked(list(faces), what):
        prepared = normalised(face) if taken["dtype"] == np.float32 else (face ^ 0x80).view(np.int8)
        interpreter.set_tensor(taken["index"], prepared[None])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(given["index"])[0].astype(np.float32))
    scale, zero_point = given["quantization"]
    embeddings = (np.stack(rows) - np.float32(zero_point)) * np.float32(scale or 1)
    return unit(embeddings)


def unit(embeddings: FloatArray) -> FloatArray:
    """Rows scaled to length 1."""
    scaled: FloatArray = (embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def tar_percent(
    faces: Faces, embeddings: FloatArray, number: int | None = None, *, without_spare: bool = False
) -> dict[str, float]:
    """TAR in % at each of ``FARS``: among the people of list ``number``, or of all; FAR over all their comparisons, but
    for those of the faces to calibrate with where it is to be ``without_spare``."""
    lists = faces.listed if number is None else [faces.listed[number]]
    rows = np.arange(len(embeddings)) if number is None else faces.people[number]
    if without_spare:
        rows = np.setdiff1d(rows, faces.spare)
    first, second = np.concatenate(lists, axis=1)
    genuine = genuine_of(embeddings, faces.owners, first, second)
    everybody = int(faces.owners.max()) + 1
    impostors = impostors_of(embeddings[rows], faces.owners[rows], everybody)
    found = tars(genuine, impostors, FARS, np.ones(everybody, dtype=np.float32))
    return {f"tar_{power(far)}": float(100 * tar) for far, tar in zip(FARS, found, strict=True)}


def agreement(embeddings: FloatArray, reference: FloatArray) -> dict[str, float]:
    """The mean cosine to the reference's embeddings, and that of the worst hundredth."""
    found = cosines(embeddings, reference)
    return {"cosine_mean": float(found.mean()), "cosine_1_percent": float(np.quantile(found, 0.01))}


def _aligned(rgb: Rgb, landmarks: FloatArray, scale: float) -> Rgb:
    side = 112
    matrix = np.vstack([similarity_transform(landmarks), [0, 0, 1]])
    about = np.array([[scale, 0, side / 2 * (1 - scale)], [0, scale, side / 2 * (1 - scale)]])
    return np.asarray(cv2.warpAffine(rgb, about @ matrix, (side, side), flags=cv2.INTER_LINEAR), dtype=np.uint8)
