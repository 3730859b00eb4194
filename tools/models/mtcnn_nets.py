"""The three networks of MTCNN, written as TensorFlow functions of the published constants.

K. Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded CNNs" (2016), figure 2. Each takes (N, H,
W, 3) of (pixel - 127.5) / 128, RGB, and gives ``prob`` (..., 1) that this is a face, ``reg`` (..., 4) box offsets, and
O-Net ``lmk`` (N, 10).

Published is a softmax over (no face, face). Of two classes that is the sigmoid of the difference, which is written here
instead: one channel, and an operator that the Edge TPU maps on a picture of any size (of softmax it maps one row).
"""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tools.models.convert import Network
from tools.models.fetch import read_member
from tools.models.mobilefacenet_net import prelu
from tools.models.sources import Source

Weights: TypeAlias = Sequence[npt.NDArray[np.float32]]

INPUT_SHAPES = {"pnet": (1, 224, 128, 3), "rnet": (1, 24, 24, 3), "onet": (1, 48, 48, 3)}
"""R-Net's and O-Net's are the paper's. P-Net's is the pyramid of 640x480 with the product's smallest face of 60 px,
which the Edge TPU searches at once. On a CPU P-Net takes a canvas of any size."""


def member(name: str) -> str:
    """Where the package holds the weights of ``pnet``, ``rnet`` or ``onet``."""
    return f"mtcnn/assets/weights/{name}.lz4"


def load_weights(source: Source, archive: Path, name: str) -> Weights:
    """The arrays of ``pnet``, ``rnet`` or ``onet``.

    They are published as a joblib pickle, which can run any code: ``read_member`` has compared both digests before it
    is loaded.
    """
    data = read_member(source, archive, member(name))
    import joblib

    loaded: Weights = joblib.load(io.BytesIO(data))
    return loaded


def network(name: str, weights: Weights) -> Network:
    """The function to convert; ``weights`` in the published order: kernel, bias and alpha of each layer, the heads."""
    return {"pnet": _pnet, "rnet": _rnet, "onet": _onet}[name](weights)


def _pnet(w: Weights) -> Network:
    def run(x: Any) -> dict[str, Any]:
        x = _pool(_conv_prelu(x, w[0:3]), 2, "SAME")
        x = _conv_prelu(_conv_prelu(x, w[3:6]), w[6:9])
        return {"reg": _conv(x, *w[9:11]), "prob": _sigmoid(_conv(x, *_difference(w[11:13])))}

    return run


def _rnet(w: Weights) -> Network:
    def run(x: Any) -> dict[str, Any]:
        x = _pool(_conv_prelu(x, w[0:3]), 3, "SAME")
        x = _pool(_conv_prelu(x, w[3:6]), 3, "VALID")
        x = _conv_prelu(x, w[6:9])
        x = prelu(_dense(_flat(x), _rows_hwc(w[9], 3, 3, 64), w[10]), w[11])
        return {"reg": _dense(x, *w[12:14]), "prob": _sigmoid(_dense(x, *_difference(w[14:16])))}

    return run


def _onet(w: Weights) -> Network:
    def run(x: Any) -> dict[str, Any]:
        x = _pool(_conv_prelu(x, w[0:3]), 3, "SAME")
        x = _pool(_conv_prelu(x, w[3:6]), 3, "VALID")
        x = _pool(_conv_prelu(x, w[6:9]), 2, "SAME")
        x = _conv_prelu(x, w[9:12])
        x = prelu(_dense(_flat(x), _rows_hwc(w[12], 3, 3, 128), w[13]), w[14])
        prob = _sigmoid(_dense(x, *_difference(w[19:21])))
        return {"reg": _dense(x, *w[15:17]), "lmk": _dense(x, *w[17:19]), "prob": prob}

    return run


def _rows_hwc(weight: npt.NDArray[np.float32], width: int, height: int, channels: int) -> npt.NDArray[np.float32]:
    """Dense rows from the published order (w, h, c) to TensorFlow's (h, w, c): the graph then needs no TRANSPOSE."""
    return weight.reshape(width, height, channels, -1).transpose(1, 0, 2, 3).reshape(weight.shape)


def _conv(x: Any, kernel: npt.NDArray[np.float32], bias: npt.NDArray[np.float32]) -> Any:
    import tensorflow as tf

    return tf.nn.bias_add(tf.nn.conv2d(x, tf.constant(kernel), 1, "VALID"), tf.constant(bias))


def _conv_prelu(x: Any, weights: Weights) -> Any:
    kernel, bias, alpha = weights
    return prelu(_conv(x, kernel, bias), alpha)


def _dense(x: Any, weight: npt.NDArray[np.float32], bias: npt.NDArray[np.float32]) -> Any:
    import tensorflow as tf

    return tf.nn.bias_add(tf.matmul(x, tf.constant(weight)), tf.constant(bias))


def _flat(x: Any) -> Any:
    import tensorflow as tf

    return tf.reshape(x, [-1, int(np.prod(x.shape[1:]))])


def _pool(x: Any, size: int, padding: str) -> Any:
    import tensorflow as tf

    return tf.nn.max_pool2d(x, size, 2, padding)


def _difference(weights: Weights) -> Weights:
    """Weight and bias of face minus no face."""
    return [array[..., 1:] - array[..., :1] for array in weights]


def _sigmoid(x: Any) -> Any:
    import tensorflow as tf

    return tf.nn.sigmoid(x)
