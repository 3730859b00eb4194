"""Several looks at one face as one embedding: their mean, in which a better look counts more."""

import numpy as np

from edge.types import Embedding, FloatArray


class Pool:
    """The looks pooled so far.

    The mean is not made a unit vector again. So its cosine to a person is the mean of the looks' own cosines, which a
    stranger exceeds no more often than with a single look, and looks that disagree with each other resemble nobody.
    """

    def __init__(self, embedding: Embedding, weight: float) -> None:
        """The first look: a (D,) unit embedding and what it is worth, more than 0 (``core.quality.weight``)."""
        self._sum: FloatArray = weight * embedding
        self._weight = weight
        self.looks = 1

    def add(self, embedding: Embedding, weight: float) -> None:
        """One look more."""
        self._sum = self._sum + weight * embedding
        self._weight += weight
        self.looks += 1

    @property
    def mean(self) -> FloatArray:
        """(D,) float32, of norm 1 at most."""
        return np.asarray(self._sum / self._weight, np.float32)

    def agreement(self, embedding: Embedding) -> float:
        """The cosine of a (D,) unit embedding to the looks so far; 0 where they cancel out."""
        return float(self._sum @ embedding) / max(float(np.linalg.norm(self._sum)), 1e-6)
