"""A network that is not the one described is never run."""

import shutil
from pathlib import Path

import pytest

from edge.errors import ModelError
from edge.models.interpreter import Net, load_runtime
from edge.models.manifest import MANIFEST, Shelf


@pytest.fixture
def copy(shelf: Shelf, tmp_path: Path) -> Path:
    """The shelf again, to be damaged."""
    folder = tmp_path / "shelf"
    shutil.copytree(shelf.folder, folder)
    return folder


def test_the_committed_networks_are_the_ones_described(shelf: Shelf) -> None:
    for name in ("pnet", "rnet", "onet", "mobilefacenet"):
        assert len(shelf.load(name)) == shelf.card(name).size_bytes


@pytest.mark.parametrize("damage", ["flip", "truncate", "append", "empty", "remove"])
def test_an_altered_file_is_refused(copy: Path, damage: str) -> None:
    path = copy / Shelf.open(copy).card("onet").file
    content = path.read_bytes()
    middle = len(content) // 2
    altered = {
        "flip": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
        "truncate": content[:-1],
        "append": content + b"\0",
        "empty": b"",
        "remove": None,
    }[damage]
    if altered is None:
        path.unlink()
    else:
        path.write_bytes(altered)
    with pytest.raises(ModelError, match=r"onet.*Reinstall"):
        Net(Shelf.open(copy), "onet")


@pytest.mark.parametrize(
    "text", ["", "schema = 2\n[models]", "schema = 1", "rubbish", "schema = 1\n[models.pnet]\nfile = 3"]
)
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(ModelError, match="manifest"):
        Shelf.open(tmp_path)


def test_no_manifest_and_no_such_network(tmp_path: Path, shelf: Shelf) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        Shelf.open(tmp_path)
    with pytest.raises(ModelError, match="no facenet"):
        shelf.load("facenet")


def test_a_manifest_cannot_reach_out_of_its_folder(copy: Path) -> None:
    manifest = copy / MANIFEST
    name = Shelf.open(copy).card("onet").file
    manifest.write_text(manifest.read_text().replace(f'"{name}"', f'"../{name}"'))
    (copy.parent / name).write_bytes(b"elsewhere")
    assert len(Shelf.open(copy).load("onet")) > 1000  # read beside the manifest, whatever the path says


def test_a_network_in_anothers_place_is_refused(copy: Path) -> None:
    """Even with the right digest: outputs are held against the manifest."""
    manifest = copy / MANIFEST
    shelf = Shelf.open(copy)
    onet, rnet = shelf.card("onet"), shelf.card("rnet")
    text = manifest.read_text()
    for theirs, ours in (
        (onet.file, rnet.file),
        (onet.sha256, rnet.sha256),
        (str(onet.size_bytes), str(rnet.size_bytes)),
    ):
        text = text.replace(theirs, ours)
    manifest.write_text(text)
    with pytest.raises(ModelError, match="other inputs or outputs"):
        Net(Shelf.open(copy), "onet")


def test_no_runtime_is_said_so() -> None:
    with pytest.raises(ModelError, match="pip install"):
        load_runtime(["no_such_runtime"])
