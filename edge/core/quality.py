"""What a look is worth: size, pose, exposure and sharpness.

A poor look neither opens the door nor counts as an attempt (``flaw``). A template must be better (``enrolment_flaw``):
every visitor is compared with it for years. Each of its limits refuses none of 212 good pictures (London set, selfies)
and of 480 webcam frames (NUAA, live), and beyond it the cosine to another picture of the same person suffers (1,600
pairs, LFW View 1: median 0.757). Not asked for, as no cheap sign tells it: a hand, scarf or mask before the mouth
(neither the detector's probability nor the landmarks change); closed eyes; a nod (the nose's height between eyes and
mouth differs as much from face to face); light from one side (no loss up to a factor of 2.2).
"""

import numpy as np
import numpy.typing as npt

from edge.types import Face, FloatArray, Quality, Rgb

YAW_DEG_PER_EYE_DISTANCE = 76.0
"""Head yaw per offset of the nose from the eyes' midpoint, in inter-ocular distances; residual 10 degrees (measured
on turning heads)."""

MAX_YAW_DEG = 35.0
"""Beyond this the far eye's landmark is a guess. A little over three residuals of the estimate."""

MIN_BRIGHTNESS, MAX_BRIGHTNESS = 25.0, 235.0
"""Mean luma of the aligned face, 0..255: darker or brighter, most pixels sit at the sensor's end and carry no face."""

LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""ITU-R BT.601 weights of red, green and blue."""

ENROL_MIN_PROBABILITY = 0.95
"""Below it there hardly is a face: of ten looks at a face printed on a T-shirt nine lie below 0.84 (signing people).
The poorest of the good pictures reaches 0.972."""

ENROL_MIN_FACE_PX = 80.0
"""The longer side of the face's box. Scaled down to 80 px a face loses nothing (cosine to another picture 0.933 after
0.941, London), at 50 px 0.03, at 35 px 0.09. Where ``faces.min_px`` is more, that counts."""

ENROL_MAX_YAW_DEG = 25.0
"""4 % of LFW is turned farther: median 0.709, 15 % of such pairs below 0.6 instead of 10."""

ENROL_MIN_BRIGHTNESS = 60.0
"""0.4 % of LFW is darker: median 0.680, 25 % of such pairs below 0.6. The darkest of the good pictures has 65."""

ENROL_MIN_EYES = 0.36
"""Dark glasses, or the shadow of a cap or brow. 1.3 % of LFW is below, nearly half of it in dark glasses; tinted and
mirrored ones are missed: median 0.633, 44 % of such pairs below 0.6. The least of the good pictures has 0.447."""

ENROL_MIN_SHARPNESS = 0.045
"""1.3 % of LFW is below: median 0.659, 40 % of such pairs below 0.6. Of good pictures blurred on purpose it
refuses nine in ten from a Gaussian of 2 px or a motion of 9 px of the aligned face on (cosine 0.82 and 0.66 after
0.94). The least of the good pictures has 0.061."""

SURE = 0.99
"""The detector's probability of a face that nothing hides: 99 of 100 frames of a webcam (NUAA) have more. Half covered
ones have less (0.947 in a tenth), as has a face in the dark (0.848) or on a T-shirt (0.84 in nine of ten)."""

WEIGHT_MIN = 0.1
"""What the worst usable look is worth: it is a look."""

_EYES = np.s_[46:57, 29:48], np.s_[46:57, 64:83]
_CHEEKS = np.s_[68:81, 29:44], np.s_[68:81, 69:84]
_FACE_AT_HALF_SIZE = np.s_[12:54, 10:46]
"""Where eyes with brows, cheeks, and brows to chin are in the aligned face, rows and columns."""


def measure(face: Face, aligned: Rgb) -> Quality:
    """Quality of a detected face and its aligned (112, 112, 3) uint8 picture."""
    left, right, nose = face.landmarks[:3]
    across = right - left
    eye_distance = float(np.hypot(*across))
    along = float((nose - (left + right) / 2) @ across) / max(eye_distance, 1e-6) ** 2
    luma: FloatArray = aligned.astype(np.float32) @ LUMA
    return Quality(
        face_px=face.size_px,
        eye_distance_px=eye_distance,
        yaw_deg=along * YAW_DEG_PER_EYE_DISTANCE,
        brightness=float(luma.mean()),
        probability=face.probability,
        sharpness=_sharpness(luma),
        eyes=_eyes(luma),
    )


def flaw(quality: Quality, min_face_px: float) -> str | None:
    """Why a look cannot be used, in words for the person in front of the camera, or None when it can."""
    return (
        _too_small(quality, min_face_px)
        or _turned_away(quality, MAX_YAW_DEG)
        or _badly_lit(quality, MIN_BRIGHTNESS, MAX_BRIGHTNESS)
    )


def weight(quality: Quality) -> float:
    """What a usable look is worth beside others of its approach, ``WEIGHT_MIN`` to 1.

    Less for blur and for what hardly is a face, by which similarity suffers (cosine to templates of another day, median
    of 130 webcam frames of six people, 0.793 as they are): 0.590 blurred by a tenth of the face, 0.525 half covered,
    0.564 with the mouth covered, 0.505 in the dark. Size, pose and brightness that ``flaw`` lets pass tell nothing
    beyond that: 0.778 at 60 px.
    """
    sharp = min(quality.sharpness / ENROL_MIN_SHARPNESS, 1.0)
    sure = min((1 - SURE) / max(1 - quality.probability, 1e-6), 1.0)
    return max(sharp * sure, WEIGHT_MIN)


def enrolment_flaw(quality: Quality, min_face_px: float) -> str | None:
    """Why a picture makes no template, in words that say what to do, or None when it makes one."""
    if not quality.probability >= ENROL_MIN_PROBABILITY:
        return (
            f"hardly a face ({quality.probability:.2f} sure, {ENROL_MIN_PROBABILITY} needed): look at the camera, "
            "with nothing before the face"
        )
    return (
        _too_small(quality, max(min_face_px, ENROL_MIN_FACE_PX))
        or _turned_away(quality, ENROL_MAX_YAW_DEG)
        or _badly_lit(quality, ENROL_MIN_BRIGHTNESS, MAX_BRIGHTNESS)
        or _eyes_in_the_dark(quality)
        or _blurred(quality)
    )


def _too_small(quality: Quality, min_face_px: float) -> str | None:
    if quality.face_px >= min_face_px:
        return None
    return f"face too small ({quality.face_px:.0f} px, {min_face_px:.0f} needed): come closer"


def _turned_away(quality: Quality, max_yaw_deg: float) -> str | None:
    if abs(quality.yaw_deg) <= max_yaw_deg:
        return None
    return f"turned away ({quality.yaw_deg:+.0f}°): look at the camera"


def _badly_lit(quality: Quality, darkest: float, brightest: float) -> str | None:
    if not quality.brightness >= darkest:
        return f"too dark ({quality.brightness:.0f} of 255): more light on the face"
    if not quality.brightness <= brightest:
        return f"too bright ({quality.brightness:.0f} of 255): less light on the face"
    return None


def _eyes_in_the_dark(quality: Quality) -> str | None:
    if quality.eyes >= ENROL_MIN_EYES:
        return None
    return (
        f"eyes in the dark ({quality.eyes:.2f} of the cheeks' light): take off dark glasses and cap, light from ahead"
    )


def _blurred(quality: Quality) -> str | None:
    if quality.sharpness >= ENROL_MIN_SHARPNESS:
        return None
    return f"blurred ({quality.sharpness:.3f}, {ENROL_MIN_SHARPNESS} needed): hold still, in more light, lens clean"


def _sharpness(luma: FloatArray) -> float:
    """The least variance of the second difference over four directions, relative to the face's own variance.

    In the least direction, as motion blurs along one only. At half size, as a face of 60 px has no finer detail to
    lose. Diagonal neighbours are farther apart: their variance counts half, between 1 (noise) and 1/4 (smooth).
    """
    half = luma.reshape(56, 2, 56, 2).mean(axis=(1, 3))[_FACE_AT_HALF_SIZE]
    twice = 2 * half[1:-1, 1:-1]
    straight = [twice - half[1:-1, :-2] - half[1:-1, 2:], twice - half[:-2, 1:-1] - half[2:, 1:-1]]
    diagonal = [twice - half[:-2, :-2] - half[2:, 2:], twice - half[:-2, 2:] - half[2:, :-2]]
    variances = [float(each.var()) for each in straight] + [float(each.var()) / 2 for each in diagonal]
    return min(variances) / (float(half.var()) + 1)


def _eyes(luma: FloatArray) -> float:
    """The brighter eye's mean luma over the cheeks' median: one eye may lie in the shadow."""
    cheeks: npt.NDArray[np.float32] = np.concatenate([luma[cheek].ravel() for cheek in _CHEEKS])
    return max(float(luma[eye].mean()) for eye in _EYES) / (float(np.median(cheeks)) + 1)
