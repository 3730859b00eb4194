"""What each step of quantising MobileFaceNet gains, measured on LFW View 1 with the same aligned faces for all.

``cpu`` steps leave PReLU in float, ``edgetpu`` steps are int8 throughout. Ranges come from faces of people of whom no
two pictures are compared (``lfw.View.spare``), and nothing is measured on those.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tools.models import convert, equalise, mobilefacenet_net, quantise, simulate
from tools.models.build import Published
from tools.models.console import Report
from tools.models.layers import Layer
from tools.models.mobilefacenet_net import INPUT_SHAPE
from tools.models.pixels import Pixels, normalised
from tools.models.quantise import How
from tools.study import distil
from tools.study.measured import Faces, agreement, embedded, tar_percent
from tools.study.varied import varied

SEED = 3
"""Of the faces that are drawn; any fixed number would do."""

FACES = 600
VARIED = 1200


def study(published: Published, faces: Faces, report: Report) -> list[dict[str, Any]]:
    """A row per step: its name and form, TAR in % at each FAR, cosine to fp32, size."""
    plain = list(published.mobilefacenet)
    aligned = faces.aligned()
    generator = np.random.default_rng(SEED)
    pool = aligned[faces.spare]
    samples = pool[np.sort(generator.permutation(len(pool))[:FACES])]
    more = varied(pool, VARIED, generator)
    even = equalise.equalise(plain, mobilefacenet_net.ranges(plain, normalised(samples)))
    limits = simulate.ranges(even, samples)
    corrected = simulate.correct_biases(even, limits, samples)
    distilled = distil.distilled(even, limits, pool, SEED, lambda done: report("distil", done))
    steps: list[tuple[str, str, Callable[[], bytes]]] = [
        ("fp32", "the network as published", lambda: _float(plain)),
        ("cpu", "true minimum and maximum of 600 faces, one weight scale a tensor",
         lambda: _cpu(plain, samples, How(per_channel=False))),
        ("cpu", "+ one weight scale a channel", lambda: _cpu(plain, samples)),
        ("cpu", "+ channels equalised", lambda: _cpu(even, samples)),
        ("cpu", "  with the quantiser's moving average instead",
         lambda: _cpu(even, samples, How(ranges="moving average"))),
        ("cpu", "  with the 99.9th percentile instead", lambda: _cpu(even, samples, How(ranges="percentile"))),
        ("cpu", "  with 1,200 varied faces instead", lambda: _cpu(even, more)),
        ("cpu", "  + biases corrected (shipped)", lambda: _cpu(corrected, samples)),
        ("cpu", "  + the last two layers in float", lambda: _cpu(even, samples, How(in_float=_tail(even)))),
        ("cpu", "  + distilled into itself, 400 steps", lambda: _cpu(distilled, samples)),
        ("edgetpu", "true minimum and maximum of 600 faces", lambda: _edgetpu(plain, samples)),
        ("edgetpu", "+ channels equalised", lambda: _edgetpu(even, samples)),
        ("edgetpu", "  with 1,200 varied faces instead", lambda: _edgetpu(even, more)),
        ("edgetpu", "  + biases corrected (shipped)", lambda: _edgetpu(corrected, samples)),
        ("edgetpu", "  + distilled into itself, 400 steps", lambda: _edgetpu(distilled, samples)),
    ]  # fmt: skip
    rows: list[dict[str, Any]] = []
    reference = None
    for number, (form, step, build) in enumerate(steps):
        report("quantise and measure", number / len(steps))
        model = build()
        found = embedded(model, aligned, f"Embedding, step {number + 1} of {len(steps)}")
        reference = found if reference is None else reference
        measured = {
            **tar_percent(faces, found, without_spare=True),
            **agreement(found, reference),
            "size_bytes": len(model),
        }
        rows.append({"form": form, "step": step, **measured})
    report("quantise and measure", 1)
    return rows


def _float(layers: Sequence[Layer]) -> bytes:
    return convert.to_tflite(mobilefacenet_net.network(layers), INPUT_SHAPE)


def _cpu(layers: Sequence[Layer], samples: Pixels, how: How | None = None) -> bytes:
    return quantise.quantise(_float(layers), samples, how)


def _edgetpu(layers: Sequence[Layer], samples: Pixels) -> bytes:
    return convert.to_full_int8(mobilefacenet_net.network(layers), INPUT_SHAPE, samples)


def _tail(layers: Sequence[Layer]) -> str:
    """A regular expression of the last two convolutions' outputs, by the names that TensorFlow gives them."""
    return f"BiasAdd_({len(layers) - 2}|{len(layers) - 1});"
