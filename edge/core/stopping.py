"""When an approach is decided: clear cases after two or three looks, doubtful ones later, then a refusal.

The looks of one approach are pooled into one embedding, and what counts is the pooled one's similarity to a person.
Looks of one approach are alike: a stranger who resembles somebody in one look resembles that person in the next. So
waiting for more looks makes nothing sure, and deciding early gives a stranger a chance more: the early looks must
clear the threshold by more.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stopping:
    """The rule. ``looks_min``, ``looks_max``: usable looks before which nobody is granted, and after which the approach
    is refused. ``early``: by how much the pooled similarity must exceed the threshold after ``looks_min`` looks, after
    one more, and so on; afterwards the threshold itself is enough.
    """

    looks_min: int
    looks_max: int
    early: tuple[float, ...]

    def needed(self, looks: int, similarity_min: float) -> float:
        """The similarity, -1..1, that so many pooled looks must reach: infinite below ``looks_min``."""
        if looks < self.looks_min:
            return math.inf
        past = looks - self.looks_min
        return similarity_min + (self.early[past] if past < len(self.early) else 0.0)


STANDARD = Stopping(looks_min=3, looks_max=10, early=(0.05, 0.03))
"""The product's rule."""
