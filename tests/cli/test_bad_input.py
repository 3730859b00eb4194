"""The issue's list of bad input: one clear message, a documented exit code, nothing half-written."""

import io
import os
import shutil
import struct
import zlib
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

import edge
from edge.errors import PersonNameError
from edge.images import read_rgb
from edge.models.manifest import Shelf
from edge.settings import Config
from tests.cli.facelatch import ok, ok_json, refused, run

Photos = dict[str, Path]
EDGE = Path(str(edge.__file__)).parent


def saved(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)  # type: ignore[arg-type]
    return path


def huge_png(path: Path) -> Path:
    """A PNG of a few kilobytes that says it has 100 megapixels."""
    header = struct.pack(">IIBBBBB", 10_000, 10_000, 8, 0, 0, 0, 0)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = zlib.compress(b"\0" * 100_000)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))
    return path


@pytest.fixture
def portrait(photos: Photos) -> Image.Image:
    return Image.open(photos["obama.jpg"]).convert("RGB")


@pytest.mark.parametrize("kind", ["text", "empty", "truncated", "huge", "folder", "fifo", "absent", "bomb"])
def test_what_is_no_picture_enrols_nobody(house: Config, portrait: Image.Image, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "picture.jpg"
    if kind == "text":
        path.write_text("this is no picture")
    elif kind == "empty":
        path.touch()
    elif kind == "truncated":
        saved(portrait, path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    elif kind == "huge":
        huge_png(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "bomb":
        buffer = io.BytesIO()
        Image.new("L", (20_000, 20_000)).save(buffer, "PNG")
        path.write_bytes(buffer.getvalue())
    said = refused(house, 5, "enroll", "Barack", path)
    assert "picture.jpg" in said
    assert not house.store_path.exists()
    assert "picture.jpg" in refused(house, 4, "look", path)


@pytest.mark.parametrize("kind", ["grey", "16-bit", "cmyk", "animated", "exif", "palette", "alpha"])
def test_unusual_pictures_of_a_person_are_still_that_person(
    house: Config, portrait: Image.Image, photos: Photos, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "picture.png"
    if kind == "grey":
        saved(portrait.convert("L"), path)
    elif kind == "16-bit":
        grey = np.asarray(portrait.convert("L"), dtype=np.uint16) * 257
        saved(Image.fromarray(grey), path)
    elif kind == "cmyk":
        path = saved(portrait.convert("CMYK"), tmp_path / "picture.jpg")
    elif kind == "animated":
        still = portrait.resize((portrait.width // 2, portrait.height // 2))
        path = saved(still, tmp_path / "picture.gif", save_all=True, append_images=[still.rotate(180)])
    elif kind == "exif":
        turned = portrait.transpose(Image.Transpose.ROTATE_90)
        exif = Image.Exif()
        exif[0x0112] = 6  # "rotate by 90 degrees clockwise to show"
        path = saved(turned, tmp_path / "picture.jpg", exif=exif, quality=95)
        assert read_rgb(path).shape == np.asarray(portrait).shape
    elif kind == "palette":
        saved(portrait.quantize(256), path)
    else:
        portrait.putalpha(255)
        saved(portrait, path)
    ok(house, "enroll", "Barack", path)
    seen = ok_json(house, "look", photos["obama2.jpg"])["pictures"][0]["faces"][0]
    assert seen["named"], (kind, seen["similarity"])


def test_no_face_several_faces_and_a_face_too_small_are_told_apart(
    house: Config, photos: Photos, tmp_path: Path
) -> None:
    assert "no face found" in refused(house, 5, "enroll", "X", photos["coffee.png"])
    woman = Image.open(photos["astronaut.png"]).convert("RGB").crop((100, 0, 340, 260))
    two = Image.new("RGB", (480, 260))
    two.paste(woman, (0, 0))
    two.paste(woman, (240, 0))
    assert "2 faces" in refused(house, 5, "enroll", "X", saved(two, tmp_path / "two.png"))
    small = Image.new("RGB", (400, 400), (120, 120, 120))
    small.paste(woman.resize((120, 130)), (100, 100))
    assert "too small" in refused(house, 5, "enroll", "X", saved(small, tmp_path / "small.png"))
    assert not house.store_path.exists()


@pytest.mark.parametrize(
    "name", ["", " ", "x" * 300, "../../x", "a\nb", "\x1b[31mred", "[bold]x[/bold]", "\u202eevil", "a/b", "--", "\x07"]
)
def test_a_hostile_name_is_refused_and_shown_harmlessly(house: Config, photos: Photos, name: str) -> None:
    said = refused(house, PersonNameError.exit_code, "enroll", "--", name, photos["obama.jpg"])
    assert "name" in said
    assert not house.store_path.exists()


def test_a_hostile_file_name_is_shown_harmlessly(house: Config, tmp_path: Path) -> None:
    path = tmp_path / "\x1b]0;owned\x07[red].jpg"
    path.write_text("x")
    refused(house, 5, "enroll", "X", path)
    refused(house, 4, "look", path)


def test_an_unwritable_or_foreign_store_is_refused_and_left_alone(house: Config, photos: Photos) -> None:
    house.store_path.parent.mkdir()
    house.store_path.write_bytes(b"rubbish" * 1000)
    for verb in (("people",), ("forget", "X"), ("enroll", "X", photos["obama.jpg"]), ("run", "--simulate")):
        assert "facelatch.db" in refused(house, 6, *verb)
    assert house.store_path.read_bytes() == b"rubbish" * 1000


def test_a_state_folder_that_cannot_be_made_is_told(house: Config, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run(house, "forget", "X", FACELATCH_PATHS__STATE=str(tmp_path / "file" / "state"))
    assert done.returncode == 6
    assert "facelatch.db" in done.stderr


@pytest.mark.parametrize("damage", ["missing", "truncated", "altered"])
def test_a_damaged_network_is_refused_before_anything_is_seen(
    house: Config, photos: Photos, tmp_path: Path, damage: str
) -> None:
    """An installation of its own, whose P-Net was damaged."""
    site = tmp_path / "site"
    shutil.copytree(EDGE, site / "edge", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(Shelf.open().folder, site / "edge" / "_models")
    network = site / "edge" / "_models" / Shelf.open().card("pnet").file
    content = network.read_bytes()
    network.unlink()
    if damage != "missing":
        network.write_bytes(content[:-1] if damage == "truncated" else content[:-1] + bytes([content[-1] ^ 1]))
    for verb in (
        ("look", str(photos["obama.jpg"])),
        ("run", "--simulate", "--replay", str(photos["obama.jpg"].parent)),
    ):
        done = run(house, *verb, PYTHONPATH=str(site), PYTHONSAFEPATH="1")
        assert done.returncode == 7, done.stderr
        assert done.stderr.count("Reinstall") == 1
        assert network.name in done.stderr
    assert "eyes_present" not in done.stdout
    assert network.name in done.stdout  # the guardian was told


def test_a_configuration_with_faults_stops_every_command(house: Config, photos: Photos) -> None:
    for verb in (("people",), ("enroll", "X", str(photos["obama.jpg"])), ("run", "--simulate"), ("door",), ("eyes",)):
        done = run(house, *verb, FACELATCH_DOOR__UNLOK_S="1")
        assert done.returncode == 3
        assert "did you mean unlock_s?" in done.stderr


def test_eyes_without_a_guardian_and_guardians_without_a_pin_say_so(house: Config) -> None:
    assert "facelatch run" in refused(house, 10, "eyes")
    real = msgspec.structs.replace(house, bolt=msgspec.structs.replace(house.bolt, driver="gpio"))
    assert "--simulate" in refused(real, 9, "door")
