"""Pictures of every kind that people hand over, and everything that is none."""

import os
import socket
import struct
import subprocess
import sys
import threading
import warnings
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edge.errors import ImageError
from edge.images import MAX_FILE_BYTES, decode_rgb, pictures_in, read_rgb, small_jpeg
from edge.store import schema
from edge.types import Rgb
from edge.wire import CROP_MAX_BYTES
from tests.unprivileged import unprivileged

RED, GREEN, BLUE, WHITE = (200, 20, 30), (20, 190, 40), (30, 40, 210), (250, 250, 250)


def quarters(width: int = 64, height: int = 48) -> Image.Image:
    """Red and green above, blue and white below, so that every turn and mirroring shows."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    image.paste(WHITE, (width // 2, height // 2, width, height))
    return image


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def assert_quarters(rgb: Rgb, tolerance: int = 12) -> None:
    assert rgb.dtype == np.uint8
    assert rgb.ndim == 3
    assert rgb.shape[2] == 3
    assert rgb.flags.c_contiguous
    assert rgb.flags.writeable
    height, width = rgb.shape[:2]
    for row, column, colour in ((1, 1, RED), (1, 3, GREEN), (3, 1, BLUE), (3, 3, WHITE)):
        found = rgb[height * row // 4, width * column // 4].astype(int)
        assert np.abs(found - colour).max() <= tolerance


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "PPM"])
def test_every_format_is_read_the_right_way_round(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "photo"
    path.write_bytes(encoded(quarters(), kind))
    rgb = read_rgb(path)
    assert rgb.shape == (48, 64, 3)
    assert_quarters(rgb, 40 if kind == "WEBP" else 12)
    assert np.array_equal(rgb, decode_rgb(path.read_bytes(), "photo"))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    # The stored picture is the upright one turned by the inverse of what the tag (CIPA DC-008) asks of the viewer.
    turn = Image.Transpose
    inverse = {
        2: turn.FLIP_LEFT_RIGHT,
        3: turn.ROTATE_180,
        4: turn.FLIP_TOP_BOTTOM,
        5: turn.TRANSPOSE,
        6: turn.ROTATE_90,
        7: turn.TRANSVERSE,
        8: turn.ROTATE_270,
    }
    stored = quarters().transpose(inverse[orientation]) if orientation > 1 else quarters()
    exif = Image.Exif()
    exif[0x0112] = orientation
    rgb = decode_rgb(encoded(stored, kind, exif=exif), "photo")
    assert rgb.shape == (48, 64, 3)
    assert_quarters(rgb, 40)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_a_senseless_orientation_means_upright(value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value
    assert_quarters(decode_rgb(encoded(quarters(), "JPEG", exif=exif), "photo"))


def test_damaged_exif_means_upright() -> None:
    jpeg = encoded(quarters(), "JPEG", exif=b"Exif\0\0MM\0\x2a\xff\xff\xff\xff" + b"\x99" * 40)
    assert_quarters(decode_rgb(jpeg, "photo"))


def test_grey_becomes_three_equal_channels() -> None:
    rgb = decode_rgb(encoded(quarters().convert("L"), "PNG"), "grey")
    assert np.array_equal(rgb[..., 0], rgb[..., 1])
    assert np.array_equal(rgb[..., 0], rgb[..., 2])
    assert np.array_equal(rgb[..., 0], np.asarray(quarters().convert("L")))


@pytest.mark.parametrize("kind", ["PNG", "PPM"])
def test_sixteen_bit_grey_is_scaled_and_not_clipped(kind: str) -> None:
    ramp = np.linspace(0, 65535, 64).astype(np.uint16)
    rgb = decode_rgb(encoded(Image.fromarray(np.tile(ramp, (16, 1))), kind), "16-bit")
    assert np.abs(rgb[0, :, 0].astype(int) - ramp // 257).max() <= 1
    assert rgb[0, 0, 0] == 0
    assert rgb[0, -1, 0] == 255


def test_sixteen_bit_colour_is_scaled() -> None:
    pixels = np.asarray(quarters()).astype(">u2") * 257
    header = b"P6 64 48 65535\n"
    assert_quarters(decode_rgb(header + pixels.tobytes(), "16-bit"))


def test_cmyk_and_palette_become_rgb() -> None:
    assert_quarters(decode_rgb(encoded(quarters().convert("CMYK"), "JPEG"), "cmyk"))
    assert_quarters(decode_rgb(encoded(quarters().convert("P", palette=Image.Palette.ADAPTIVE), "PNG"), "palette"))


def test_a_black_and_white_picture_is_read() -> None:
    rgb = decode_rgb(encoded(quarters().convert("L").point(lambda v: 255 * (v > 128)).convert("1"), "PNG"), "bilevel")
    assert set(np.unique(rgb)) == {0, 255}


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_what_is_hidden_under_transparency_is_not_seen(mode: str) -> None:
    image = quarters().convert("RGBA")
    image.putalpha(0)
    data = encoded(image.convert("P") if mode == "PA" else image.convert(mode), "PNG", **_transparent(mode))
    assert (decode_rgb(data, "clear") == 128).all()


def _transparent(mode: str) -> dict[str, object]:
    return {"transparency": bytes(256)} if mode == "PA" else {}


def test_an_opaque_alpha_channel_changes_nothing() -> None:
    assert_quarters(decode_rgb(encoded(quarters().convert("RGBA"), "PNG"), "opaque"))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_the_first_frame_of_an_animation_is_taken(kind: str) -> None:
    others = [Image.new("RGB", (64, 48), BLUE), Image.new("RGB", (64, 48), GREEN)]
    data = encoded(quarters(), kind, save_all=True, append_images=others, duration=100)
    assert_quarters(decode_rgb(data, "animation"), 40)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "PPM"])
def test_a_truncated_picture_is_refused_wherever_it_ends(kind: str) -> None:
    noise = Image.fromarray(np.random.default_rng(3).integers(0, 256, (48, 64, 3), dtype=np.uint8))
    data = encoded(noise, kind)
    for share in (0.02, 0.1, 0.5, 0.9, 0.97):
        with pytest.raises(ImageError):
            decode_rgb(data[: int(len(data) * share)], "cut")


def bomb_png(width: int, height: int) -> bytes:
    """A PNG whose header claims a size; there is next to nothing behind it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    )


