"""Measured figures into ``manifest.toml``: the tables [accuracy.VARIANT], [impostor_tail.VARIANT], [risk.VARIANT]."""

import math
import os
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from edge.core.risk import Calibration, Measure
from edge.errors import ModelError
from edge.models.manifest import MANIFEST
from tools.evaluate.comparing import Compared
from tools.evaluate.protocols import BROAD, UNSEEN
from tools.evaluate.record import LFW, WIDER, Measured, OfPeople
from tools.evaluate.tail import ImpostorTail
from tools.models.manifest_writer import dumps

DIGITS = 6
"""Significant ones: no figure here is known better."""

COMPARED = {UNSEEN: "unseen", BROAD: "broad"}
"""The keys of View 1's two sets of comparisons."""


def tables(measured: Sequence[Measured], revision: str | None) -> dict[str, Any]:
    """``accuracy`` and ``impostor_tail`` by variant, of TOML's own types."""
    return {
        "accuracy": {one.variant: _accuracy(one, revision) for one in measured},
        "impostor_tail": {one.variant: _tail(one.tail, revision) for one in measured if one.tail is not None},
    }


def risk_tables(measured: Mapping[str, tuple[str, Calibration]], revision: str | None) -> dict[str, Any]:
    """``risk`` by variant, each from the digest of its networks and what was measured with them."""
    return {"risk": {variant: _risk(*of, revision) for variant, of in measured.items()}}


def write(folder: Path, measured: Mapping[str, Any]) -> None:
    """Replace these tables in the folder's manifest and leave the rest as it is; whole or not at all.

    Raises ModelError when the manifest cannot be read or written.
    """
    path = folder / MANIFEST
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        text = dumps({**document, **measured})
        if tomllib.loads(text) != {**document, **measured}:
            raise ModelError(f"What {path} would become is not what was measured. Nothing was written; report this.")
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, suffix=".toml", delete=False) as work:
            work.write(text)
        os.chmod(work.name, 0o644)
        os.replace(work.name, path)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelError(
            f"The manifest {path} cannot be rewritten ({error}). Check the file and its folder."
        ) from error


def add(folder: Path, table: str, variant: str, values: Mapping[str, Any]) -> None:
    """Replace [``table``.``variant``] and leave the rest as it is. Raises ModelError."""
    path = folder / MANIFEST
    try:
        before = tomllib.loads(path.read_text(encoding="utf-8")).get(table, {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelError(f"The manifest {path} cannot be read ({error}). Check the file and its folder.") from error
    write(folder, {table: {**before, variant: dict(values)}})


def _accuracy(one: Measured, revision: str | None) -> dict[str, Any]:
    view1 = _plain(one.view1, leave={"networks", "variant", "digest", "compared", "note"})
    view1 |= {COMPARED[compared.what]: _compared(compared) for compared in one.view1.compared}
    return {
        "digest": one.digest,
        "revision": revision or "not known",
        "size_bytes": one.size_bytes,
        LFW: view1,
        WIDER: _plain(one.detection, leave={"networks", "variant", "digest"}),
        **{name.replace("/", "_"): _of_people(people) for name, people in one.people.items()},
    }


def _of_people(people: OfPeople) -> dict[str, Any]:
    (compared,) = people.verification.compared
    found = {
        "data_set": people.verification.data_set,
        "pictures": people.verification.pictures,
        "verification": _compared(compared),
    }
    if people.identification is not None:
        leave = {"networks", "variant", "digest", "data_set", "note"}
        found["identification"] = _plain(people.identification, leave=leave)
    return found


def _compared(compared: Compared) -> dict[str, Any]:
    plain = _plain(compared, leave={"what"})
    plain["tar_at_far"] = [each for each in plain["tar_at_far"] if "tar" in each]
    return plain


def _tail(tail: ImpostorTail, revision: str | None) -> dict[str, Any]:
    found = _plain(tail, leave={"networks", "variant", "tails"}) | {"revision": revision or "not known"}
    for each in tail.tails:
        told = [quantile for quantile in each.quantiles if quantile.similarity is not None]
        found[f"enrolled_{each.enrolled}"] = {
            "comparisons": each.comparisons,
            "shares": [quantile.share for quantile in told],
            "similarities": [_rounded(quantile.similarity) for quantile in told],
            "intervals": [_rounded(quantile.interval) for quantile in told],
        }
    return found


def _risk(digest: str, of: Calibration, revision: str | None) -> dict[str, Any]:
    measures = {"crowd": of.crowd, "alike": of.alike, "templates": of.templates, "rho": of.rho}
    return {
        "digest": digest,
        "revision": revision or "not known",
        "tail": _source(of.source)
        | {
            "shares": list(of.shares),
            "similarities": _rounded(of.similarities),
            "intervals": _rounded(list(zip(of.lows, of.highs, strict=True))),
        },
        **{name: _measured(each) for name, each in (measures | {"agreement": of.agreement}).items()},
        "owners": _source(of.owners_source) | {"approaches": _rounded(of.owners)},
    }


def _measured(of: Measure) -> dict[str, Any]:
    return _source(of.source) | {"value": _rounded(of.value), "interval": _rounded([of.low, of.high])}


def _source(text: str) -> dict[str, Any]:
    """``LFW View 1, 3,091 people`` in its two parts."""
    data_set, _, people = text.removesuffix(" people").partition(", ")
    return {"data_set": data_set, "people": int(people.replace(",", ""))}


def _plain(struct: msgspec.Struct, leave: set[str]) -> dict[str, Any]:
    """TOML's own types; what is None or NaN is left out, as TOML and readers have it."""
    return {key: value for key, value in _rounded(msgspec.to_builtins(struct)).items() if key not in leave}


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        kept = {key: _rounded(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if each is not None}
    if isinstance(value, list | tuple):
        rounded = [_rounded(each) for each in value]
        return None if None in rounded else rounded
    if isinstance(value, float):
        return None if math.isnan(value) else float(f"{value:.{DIGITS}g}")
    return value
