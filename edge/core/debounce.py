"""When an input's level counts: after it was the same for a while. One that never comes to rest is a fault."""

import math

RESTLESS_S = 1.0
"""An input that does not settle for so long is none: a contact bounces for some 10 ms, a finger for less than 100."""


class Debounce:
    """One input, sampled. ``None`` stands for a level that cannot be read, and settles as the others do."""

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._level: bool | None = None
        self._since_s = math.nan  # no sample yet
        self._unsettled_s = math.nan
        self._settled: bool | None = None
        self._has_settled = False
        self.is_restless = False

    def sample(self, level: bool | None, now_s: float) -> bool:
        """Take the level as it is at a monotonic time. Whether ``settled`` or ``is_restless`` is new by it."""
        if math.isnan(self._since_s) or level is not self._level:
            self._level, self._since_s = level, now_s
        is_settled = now_s - self._since_s >= self._settle_s
        if is_settled:
            self._unsettled_s = math.nan
            is_new = self.is_restless or not self._has_settled or self._settled is not level
            self._settled, self._has_settled, self.is_restless = level, True, False
            return is_new
        if math.isnan(self._unsettled_s):
            self._unsettled_s = now_s
        if now_s - self._unsettled_s >= RESTLESS_S and not self.is_restless:
            self.is_restless = True
            return True
        return False

    @property
    def settled(self) -> bool | None:
        """The level that counts; None while there is none, or it cannot be read, or the input does not rest."""
        return None if self.is_restless else self._settled