# Pillow says nothing below 89 megapixels, warns above, and raises above 179.
@pytest.mark.parametrize("size", [(8001, 8000), (10_000, 10_000), (60_000, 60_000)])
@pytest.mark.parametrize("action", ["error", "default"])
def test_too_many_pixels_are_refused_from_the_header(size: tuple[int, int], action: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter(action)  # type: ignore[arg-type]
        with pytest.raises(ImageError, match=r"pixels, over 64 million\. Export it smaller\."):
            decode_rgb(bomb_png(*size), "bomb")


def test_the_limit_of_pixels_is_the_callers_and_inclusive() -> None:
    png = encoded(quarters(40, 30), "PNG")
    assert decode_rgb(png, "photo", max_pixels=1200).shape == (30, 40, 3)
    with pytest.raises(ImageError, match="40x30 pixels"):
        decode_rgb(png, "photo", max_pixels=1199)


def test_a_picture_too_small_for_any_face_is_refused() -> None:
    assert decode_rgb(encoded(quarters(12, 12), "PNG"), "small").shape == (12, 12, 3)
    for width, height in ((11, 12), (12, 11), (1, 1)):
        with pytest.raises(ImageError, match=f"{width}x{height} pixels, under 12"):
            decode_rgb(encoded(quarters(width, height), "PNG"), "small")


@pytest.mark.parametrize(
    "data",
    [b"hello", b"\xff\xd8\xff", b"%PDF-1.7\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>", bytes(5000)],
)
def test_what_is_no_picture_is_refused_with_advice(data: bytes) -> None:
    with pytest.raises(ImageError, match=r"^'x.jpg' is .*\. \w.* as JPEG\.$|damaged or truncated"):
        decode_rgb(data, "x.jpg")


@pytest.mark.parametrize("kind", ["TIFF", "ICO", "PCX", "TGA", "SGI"])
def test_formats_that_no_camera_writes_reach_no_decoder(kind: str) -> None:
    with pytest.raises(ImageError, match="is not a JPEG, PNG"):
        decode_rgb(encoded(quarters(64, 64), kind), "scan")


def test_floating_point_pixels_are_refused() -> None:
    with pytest.raises(ImageError, match="floating-point"):
        decode_rgb(encoded(Image.new("F", (20, 20), 0.5), "PPM"), "render.pfm")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    with pytest.raises(ImageError, match=r"is empty \(0 bytes\)"):
        read_rgb(tmp_path / "a.jpg")
    with pytest.raises(ImageError, match=r"is empty \(0 bytes\)"):
        decode_rgb(b"", "a.jpg")


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.jpg"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)  # sparse
    with pytest.raises(ImageError, match="over 200 MB"):
        read_rgb(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="There is no file"):
        read_rgb(tmp_path / "none.jpg")
    with pytest.raises(ImageError, match="is a folder"):
        read_rgb(tmp_path)
    with pytest.raises(ImageError, match="cannot be read"):
        read_rgb("a\0b")
    with pytest.raises(ImageError, match="cannot be read"):
        read_rgb(tmp_path / ("n" * 300))


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(encoded(quarters(), "PNG"))
    path.chmod(0)
    with unprivileged(), pytest.raises(ImageError, match="cannot be read"):
        read_rgb(path)


class Changing:
    """A path whose file gets longer or shorter whenever somebody asks where it is: also after it was opened."""

    def __init__(self, path: Path, by: int) -> None:
        self._path, self._by = path, by

    def __fspath__(self) -> str:
        os.truncate(self._path, self._path.stat().st_size + self._by)
        return str(self._path)


@pytest.mark.parametrize("by", [1000, -100])
@pytest.mark.parametrize("kind", ["JPEG", "BMP"])
def test_a_file_that_changes_while_it_is_read_is_no_picture(tmp_path: Path, kind: str, by: int) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(encoded(quarters(), kind) + bytes(5000))  # what is cut off is no part of the picture
    with pytest.raises(ImageError, match="changed while it was read"):
        read_rgb(Changing(path, by))


def test_a_file_that_is_deleted_or_replaced_while_it_is_read_is_the_one_that_was_opened(tmp_path: Path) -> None:
    class Replaced(Changing):
        def __fspath__(self) -> str:
            asked.append(1)
            if len(asked) > 2:
                other = tmp_path / "other"
                other.write_bytes(b"rubbish")
                other.replace(path)
            return str(path)

    asked: list[int] = []
    path = tmp_path / "photo.png"
    path.write_bytes(encoded(quarters(), "PNG"))
    assert_quarters(read_rgb(Replaced(path, 0)))
    assert path.read_bytes() == b"rubbish"


def _refused_in_time(path: Path) -> str:
    """The refusal's message; a read that blocks would not come back within the time."""
    messages: list[str] = []

    def read() -> None:
        try:
            read_rgb(path)
        except ImageError as error:
            messages.append(str(error))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(10)
    assert messages, "it blocked"
    return messages[0]


def test_pipes_and_devices_do_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    assert "is a pipe, socket or device" in _refused_in_time(tmp_path / "pipe.jpg")
    assert "is a pipe, socket or device" in _refused_in_time(Path("/dev/zero"))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.fspath(tmp_path / "socket.jpg"))
        assert "cannot be read" in _refused_in_time(tmp_path / "socket.jpg")


