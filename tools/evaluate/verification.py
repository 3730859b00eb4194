"""One-to-one verification on LFW's View 1: is this pair one person?

The threshold comes from pairsDevTrain, everything else from pairsDevTest, whose people are others.

Where no face is found: a pair with such a picture counts as decided wrongly, whichever kind of pair it is; in TAR and
EER it is a genuine pair that was refused. It does not count among the impostor comparisons, where a picture that nobody
can be recognised in would make FAR look better than it is, nor in the choice of a threshold.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from edge.errors import InputError
from tools.evaluate import statistics
from tools.evaluate.describe import describe_all
from tools.evaluate.lfw import Pair, Picture, View1
from tools.evaluate.networks import Networks
from tools.evaluate.statistics import Floats

FARS = (1e-3, 1e-4)
TAIL = 0.02
"""The upper end of the impostors that a bootstrap looks at: twenty times the largest FAR."""


class TarAtFar(msgspec.Struct, frozen=True):
    """``tar`` with its 95 % interval and ``threshold``; None where there are fewer than 1 / ``far`` impostor
    comparisons."""

    far: float
    tar: float | None
    interval: tuple[float, float] | None
    threshold: float | None


class Verification(msgspec.Struct, frozen=True):
    """The figures of one shelf of networks. Shares are 0..1, intervals 95 % by bootstrap over people."""

    networks: str
    kind: str
    digest: str
    threshold: float
    accuracy: float
    accuracy_interval: tuple[float, float]
    tar_at_far: list[TarAtFar]
    equal_error_rate: float
    genuine_pairs: int
    impostor_comparisons: int
    people: int
    train_pairs: int
    test_pairs: int
    pictures: int
    pictures_without_face: int
    test_pairs_without_face: int


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Similarities of pairsDevTest: genuine pairs (a lost one is minus infinity), and all comparisons of two people."""

    genuine: Floats
    impostor: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Impostors:
    """Every comparison of two people, the most alike first; whose pictures each compares, and how many each has."""

    similarities: Floats
    first: npt.NDArray[np.intp]
    second: npt.NDArray[np.intp]
    pictures: npt.NDArray[np.intp]


class _Described:
    """Embeddings by picture; a similarity with a picture without a face is NaN."""

    def __init__(self, pictures: list[Picture], embeddings: npt.NDArray[np.float32]) -> None:
        self._rows = {picture: row for row, picture in enumerate(pictures)}
        self._embeddings = embeddings.astype(np.float64)

    def similarities(self, pairs: tuple[Pair, ...]) -> Floats:
        first, second = (self._embeddings[[self._rows[pair[side]] for pair in pairs]] for side in (0, 1))
        result: Floats = np.einsum("ij,ij->i", first, second)
        return result

    def impostors(self, pictures: list[Picture], people: list[str]) -> Impostors:
        """All comparisons between different people's pictures."""
        number = {person: i for i, person in enumerate(people)}
        kept = [p for p in pictures if not np.isnan(self._embeddings[self._rows[p]]).any()]
        owner = np.array([number[picture.person] for picture in kept], dtype=np.intp)
        rows = self._embeddings[[self._rows[picture] for picture in kept]].astype(np.float32)
        first, second = np.nonzero(np.triu(owner[:, None] != owner[None, :]))
        similarities = (rows @ rows.T)[first, second].astype(np.float64)
        order = np.argsort(-similarities)
        counts = np.bincount(owner, minlength=len(people))
        return Impostors(similarities[order], owner[first[order]], owner[second[order]], counts)


