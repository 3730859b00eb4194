"""Photographs from files and bytes, by anybody and of anything, to ``Rgb`` or one ImageError.

Pillow decodes; what it is allowed to see is bounded first. TIFF is left out on purpose: no phone or camera writes it,
and libtiff is the largest attack surface of Pillow's decoders.
"""

import io
import os
import re
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from edge.core.names import shown
from edge.errors import ImageError
from edge.types import Rgb

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "PPM")
"""Pillow's names of the formats that are decoded. Named, because Pillow otherwise tries some forty decoders."""

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".ppm", ".pgm"})
"""File name endings, in lower case, that ``pictures_in`` takes for pictures."""

MAX_PIXELS = 64_000_000
"""Largest picture: 192 MB as RGB, which a board with 1 GB can hold; phones' 48 and 50 megapixels pass."""

MAX_FILE_BYTES = 200_000_000
"""Largest file: an uncompressed picture of MAX_PIXELS, and a little."""

MIN_SIDE_PX = 12
"""Shortest side: the receptive field of MTCNN's P-Net; nothing smaller can hold a face."""

NEUTRAL_GREY = 128
"""What shows through transparent pixels, so that colours hidden under them are not enrolled."""

# O_NONBLOCK: a FIFO without a writer would stop open() itself. A laptop's system may lack these, or want O_BINARY.
_READING = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
_EXIF_ORIENTATION = 0x0112  # EXIF 2.32 (CIPA DC-008), table 4
_SHOWN_PATH_CHARS = 120
_KINDS = "a JPEG, PNG, WebP, BMP, GIF or PPM picture"


def read_rgb(path: str | os.PathLike[str], max_pixels: int = MAX_PIXELS) -> Rgb:
    """Read a picture file: (H, W, 3) uint8, C-contiguous, writable, at least 12 px a side, upright by its EXIF tag.

    Grey, 16-bit (scaled), CMYK and palette pictures become RGB; transparency is composited on neutral grey; of an
    animation the first frame is taken. Never blocks on a FIFO or device. Raises ImageError, also when the file changes
    meanwhile.
    """
    where = shown(os.fspath(path), _SHOWN_PATH_CHARS)
    with _opened(path, where) as file:
        return _decode(file, where, max_pixels)


def decode_rgb(data: bytes, what: str, max_pixels: int = MAX_PIXELS, longest_px: int | None = None) -> Rgb:
    """As ``read_rgb``, from the bytes of a file; ``what`` names them in messages. A picture with a side longer than
    ``longest_px`` is scaled down to it; a JPEG is then never in memory whole. Raises ImageError."""
    where = shown(what, _SHOWN_PATH_CHARS)
    _check_size(len(data), where)
    return _decode(BytesIO(data), where, max_pixels, longest_px)


def encode_jpeg(rgb: Rgb, width_px: int) -> bytes:
    """An (H, W, 3) uint8 picture as JPEG, scaled down to ``width_px`` where it is wider."""
    from PIL import Image

    picture = Image.fromarray(rgb)
    picture.thumbnail((width_px, width_px * 4))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=70)
    return buffer.getvalue()


def small_jpeg(rgb: Rgb, max_bytes: int) -> bytes:
    """An (H, W, 3) uint8 picture as JPEG of at most ``max_bytes``, as good as fits."""
    from PIL import Image

    picture = Image.fromarray(rgb)
    for quality in range(95, 0, -5):
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=quality, subsampling=0)
        if buffer.tell() <= max_bytes:
            break
    return buffer.getvalue()


def pictures_in(folder: str | os.PathLike[str]) -> list[Path]:
    """The picture files directly in ``folder``, by name with numbers in numerical order; hidden ones are skipped.

    Chosen by suffix: a file that only claims to be a picture fails later, in ``read_rgb``. Raises ImageError.
    """
    where = shown(os.fspath(folder), _SHOWN_PATH_CHARS)
    try:
        entries = list(Path(folder).iterdir())
        # A hidden name covers macOS's "._x.jpg" as well. A folder can be listed, and its files yet be out of reach.
        found = [e for e in entries if not e.name.startswith(".") and e.suffix.lower() in SUFFIXES and e.is_file()]
    except (OSError, ValueError) as error:
        raise ImageError(
            f"The folder {where} cannot be read ({_reason(error)}). Check the path and its permissions."
        ) from error
    return sorted(found, key=lambda entry: (_natural(entry.name), entry.name))


def _natural(name: str) -> list[str | int]:
    """Text and numbers in turn, so that like is always compared with like."""
    parts = re.split("([0-9]+)", name.casefold())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]


