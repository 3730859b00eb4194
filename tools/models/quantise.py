"""fp32 .tflite to int8 .tflite: static, weights and activations, ranges from real samples, PReLU left in float."""

import contextlib
import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tools.models.convert import SIGNATURE
from tools.models.pixels import Pixels, normalised, with_extremes

PERCENTILE = 0.999
"""``percentile`` leaves out the samples whose extreme is beyond this quantile of all samples' extremes."""

OUTPUTS = "PartitionedCall"
"""A regular expression of the layers that give a network's outputs, by the name that TensorFlow gives these."""


@dataclass(frozen=True, slots=True)
class How:
    """What may be done in another way; as it stands is what the shipped networks are built with (tools.study measures
    the others).

    ``ranges``: of the activations over the samples. ``per_channel``: the weights' scales. ``in_float``: a regular
    expression of the layers left in float.
    """

    ranges: Literal["extremes", "percentile", "moving average"] = "extremes"
    per_channel: bool = True
    in_float: str | None = None


def quantise(fp32: bytes, pixels: Pixels, how: How | None = None) -> bytes:
    """The int8 model; ``pixels`` is (N, H, W, 3) RGB, samples of the size that the model is stored with.

    A static recipe of ai-edge-quantizer leaves PReLU in float between int8 operators, which XNNPACK runs fast. Its own
    calibration is a moving average and clips; here the ranges are the true minimum and maximum.
    """
    from ai_edge_quantizer import quantizer
    from ai_edge_quantizer.calibrator import Calibrator
    from ai_edge_quantizer.utils import qsv_utils

    how = how or How()
    update = {
        "extremes": qsv_utils.min_max_update,
        "moving average": qsv_utils.moving_average_update,
        "percentile": _keep_all,
    }[how.ranges]
    recipes = _recipes(how)
    images = normalised(with_extremes(pixels))
    # The calibrator draws a bar of its own and warns that it keeps every tensor, which is its purpose.
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore", UserWarning)
        # One thread: how XNNPACK splits the work must not show in the last bits of a range.
        calibrator = Calibrator(fp32, num_threads=1, qsv_update_func=update)
        calibrator.calibrate({SIGNATURE: [{"image": image[None]} for image in images]}, recipes)
        found = calibrator.get_model_qsvs()
        if how.ranges == "percentile":
            found = {tensor: _percentile(extremes) for tensor, extremes in found.items()}
        quantised = quantizer.Quantizer(fp32, recipes.get_quantization_recipe()).quantize(
            found, enable_progress_report=False
        )
    return bytes(quantised.quantized_model)


def _recipes(how: How) -> Any:
    from ai_edge_quantizer import qtyping
    from ai_edge_quantizer.algorithm_manager import AlgorithmName
    from ai_edge_quantizer.recipe_manager import RecipeManager

    recipes = RecipeManager()
    granularity = qtyping.QuantGranularity.CHANNELWISE if how.per_channel else qtyping.QuantGranularity.TENSORWISE
    everything = qtyping.TFLOperationName.ALL_SUPPORTED
    recipes.add_static_config(".*", everything, 8, 8, weight_granularity=granularity)
    if how.in_float is not None:
        recipes.add_quantization_config(how.in_float, everything, algorithm_key=AlgorithmName.NO_QUANTIZE)
    return recipes


def _keep_all(kept: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The calibrator's update that forgets nothing: each sample's extremes in a row of their own.

    It is called from the second sample on; the first was stored as it came, without a row.
    """
    rows = {key: np.asarray(new[key])[None] for key in ("min", "max")}
    return {key: np.concatenate([np.reshape(kept[key], (-1, *row.shape[1:])), row]) for key, row in rows.items()}


def _percentile(extremes: Mapping[str, Any]) -> dict[str, Any]:
    low, high = (np.asarray(extremes[key]) for key in ("min", "max"))
    return {"min": np.quantile(low, 1 - PERCENTILE, axis=0), "max": np.quantile(high, PERCENTILE, axis=0)}
