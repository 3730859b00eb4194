"""TensorFlow as the training needs it."""

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

from edge.errors import ModelError
from tools.models.console import errors

THREADS = 2


@contextmanager
def training() -> Iterator[None]:
    """Quiet, on two threads, with fixed kernels. Ends with an error where a package is missing.

    The same machine gives the same network again; another may add in another order, and training makes much of little.
    """
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
    with errors():
        missing = [name for name in ("ai_edge_quantizer", "tensorflow") if importlib.util.find_spec(name) is None]
        if missing:
            raise ModelError(f"Training needs {', '.join(missing)}. Run `pip install -e .[tools]`.")
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(THREADS)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        tf.config.experimental.enable_op_determinism()
        cv2.setNumThreads(1)
        yield
