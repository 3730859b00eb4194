"""The annotated video and the contact sheet."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from edge import wire
from edge.annotate import annotated
from edge.devices.capture import open_capture, read_rgb_frame
from edge.ports import Detector, Embedder
from edge.registry import Registry
from edge.types import Rgb
from tools.demo.verdict import Opening
from tools.demo.visitors import FPS, HEIGHT, SCENES, WIDTH, scene_of

BANNER_PX = 34
GREEN, GREY = (30, 130, 60), (55, 55, 60)
COLUMNS = 4


def frames(replay: Path, detector: Detector, embedder: Embedder, registry: Registry) -> Iterator[Rgb]:
    """Every frame of the replay with its faces boxed and named as the lock names them."""
    capture, _ = open_capture(str(replay))
    while (rgb := read_rgb_frame(capture)) is not None:
        faces = detector.detect(rgb)
        names: list[str | None] = []
        for face in faces:
            probe = embedder.embed(embedder.align(rgb, face.landmarks))
            found = registry.answer(wire.AskIdentify(embedder.model_id, wire.to_bytes(probe)))
            known = found if isinstance(found, wire.Identified) and found.accepted else None
            names.append(f"{known.person} {known.similarity:.2f}" if known else None)
        yield annotated(rgb, faces, names)
    capture.release()


def with_banner(rgb: Rgb, frame: int, opened: Sequence[Opening]) -> Rgb:
    """The frame under a banner: who is there, and whether the door is open."""
    is_open = any(opening.first_frame <= frame < opening.last_frame for opening in opened)
    picture = Image.new("RGB", (WIDTH, HEIGHT + BANNER_PX), GREEN if is_open else GREY)
    picture.paste(Image.fromarray(rgb), (0, BANNER_PX))
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=17)
    state = "UNLOCKED" if is_open else "LOCKED"
    draw.text((10, 8), f"{frame / FPS:4.1f} s   {SCENES[scene_of(frame)].title}", fill=(255, 255, 255), font=font)
    draw.text((WIDTH - 10, 8), f"{state} (simulated bolt)", fill=(255, 255, 255), font=font, anchor="ra")
    return np.array(picture, dtype=np.uint8)


def write_video(path: Path, pictures: Sequence[Rgb]) -> None:
    """An MP4 of equally sized pictures."""
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (width, height))
    for rgb in pictures:
        writer.write(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    writer.release()


def contact_sheet(pictures: Sequence[Rgb]) -> Rgb:
    """One picture a scene with somebody in it, the first with nobody, and the moments after an opening."""
    chosen, start = [], 0
    for scene in SCENES:
        if scene.photographs or "relocked" in scene.title or start == 0:
            chosen.append(pictures[min(start + int(scene.frames * 0.55), len(pictures) - 1)])
        start += scene.frames
    small = [
        np.asarray(cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8) for rgb in chosen
    ]
    small += [np.full_like(small[0], 255)] * (-len(small) % COLUMNS)
    rows = [np.hstack(small[i : i + COLUMNS]) for i in range(0, len(small), COLUMNS)]
    return np.vstack(rows)
