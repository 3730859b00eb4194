"""What the manifest says of strangers: of these very networks, or nothing."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from edge.core.risk import Limits, odds
from edge.errors import ModelError
from edge.models.calibration import calibration
from edge.models.manifest import MANIFEST, Shelf
from tests.models.shelves import copied, processor_only, with_content
from tools.models.manifest_writer import dumps


def rewritten(folder: Path, **changes: Any) -> Path:
    """The manifest's [risk.cpu] with other values; None takes one away."""
    path = folder / MANIFEST
    document = tomllib.loads(path.read_text())
    risk = document["risk"]["cpu"] | changes
    document["risk"]["cpu"] = {key: value for key, value in risk.items() if value is not None}
    path.write_text(dumps(document))
    return folder


@pytest.mark.parametrize("device", ["cpu", "edgetpu"])
def test_the_networks_that_are_shipped_are_measured(device: str) -> None:
    found = calibration(device, "none", None)
    assert found is not None
    assert "LFW" in found.source
    assert "people" in found.owners_source
    decision = Limits(0.0, 1e-4, found).decide([5] * 12)
    assert decision.met
    assert 0.6 < decision.similarity_min < 0.75
    assert odds(found, [5] * 12, decision.similarity_min).high <= 1e-4


def test_the_fallback_is_judged_by_what_then_runs(tmp_path: Path) -> None:
    folder = copied(tmp_path / "shelf", processor_only)
    assert calibration("edgetpu", "cpu", folder) == calibration("cpu", "none", None)


def test_another_network_is_not_judged_by_these_figures(tmp_path: Path) -> None:
    folder = copied(tmp_path / "shelf")
    assert calibration("cpu", "none", folder) is not None
    with_content(folder, "mobilefacenet", Shelf.open().load("mobilefacenet") + b" ")
    assert calibration("cpu", "none", folder) is None


def test_a_manifest_without_figures_has_none(tmp_path: Path) -> None:
    path = copied(tmp_path / "shelf") / MANIFEST
    document = tomllib.loads(path.read_text())
    del document["risk"]
    path.write_text(dumps(document))
    assert calibration("cpu", "none", path.parent) is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"tail": None}, "damaged"),
        ({"rho": 0.9}, "damaged"),
        ({"crowd": {"data_set": "x", "people": 1, "value": 0.9, "interval": [0.1, 0.2]}}, "cannot be used"),
        ({"crowd": {"data_set": "x", "people": 1, "value": 0.1, "interval": [0.1]}}, "damaged"),
        ({"tail": {"data_set": "x", "people": 1, "shares": [], "similarities": [], "intervals": []}}, "cannot be used"),
        ({"owners": {"data_set": "x", "people": 1, "approaches": [[7.0]]}}, "cannot be used"),
        ({"digest": 3}, "damaged"),
    ],
)
def test_figures_that_cannot_be_are_refused(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    folder = rewritten(copied(tmp_path / "shelf"), **changes)
    with pytest.raises(ModelError, match=says):
        calibration("cpu", "none", folder)
