"""Equalising changes no output and evens the channels; so does merging two convolutions."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.networks import convolve, random_network, run
from tools.models.equalise import FLOOR, equalise, streams
from tools.models.layers import Layer, blocks, is_residual, merge_last_two

SEEDS = st.integers(0, 2**32 - 1)


def image(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.random.default_rng(seed).uniform(-1, 1, (16, 16, 3))


@given(SEEDS)
def test_the_function_stays_the_same(seed: int) -> None:
    network = random_network(seed)
    before, ranges = run(network, image(seed))
    after, _ = run(equalise(network, ranges), image(seed))
    # Weights are stored as float32 (2^-24), a few dozen of them to a sum, through 18 layers.
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-4 * np.abs(before).max())


@given(SEEDS)
def test_what_a_depthwise_layer_reads_has_even_channels(seed: int) -> None:
    network = random_network(seed)
    ranges = run(network, image(seed))[1]
    evened = run(equalise(network, ranges), image(seed))[1]
    for expand in (0, *(block[0] for block in blocks(network)), len(network) - 3):
        alive = ranges[expand] > ranges[expand].max() * FLOOR
        assert evened[expand][alive].max() / evened[expand][alive].min() == pytest.approx(1, rel=1e-3)


def test_dead_channels_get_no_endless_factor() -> None:
    network = random_network(1)
    ranges = run(network, image(1))[1]
    nothing = {number: np.zeros_like(widest) for number, widest in ranges.items()}
    one_dead = {number: widest * (np.arange(len(widest)) > 0) for number, widest in ranges.items()}
    for measured in (nothing, one_dead):
        for layer in equalise(network, measured):
            assert np.isfinite(layer.weight).all()
            assert np.isfinite(layer.bias).all()


def test_every_tensor_between_input_and_output_is_scaled_once() -> None:
    network = random_network(0)
    written = Counter(number for stream in streams(network) for number in stream.producers)
    read = Counter(number for stream in streams(network) for number in stream.consumers)
    assert written == Counter(range(len(network) - 1))
    assert read == Counter(range(1, len(network)))


def test_what_an_addition_ties_together_is_scaled_together() -> None:
    network = random_network(0)
    first, second, third, fourth = blocks(network)
    assert [is_residual(network, block) for block in (first, second, third, fourth)] == [False, True, True, False]
    tied = next(stream for stream in streams(network) if first[2] in stream.producers)
    assert tied.producers == (first[2], second[2], third[2])
    assert tied.consumers == (second[0], third[0], fourth[0])


@given(SEEDS)
def test_two_linear_convolutions_merge_into_one(seed: int) -> None:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(1, 1, 4))

    def linear(inputs: int, outputs: int) -> Layer:
        weight = generator.normal(size=(1, 1, inputs, outputs)).astype(np.float32)
        return Layer(weight=weight, bias=generator.normal(size=outputs).astype(np.float32))

    first, second = linear(4, 5), linear(5, 3)
    (merged,) = merge_last_two([first, second])
    apart = convolve(convolve(x, first), second)
    np.testing.assert_allclose(convolve(x, merged), apart, rtol=1e-5, atol=1e-5)


def test_what_cannot_be_merged_is_refused() -> None:
    network = random_network(0)
    with pytest.raises(ValueError, match="1x1"):
        merge_last_two([network[0], network[2]])
    with pytest.raises(ValueError, match="activation"):
        merge_last_two([replace(network[-1], alpha=np.ones(7, np.float32)), network[-1]])
