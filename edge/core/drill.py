"""What a drill consists of, when it is passed, and what it then proves: pictures shown to the lock by its own owner.

A *presentation* is one approach: a picture of somebody enrolled held up, or the owner. A picture *passed* when the door
would have opened. Sixty without one that passed are the least that says "fewer than 5 in 100" with 95 % certainty.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from edge.core.interval import clopper_pearson

ATTACKS: Mapping[str, str] = {
    "print": "a photograph of somebody enrolled, printed: about as large as the face, matt and glossy, flat and bent",
    "phone": "a photograph of somebody enrolled, on a phone: bright and dim, near and far",
    "tablet": "a photograph of somebody enrolled, on a tablet",
    "laptop": "a photograph of somebody enrolled, on a laptop or monitor",
    "video": "a video of somebody enrolled who moves and blinks, on any screen",
}
"""What is shown, by the kinds that ISO/IEC 30107-3 calls presentation attack instrument species."""

OWN: Mapping[str, str] = {
    "usual": "yourself, as you come home: walk up and look at the camera, in the light that there is",
    "bright": "yourself, in bright light: a lamp or the sun on your face",
    "dim": "yourself, in little light: the lamp off, or in the evening",
}

KINDS: Mapping[str, str] = {**ATTACKS, **OWN}

AT_HAND = frozenset({"tablet", "laptop"})
"""What not everybody has: more of the others may be shown instead."""

ATTACKS_MIN = 60
ATTACK_MIN = 12
"""Of each kind but ``AT_HAND``: an equal share of ``ATTACKS_MIN``."""

OWN_MIN = 4
"""In each light."""

LET_IN_MIN = 0.8
"""Share of the owner's own presentations: a lock that refuses everybody proves nothing. Owners on another day were let
in in 25 of 26 visits with good light (NUAA); two of the twelve may fail in bad light."""

CERTAINTY = 0.95
"""Of what is said of the door, one-sided."""

SHOWN_MAX = 1000
"""Presentations of one kind that are counted: hours of them."""


@dataclass(frozen=True, slots=True)
class Count:
    """``opened``: for how many of those ``shown`` the door would have opened; 0..``shown``."""

    shown: int = 0
    opened: int = 0


Tally = Mapping[str, Count]
"""By kind. A kind that is not in it was not shown."""


def plan(without: Collection[str] = ()) -> dict[str, int]:
    """How many of each kind make a drill, attacks first. ``without``: of ``AT_HAND``; what is at hand makes up for
    it."""
    attacks = [kind for kind in ATTACKS if kind not in without]
    return {kind: math.ceil(ATTACKS_MIN / len(attacks)) for kind in attacks} | dict.fromkeys(OWN, OWN_MIN)


def attacks(tally: Tally) -> Count:
    """All pictures together."""
    return _sum(tally, ATTACKS)


def own(tally: Tally) -> Count:
    """The owner, in every light together."""
    return _sum(tally, OWN)


def lacking(tally: Tally) -> str:
    """Why this is no passed drill; empty when it is one. What failed comes before what was not shown yet."""
    shown, mine = attacks(tally), own(tally)
    if shown.opened:
        return f"the drill failed: {shown.opened} of {shown.shown} attacks passed"
    for kind in KINDS:
        needed = OWN_MIN if kind in OWN else 0 if kind in AT_HAND else ATTACK_MIN
        if tally.get(kind, Count()).shown < needed:
            return f"the drill is not finished: {tally.get(kind, Count()).shown} of {needed} shown of {kind}"
    if shown.shown < ATTACKS_MIN:
        return f"the drill is not finished: {shown.shown} of {ATTACKS_MIN} attacks shown"
    if mine.opened < LET_IN_MIN * mine.shown:
        return f"the drill failed: the owner was let in {mine.opened} of {mine.shown} times"
    return ""


def attacks_said(count: Count) -> str:
    """``0 of 60 attacks passed: with 95 % certainty fewer than 5 in 100``."""
    if not count.shown:
        return "No attack was shown"
    high = clopper_pearson(count.opened, count.shown, 2 * CERTAINTY - 1)[1]
    said = f"{count.opened} of {count.shown} attack{'s' * (count.shown != 1)} passed"
    return f"{said}: with 95 % certainty fewer than {math.ceil(100 * high)} in 100" if high < 1 else said


def own_said(count: Count) -> str:
    """``12 of 12 times let in: with 95 % certainty more than 77 in 100``."""
    if not count.shown:
        return "The owner was not shown"
    low = clopper_pearson(count.opened, count.shown, 2 * CERTAINTY - 1)[0]
    said = f"{count.opened} of {count.shown} time{'s' * (count.shown != 1)} let in"
    return f"{said}: with 95 % certainty more than {math.floor(100 * low)} in 100" if low > 0 else said


def _sum(tally: Tally, kinds: Collection[str]) -> Count:
    found = [tally[kind] for kind in kinds if kind in tally]
    return Count(sum(each.shown for each in found), sum(each.opened for each in found))
