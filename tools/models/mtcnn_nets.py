"""The three networks of MTCNN, written as TensorFlow functions of the published constants.

K. Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded CNNs" (2016), figure 2. Each takes (N, H,
W, 3) of (pixel - 127.5) / 128, RGB, and gives ``logit`` (..., 1), ``reg`` (..., 4) box offsets, and O-Net ``lmk``
(N, 10).

Published is a softmax over (no face, face). Of two classes that is the sigmoid of their difference, and the difference,
the logit, is what is given here: in int8 a probability has no room left to tell a sure face from a surer one, by which
boxes are chosen and suppressed, and of softmax the Edge TPU maps one row only.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tools.models.convert import Network
from tools.models.equalise import even_factor
from tools.models.fetch import read_member
from tools.models.mobilefacenet_net import prelu
from tools.models.pixels import Pixels, normalised
from tools.models.sources import Source

Weights: TypeAlias = Sequence[npt.NDArray[np.float32]]

INPUT_SHAPES = {"pnet": (1, 224, 128, 3), "rnet": (1, 24, 24, 3), "onet": (1, 48, 48, 3)}
"""R-Net's and O-Net's are the paper's. P-Net's is the pyramid of 640x480 with the product's smallest face of 60 px,
which the Edge TPU searches at once. On a CPU P-Net takes a canvas of any size."""

POOLS: Mapping[str, Sequence[tuple[int, str] | None]] = {
    "pnet": ((2, "SAME"), None, None),
    "rnet": ((3, "SAME"), (3, "VALID"), None),
    "onet": ((3, "SAME"), (3, "VALID"), (2, "SAME"), None),
}
"""After each convolution: max-pooling of this size with stride 2, or none (figure 2)."""

DENSE = frozenset({"rnet", "onet"})
"""With a dense layer between the convolutions and the heads."""

HEADS = {"pnet": ("reg", "logit"), "rnet": ("reg", "logit"), "onet": ("reg", "lmk", "logit")}
"""In the published order."""

BATCH = 100


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
    return lambda image: forward(name, weights, image)


Tap: TypeAlias = Callable[[int, Any], None]
"""Is shown each layer's number with its sum, and again after its PReLU."""


def forward(name: str, w: Weights, x: Any, tap: Tap = lambda _number, _value: None) -> dict[str, Any]:
    """The network on (N, H, W, 3) pictures."""
    for number, pool in enumerate(POOLS[name]):
        kernel, bias, alpha = w[3 * number : 3 * number + 3]
        x = _prelu(_conv(x, kernel, bias), alpha, number, tap)
        x = _pool(x, *pool) if pool else x
    number = len(POOLS[name])
    apply: Callable[..., Any] = _conv
    if name in DENSE:
        height, width, channels = x.shape[1:]
        weight, bias, alpha = w[3 * number : 3 * number + 3]
        rows = _rows_hwc(weight, width, height, channels)
        x = _prelu(_dense(_flat(x), rows, bias), alpha, number, tap)
        number, apply = number + 1, _dense
    heads = {head: w[3 * number + 2 * i : 3 * number + 2 * i + 2] for i, head in enumerate(HEADS[name])}
    heads["logit"] = _difference(heads["logit"])
    return {head: apply(x, *weights) for head, weights in heads.items()}


def equalised(name: str, weights: Weights, pixels: Pixels) -> Weights:
    """The same function with channels of even range over (N, H, W, 3) samples, see ``equalise``.

    Max-pooling lets a positive factor through as PReLU does. Between two layers the square root splits the loss between
    activations and weights.
    """
    import tensorflow as tf

    widest: dict[int, npt.NDArray[np.float64]] = {}

    def tap(number: int, value: Any) -> None:
        largest = np.abs(value.numpy()).max(axis=tuple(range(len(value.shape) - 1))).astype(np.float64)
        widest[number] = np.maximum(widest.get(number, 0.0), largest)

    for start in range(0, len(pixels), BATCH):
        forward(name, weights, tf.constant(normalised(pixels[start : start + BATCH])), tap)
    scaled = [array.astype(np.float64) for array in weights]
    first_head = 3 * len(widest)
    for number, seen in sorted(widest.items()):
        following = [3 * number + 3] if number + 1 < len(widest) else range(first_head, len(scaled), 2)
        factor = even_factor(seen, [_by_input(scaled[i], len(seen)) for i in following])
        scaled[3 * number] *= factor
        scaled[3 * number + 1] *= factor
        for i in following:
            scaled[i] = (_by_input(scaled[i], len(seen)) / factor[:, None]).reshape(scaled[i].shape)
    return [array.astype(np.float32) for array in scaled]


def _by_input(weight: npt.NDArray[np.float64], channels: int) -> npt.NDArray[np.float64]:
    """(..., channels, out): of a dense layer's published rows (w, h, c), and of a convolution, which has it so."""
    return weight.reshape(-1, channels, weight.shape[-1])


def _rows_hwc(weight: npt.NDArray[np.float32], width: int, height: int, channels: int) -> npt.NDArray[np.float32]:
    """Dense rows from the published order (w, h, c) to TensorFlow's (h, w, c): the graph then needs no TRANSPOSE."""
    return weight.reshape(width, height, channels, -1).transpose(1, 0, 2, 3).reshape(weight.shape)


def _conv(x: Any, kernel: npt.NDArray[np.float32], bias: npt.NDArray[np.float32]) -> Any:
    import tensorflow as tf

    return tf.nn.bias_add(tf.nn.conv2d(x, tf.constant(kernel), 1, "VALID"), tf.constant(bias))


def _prelu(x: Any, alpha: npt.NDArray[np.float32], number: int, tap: Tap) -> Any:
    tap(number, x)
    x = prelu(x, alpha)
    tap(number, x)
    return x


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
