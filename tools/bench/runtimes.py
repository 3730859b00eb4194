"""The same networks under every TFLite runtime that is installed."""

import importlib.util
import statistics
import time
from collections.abc import Callable

import msgspec
import numpy as np

from edge.models.interpreter import RUNTIMES, Net, load_runtime
from edge.models.manifest import Shelf

INPUTS = {
    "pnet": (1, 224, 128, 3),  # the canvas of 640x480 at a smallest face of 60 px
    "rnet": (8, 24, 24, 3),
    "onet": (2, 48, 48, 3),
    "mobilefacenet": (1, 112, 112, 3),
}


class NetTiming(msgspec.Struct):
    """Median milliseconds of one call under each runtime, one thread."""

    network: str
    ms: dict[str, float]


def installed() -> list[str]:
    """The runtimes' import names, the preferred one first."""
    return [name for name in RUNTIMES if importlib.util.find_spec(name)]


def measure(repeats: int, done: Callable[[], None]) -> list[NetTiming]:
    """Every network under every runtime, in turn."""
    shelf = Shelf.open()
    generator = np.random.default_rng(1)
    found = []
    for network, shape in INPUTS.items():
        nets = {name: Net(shelf, network, input_shape=shape, runtime=load_runtime([name])) for name in installed()}
        pixels = generator.integers(0, 256, shape, dtype=np.uint8)
        times: dict[str, list[float]] = {name: [] for name in nets}
        for _ in range(repeats):
            for name, net in nets.items():
                start = time.perf_counter()
                net.run(pixels)
                times[name].append((time.perf_counter() - start) * 1000)
            done()
        found.append(NetTiming(network, {name: statistics.median(each) for name, each in times.items()}))
    return found
