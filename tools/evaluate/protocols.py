"""The two published protocols of LFW (Huang et al. 2007), beside all of the set's comparisons.

View 1 chooses a threshold on pairsDevTrain and measures on pairsDevTest, whose people are others. View 2 does so ten
times over, with the best threshold of nine sets on the tenth. A pair with a picture without a face counts as decided
wrongly, whichever kind of pair it is, and does not count in the choice of a threshold.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.errors import InputError
from edge.types import FloatArray
from tools.evaluate import statistics
from tools.evaluate.comparing import Indices, genuine_of, impostors_of, pair_similarities
from tools.evaluate.describe import describe_all
from tools.evaluate.lfw import Pair, Pairs, View
from tools.evaluate.networks import Networks
from tools.evaluate.statistics import Floats
from tools.evaluate.verification import Accuracy, Comparisons, Scores, Verification, everybody, judged

UNSEEN = "people not calibrated with"
"""All genuine pairs of View 1, and all comparisons of two people without those whose faces set the ranges of the int8
networks (``lfw.View.spare``)."""

BROAD = "all of View 1"
"""All genuine pairs, and all comparisons of two people."""

Bools = npt.NDArray[np.bool_]

Decided = tuple[Floats, Floats]
"""Similarities of genuine and of impostor pairs, NaN where a face was not found."""


@dataclass(frozen=True, slots=True, eq=False)
class _Described:
    """A view with the embedding of each of its pictures."""

    view: View
    embeddings: FloatArray

    def rows(self, pairs: Sequence[Pair]) -> tuple[Indices, Indices]:
        place = {name: row for row, name in enumerate(self.view.data_set.names)}
        first, second = ([place[pair[side].name] for pair in pairs] for side in (0, 1))
        return np.array(first, dtype=np.intp), np.array(second, dtype=np.intp)

    def similarities(self, pairs: Pairs) -> Decided:
        genuine, impostor = (
            pair_similarities(self.embeddings, *self.rows(each)) for each in (pairs.genuine, pairs.impostor)
        )
        return genuine, impostor

    def everybody(self, what: str) -> Comparisons:
        genuine = [pair for pairs in self.view.lists for pair in pairs.genuine]
        return everybody(self.view.data_set, self.embeddings, *self.rows(genuine), what)


def verify_view1(
    view: View, networks: Networks, cache: Path | None = None, reference: Scores | None = None
) -> tuple[Verification, Scores]:
    """Accuracy; TAR at FAR among people whom the build has not seen, and among all. Raises ImageError, ModelError,
    InputError."""
    described = _Described(view, describe_all(view.data_set, networks, cache))
    train, test = view.lists
    threshold = _best_threshold([described.similarities(train)])
    spare = {picture.name for pairs in view.lists for picture in pairs.pictures if picture.person in view.spare}
    tested = np.array([name not in spare for name in view.data_set.names], dtype=np.bool_)
    owners = np.full(len(tested), -1, dtype=np.intp)
    people, owners[tested] = np.unique(view.data_set.owners[tested], return_inverse=True)
    genuine = np.concatenate([described.rows(pairs.genuine) for pairs in view.lists], axis=1)
    unseen = Comparisons(
        UNSEEN,
        genuine_of(described.embeddings, owners, *genuine),
        impostors_of(described.embeddings[tested], owners[tested], len(people)),
    )
    shown = {picture.name: picture.shows for picture in test.pictures}
    number = {person: i for i, person in enumerate(sorted(set(shown.values())))}
    testees = np.array([number.get(shown.get(name, ""), -1) for name in view.data_set.names], dtype=np.intp)
    decided = described.similarities(test)
    share = right_share(
        (decided[0] >= threshold, decided[1] < threshold),
        testees[described.rows(test.genuine)[0]],
        (testees[described.rows(test.impostor)[0]], testees[described.rows(test.impostor)[1]]),
    )
    accuracy = Accuracy(
        accuracy=share(np.ones(len(number), dtype=np.float32)),
        threshold=threshold,
        pairs=len(test.genuine) + len(test.impostor),
        pairs_without_face=sum(int(np.isnan(each).sum()) for each in decided),
        interval=statistics.interval(share, len(number)),
    )
    sets = [unseen, described.everybody(BROAD)]
    return judged(view.data_set, networks, described.embeddings, sets, reference, accuracy)


def verify_view2(
    view: View, networks: Networks, cache: Path | None = None, reference: Scores | None = None
) -> tuple[Verification, Scores]:
    """Mean accuracy over the sets; TAR at FAR among all. Raises ImageError, ModelError, InputError."""
    described = _Described(view, describe_all(view.data_set, networks, cache))
    accuracy = cross_validated([described.similarities(pairs) for pairs in view.lists])
    sets = [described.everybody("all of View 2")]
    return judged(view.data_set, networks, described.embeddings, sets, reference, accuracy)


def cross_validated(folds: Sequence[Decided]) -> Accuracy:
    """Each set is decided with the best threshold of the others. Raises InputError.

    The standard error is the standard deviation over the sets divided by the root of their number.
    """
    accuracies, thresholds = [], []
    for place, (genuine, impostor) in enumerate(folds):
        threshold = _best_threshold([fold for i, fold in enumerate(folds) if i != place])
        right = int((genuine >= threshold).sum() + (impostor < threshold).sum())
        accuracies.append(right / (len(genuine) + len(impostor)))
        thresholds.append(threshold)
    every = np.concatenate([each for fold in folds for each in fold])
    return Accuracy(
        accuracy=float(np.mean(accuracies)),
        threshold=float(np.mean(thresholds)),
        pairs=len(every),
        pairs_without_face=int(np.isnan(every).sum()),
        standard_error=float(np.std(accuracies, ddof=1) / np.sqrt(len(folds))),
    )


def right_share(
    right: tuple[Bools, Bools], genuine: Indices, impostor: tuple[Indices, Indices]
) -> Callable[[FloatArray], float]:
    """The share of pairs decided rightly, as a function of how often each person was drawn.

    ``right``: for genuine and impostor pairs, whether each was; then whose pairs they are. A similarity that is NaN is
    neither above nor below a threshold, hence wrong.
    """
    whether = np.concatenate(right)

    def share(drawn: FloatArray) -> float:
        weights = np.concatenate([drawn[genuine], drawn[impostor[0]] * drawn[impostor[1]]]).astype(np.float64)
        return float(weights[whether].sum() / weights.sum()) if weights.any() else float("nan")

    return share


def _best_threshold(decided: Sequence[Decided]) -> float:
    usable = [np.concatenate([each[side] for each in decided]) for side in (0, 1)]
    genuine, impostor = (each[~np.isnan(each)] for each in usable)
    if not len(genuine) or not len(impostor):
        raise InputError("No face is found in the pairs to choose a threshold on. Use another data set.")
    return statistics.best_threshold(genuine, impostor)
