"""TensorFlow functions to fp32 .tflite bytes with a signature."""

import tempfile
from collections.abc import Callable
from typing import Any

SIGNATURE = "serving_default"


def to_tflite(function: Callable[[Any], dict[str, Any]], input_shape: tuple[int, ...]) -> bytes:
    """A float32 model: input ``image``, outputs named by the function's dictionary, signature ``serving_default``.

    Through a SavedModel, because that is the way that keeps the names. The size is fixed in the file; both runtimes
    resize it.
    """
    import tensorflow as tf

    module = tf.Module()
    module.call = tf.function(function, input_signature=[tf.TensorSpec(input_shape, tf.float32, name="image")])
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures={SIGNATURE: module.call.get_concrete_function()})
        converted: bytes = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[SIGNATURE]).convert()
    return converted
