"""What the networks' manifest says of strangers and owners, for the one variant that is used: [risk.VARIANT].

Read from the manifest alone, without loading a network, for the process that may load none.
"""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from edge.core.risk import Calibration, Measure
from edge.models.manifest import Shelf, configured, section

Row = Annotated[tuple[float, ...], Meta(max_length=50)]


class _Measure(msgspec.Struct, frozen=True):
    data_set: str
    people: int
    value: float
    interval: tuple[float, float]

    def measure(self) -> Measure:
        return Measure(self.value, *self.interval, _source(self.data_set, self.people))


class _Tail(msgspec.Struct, frozen=True):
    data_set: str
    people: int
    shares: Row
    similarities: Row
    intervals: Annotated[tuple[tuple[float, float], ...], Meta(max_length=50)]


class _Owners(msgspec.Struct, frozen=True):
    data_set: str
    people: int
    approaches: Annotated[tuple[Row, ...], Meta(max_length=1000)] = ()


class _Risk(msgspec.Struct, frozen=True):
    digest: str
    tail: _Tail
    crowd: _Measure
    alike: _Measure
    templates: _Measure
    rho: _Measure
    agreement: _Measure
    owners: _Owners


class _Digest(msgspec.Struct, frozen=True):
    digest: str = ""


class _Digests(msgspec.Struct, frozen=True):
    risk: dict[str, _Digest] = {}


class _Risks(msgspec.Struct, frozen=True):
    risk: dict[str, _Risk]


def calibration(device: str, fallback: str, folder: Path | None) -> Calibration | None:
    """What was measured of the networks that ``edge.models.device`` would choose; None where that was nothing, or was
    measured with other networks than these. Raises ModelError for what cannot be understood."""
    return calibration_of(configured(device, fallback, folder))


def calibration_of(shelf: Shelf) -> Calibration | None:
    """The same of one shelf in its variant."""
    named = section(shelf.folder, _Digests).risk.get(shelf.variant)
    if named is None or named.digest != shelf.digest:
        return None
    found = section(shelf.folder, _Risks).risk[shelf.variant]
    return Calibration(
        source=_source(found.tail.data_set, found.tail.people),
        shares=found.tail.shares,
        similarities=found.tail.similarities,
        lows=tuple(low for low, _ in found.tail.intervals),
        highs=tuple(high for _, high in found.tail.intervals),
        crowd=found.crowd.measure(),
        alike=found.alike.measure(),
        templates=found.templates.measure(),
        rho=found.rho.measure(),
        agreement=found.agreement.measure(),
        owners=found.owners.approaches,
        owners_source=_source(found.owners.data_set, found.owners.people),
    )


def _source(data_set: str, people: int) -> str:
    return f"{data_set}, {people:,} people"
