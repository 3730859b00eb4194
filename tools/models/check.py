"""Is a network still what it was? Figures on real samples, and the limits below which a build is refused."""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.errors import ModelError
from edge.models.interpreter import Net, load_runtime
from edge.models.liveness import probability
from edge.models.manifest import LIVENESS, Shelf
from edge.models.mtcnn import PROBABILITY_MIN, logit
from edge.types import FloatArray
from tools.models.pixels import normalised
from tools.models.tpu_rules import violations

AT_LEAST = {
    "cosine_to_source_min": 0.999999,
    "cosine_to_fp32_mean": 0.98,
    "decision_agreement": 0.96,
    "live_decision_agreement": 0.95,
}
AT_MOST = {
    "face_probability_error_mean": 0.04,
    "box_error_mean": 0.02,
    "landmark_error_mean": 0.01,
    "live_probability_source_error_max": 1e-3,
    "live_probability_error_mean": 0.04,
}
"""About twice the error of the committed networks: anything worse is a mistake of conversion, not of rounding."""


def embedder_figures(shelf: Shelf, reference: Shelf, source: bytes, pixels: npt.NDArray[np.uint8]) -> dict[str, float]:
    """How near the int8 embedder is to fp32, and fp32 to the published file, over (N, 112, 112, 3) faces; N even."""
    expected = Net(reference, "mobilefacenet").run_many(pixels)["embedding"]
    to_source = cosines(expected, run_source(source, pixels))
    to_fp32 = cosines(Net(shelf, "mobilefacenet").run_many(pixels)["embedding"], expected)
    return {
        "check_samples": len(pixels),
        "cosine_to_source_min": float(to_source.min()),
        "cosine_to_fp32_mean": float(to_fp32.mean()),
        "cosine_to_fp32_min": float(to_fp32.min()),
    }


def detector_figures(shelf: Shelf, reference: Shelf, name: str, pixels: npt.NDArray[np.uint8]) -> dict[str, float]:
    """How near an int8 stage of MTCNN is to fp32.

    Box and landmark errors are shares of the window's side, over the places where fp32 sees a face.
    """
    expected, found = (Net(kept, name).run_many(pixels) for kept in (reference, shelf))
    limit = logit(PROBABILITY_MIN[name])
    sure, sure_too = expected["logit"][..., 0] >= limit, found["logit"][..., 0] >= limit
    probability, probability_too = (
        1 / (1 + np.exp(-np.clip(outputs["logit"][..., 0], -50, 50))) for outputs in (expected, found)
    )
    error = {key: np.abs(expected[key] - found[key]) for key in expected}
    figures = {
        "check_samples": len(pixels),
        "face_probability_error_mean": float(np.abs(probability - probability_too).mean()),
        "decision_agreement": float((sure == sure_too).mean()),
        "box_error_mean": float(error["reg"][sure].mean()),
    }
    if "lmk" in error:
        figures["landmark_error_mean"] = float(error["lmk"][sure].mean())
    return figures


def liveness_figures(shelf: Shelf, reference: Shelf, source: bytes, pixels: npt.NDArray[np.uint8]) -> dict[str, float]:
    """How near the int8 liveness network is to fp32, and fp32 to the published file, over (N, 128, 128, 3) squares."""
    expected, found = (
        np.array([probability(logits) for logits in Net(kept, LIVENESS).run_many(pixels)["logit"]])
        for kept in (reference, shelf)
    )
    return {
        "check_samples": len(pixels),
        "live_probability_source_error_max": float(np.abs(expected - run_liveness_source(source, pixels)).max()),
        "live_probability_error_mean": float(np.abs(found - expected).mean()),
        "live_decision_agreement": float(((found >= 0.5) == (expected >= 0.5)).mean()),
    }


def refuse_poor(name: str, figures: Mapping[str, float]) -> None:
    """Raises ModelError when a figure is beyond its limit, or is not a number."""
    for key, value in figures.items():
        if not (value >= AT_LEAST.get(key, -np.inf) and value <= AT_MOST.get(key, np.inf)):
            limit = AT_LEAST.get(key, AT_MOST.get(key))
            raise ModelError(
                f"{name} was converted badly: {key} is {value:.6g}, the limit is {limit}. "
                "Nothing was written; calibrate with more photographs of people, and look at what changed in the tools."
            )


def refuse_rules(name: str, model: bytes) -> None:
    """Raises ModelError when the Edge TPU's compiler would not take the network."""
    broken = violations(model)
    if broken:
        raise ModelError(
            f"{name} breaks a rule of the Edge TPU's compiler: {broken[0]} "
            "Nothing was written; look at what changed in the tools (tools/models/tpu_rules.py has the rules)."
        )


def run_source(source: bytes, pixels: npt.NDArray[np.uint8]) -> FloatArray:
    """(N, 192) what the published MobileFaceNet itself says; its batch is fixed at two, so N must be even."""
    interpreter = load_runtime().Interpreter(model_content=source)
    interpreter.allocate_tensors()
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    parts: list[Any] = []
    for start in range(0, len(pixels), 2):
        interpreter.set_tensor(taken["index"], normalised(pixels[start : start + 2]))
        interpreter.invoke()
        parts.append(interpreter.get_tensor(given["index"]))
    return np.concatenate(parts)


def run_liveness_source(source: bytes, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """(N,) probabilities of a live face by the published network itself, in OpenCV."""
    published = cv2.dnn.readNetFromONNX(np.frombuffer(source, np.uint8))
    found = []
    for square in pixels:
        published.setInput(square[..., ::-1].astype(np.float32).transpose(2, 0, 1)[None])
        logits = published.forward()[0]
        found.append(probability(logits[0] - logits[1:]))
    return np.array(found)


def cosines(a: FloatArray, b: FloatArray) -> npt.NDArray[np.float64]:
    """(N,) row by row, in float64: the limit is closer to one than float32 tells apart. A row of zeros, which a broken
    network or device may answer, is like no other: 0."""
    a64, b64 = a.astype(np.float64), b.astype(np.float64)
    norms = np.linalg.norm(a64, axis=1) * np.linalg.norm(b64, axis=1)
    result: npt.NDArray[np.float64] = (a64 * b64).sum(axis=1) / np.maximum(norms, 1e-12)
    return result
