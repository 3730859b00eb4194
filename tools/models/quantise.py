"""fp32 .tflite to int8 .tflite: static, weights and activations, ranges from real samples."""

import contextlib
import io
import warnings

import numpy as np
import numpy.typing as npt

from tools.models.convert import SIGNATURE


def with_extremes(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A copy of (N, H, W, 3) samples with one black and one white pixel in each.

    The input's range is then exactly (0 - 127.5) / 128 to (255 - 127.5) / 128 and its scale exactly 1/128: quantising a
    camera's pixel becomes turning over its top bit.
    """
    marked = pixels.copy()
    marked[:, 0, 0] = 0
    marked[:, -1, -1] = 255
    return marked


def normalised(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """What all four networks expect: (pixel - 127.5) / 128."""
    return (pixels.astype(np.float32) - np.float32(127.5)) * np.float32(1 / 128)


def quantise(fp32: bytes, pixels: npt.NDArray[np.uint8]) -> bytes:
    """The int8 model; ``pixels`` is (N, H, W, 3) RGB, samples of the size that the model is stored with.

    ai-edge-quantizer's recipe ``static_wi8_ai8`` leaves PReLU in float between int8 operators, which XNNPACK runs fast.
    Its own calibration is a moving average and clips; here the ranges are the true minimum and maximum (mean IoU of
    detected boxes 0.826 against 0.795).
    """
    from ai_edge_quantizer import quantizer, recipe
    from ai_edge_quantizer.calibrator import Calibrator
    from ai_edge_quantizer.recipe_manager import RecipeManager
    from ai_edge_quantizer.utils.qsv_utils import min_max_update

    recipes = RecipeManager()
    recipes.load_quantization_recipe(recipe.static_wi8_ai8())
    images = normalised(with_extremes(pixels))
    # The calibrator draws a bar of its own and warns that it keeps every tensor, which is its purpose.
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore", UserWarning)
        # One thread: how XNNPACK splits the work must not show in the last bits of a range.
        calibrator = Calibrator(fp32, num_threads=1, qsv_update_func=min_max_update)
        calibrator.calibrate({SIGNATURE: [{"image": image[None]} for image in images]}, recipes)
        quantised = quantizer.Quantizer(fp32, recipe.static_wi8_ai8()).quantize(
            calibrator.get_model_qsvs(), enable_progress_report=False
        )
    return bytes(quantised.quantized_model)
