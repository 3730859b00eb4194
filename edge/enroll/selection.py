"""Which of one person's pictures become templates: those of one person, and as different as can be."""

import numpy as np
import numpy.typing as npt

from edge.types import SAME_PERSON_MIN, FloatArray


def outliers(embeddings: FloatArray) -> npt.NDArray[np.bool_]:
    """Which of (N, D) unit rows show somebody else than most do, (N,) bool.

    Measured against the most typical picture (the highest median cosine to the others), so that a wrong first picture
    does not refuse all the right ones. Of two that differ the first is believed.
    """
    similarities = embeddings @ embeddings.T
    typical = int(np.argmax(np.median(similarities, axis=1)))
    return np.asarray(similarities[typical] < SAME_PERSON_MIN)


def most_different(embeddings: FloatArray, count: int) -> list[int]:
    """The numbers of ``count`` of (N, D) unit rows, ascending: the most typical one, then each time the one
    that is least like those chosen before."""
    similarities = embeddings @ embeddings.T
    chosen = [int(np.argmax(np.median(similarities, axis=1)))]
    nearest = similarities[chosen[0]].copy()
    while len(chosen) < min(count, len(embeddings)):
        nearest[chosen] = np.inf
        chosen.append(int(np.argmin(nearest)))
        nearest = np.maximum(nearest, similarities[chosen[-1]])
    return sorted(chosen)
