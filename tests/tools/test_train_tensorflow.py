"""The liveness network's arithmetic: folding, converting, quantising, learning. Needs the extra ``tools``."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.errors import ModelError
from edge.models.manifest import LIVENESS, Shelf
from tools.models.pixels import normalised
from tools.models.tpu_rules import violations
from tools.train import crops, judges, learn, liveness, net

tf = pytest.importorskip("tensorflow", reason="the extra tools is not installed: no tensorflow")


@pytest.fixture(scope="module")
def cache() -> crops.Cache:
    """Live faces are smooth, attacks are striped: anything that learns tells them apart."""
    rng = np.random.default_rng(1)
    side, count = crops.SIDE_PX, 64
    drawn = rng.integers(60, 120, (count, crops.AUGMENTED, 1, 1, 3)) + np.zeros((1, 1, side, side, 1))
    drawn[count // 2 :, :, :, ::2] += 60
    bank = np.clip(drawn + rng.normal(0, 4, drawn.shape), 0, 255).astype(np.uint8)
    rows: list[dict[str, Any]] = []
    for number in range(count):
        live = number < count // 2
        rows.append(
            {
                "collection": "tran" if number % 2 else "lfw",
                "kind": "live" if live else "print",
                "made": not live and number % 2 == 0,
                "judged": {name: [0.9 if live else 0.1] for name in judges.TEACHERS},
            }
        )
    return crops.Cache(bank[:, : crops.VARIANTS], rows, bank)


@pytest.fixture(scope="module")
def trained(cache: crops.Cache) -> net.Trainable:
    return learn.train(cache, learn.lesson(cache, ()), lambda _step, _loss: None, steps=60)


def test_it_learns_what_can_be_learned(cache: crops.Cache) -> None:
    losses: list[float] = []
    learn.train(cache, learn.lesson(cache, ()), lambda _step, loss: losses.append(loss), steps=60)
    assert losses[-1] < losses[0] - 0.05


def test_the_same_seed_trains_the_same_network(cache: crops.Cache) -> None:
    first, again = (
        learn.train(cache, learn.lesson(cache, ()), lambda _step, _loss: None, steps=3).folded() for _ in range(2)
    )
    for (kernel, bias), (other_kernel, other_bias) in zip(first.convolutions, again.convolutions, strict=True):
        np.testing.assert_array_equal(kernel, other_kernel)
        np.testing.assert_array_equal(bias, other_bias)


def test_folding_changes_nothing(trained: net.Trainable, cache: crops.Cache) -> None:
    images = tf.constant(normalised(cache.squares[::9, 0]))
    expected = trained.forward(images, training=False).numpy()
    found = net.network(trained.folded())(images)["logit"].numpy()[:, 0]
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_both_forms_in_int8_say_what_fp32_says(
    trained: net.Trainable, cache: crops.Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(liveness, "CALIBRATION", 20)
    files = liveness.quantised(net.network(trained.folded()), cache, ())
    assert violations(files["edgetpu"]) == []
    for variant, figures in liveness.compared(files, cache, tmp_path).items():
        assert figures["probability_error_mean"] < 0.05
        card = Shelf.open(tmp_path / variant, variant).card(LIVENESS)
        assert card.input.dtype == "int8"
        assert card.size_bytes <= 700_000


def test_a_network_that_int8_spoils_is_refused() -> None:
    good = {"probability_error_mean": 0.001, "decision_agreement": 0.999}
    liveness.refuse_poor("cpu", good)
    for bad in ({"probability_error_mean": 0.1}, {"decision_agreement": 0.5}, {"decision_agreement": float("nan")}):
        with pytest.raises(ModelError, match=r"liveness_cpu_int8.tflite was quantised badly"):
            liveness.refuse_poor("cpu", {**good, **bad})
