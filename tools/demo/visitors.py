"""The replay: photographs of real people held before an imaginary door camera, with a hand's drift and a sensor's
noise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edge.errors import FaceError
from edge.images import read_rgb
from edge.ports import Detector
from edge.types import Rgb

WIDTH, HEIGHT, FPS = 640, 480, 10
FACE_PX = 150
"""Height of a visitor's face, two and a half times the smallest that the lock looks for."""

SEED = 20
NOISE = 2.0
"""Standard deviation of the sensor's noise, in steps of 255."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Who stands before the door for how long. ``opens``: whether the door must open (and else must not)."""

    title: str
    photographs: tuple[str, ...]
    seconds: float
    opens: bool = False

    @property
    def frames(self) -> int:
        return round(self.seconds * FPS)


SCENES = (
    Scene("nobody", (), 1.5),
    Scene("a stranger", ("astronaut.png",), 3),
    Scene("nobody", (), 1.5),
    Scene("the enrolled person", ("obama2.jpg",), 2.5, opens=True),
    Scene("nobody, until the door has relocked", (), 3),
    Scene("the enrolled person and a stranger", ("obama3.jpg", "biden.jpg"), 3),
    Scene("nobody", (), 1.5),
    Scene("the enrolled person again", ("obama2.jpg",), 2, opens=True),
    Scene("nobody, until the door has relocked", (), 1.5),
    Scene("the first stranger again, right after", ("astronaut.png",), 3),
    Scene("nobody", (), 1),
)
"""Enrolled from obama.jpg; the visits show other pictures."""


def scene_of(frame: int) -> int:
    """The index of the scene that a frame belongs to; the last one's for any frame after it."""
    ends = np.cumsum([scene.frames for scene in SCENES])
    return min(int(np.searchsorted(ends, frame, side="right")), len(SCENES) - 1)


def write_replay(
    path: Path, photographs: dict[str, Path], detector: Detector, scenes: Sequence[Scene] = SCENES
) -> None:
    """Write every scene into one video file. Raises FaceError when a photograph shows no face."""
    faces = {
        name: _cut_out(read_rgb(photographs[name]), name, detector)
        for name in {photo for scene in scenes for photo in scene.photographs}
    }
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (WIDTH, HEIGHT))
    generator = np.random.default_rng(SEED)
    for scene in scenes:
        for rgb in _frames(scene, [faces[name] for name in scene.photographs], generator):
            writer.write(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    writer.release()


def _cut_out(rgb: Rgb, name: str, detector: Detector) -> Rgb:
    """The largest face with its surroundings, scaled so that the face is ``FACE_PX`` high."""
    found = detector.detect(rgb)
    if not found:
        raise FaceError(f"No face is found in {name}. Rebuild the networks: this photograph shows one.")
    box = found[0].box
    half = 0.85 * box.height_px
    x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    rows = slice(max(int(y - half), 0), int(y + half))
    columns = slice(max(int(x - half), 0), int(x + half))
    scale = FACE_PX / box.height_px
    return np.asarray(cv2.resize(rgb[rows, columns], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _frames(scene: Scene, faces: Sequence[Rgb], generator: np.random.Generator) -> Iterator[Rgb]:
    phase = generator.uniform(0, 2 * np.pi, size=4)
    for number in range(scene.frames):
        canvas = _backdrop()
        for place, face in enumerate(faces):
            centre = WIDTH * (place + 1) / (len(faces) + 1)
            _paste(canvas, face, centre, number / FPS, phase + place)
        flicker = 1 + 0.03 * np.sin(2.1 * number / FPS + phase[0])
        noisy = canvas * flicker + generator.normal(0, NOISE, canvas.shape)
        yield np.clip(noisy, 0, 255).astype(np.uint8)


def _backdrop() -> npt.NDArray[np.float32]:
    """A bare wall, lighter at the top."""
    shade = np.linspace(150, 95, HEIGHT, dtype=np.float32)[:, None, None]
    return np.ascontiguousarray(np.broadcast_to(shade * np.array([1.0, 0.97, 0.92], np.float32), (HEIGHT, WIDTH, 3)))


def _paste(
    canvas: npt.NDArray[np.float32], face: Rgb, centre: float, time_s: float, phase: npt.NDArray[np.float64]
) -> None:
    """Put a face on the canvas: it sways by some 15 px, 3 degrees and 4 % in size, as in a hand."""
    sway = np.sin(np.array([1.3, 1.7, 0.9, 1.1]) * 2 * time_s + phase)
    height, width = face.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 3 * float(sway[2]), 1 + 0.04 * float(sway[3]))
    shift = np.array([centre - width / 2 + 15 * sway[0], HEIGHT / 2 - height / 2 + 10 * sway[1]])
    matrix = np.column_stack([matrix[:, :2], matrix[:, 2] + shift])
    moved = cv2.warpAffine(face, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
    mask = cv2.warpAffine(np.ones((height, width), np.float32), matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
    canvas *= 1 - mask[:, :, None]
    canvas += moved * mask[:, :, None]