def test_macos_metadata_gets_its_own_hint(tmp_path: Path) -> None:
    path = tmp_path / "._photo.jpg"
    path.write_bytes(b"\x00\x05\x16\x07" + bytes(100))
    with pytest.raises(ImageError, match=r"without '\._'"):
        read_rgb(path)


def test_a_hostile_file_name_is_shown_safely(tmp_path: Path) -> None:
    path = tmp_path / "\x1b[2J\nroot.jpg"
    path.write_bytes(b"nothing")
    with pytest.raises(ImageError) as caught:
        read_rgb(path)
    assert str(caught.value).isprintable()
    with pytest.raises(ImageError) as caught:
        decode_rgb(b"nothing", "\x1b[2J")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "PPM"])
@given(seed=st.integers(min_value=0, max_value=2**32))
@settings(max_examples=60, deadline=None)
def test_flipped_bytes_give_a_picture_or_an_image_error(kind: str, seed: int) -> None:
    data = np.frombuffer(encoded(quarters(), kind), dtype=np.uint8).copy()
    source = np.random.default_rng(seed)
    data[source.integers(0, len(data), 8)] = source.integers(0, 256, 8)
    try:
        rgb = decode_rgb(data.tobytes(), "spoilt")
    except ImageError as error:
        assert str(error).isprintable()  # noqa: PT017  # either outcome is right
    else:
        assert rgb.dtype == np.uint8
        assert rgb.shape[2] == 3


def test_pictures_in_a_folder_come_in_natural_order(tmp_path: Path) -> None:
    for name in ("IMG_10.jpg", "IMG_2.JPG", "img_1.png", "a.webp", "._a.webp", ".hidden.jpg", "notes.txt", "b.tiff"):
        (tmp_path / name).touch()
    (tmp_path / "folder.jpg").mkdir()
    assert [p.name for p in pictures_in(tmp_path)] == ["a.webp", "img_1.png", "IMG_2.JPG", "IMG_10.jpg"]


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "none", tmp_path / "file"):
        with pytest.raises(ImageError, match="cannot be read"):
            pictures_in(folder)


def test_importing_does_not_load_pillow() -> None:
    code = "import sys, edge.images; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    good.write_bytes(encoded(quarters(), "PNG"))
    bad.write_bytes(b"nothing")
    read_rgb(good)

    def attempt(read: Callable[[], object]) -> None:
        with pytest.raises(ImageError):
            read()

    before = len(os.listdir("/proc/self/fd"))
    read_rgb(good)
    attempt(lambda: read_rgb(bad))
    attempt(lambda: read_rgb(tmp_path))
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("kind", ["noise", "stripes", "flat"])
def test_a_face_that_is_kept_fits_whatever_it_shows(kind: str) -> None:
    generator = np.random.default_rng(1)
    stripes = np.indices((112, 112, 3)).sum(axis=0) % 2 * 255
    noise = generator.integers(0, 256, (112, 112, 3))
    rgb = {"noise": noise, "stripes": stripes, "flat": np.full((112, 112, 3), 90)}[kind].astype(np.uint8)
    jpeg = small_jpeg(rgb, CROP_MAX_BYTES)
    assert len(jpeg) <= CROP_MAX_BYTES
    assert decode_rgb(jpeg, "a face").shape == (112, 112, 3)
    assert CROP_MAX_BYTES == schema.CROP_MAX_BYTES
