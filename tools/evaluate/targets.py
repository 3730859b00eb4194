"""What int8 networks must reach beside the fp32 ones they were made from."""

from collections.abc import Sequence

import msgspec

from tools.evaluate.comparing import Compared
from tools.evaluate.record import Measured
from tools.evaluate.report import power

TAR_LOSS_MAX = {"cpu": 0.5, "edgetpu": 0.8}
"""Points of TAR at each of ``FARS``."""

TAR_LOSS_UPPER_MAX = 1.2
"""Points, for the upper end of the 95 % interval of that loss."""

FARS = (1e-3, 1e-4)
RECALL_LOSS_MAX = 0.5
"""Points of recall."""

LANDMARK_LOSS_MAX = 0.5
"""Per cent of the inter-ocular distance that the mean landmark error grows."""


ROUNDING = 1e-6
"""Eight of 1,600 pairs are half a point, whatever float32 makes of it."""


class Target(msgspec.Struct, frozen=True):
    """One figure of one variant and its limit; ``value`` is None where the data was too little to tell: not met."""

    variant: str
    what: str
    value: float | None
    limit: float

    @property
    def met(self) -> bool:
        return self.value is not None and self.value <= self.limit + ROUNDING


def targets(measured: Sequence[Measured]) -> list[Target]:
    """Those of every variant but the reference, which comes first."""
    return [target for one in measured[1:] for target in _of(one)]


def _of(one: Measured) -> list[Target]:
    found = [target for compared in one.view1.compared for target in _of_tar(one.variant, compared)]
    recall = one.detection.recall_difference
    found.append(Target(one.variant, "recall: points lost", None if recall is None else -100 * recall, RECALL_LOSS_MAX))
    lost = one.detection.landmark_error_difference
    found.append(Target(one.variant, "landmark error: % added", lost, LANDMARK_LOSS_MAX))
    return found


def _of_tar(variant: str, compared: Compared) -> list[Target]:
    limit = TAR_LOSS_MAX.get(variant, min(TAR_LOSS_MAX.values()))
    found = []
    for tar in compared.tar_at_far:
        if tar.far not in FARS:
            continue
        what = f"TAR at {power(tar.far)}, {compared.what}"
        lost = None if tar.difference is None else -100 * tar.difference
        upper = None if tar.difference_interval is None else -100 * tar.difference_interval[0]
        found.append(Target(variant, f"{what}: points lost", lost, limit))
        found.append(Target(variant, f"{what}: upper end", upper, TAR_LOSS_UPPER_MAX))
    return found
