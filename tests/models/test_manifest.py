"""A network that is not the one described is never run."""

import os
from pathlib import Path

import pytest

from edge.errors import ModelError
from edge.models.interpreter import Net, load_runtime
from edge.models.manifest import LINE_MAX_BYTES, MANIFEST, MANIFEST_MAX_BYTES, Shelf, template_space, variants
from tests.models.shelves import Models, changed, copied, processor_only, static


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The shelf again, to be damaged."""
    return copied(tmp_path / "shelf")


def test_the_committed_networks_are_the_ones_described(shelf: Shelf) -> None:
    for name in ("pnet", "rnet", "onet", "mobilefacenet"):
        assert len(shelf.load(name)) == shelf.card(name).size_bytes


@pytest.mark.parametrize("damage", ["flip", "truncate", "append", "empty", "remove", "pipe", "folder"])
def test_an_altered_file_is_refused(copy: Path, damage: str) -> None:
    path = copy / Shelf.open(copy).card("onet").file
    content = path.read_bytes()
    middle = len(content) // 2
    path.unlink()
    if damage == "pipe":
        os.mkfifo(path)
    elif damage == "folder":
        path.mkdir()
    elif damage != "remove":
        altered = {
            "flip": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
            "truncate": content[:-1],
            "append": content + b"\0",
            "empty": b"",
        }
        path.write_bytes(altered[damage])
    with pytest.raises(ModelError, match=r"onet.*Correct models\.folder"):
        Net(Shelf.open(copy), "onet")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "schema = 2",
        "schema = 3\n[models]",
        "schema = 1\n[models.onet]\nfile = 'onet.tflite'",
        "schema = '2'\n[models]",
        "rubbish",
        "schema = 2\n[models.pnet]\nfile = 3",
        "schema = 2\nx = " + "[" * 5000,
        "#\n" * (MANIFEST_MAX_BYTES // 2 + 1),
        "schema = 2\nx" + ".a" * (LINE_MAX_BYTES // 2) + " = 1\n[models]",
        "schema" + ".a" * 2000 + " = 1",
        "schema = 0x" + "f" * 4500,
    ],
)
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(ModelError, match=r"manifest .* is damaged"):
        Shelf.open(tmp_path)


def test_a_manifest_that_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / MANIFEST)
    with pytest.raises(ModelError, match="cannot be read"):
        Shelf.open(tmp_path)
    (tmp_path / MANIFEST).unlink()
    (tmp_path / MANIFEST).write_bytes(b"\xff\xfe")
    with pytest.raises(ModelError, match="damaged"):
        Shelf.open(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("file", "../onet.tflite"),
        ("file", "a\0b"),
        ("file", ""),
        ("size_bytes", 0),
        ("size_bytes", 10**12),
        ("ops", "CONV_2D"),
        ("input", {"shape": [], "dtype": "int8", "scale": 0.1}),
        ("input", {"shape": [1, 48, 48, 10**9], "dtype": "int8", "scale": 0.1}),
        ("input", {"shape": [1, 48, 48, 3], "dtype": "int8"}),
        ("input", {"shape": [1, 48, 48, 3], "dtype": "int8", "scale": float("nan")}),
        ("input", {"shape": [1, 48, 48, 3], "dtype": "float32", "scale": 0.1}),
        ("input", {"shape": [1, 48, 48, 3], "dtype": "complex64", "scale": 0.1}),
    ],
)
def test_a_card_that_cannot_be_is_refused(copy: Path, key: str, value: object) -> None:
    def change(models: Models) -> None:
        models["onet"]["variants"]["cpu"][key] = value

    changed(copy, change)
    with pytest.raises(ModelError, match=r"manifest .* is damaged"):
        Shelf.open(copy)


def test_no_manifest_and_no_such_network(tmp_path: Path, shelf: Shelf) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        Shelf.open(tmp_path)
    with pytest.raises(ModelError, match="no facenet"):
        shelf.load("facenet")


def test_a_variant_is_a_shelf_of_its_own(copy: Path) -> None:
    def change(models: Models) -> None:
        static(models)
        models["onet"]["variants"]["fp32"] = models["onet"]["variants"]["cpu"]

    changed(copy, processor_only)
    assert variants(copy) == ["cpu"]
    with pytest.raises(ModelError, match=r"no variant edgetpu.*tools\.models edgetpu"):
        Shelf.open(copy, "edgetpu")
    changed(copy, change)
    assert variants(copy) == ["cpu", "edgetpu"]
    assert Shelf.open(copy, "edgetpu").template_space() == Shelf.open(copy).template_space()
    with pytest.raises(ModelError, match="no pnet of variant fp32"):
        Shelf.open(copy, "fp32").card("pnet")
    with pytest.raises(ModelError, match="no variant gpu"):
        Shelf.open(copy, "gpu")


def test_the_space_of_the_templates_is_the_chosen_networks(copy: Path, tmp_path: Path, shelf: Shelf) -> None:
    def change(models: Models) -> None:
        models["mobilefacenet"]["template_model"] = "my-own-1"

    changed(copy, change)
    assert template_space("cpu", "none", None) == shelf.template_space()
    assert template_space("cpu", "none", copy) == ("my-own-1", 192)
    assert template_space("edgetpu", "cpu", tmp_path) == shelf.template_space()
    for device, fallback in (("cpu", "cpu"), ("edgetpu", "none")):
        with pytest.raises(ModelError):
            template_space(device, fallback, tmp_path)


@pytest.mark.parametrize("name", ["", "a" * 65, "a b", "\x1b[2J"])
def test_templates_need_a_space_with_a_plain_name(copy: Path, name: str) -> None:
    def change(models: Models) -> None:
        models["mobilefacenet"]["template_model"] = name

    with pytest.raises(ModelError):
        Shelf.open(changed(copy, change)).template_space()


def test_no_runtime_is_said_so() -> None:
    with pytest.raises(ModelError, match="pip install"):
        load_runtime(["no_such_runtime"])