def verify(view: View1, networks: Networks, cache: Path | None = None) -> tuple[Verification, Scores]:
    """Judge one shelf of networks. Raises ImageError, ModelError, InputError."""
    pictures = view.pictures
    names = [str(picture.path(view.folder).relative_to(view.folder)) for picture in pictures]
    embeddings = describe_all(view.folder, names, networks, cache)
    described = _Described(pictures, embeddings)
    train = [described.similarities(pairs) for pairs in (view.train.genuine, view.train.impostor)]
    usable = [similarities[~np.isnan(similarities)] for similarities in train]
    impostors = described.impostors(view.test.pictures, view.test.people)
    if not all(len(similarities) for similarities in (*usable, impostors.similarities)):
        raise InputError(
            f"There are faces in too few pictures of {view.folder!s:.120} to compare people. Use another data set."
        )
    threshold = statistics.best_threshold(*usable)
    genuine, impostor = (described.similarities(pairs) for pairs in (view.test.genuine, view.test.impostor))
    scores = Scores(np.nan_to_num(genuine, nan=-np.inf), impostors.similarities)
    accuracy, accuracy_interval = _accuracy(view, genuine >= threshold, impostor < threshold)
    result = Verification(
        networks=networks.label,
        kind=networks.kind,
        digest=networks.digest,
        threshold=threshold,
        accuracy=accuracy,
        accuracy_interval=accuracy_interval,
        tar_at_far=[_tar_at_far(view, scores.genuine, impostors, far) for far in FARS],
        equal_error_rate=statistics.equal_error_rate(scores.genuine, scores.impostor),
        genuine_pairs=len(genuine),
        impostor_comparisons=len(scores.impostor),
        people=len(view.test.people),
        train_pairs=len(view.train.genuine) + len(view.train.impostor),
        test_pairs=len(genuine) + len(impostor),
        pictures=len(pictures),
        pictures_without_face=int(np.isnan(embeddings).any(axis=1).sum()),
        test_pairs_without_face=int(np.isnan(genuine).sum() + np.isnan(impostor).sum()),
    )
    return result, scores


def _owners(view: View1, pairs: tuple[Pair, ...], side: int) -> npt.NDArray[np.intp]:
    number = {person: i for i, person in enumerate(view.test.people)}
    return np.array([number[pair[side].person] for pair in pairs], dtype=np.intp)


def _accuracy(
    view: View1, genuine_right: npt.NDArray[np.bool_], impostor_right: npt.NDArray[np.bool_]
) -> tuple[float, tuple[float, float]]:
    """The share of pairs decided rightly; NaN similarities are neither above nor below a threshold, hence wrong."""
    right = np.concatenate([genuine_right, impostor_right])
    genuine = _owners(view, view.test.genuine, 0)
    first, second = (_owners(view, view.test.impostor, side) for side in (0, 1))

    def share(drawn: Floats) -> float:
        weights = np.concatenate([drawn[genuine], drawn[first] * drawn[second]])
        return float(weights[right].sum() / weights.sum()) if weights.any() else float("nan")

    everybody = len(view.test.people)
    return share(np.ones(everybody)), statistics.interval(share, everybody)


def _tar_at_far(view: View1, genuine: Floats, impostors: Impostors, far: float) -> TarAtFar:
    threshold = statistics.threshold_at_far(impostors.similarities, far)
    if np.isnan(threshold):
        return TarAtFar(far, None, None, None)
    estimate = tar_estimate(genuine, _owners(view, view.test.genuine, 0), impostors, far)
    return TarAtFar(
        far,
        statistics.share_accepted(genuine, threshold),
        statistics.interval(estimate, len(view.test.people)),
        threshold,
    )


def tar_estimate(
    genuine: Floats, owners: npt.NDArray[np.intp], impostors: Impostors, far: float
) -> Callable[[Floats], float]:
    """TAR as a function of how often each person was drawn; the threshold moves with the draw.

    ``owners``: (N,) whose pair each genuine similarity is.
    """
    tail = slice(0, int(len(impostors.similarities) * TAIL) + 1)
    first, second, falling = impostors.first[tail], impostors.second[tail], impostors.similarities[tail]

    def tar(drawn: Floats) -> float:
        pictures = drawn * impostors.pictures
        total = float(pictures.sum() ** 2 - (pictures**2).sum()) / 2
        threshold = statistics.threshold_at_far(falling, far, drawn[first] * drawn[second], total)
        return statistics.share_accepted(genuine, threshold, drawn[owners])

    return tar
