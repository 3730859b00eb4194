"""A share of strangers' approaches in words, as an owner sets it and is told it: "1 in 10,000".

Apart from ``risk``, as the configuration is read also where nothing may take long to import.
"""

from edge.errors import InputError

PRESETS = {"standard": 1e-4, "strict": 1e-5}
"""Shares of strangers' approaches. With thirty strangers a week, "standard" is one let in in six years."""

ONE_IN_MAX = 10_000_000
"""Nothing that was measured says anything about rarer events."""


def accepted(text: str) -> float:
    """``"standard"``, ``"strict"``, or ``"1 in 10000 approaches"`` as a share. Raises InputError."""
    words = text.split()
    if text in PRESETS:
        return PRESETS[text]
    if words[:2] == ["1", "in"] and words[3:] in ([], ["approaches"]) and words[2:]:
        digits = words[2].replace(",", "")
        if digits.isascii() and digits.isdigit() and len(digits) <= 8 and 10 <= int(digits) <= ONE_IN_MAX:
            return 1 / int(digits)
    raise InputError(
        f'{text!r:.60} is no risk: write it as "1 in 10000 approaches" (10 to {ONE_IN_MAX}), or "standard", "strict"'
    )


def one_in(share: float) -> str:
    """``1 in 14,000``, as far as it is known: two digits."""
    if not share > 0:
        return "never"
    return f"1 in {rounded(1 / share):,}"


def rounded(count: float) -> int:
    """Two significant digits, from 10 on; whole numbers below."""
    unit = int(10 ** max(len(str(int(count))) - 2, 0))
    return round(count / unit) * unit
