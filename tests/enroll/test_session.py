"""What a photograph must be to become a template, by the real networks."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from edge.enroll.session import Sample, Session, templates
from edge.models.mobilefacenet import MobileFaceNet
from edge.models.mtcnn import Mtcnn
from edge.types import Rgb
from tests.conftest import Describe


def small(rgb: Rgb) -> Rgb:
    return np.asarray(cv2.resize(rgb, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA), np.uint8)


def dark(rgb: Rgb) -> Rgb:
    return np.asarray(rgb // 3, np.uint8)


def moved(rgb: Rgb) -> Rgb:
    """By 40 px, a ninth of the face, while it was taken."""
    return np.asarray(cv2.blur(rgb, (40, 1)), np.uint8)


def in_dark_glasses(rgb: Rgb, detector: Mtcnn) -> Rgb:
    worn = rgb.copy()
    for x, y in detector.detect(rgb)[0].landmarks[:2]:
        cv2.ellipse(worn, (int(x), int(y)), (46, 30), 0, 0, 360, (15, 15, 18), -1)
    return worn


@pytest.fixture
def looked_at(detector: Mtcnn, embedder: MobileFaceNet) -> Callable[[Rgb], Sample]:
    def look(rgb: Rgb) -> Sample:
        session = Session(detector, embedder, 60)
        session.add("a picture", rgb)
        (sample,) = session.finish()
        return sample

    return look


@pytest.mark.parametrize(
    ("spoil", "words"), [(small, "come closer"), (dark, "more light on the face"), (moved, "hold still")]
)
def test_a_poor_photograph_is_refused_and_says_what_to_do(
    spoil: Callable[[Rgb], Rgb], words: str, looked_at: Callable[[Rgb], Sample], describe: Describe
) -> None:
    good = describe.rgb("obama.jpg")
    assert looked_at(good).refused is None
    sample = looked_at(spoil(good))
    assert words in (sample.refused or "")
    assert sample.quality is not None
    assert templates([sample]) == []


def test_dark_glasses_are_to_be_taken_off(
    looked_at: Callable[[Rgb], Sample], describe: Describe, detector: Mtcnn
) -> None:
    sample = looked_at(in_dark_glasses(describe.rgb("obama.jpg"), detector))
    assert "take off dark glasses" in (sample.refused or "")
