"""Attacks made from live photographs: a print, a screen, a replay or a mask, put together from single effects.

None of this replaces real attacks: it shows a network of what kinds there are. How much it helps is measured on real
attacks of collections that the network never saw.
"""

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias, get_args

import cv2
import numpy as np

from edge.types import Box, Rgb
from tools.train import camera, paper, scene, screens
from tools.train.scene import Shown

Kind: TypeAlias = Literal["print", "screen", "replay", "mask"]
KINDS: tuple[Kind, ...] = get_args(Kind)

Effect: TypeAlias = Callable[[Rgb, int], Rgb]

FACE_PX = (50.0, 130.0)
"""Width of the face in the attack's picture, as a lock's camera sees it from a step away."""

SIDE = 3.6
"""Side of the picture in faces: more than the network looks at."""


def attack(kind: Kind, photograph: Shown, behind: Shown, seed: int) -> Shown:
    """A live photograph becomes an attack of this kind.

    ``behind``: another person's photograph, who wears the mask, or before whose picture the sheet or device is held.
    Gives a picture of about ``SIDE`` faces with the face near its middle; the same seed gives the same picture.
    """
    rng = np.random.default_rng(seed)
    face_px = float(np.exp(rng.uniform(*np.log(FACE_PX))))
    if kind == "mask":
        return _mask(_portrait(photograph, face_px, 1.6), _portrait(behind, face_px, SIDE), rng)
    # How much of the photograph is shown: from little more than the face to the whole picture.
    shown = _portrait(photograph, face_px, float(np.exp(rng.uniform(np.log(1.2), np.log(3.4)))))
    made = {"print": _print, "screen": _screen, "replay": _replay}[kind]
    return made(shown, _filled(behind.rgb, round(face_px * SIDE)), rng)


def _print(shown: Shown, background: Rgb, rng: np.random.Generator) -> Shown:
    effects: list[tuple[float, Effect]] = [
        (1.0, paper.monochrome if rng.random() < 0.15 else paper.tint),
        (0.5, paper.halftone),
        (0.4, camera.out_of_focus),
        (0.45, paper.bend),
        (0.15, paper.crease),
        (0.35, paper.glare),
    ]
    shown = Shown(_applied(shown.rgb, effects, rng), shown.box)
    if rng.random() < 0.6:
        white = rng.integers(190, 250)
        colour = (int(white), int(white - rng.integers(0, 12)), int(white - rng.integers(0, 25)))
        widest = round(shown.rgb.shape[1] * 0.15) + 1
        shown = scene.framed(shown, _margins(rng, widest), colour)
    return _in_hand(shown, background, rng)


def _screen(shown: Shown, background: Rgb, rng: np.random.Generator) -> Shown:
    effects: list[tuple[float, Effect]] = [
        (1.0, screens.gamma),
        (0.7, screens.subpixels),
        (0.5, screens.moire),
        (0.3, screens.bands),
        (0.5, screens.reflection),
        (0.2, paper.glare),
    ]
    shown = Shown(_applied(shown.rgb, effects, rng), shown.box)
    if rng.random() < 0.75:
        dark = int(rng.integers(0, 50)) if rng.random() < 0.8 else int(rng.integers(180, 250))
        widest = round(shown.rgb.shape[1] * 0.12) + 2
        shown = scene.framed(shown, _margins(rng, widest), (dark, dark, dark))
    return _in_hand(shown, background, rng)


def _replay(shown: Shown, background: Rgb, rng: np.random.Generator) -> Shown:
    """A video: what the codec and the first camera did lies below what the screen does."""
    effects: list[tuple[float, Effect]] = [(0.6, camera.smaller), (0.9, camera.recoded), (0.3, camera.sharpened)]
    return _screen(Shown(_applied(shown.rgb, effects, rng), shown.box), background, rng)


def _mask(printed: Shown, wearer: Shown, rng: np.random.Generator) -> Shown:
    effects: list[tuple[float, Effect]] = [
        (1.0, paper.tint),
        (0.3, paper.halftone),
        (0.5, paper.bend),
        (0.3, paper.glare),
    ]
    mask = Shown(_applied(printed.rgb, effects, rng), printed.box)
    return scene.masked(wearer, mask, int(rng.integers(2**31)))


def _in_hand(shown: Shown, background: Rgb, rng: np.random.Generator) -> Shown:
    seed = int(rng.integers(2**31))
    result = scene.held(shown, background, seed)
    if rng.random() < 0.4:
        scale = result.box.width_px / shown.box.width_px
        high, wide = shown.rgb.shape[:2]
        left, top = result.box.x0 - shown.box.x0 * scale, result.box.y0 - shown.box.y0 * scale
        result = scene.with_hand(result, Box(left, top, left + wide * scale, top + high * scale), seed + 1)
    return result


def _applied(rgb: Rgb, effects: Sequence[tuple[float, Effect]], rng: np.random.Generator) -> Rgb:
    """Each effect with its probability; the draws are the same whichever are chosen."""
    for probability, effect in effects:
        chance, seed = rng.random(), int(rng.integers(2**31))
        if chance < probability:
            rgb = effect(rgb, seed)
    return rgb


def _portrait(photograph: Shown, face_px: float, sides: float) -> Shown:
    """The photograph around the face, ``sides`` of its box wide where there is so much, with the face at this size."""
    rgb, box = photograph.rgb, photograph.box
    height, width = rgb.shape[:2]
    middle_x, middle_y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    half = max(box.width_px, box.height_px) * sides / 2
    left, right = max(round(middle_x - half), 0), min(round(middle_x + half), width)
    top, bottom = max(round(middle_y - half), 0), min(round(middle_y + half), height)
    scale = face_px / max(box.width_px, box.height_px)
    size = (max(round((right - left) * scale), 8), max(round((bottom - top) * scale), 8))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = np.asarray(cv2.resize(rgb[top:bottom, left:right], size, interpolation=method), np.uint8)
    across, down = size[0] / (right - left), size[1] / (bottom - top)
    return Shown(
        scaled,
        Box((box.x0 - left) * across, (box.y0 - top) * down, (box.x1 - left) * across, (box.y1 - top) * down),
    )


def _filled(background: Rgb, side: int) -> Rgb:
    """The middle of the background, scaled to a square."""
    height, width = background.shape[:2]
    shorter = min(height, width)
    top, left = (height - shorter) // 2, (width - shorter) // 2
    square = background[top : top + shorter, left : left + shorter]
    return np.asarray(cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _margins(rng: np.random.Generator, widest: int) -> tuple[int, int, int, int]:
    top, bottom, left, right = rng.integers(0, widest, 4).tolist()
    return top, bottom, left, right
