"""Whether a person's templates have aged, from how alike the person was each time the door opened.

Faces change, and so does the light at a door: the similarity falls until the door stays shut. A median over many grants
shows it earlier, and one bad look does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SIDE_MAX = 20
"""Grants at each end that are compared, at most: beyond that a median hardly gets surer, and "latest" loses its
meaning."""

GRANTS_MIN = 10
"""Grants that are needed: five against five."""

FELL_MIN = 0.08
"""A fall of the median that is not chance. Similarities of one person on different occasions have a standard deviation
of 0.06 (51 people of LFW View 1). Drawn from those, five against five seem to fall by so much in 1.5 of 100 cases, ten
against ten in 1 of 1,000. Glasses that were not enrolled cost one person 0.15 (0.71 for 0.86, NUAA)."""

NEAR_MAX = 0.05
"""A median so little above the threshold is too near: by the same spread one look in six is refused then, and one
approach in 25 has not three of five looks."""


@dataclass(frozen=True, slots=True)
class Ageing:
    """``grants``: how many there are; ``last_seen_utc``: when the latest was, None without any. ``first`` and
    ``latest``: the median similarity (cosine) of the first grants after the first day, and of the latest; ``change``:
    the latter less the former; all three None when there are too few. ``enrol_again``: the templates have aged.
    ``advice``: that in words."""

    grants: int
    last_seen_utc: str | None
    first: float | None
    latest: float | None
    change: float | None
    enrol_again: bool
    advice: str


def trend(grants: Sequence[tuple[str, float]], similarity_min: float) -> Ageing:
    """What the grants of one person say, each its time and its similarity; in any order.

    Times are ISO 8601 in UTC and all of one form, so that they sort as text, as the log has them. The grants of the
    first day are left out: on the day of enrolment everybody is more alike than ever again (medians 0.92 to 0.98 in 12
    of 13 approaches of six people, 0.71 to 0.87 on another day; NUAA), and would seem to age overnight.
    """
    in_order = sorted(grants)
    last_seen_utc = in_order[-1][0] if in_order else None
    compared = [similarity for when, similarity in in_order if when[:10] != in_order[0][0][:10]]
    if len(compared) < GRANTS_MIN:
        advice = f"too few grants to say ({len(compared)} after the first day, {GRANTS_MIN} are needed)"
        return Ageing(len(in_order), last_seen_utc, None, None, None, False, advice)
    side = min(SIDE_MAX, len(compared) // 2)
    first, latest = float(np.median(compared[:side])), float(np.median(compared[-side:]))
    change = latest - first
    if not latest - similarity_min > NEAR_MAX:  # so that a NaN is no good sign
        reason = f"the similarity is at {latest:.2f}, and {similarity_min:.2f} is needed"
    elif -change >= FELL_MIN:
        reason = f"the similarity fell by {-change:.2f}"
    else:
        return Ageing(len(in_order), last_seen_utc, first, latest, change, False, "no sign of ageing")
    return Ageing(len(in_order), last_seen_utc, first, latest, change, True, f"enrol again: {reason}")
