"""Where an attack is held: a sheet or a device before a background, by a hand, a little askew; or a mask on a head."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.types import Box, Rgb
from tools.train.paper import clipped, softened

Points = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shown:
    """(H, W, 3) uint8 picture of an attack, and where its face is."""

    rgb: Rgb
    box: Box


def framed(shown: Shown, margins: tuple[int, int, int, int], colour: tuple[int, int, int]) -> Shown:
    """A white border of paper or the dark bezel of a device: pixels added at the top, bottom, left and right."""
    top, bottom, left, right = margins
    rgb = cv2.copyMakeBorder(shown.rgb, top, bottom, left, right, cv2.BORDER_CONSTANT, value=colour)
    box = shown.box
    return Shown(np.asarray(rgb, np.uint8), Box(box.x0 + left, box.y0 + top, box.x1 + left, box.y1 + top))


def held(shown: Shown, background: Rgb, seed: int) -> Shown:
    """The sheet or device before a background, seen a little askew; the face keeps about its size.

    The picture is of the background's size; what does not fit is cut off, the face's middle never. A soft shadow lies
    around the sheet, and its edges are as sharp as the camera makes them.
    """
    rng = np.random.default_rng(seed)
    height, width = background.shape[:2]
    high, wide = shown.rgb.shape[:2]
    corners = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    face = np.array([(shown.box.x0 + shown.box.x1) / 2, (shown.box.y0 + shown.box.y1) / 2], np.float32)
    angle = np.deg2rad(rng.normal(0, 6))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32)
    target = np.array([width, height], np.float32) * rng.uniform(0.42, 0.58, 2)
    askew = rng.normal(0, 0.03, (4, 2)) * (wide, high)
    quadrangle = ((corners - face) @ turn.T + target + askew).astype(np.float32)
    matrix = np.asarray(cv2.getPerspectiveTransform(corners, quadrangle), np.float64)
    warped = cv2.warpPerspective(shown.rgb, matrix, (width, height), flags=cv2.INTER_LINEAR)
    whole = np.full((high, wide), 255, np.uint8)
    cover = np.asarray(cv2.warpPerspective(whole, matrix, (width, height)), np.uint8)
    share = _share(cover, rng.uniform(0.4, 1.0))
    shadow = 1 - np.float32(rng.uniform(0, 0.4)) * _share(cover, rng.uniform(2, 8))
    return Shown(clipped(warped * share + background * shadow * (1 - share)), moved(shown.box, matrix))


def with_hand(shown: Shown, sheet: Box, seed: int) -> Shown:
    """Fingers that hold the sheet at one of its sides: rounded bars of skin, shaded, one beside the other."""
    rng = np.random.default_rng(seed)
    height, width = shown.rgb.shape[:2]
    thick = max(round(rng.uniform(0.12, 0.25) * (shown.box.x1 - shown.box.x0)), 3)
    skin = np.array([rng.uniform(90, 235), 0, 0])
    skin[1:] = skin[0] * rng.uniform(0.65, 0.85), skin[0] * rng.uniform(0.45, 0.75)
    bars = np.zeros((height, width), np.uint8)
    right = rng.random() < 0.5
    edge_x = sheet.x1 if right else sheet.x0
    outwards = 1 if right else -1
    y = rng.uniform(0.45, 0.95) * (sheet.y1 - sheet.y0) + sheet.y0
    for number in range(rng.integers(1, 5)):
        inside = edge_x - outwards * rng.uniform(0.5, 2.0) * thick
        start = (round(inside), round(y + number * thick * 1.05))
        end = (round(edge_x + outwards * 4 * thick), round(y + number * thick * 1.05 + rng.uniform(-1, 2) * thick))
        cv2.line(bars, start, end, (255,), thick, cv2.LINE_AA)
    share = _share(bars, 0.8)
    shade = np.float32(0.75) + np.float32(0.35) * _share(bars, thick / 3)
    grain = 1 + np.float32(0.03) * rng.standard_normal((height, width, 1), np.float32)
    return Shown(clipped(shown.rgb * (1 - share) + skin.astype(np.float32) * shade * grain * share), shown.box)


def masked(wearer: Shown, printed: Shown, seed: int) -> Shown:
    """A printed face cut out and worn by a person: an oval with hard edges over the person's own face, with or without
    holes for the eyes, through which the person is seen."""
    rng = np.random.default_rng(seed)
    live, box, mask = wearer.rgb, wearer.box, printed.rgb
    height, width = live.shape[:2]
    source = _corners(printed.box)
    target = _corners(box)
    middle = target.mean(axis=0)
    target = ((target - middle) * np.float32(rng.uniform(1.0, 1.25)) + middle).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)
    worn = cv2.warpPerspective(mask, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = np.zeros((height, width), np.uint8)
    side = box.x1 - box.x0, box.y1 - box.y0
    axes = (max(round(side[0] * rng.uniform(0.45, 0.6)), 1), max(round(side[1] * rng.uniform(0.5, 0.68)), 1))
    centre = (round(float(middle[0])), round(float(middle[1])))
    cv2.ellipse(cover, centre, axes, rng.normal(0, 5), 0, 360, (255,), -1, cv2.LINE_AA)
    if rng.random() < 0.5:
        for way in (-1, 1):
            eye = (round(centre[0] + way * side[0] * 0.21), round(centre[1] - side[1] * 0.12))
            hole = (max(round(side[0] * 0.1), 1), max(round(side[1] * 0.05), 1))
            cv2.ellipse(cover, eye, hole, 0, 0, 360, (0,), -1, cv2.LINE_AA)
    share = _share(cover, 0.6)
    shadow = 1 - np.float32(rng.uniform(0.1, 0.4)) * _share(cover, side[0] * 0.04 + 0.5)
    return Shown(clipped(worn * share + live * shadow * (1 - share)), box)


def moved(box: Box, matrix: npt.NDArray[np.float64]) -> Box:
    """The edges of what a perspective makes of a box."""
    points = cv2.perspectiveTransform(_corners(box)[None], matrix)[0]
    low, high = points.min(axis=0), points.max(axis=0)
    return Box(float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def _share(cover: npt.NDArray[np.uint8], sigma: float) -> npt.NDArray[np.float32]:
    """(H, W, 1) 0..1: how much of each pixel is covered, with soft edges."""
    return softened(cover, sigma)[..., None].astype(np.float32) * np.float32(1 / 255)


def _corners(box: Box) -> Points:
    return np.array([[box.x0, box.y0], [box.x1, box.y0], [box.x1, box.y1], [box.x0, box.y1]], np.float32)
