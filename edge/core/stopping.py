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


STANDARD = Stopping(looks_min=2, looks_max=20, early=(0.1, 0.08, 0.06, 0.04, 0.02))
"""The product's rule. Chosen on whole approaches of eight people (25 sequences, strangers held against 3,200 people) so
that an approach gives a stranger no more than a single look would, and owners do not wait: at the similarities that one
look of 100, 1,000 and 10,000 exceeds, 0.91, 0.77 and 0.62 times as many approaches get in at 5 looks a second, and
1.05, 1.10 and 0.87 at 15. Without ``early`` these are 1.30, 1.35 and 1.12, and with the first look alone deciding at
any time 1.43, 1.54 and 1.50. Of four other people (6 sequences) 0.99, 1.09 and none got in. With a threshold of 0.65
the median owner needs 2 looks and the slowest 7 (75 approaches, `python -m tools.evaluate approaches`)."""
