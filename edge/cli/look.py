"""``facelatch look``: what the lock would see in a picture, step by step. It opens nothing."""

import time
from pathlib import Path

import click
import msgspec

from edge import app
from edge import config as configuration
from edge.core.names import harmless, shown
from edge.core.quality import flaw, measure
from edge.errors import FaceError, FacelatchError, InputError
from edge.output import console, errors, json_option, print_json, table
from edge.ports import Detector, Embedder
from edge.settings import Config
from edge.types import Face, Rgb


class FaceLine(msgspec.Struct):
    """One face of one picture, as ``--json`` gives it."""

    box: tuple[float, float, float, float]
    landmarks: list[list[float]]
    probability: float
    face_px: float
    yaw_deg: float
    brightness: float
    flaw: str | None
    person: str | None
    similarity: float | None
    margin: float | None
    named: bool


class PictureLine(msgspec.Struct):
    """One picture."""

    picture: str
    width: int = 0
    height: int = 0
    error: str | None = None
    faces: list[FaceLine] = []
    timings_ms: dict[str, float] = {}


@click.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--annotate",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the (single) picture with boxes, landmarks and names to this PNG.",
)
@json_option
@click.pass_obj
def look(config_path: Path | None, images: tuple[Path, ...], annotate: Path | None, as_json: bool) -> None:
    """Show what the lock sees in each IMAGE: faces, quality, whom they resemble, milliseconds. Never unlocks.

    A picture that cannot be read is reported, the others are looked at, and the exit code is 4.
    """
    if annotate is not None and len(images) != 1:
        raise click.UsageError("--annotate takes one picture at a time.")
    config = configuration.load(config_path)
    similarity_min = app.status(config).similarity_min
    detector, embedder = app.detector(config, photographs=True), app.embedder(config)
    lines: list[PictureLine] = []
    for path in images:
        line = _picture(config, detector, embedder, path, annotate)
        lines.append(line)
        if not as_json:
            _print(line, config, similarity_min)
    if as_json:
        print_json({"similarity_min": similarity_min, "liveness": config.liveness.mode, "pictures": lines})
    failed = [line for line in lines if line.error]
    if failed:
        raise InputError(f"{len(failed)} of {len(lines)} pictures could not be looked at. The reasons are above.")


def _picture(config: Config, detector: Detector, embedder: Embedder, path: Path, annotate: Path | None) -> PictureLine:
    from edge.images import read_rgb

    line = PictureLine(shown(str(path), 120)[1:-1])
    start = time.perf_counter()
    try:
        rgb = read_rgb(path)
    except FacelatchError as error:
        line.error = str(error)
        return line
    line.timings_ms["read"] = (time.perf_counter() - start) * 1000
    line.height, line.width = rgb.shape[:2]
    faces = detector.detect(rgb)
    line.timings_ms |= detector.timings_ms
    try:
        line.faces = [_face(config, embedder, rgb, face, line.timings_ms) for face in faces]
    except FaceError as error:
        line.error = f"{line.picture}: {error}"
        return line
    if annotate is not None:
        from edge.annotate import annotated, save_png

        names = [f"{face.person} {face.similarity:.2f}" if face.named else None for face in line.faces]
        save_png(annotated(rgb, faces, names), annotate)
    return line


def _face(config: Config, embedder: Embedder, rgb: Rgb, face: Face, timings_ms: dict[str, float]) -> FaceLine:
    start = time.perf_counter()
    aligned = embedder.align(rgb, face.landmarks)
    middle = time.perf_counter()
    embedding = embedder.embed(aligned)
    timings_ms["align"] = timings_ms.get("align", 0) + (middle - start) * 1000
    timings_ms["embed"] = timings_ms.get("embed", 0) + (time.perf_counter() - middle) * 1000
    quality = measure(face, aligned)
    found = app.identify(config, embedder.model_id, embedding)
    return FaceLine(
        box=(face.box.x0, face.box.y0, face.box.x1, face.box.y1),
        landmarks=face.landmarks.astype(float).tolist(),
        probability=face.probability,
        face_px=quality.face_px,
        yaw_deg=quality.yaw_deg,
        brightness=quality.brightness,
        flaw=flaw(quality, config.faces.min_px),
        person=found.person,
        similarity=found.similarity,
        margin=found.margin,
        named=found.accepted,
    )


def _print(line: PictureLine, config: Config, similarity_min: float) -> None:
    if line.error:
        errors.print(f"facelatch: {harmless(line.error)}", markup=False, soft_wrap=True)
        return
    columns = ("face", "at", "p", "px", "yaw °", "light", "nearest", "similarity", "lead", "verdict")
    rows = [
        (
            number,
            " ".join(f"{edge:.0f}" for edge in face.box),
            face.probability,
            face.face_px,
            face.yaw_deg,
            face.brightness,
            face.person,
            face.similarity,
            face.margin,
            face.flaw or (face.person if face.named else "nobody known"),
        )
        for number, face in enumerate(line.faces, start=1)
    ]
    count = len(rows)
    table(f"{line.picture} · {line.width}x{line.height} · {count} face{'s' * (count != 1)}", columns, rows)
    steps = " · ".join(f"{step} {ms:.1f}" for step, ms in line.timings_ms.items())
    console.print(
        f"ms: {steps}\nthreshold {similarity_min:.3f} · liveness {config.liveness.mode} · opens nothing",
        markup=False,
        style="dim",
    )
