"""What the studies are made of; the studies themselves take half an hour and real data."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from edge.core import pyramid
from edge.images import read_rgb
from edge.models import mtcnn
from edge.models.mobilefacenet import MobileFaceNet
from edge.models.mtcnn import Mtcnn
from tests.tools.networks import random_network
from tools.models import mobilefacenet_net, simulate
from tools.models.layers import Layer
from tools.models.pixels import normalised
from tools.study import detector as detector_study
from tools.study import distil, measured
from tools.study.varied import varied

FACES = np.random.default_rng(1).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)

needs_tensorflow = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="the extra tools is not installed: no tensorflow"
)


def test_varied_faces_are_pictures_of_the_same_size_and_can_be_had_again() -> None:
    first, again = (varied(FACES, 60, np.random.default_rng(2)) for _ in range(2))
    assert first.shape == (60, 16, 16, 3)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    assert len({face.tobytes() for face in first}) > 30
    assert first.mean(axis=(1, 2, 3)).min() < 0.6 * FACES.mean()  # some are dark


def test_a_face_is_aligned_as_the_product_aligns_it(
    photos: dict[str, Path], detector: Mtcnn, embedder: MobileFaceNet
) -> None:
    rgb = read_rgb(photos["obama.jpg"])
    landmarks = detector.detect(rgb)[0].landmarks
    np.testing.assert_array_equal(measured._aligned(rgb, landmarks, 1.0), embedder.align(rgb, landmarks))
    smaller = measured._aligned(rgb, landmarks, 0.8)
    assert np.abs(smaller.astype(int) - embedder.align(rgb, landmarks)).mean() > 5


def test_the_detector_has_its_own_constants_again_after_a_study() -> None:
    factor, thresholds = pyramid.FACTOR, dict(mtcnn.PROBABILITY_MIN)

    def fail() -> None:
        with detector_study._set(factor=0.5, stage="onet", limit=0.9):
            assert pyramid.FACTOR == 0.5
            assert mtcnn.PROBABILITY_MIN["onet"] == 0.9
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert factor == pyramid.FACTOR
    assert thresholds == mtcnn.PROBABILITY_MIN


@pytest.fixture(scope="module")
def network() -> list[Layer]:
    return random_network(8, spread=0.5)


def said(
    network: list[Layer], limits: simulate.Ranges | None = None
) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """Embeddings, exact or with the rounding of int8."""
    import tensorflow as tf

    image = tf.constant(normalised(FACES))
    if limits is None:
        return np.asarray(mobilefacenet_net.forward(network, image)["embedding"], dtype=np.float64)
    rounded = [simulate.rounded_weights(layer) for layer in network]
    return np.asarray(mobilefacenet_net.forward(rounded, image, simulate.rounding(limits))["embedding"], np.float64)


@needs_tensorflow
@pytest.mark.filterwarnings("ignore")
def test_corrected_biases_bring_the_means_back(network: list[Layer]) -> None:
    limits = simulate.ranges(network, FACES)
    exact = said(network).mean(axis=0)
    before = np.abs(said(network, limits).mean(axis=0) - exact).mean()
    corrected = simulate.correct_biases(network, limits, FACES)
    after = np.abs(said(corrected, limits).mean(axis=0) - exact).mean()
    assert 0 < after < before / 3


@needs_tensorflow
@pytest.mark.filterwarnings("ignore")
def test_a_network_distilled_into_itself_is_nearer_to_itself(
    network: list[Layer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distil, "STEPS", 60)
    monkeypatch.setattr(distil, "RATE", 1e-3)
    limits = simulate.ranges(network, FACES)
    seen: list[float] = []
    trained = distil.distilled(network, limits, FACES, 3, seen.append)
    assert (len(seen), seen[-1]) == (60, 1.0)
    exact = said(network)

    def agreement(layers: list[Layer]) -> float:
        other = said(layers, limits)
        return float(((exact * other).sum(1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(other, axis=1)).mean())

    assert agreement(trained) > agreement(network)
