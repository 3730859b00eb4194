"""TensorFlow functions to .tflite bytes with a signature: float32, or int8 throughout."""

import contextlib
import io
import tempfile
import warnings
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tools.models.pixels import normalised, with_extremes

SIGNATURE = "serving_default"

Network: TypeAlias = Callable[[Any], dict[str, Any]]


def to_tflite(network: Network, input_shape: tuple[int, ...]) -> bytes:
    """A float32 model: input ``image``, outputs named by the function's dictionary, signature ``serving_default``.

    The size is fixed in the file; both runtimes resize it.
    """
    with _converter(network, input_shape) as converter:
        return bytes(converter.convert())


def to_full_int8(network: Network, input_shape: tuple[int, ...], pixels: npt.NDArray[np.uint8]) -> bytes:
    """An int8 model without a float tensor, PReLU included: what the Edge TPU's compiler takes.

    ``pixels``: (N, *input_shape[1:]) RGB samples. The converter calibrates with their true minimum and maximum, one
    scale per tensor, and one per channel for the weights.
    """
    import tensorflow as tf

    images = normalised(with_extremes(pixels))
    with _converter(network, input_shape) as converter:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ({"image": image[None]} for image in images)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        # The converter warns of an interpreter of its own, and says what it was asked for.
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore", UserWarning)
            return bytes(converter.convert())


@contextlib.contextmanager
def _converter(network: Network, input_shape: tuple[int, ...]) -> Iterator[Any]:
    """Through a SavedModel, because that is the way that keeps the names."""
    import tensorflow as tf

    module = tf.Module()
    module.call = tf.function(network, input_signature=[tf.TensorSpec(input_shape, tf.float32, name="image")])
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures={SIGNATURE: module.call.get_concrete_function()})
        yield tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[SIGNATURE])
