"""What a look is worth: size, pose and exposure. A poor look neither opens the door nor counts as an attempt."""

import numpy as np

from edge.types import Face, Quality, Rgb

YAW_DEG_PER_EYE_DISTANCE = 76.0
"""Head yaw per offset of the nose from the eyes' midpoint, in inter-ocular distances; residual 10 degrees (measured
on turning heads)."""

MAX_YAW_DEG = 35.0
"""Beyond this the far eye's landmark is a guess. A little over three residuals of the estimate."""

MIN_BRIGHTNESS, MAX_BRIGHTNESS = 25.0, 235.0
"""Mean luma of the aligned face, 0..255: darker or brighter, most pixels sit at the sensor's end and carry no face."""

LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""ITU-R BT.601 weights of red, green and blue."""


def measure(face: Face, aligned: Rgb) -> Quality:
    """Quality of a detected face and its aligned (112, 112, 3) uint8 picture."""
    left, right, nose = face.landmarks[:3]
    across = right - left
    eye_distance = float(np.hypot(*across))
    along = float((nose - (left + right) / 2) @ across) / max(eye_distance, 1e-6) ** 2
    return Quality(
        face_px=face.size_px,
        eye_distance_px=eye_distance,
        yaw_deg=along * YAW_DEG_PER_EYE_DISTANCE,
        brightness=float(np.mean(aligned.reshape(-1, 3).mean(axis=0) @ LUMA)),
    )


def flaw(quality: Quality, min_face_px: float) -> str | None:
    """Why a look cannot be used, in words for the person in front of the camera, or None when it can."""
    if not quality.face_px >= min_face_px:
        return f"face too small ({quality.face_px:.0f} px, {min_face_px:.0f} needed): come closer"
    if not abs(quality.yaw_deg) <= MAX_YAW_DEG:
        return f"turned away ({quality.yaw_deg:+.0f}°): look at the camera"
    if not quality.brightness >= MIN_BRIGHTNESS:
        return f"too dark ({quality.brightness:.0f} of 255): more light on the face"
    if not quality.brightness <= MAX_BRIGHTNESS:
        return f"too bright ({quality.brightness:.0f} of 255): less light on the face"
    return None
