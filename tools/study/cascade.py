"""What each step of quantising MTCNN gains: how far each network's answers move, and what that does to detection.

Ranges come from the faces that ``calibrate`` takes, errors are measured on its other pictures.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from edge.models.manifest import Shelf
from edge.models.mtcnn import Mtcnn
from tools.evaluate.detection import VIEWS, look_at
from tools.evaluate.networks import MIN_FACE_PX
from tools.evaluate.wider import Picture
from tools.models import check, convert, mtcnn_nets, quantise
from tools.models.build import Published, stage
from tools.models.console import Report
from tools.models.mtcnn_nets import INPUT_SHAPES, Weights
from tools.models.pixels import Pixels
from tools.models.quantise import OUTPUTS, How

Samples = Mapping[str, Mapping[str, Pixels]]

HEADS = How(in_float=OUTPUTS)


def study(
    published: Published, reference: Shelf, samples: Samples, pictures: Sequence[Picture], report: Report
) -> list[dict[str, Any]]:
    """A row per step: form, name, recall and false faces a picture, and the errors of each network's answers.

    ``samples``: of ``calibrate.collect``.
    """
    seen = samples["calibration"]
    plain = {name: published.mtcnn[name] for name in INPUT_SHAPES}
    even = {name: mtcnn_nets.equalised(name, weights, seen[name]) for name, weights in plain.items()}

    def cpu(weights: Mapping[str, Weights], how: How) -> dict[str, bytes]:
        return {name: quantise.quantise(_float(name, each), seen[name], how) for name, each in weights.items()}

    def edgetpu(weights: Mapping[str, Weights]) -> dict[str, bytes]:
        return {
            name: convert.to_full_int8(mtcnn_nets.network(name, each), seen[name][:1].shape, seen[name])
            for name, each in weights.items()
        }

    steps: list[tuple[str, str, Callable[[], Mapping[str, bytes]]]] = [
        ("fp32", "as published", lambda: {name: reference.load(name) for name in plain}),
        ("cpu", "true minimum and maximum", lambda: cpu(plain, How())),
        ("cpu", "+ channels equalised", lambda: cpu(even, How())),
        ("cpu", "+ heads in float (shipped)", lambda: cpu(even, HEADS)),
        ("cpu", "  with the 99.9th percentile instead", lambda: cpu(even, How(ranges="percentile", in_float=OUTPUTS))),
        ("cpu", "  with the quantiser's moving average instead",
         lambda: cpu(even, How(ranges="moving average", in_float=OUTPUTS))),
        ("edgetpu", "true minimum and maximum", lambda: edgetpu(plain)),
        ("edgetpu", "+ channels equalised (shipped)", lambda: edgetpu(even)),
    ]  # fmt: skip
    rows: list[dict[str, Any]] = []
    for number, (form, step, build) in enumerate(steps):
        report("quantise and measure", number / len(steps))
        with tempfile.TemporaryDirectory() as folder:
            stage({name: {form: model} for name, model in build().items()}, {}, Path(folder))
            shelf = Shelf.open(Path(folder), form)
            rows.append({"form": form, "step": step, **_measured(shelf, reference, samples["check"], pictures)})
    report("quantise and measure", 1)
    return rows


def _measured(
    shelf: Shelf, reference: Shelf, checked: Mapping[str, Pixels], pictures: Sequence[Picture]
) -> dict[str, float]:
    tallies = look_at(pictures, Mtcnn(shelf, min_face_px=MIN_FACE_PX), "Detecting")
    found: dict[str, float] = {
        "recall": sum(len(one.found) for one in tallies) / sum(len(one.sizes_px) for one in tallies),
        "false": sum(one.false for one in tallies) / len(tallies) / VIEWS,
    }
    for name in INPUT_SHAPES:
        figures = check.detector_figures(shelf, reference, name, checked[name])
        found |= {f"{name}_{key}": value for key, value in figures.items() if key.endswith("error_mean")}
    return found


def _float(name: str, weights: Weights) -> bytes:
    return convert.to_tflite(mtcnn_nets.network(name, weights), INPUT_SHAPES[name])