@contextmanager
def _opened(path: str | os.PathLike[str], where: str) -> Iterator[BinaryIO]:
    """A regular file of a bearable size, opened for reading."""
    try:
        descriptor = os.open(path, _READING)
    except FileNotFoundError as error:
        raise ImageError(f"There is no file {where}. Check the path.") from error
    except (OSError, ValueError) as error:
        message = f"{where} cannot be read ({_reason(error)}). Check the path and the file's permissions."
        raise ImageError(message) from error
    try:
        facts = os.fstat(descriptor)
        if stat.S_ISDIR(facts.st_mode):
            raise ImageError(f"{where} is a folder, not a picture. Give the picture files in it.")
        if not stat.S_ISREG(facts.st_mode):
            raise ImageError(f"{where} is a pipe, socket or device, not a file. Give a picture file.")
        _check_size(facts.st_size, where)
        if Path(path).name.startswith("._"):
            raise ImageError(f"{where} holds what macOS notes about a picture. Give the file without '._'.")
        with open(descriptor, "rb", closefd=False) as file:
            yield file
        # Half of one picture and half of the next can be a face that nobody has. Seen as far as the file system tells:
        # two writes within a few milliseconds have one time.
        if _state(os.fstat(descriptor)) != _state(facts):
            raise ImageError(f"{where} changed while it was read. Wait until it is copied, and try again.")
    finally:
        os.close(descriptor)


def _state(facts: os.stat_result) -> tuple[int, int]:
    return facts.st_size, facts.st_mtime_ns


def _check_size(size: int, where: str) -> None:
    if not size:
        raise ImageError(f"{where} is empty (0 bytes). Copy or export the picture again.")
    if size > MAX_FILE_BYTES:
        limit = MAX_FILE_BYTES // 1_000_000
        raise ImageError(f"{where} has {size // 1_000_000} MB, over {limit} MB. Export it smaller, as JPEG.")


def _decode(file: BinaryIO, where: str, max_pixels: int, longest_px: int | None = None) -> Rgb:
    from PIL import Image, UnidentifiedImageError

    with warnings.catch_warnings():
        # Pillow warns of sloppy metadata and of large pictures; the latter are refused below, before decoding.
        warnings.simplefilter("ignore")
        try:
            with Image.open(file, formats=FORMATS) as picture:
                _check_dimensions(picture.size, where, max_pixels)
                if longest_px is not None:
                    picture.draft(None, (longest_px, longest_px))  # a JPEG's own 1/2, 1/4 or 1/8, not below that
                picture.load()
                rgb = _to_rgb(picture, where)
                if longest_px is not None:
                    rgb.thumbnail((longest_px, longest_px), Image.Resampling.LANCZOS)
                    _check_dimensions(rgb.size, where, max_pixels)  # a thread of a picture has become none
                return _to_array(_upright(rgb, picture))
        except ImageError:
            raise
        except UnidentifiedImageError as error:
            raise ImageError(f"{where} is not {_KINDS}. Convert or export it as JPEG.") from error
        except Image.DecompressionBombError as error:
            raise ImageError(_TOO_LARGE.format(where, "far too many", max_pixels / 1e6)) from error
        except Exception as error:  # hostile files make Pillow raise nearly anything: one answer to all
            message = f"{where} is damaged or truncated ({_reason(error)}). Copy or export the picture again."
            raise ImageError(message) from error


_TOO_LARGE = "{} has {} pixels, over {:.0f} million. Export it smaller."


def _check_dimensions(size: tuple[int, int], where: str, max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise ImageError(_TOO_LARGE.format(where, f"{width}x{height}", max_pixels / 1e6))
    if min(width, height) < MIN_SIDE_PX:
        message = f"{where} has {width}x{height} pixels, under {MIN_SIDE_PX} a side. Give the original picture."
        raise ImageError(message)


def _to_rgb(picture: "Image.Image", where: str) -> "Image.Image":
    """Any mode to RGB; 16-bit grey is scaled (Pillow itself clips it to white)."""
    from PIL import Image

    if picture.mode.startswith("I"):  # I;16 of PNG, and I of PGM, both 0..65535
        scaled = np.clip(np.asarray(picture), 0, 65535) // 257
        return Image.fromarray(scaled.astype(np.uint8)).convert("RGB")
    if picture.mode == "F":
        raise ImageError(f"{where} holds floating-point values, not a photograph. Export it as JPEG.")
    if picture.has_transparency_data:
        seen = picture.convert("RGBA")
        ground = Image.new("RGBA", seen.size, (NEUTRAL_GREY, NEUTRAL_GREY, NEUTRAL_GREY, 255))
        return Image.alpha_composite(ground, seen).convert("RGB")
    return picture.convert("RGB")


def _upright(rgb: "Image.Image", picture: "Image.Image") -> "Image.Image":
    """Turn ``rgb`` as the EXIF tag of ``picture`` asks; damaged EXIF means upright, as viewers have it."""
    from PIL import Image

    turn = Image.Transpose
    turns = {
        2: turn.FLIP_LEFT_RIGHT,
        3: turn.ROTATE_180,
        4: turn.FLIP_TOP_BOTTOM,
        5: turn.TRANSPOSE,
        6: turn.ROTATE_270,
        7: turn.TRANSVERSE,
        8: turn.ROTATE_90,
    }
    orientation: object = 1
    with suppress(Exception):  # Pillow's EXIF parser raises nearly anything on hostile bytes
        orientation = picture.getexif().get(_EXIF_ORIENTATION)
    wanted = turns.get(orientation) if isinstance(orientation, int) else None
    return rgb if wanted is None else rgb.transpose(wanted)


def _to_array(rgb: "Image.Image") -> Rgb:
    return np.array(rgb, dtype=np.uint8, order="C", copy=True)


def _reason(error: Exception) -> str:
    """What the system or Pillow says, without quoting file names or bytes of the file raw."""
    text = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    return shown(text or type(error).__name__, 80)[1:-1]
