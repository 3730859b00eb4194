"""The audit log's lines: what may be written, and what is read back."""

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from edge.core.names import shown
from edge.errors import InputError
from edge.store.faults import damaged
from edge.types import Event, LoggedEvent

Scalar: TypeAlias = str | int | float | bool | None

MAX_DETAIL_BYTES = 4096
"""Longest detail as JSON: ample for every event of facelatch, and a flood of hostile text cannot fill the card at
once."""


def detail_json(event: Event) -> str:
    """The detail as ASCII JSON. Raises InputError unless its values are JSON scalars (finite numbers) and it is
    short."""
    detail: dict[Any, Any] = dict(event.detail)  # callers may not be type-checked
    for key, value in detail.items():
        if not isinstance(key, str) or not isinstance(value, str | int | float | None):
            kind = type(value).__name__
            raise InputError(f"Event detail {shown(str(key))} is a {kind}. Log text, numbers, truth values or nothing.")
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"Event detail {shown(str(key))} is not a finite number. Log None instead.")
    text = json.dumps(detail)
    if len(text) > MAX_DETAIL_BYTES:
        raise InputError(f"Event {shown(event.kind)} has {len(text)} bytes of detail. Log at most {MAX_DETAIL_BYTES}.")
    return text


def to_events(rows: Iterable[tuple[int, str, str, int | None, str]], path: Path) -> list[LoggedEvent]:
    """Rows of ``chain.COLUMNS`` as events. Raises StoreDamagedError."""
    try:
        return [LoggedEvent(n, at, Event(kind, who, _detail_from(detail))) for n, at, kind, who, detail in rows]
    except (ValueError, RecursionError) as error:
        raise damaged(path, "holds a line of the log that facelatch does not write") from error


def _detail_from(text: str) -> Mapping[str, Scalar]:
    """The stored detail. Raises ValueError when it is not what ``detail_json`` writes."""
    detail = json.loads(text)
    if not isinstance(detail, dict) or not all(isinstance(v, str | int | float | None) for v in detail.values()):
        raise ValueError("not an object of scalars")
    return detail
