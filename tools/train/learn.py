"""The training itself: which pictures, with which answers, in which order."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tools.models.pixels import normalised
from tools.train.crops import AUGMENTED, Cache
from tools.train.judges import TEACHERS
from tools.train.material import STILLS
from tools.train.net import Trainable

SEED = 20261127
BATCH = 64
STEPS = 1500
RATE = 2e-3
DECAY = 5e-3

TEACHERS_SHARE = 0.5
"""Of the answer wanted for a picture; the rest is the label. The teachers know more cameras than there are here."""

MADE_SHARE = 0.25
"""The same for a generated attack, which the teachers never saw the like of, and whose label is certain."""

SHARES: Mapping[str, float] = {"live": 0.25, "still": 0.25, "attack": 0.25, "made": 0.25}
"""Of each batch: people before a camera, stills of people, real attacks, generated attacks."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """Row numbers of the cache by group, how often each is drawn, and the answer wanted for every row, 0..1."""

    groups: Mapping[str, npt.NDArray[np.intp]]
    chances: Mapping[str, npt.NDArray[np.float64]]
    answers: npt.NDArray[np.float32]


def lesson(cache: Cache, without: Collection[str]) -> Lesson:
    """Everything but the collections ``without``."""
    groups: dict[str, list[int]] = {name: [] for name in SHARES}
    wanted = np.zeros(len(cache.rows), np.float32)
    for number, row in enumerate(cache.rows):
        if row["kind"] == "no face" or row["collection"] in without:
            continue
        wanted[number] = answer(row)
        groups[group(row)].append(number)
    chances = {name: even([cache.rows[number]["collection"] for number in numbers]) for name, numbers in groups.items()}
    return Lesson({name: np.array(numbers, np.intp) for name, numbers in groups.items()}, chances, wanted)


def even(collections: Sequence[str]) -> npt.NDArray[np.float64]:
    """How often each picture is drawn: a collection of four times as many pictures is drawn twice as often."""
    sizes = Counter(collections)
    weights = np.array([sizes[collection] ** -0.5 for collection in collections])
    chances: npt.NDArray[np.float64] = weights / weights.sum()
    return chances


def group(row: Mapping[str, Any]) -> str:
    if row["made"]:
        return "made"
    if row["kind"] != "live":
        return "attack"
    return "still" if row["collection"] in STILLS else "live"


def answer(row: Mapping[str, Any]) -> float:
    """What the network should say of a picture, 0..1."""
    taught = float(np.mean([row["judged"][name][0] for name in TEACHERS]))
    if row["made"]:
        return MADE_SHARE * taught
    label = 1.0 if row["kind"] == "live" else 0.0
    return (1 - TEACHERS_SHARE) * label + TEACHERS_SHARE * taught


def train(cache: Cache, what: Lesson, report: Callable[[int, float], None], steps: int = STEPS) -> Trainable:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019), the rate falling as a cosine."""
    import tensorflow as tf

    tf.random.set_seed(SEED)
    net = Trainable(SEED)
    rng = np.random.default_rng(SEED)
    optimiser = _Adam(net.trained)
    batches = _Batches(cache, what, rng)

    def step(images: Any, wanted: Any, rate: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = net.forward(images, training=True)
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=wanted, logits=logits))
        optimiser.apply(tape.gradient(loss, net.trained), rate)
        for variable in net.decayed:
            variable.assign_sub(rate * DECAY * variable)
        return loss

    compiled = tf.function(step)
    mean = 0.0
    for number in range(steps):
        rate = RATE * min(1.0, (number + 1) / 100) * (1 + np.cos(np.pi * number / steps)) / 2
        images, wanted = batches.next()
        loss = float(compiled(tf.constant(images), tf.constant(wanted), tf.constant(rate, tf.float32)))
        mean = loss if number == 0 else 0.98 * mean + 0.02 * loss
        report(number, mean)
    return net


class _Adam:
    """Kingma and Ba 2015."""

    def __init__(self, variables: list[Any]) -> None:
        import tensorflow as tf

        self._variables = variables
        self._first = [tf.Variable(tf.zeros_like(each)) for each in variables]
        self._second = [tf.Variable(tf.zeros_like(each)) for each in variables]
        self._steps = tf.Variable(0.0)

    def apply(self, gradients: list[Any], rate: Any) -> None:
        import tensorflow as tf

        self._steps.assign_add(1.0)
        corrected = rate * tf.sqrt(1 - tf.pow(0.999, self._steps)) / (1 - tf.pow(0.9, self._steps))
        for variable, gradient, first, second in zip(
            self._variables, gradients, self._first, self._second, strict=True
        ):
            first.assign(0.9 * first + 0.1 * gradient)
            second.assign(0.999 * second + 0.001 * tf.square(gradient))
            variable.assign_sub(corrected * first / (tf.sqrt(second) + 1e-8))


class _Batches:
    def __init__(self, cache: Cache, what: Lesson, rng: np.random.Generator) -> None:
        self._cache, self._what, self._rng = cache, what, rng

    def next(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        numbers = np.concatenate(
            [
                self._rng.choice(self._what.groups[name], round(share * BATCH), p=self._what.chances[name])
                for name, share in SHARES.items()
                if len(self._what.groups[name])
            ]
        )
        places = self._rng.integers(0, AUGMENTED, len(numbers))
        images = np.stack([self._cache.bank[each] for each in zip(numbers, places, strict=True)])
        mirrored = self._rng.random(len(numbers)) < 0.5
        images[mirrored] = images[mirrored, :, ::-1]
        return normalised(images), self._what.answers[numbers]
