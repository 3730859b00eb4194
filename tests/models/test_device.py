"""Which networks run where, and what happens where the accelerator cannot be used."""

import logging
import os
import subprocess
from pathlib import Path

import pytest

from edge.errors import ModelError
from edge.models import device
from edge.models.manifest import Shelf, own_folder
from tests.models.delegate import compiled as library
from tests.models.shelves import Models, changed, copied, processor_only, static, with_content

LIBRARY = "libno-such-edgetpu.so.1"


@pytest.fixture
def compiled(tmp_path: Path) -> Path:
    """A folder with networks of variant edgetpu."""
    return copied(tmp_path / "shelf", static)


def test_the_processor_runs_the_shipped_networks_without_a_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *args, **options: pytest.fail("a process was started"))
    for folder in (None, own_folder()):
        assert device.choose("cpu", "none", LIBRARY, folder) == device.Networks(Shelf.open())


def test_without_the_library_the_accelerator_is_refused_with_what_to_install(compiled: Path) -> None:
    with pytest.raises(ModelError, match=rf"{LIBRARY}.*libedgetpu1-std.*coral\.ai.*tools\.models edgetpu"):
        device.choose("edgetpu", "none", LIBRARY, compiled)


def test_the_processor_stands_in_only_where_the_owner_says_so(compiled: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        chosen = device.choose("edgetpu", "cpu", LIBRARY, compiled)
    assert chosen.shelf == Shelf.open()
    assert chosen.delegate is None
    assert LIBRARY in chosen.fallback
    assert "models.fallback" in caplog.text
    assert "libedgetpu1-std" in caplog.text


def test_networks_that_cannot_be_used_fall_back_too(tmp_path: Path) -> None:
    assert (
        "no variant edgetpu"
        in device.choose("edgetpu", "cpu", LIBRARY, copied(tmp_path / "shelf", processor_only)).fallback
    )
    assert "cannot be read" in device.choose("edgetpu", "cpu", LIBRARY, tmp_path / "nowhere").fallback


def test_the_processor_has_no_fallback(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        device.choose("cpu", "cpu", LIBRARY, tmp_path)


def test_a_fallback_to_templates_of_another_model_is_refused(tmp_path: Path) -> None:
    """The guardian expects the templates of the networks in the folder; the shipped ones give others."""

    def change(models: Models) -> None:
        static(models)
        models["mobilefacenet"]["template_model"] = "my-own-1"

    with pytest.raises(ModelError, match="another model"):
        device.choose("edgetpu", "cpu", LIBRARY, copied(tmp_path / "shelf", change))


def test_a_library_that_never_loads_is_refused_whosever_the_networks_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loader waits for whoever would write into a pipe."""
    pipe = tmp_path / "libpipe.so"
    os.mkfifo(pipe)
    monkeypatch.setattr(device, "TRIAL_S", 3)
    for folder in (None, copied(tmp_path / "shelf")):
        with pytest.raises(ModelError, match=r"libpipe\.so, crash, or hang.*SIGALRM.*models\.device"):
            device.choose("edgetpu", "none", str(pipe), folder)
    assert "SIGALRM" in device.choose("edgetpu", "cpu", str(pipe), None).fallback


def test_a_network_that_nothing_uses_is_not_loaded(tmp_path: Path) -> None:
    """It is not tried out either: of a truncated one some runtimes die."""
    folder = copied(tmp_path / "shelf")

    def add(models: Models) -> None:
        models["spare"] = {"variants": {"cpu": {**models["rnet"]["variants"]["cpu"], "file": "spare"}}}

    with_content(changed(folder, add), "spare", Shelf.open().load("rnet")[:-5000])
    changed(folder, lambda models: models["spare"]["variants"].update(edgetpu=models["spare"]["variants"]["cpu"]))
    chosen = device.choose("edgetpu", "none", str(library("CORRECT", tmp_path)), folder)
    assert (chosen.shelf, chosen.fallback) == (Shelf.open(folder, "edgetpu"), "")
    assert "spare" in chosen.shelf.cards
