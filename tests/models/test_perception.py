"""The real networks on real photographs, under every TFLite runtime that is installed."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from edge.core.pyramid import plan
from edge.errors import FaceError
from edge.images import read_rgb
from edge.models.interpreter import Net, load_runtime
from edge.models.manifest import Shelf
from edge.models.mobilefacenet import MobileFaceNet
from edge.models.mtcnn import Mtcnn, cropped, halved
from edge.types import Rgb
from tests.conftest import Describe
from tests.models.runtimes import INSTALLED

FACES = {"obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png"}


def test_each_portrait_shows_one_face_with_landmarks_in_their_places(describe: Describe, detector: Mtcnn) -> None:
    for name in FACES:
        face = detector.detect(describe.rgb(name))[0]
        left, right, nose, mouth_left, mouth_right = face.landmarks
        assert face.probability > 0.9
        assert left[0] < nose[0] < right[0]
        assert max(left[1], right[1]) < nose[1] < min(mouth_left[1], mouth_right[1])
        assert (face.landmarks > [face.box.x0, face.box.y0]).all()
        assert (face.landmarks < [face.box.x1, face.box.y1]).all()


def test_pictures_without_a_face_show_none(describe: Describe, detector: Mtcnn) -> None:
    for name in ("coffee.png", "chelsea.png", "rocket.jpg"):
        assert detector.detect(describe.rgb(name)) == []


def test_one_man_resembles_himself_and_nobody_else(describe: Describe) -> None:
    embeddings = {name: describe(name) for name in FACES}
    for first, second in combinations(sorted(FACES), 2):
        similarity = float(embeddings[first] @ embeddings[second])
        if first.startswith("obama") and second.startswith("obama"):
            assert similarity > 0.6
        else:
            assert similarity < 0.4


def test_an_embedding_is_a_unit_vector_that_belongs_to_the_caller(describe: Describe, embedder: MobileFaceNet) -> None:
    first = describe("obama.jpg")
    before = first.copy()
    describe("biden.jpg")
    assert np.array_equal(first, before)
    assert first.dtype == np.float32
    assert first.shape == (embedder.dimension,)
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-5)


def test_a_mirrored_face_has_the_same_average_of_both(shelf: Shelf, describe: Describe, detector: Mtcnn) -> None:
    both, one = MobileFaceNet(shelf, flip_average=True), MobileFaceNet(shelf)
    assert (both.model_id, both.dimension) == (one.model_id, one.dimension)

    def upright(name: str) -> Rgb:
        rgb = describe.rgb(name)
        return both.align(rgb, detector.detect(rgb)[0].landmarks)

    obama, again, biden = upright("obama.jpg"), upright("obama2.jpg"), upright("biden.jpg")
    assert np.allclose(both.embed(obama), both.embed(obama[:, ::-1].copy()), atol=1e-6)
    assert not np.allclose(one.embed(obama), one.embed(obama[:, ::-1].copy()), atol=1e-2)
    halves = one.embed(obama) + one.embed(obama[:, ::-1].copy())
    assert np.allclose(both.embed(obama), halves / np.linalg.norm(halves), atol=1e-6)
    assert np.linalg.norm(both.embed(obama)) == pytest.approx(1, abs=1e-5)
    for probe in (both, one):  # templates of either kind may be compared
        assert float(probe.embed(obama) @ both.embed(again)) > 0.6
        assert float(probe.embed(obama) @ both.embed(biden)) < 0.4


def test_a_face_is_found_where_it_is_whatever_its_size_and_place(describe: Describe, detector: Mtcnn) -> None:
    portrait = describe.rgb("astronaut.png")[:224, 110:334]  # the face is 112 px high, its centre at (112, 117)
    canvas = np.full((480, 640, 3), 110, dtype=np.uint8)
    for x, y in ((0, 0), (416, 0), (201, 133), (416, 256)):
        shown = canvas.copy()
        shown[y : y + 224, x : x + 224] = portrait
        (face,) = detector.detect(shown)
        assert abs((face.box.x0 + face.box.x1) / 2 - x - 112) < 12
        assert abs((face.box.y0 + face.box.y1) / 2 - y - 117) < 12


def test_a_large_photograph_gives_coordinates_of_its_own_pixels(describe: Describe, detector: Mtcnn) -> None:
    small = describe.rgb("astronaut.png")
    large = np.repeat(np.repeat(small, 5, axis=0), 5, axis=1)
    (a,), (b,) = detector.detect(small), detector.detect(large)
    assert np.allclose(np.array(b.landmarks) / 5, a.landmarks, atol=3)


@pytest.mark.parametrize("size", [(12, 12), (13, 400), (400, 12), (41, 59), (1, 1)])
def test_tiny_and_odd_frames_are_searched_without_complaint(size: tuple[int, int], detector: Mtcnn) -> None:
    assert detector.detect(np.full((*size, 3), 127, dtype=np.uint8)) == []


def test_noise_holds_few_faces(detector: Mtcnn) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    assert len(detector.detect(noise)) <= 1


def test_landmarks_that_coincide_cannot_be_aligned(embedder: MobileFaceNet) -> None:
    with pytest.raises(FaceError, match="landmarks"):
        embedder.align(np.zeros((100, 100, 3), np.uint8), np.full((5, 2), 50, np.float32))


def test_the_packed_pyramid_finds_what_each_level_would_find_alone(shelf: Shelf, describe: Describe) -> None:
    """The canvas has no gaps: every cell's answer is the one that its level gives on its own."""
    rgb = describe.rgb("astronaut.png")[:240, :320].copy()
    canvas_plan = plan(320, 240, 40)
    detector = Mtcnn(shelf, min_face_px=40)
    detector.detect(rgb)
    together = detector._pnet.run(detector._canvas)["logit"].real(0)
    for level in canvas_plan.levels:
        rows = slice(level.y_px, level.y_px + level.height_px)
        columns = slice(level.x_px, level.x_px + level.width_px)
        alone = Net(shelf, "pnet", input_shape=(1, level.height_px, level.width_px, 3))
        expected = alone.run(np.ascontiguousarray(detector._canvas[:, rows, columns]))["logit"].real(0)
        high, wide = level.cells_high, level.cells_wide
        y, x = level.y_px // 2, level.x_px // 2
        assert np.array_equal(together[y : y + high, x : x + wide], expected[:high, :wide])


def test_a_crop_is_what_a_careful_hand_would_cut() -> None:
    """A linear ramp stays that ramp through halving and sub-pixel cropping."""
    ramp = np.zeros((256, 256, 3), dtype=np.uint8)
    ramp[..., 0] = np.arange(256)[None, :]
    ramp[..., 1] = np.arange(256)[:, None]
    halves = halved(ramp)
    for x0, y0, side in ((32.0, 64.0, 24.0), (40.5, 21.25, 60.0), (8.0, 8.0, 200.0)):
        (crop,) = cropped(halves, np.array([[x0, y0, x0 + side, y0 + side]], np.float32), 24)
        expected = x0 + (np.arange(24) + 0.5) * side / 24 - 0.5
        assert np.abs(crop[12, :, 0] - expected).max() <= 2
        assert np.abs(crop[:, 12, 1] - (y0 - x0 + expected)).max() <= 2


@pytest.mark.parametrize("runtime", INSTALLED)
def test_every_installed_runtime_sees_the_same(runtime: str, shelf: Shelf, photos: dict[str, Path]) -> None:
    module = load_runtime([runtime])
    detector, embedder = Mtcnn(shelf, runtime=module), MobileFaceNet(shelf, runtime=module)

    def described(name: str) -> Rgb:
        rgb = read_rgb(photos[name])
        return embedder.align(rgb, detector.detect(rgb)[0].landmarks)

    obama, again, biden = (embedder.embed(described(n)) for n in ("obama.jpg", "obama2.jpg", "biden.jpg"))
    assert float(obama @ again) > 0.6
    assert float(obama @ biden) < 0.4
    reference = MobileFaceNet(shelf)
    assert float(obama @ reference.embed(described("obama.jpg"))) > 0.98


def test_outputs_are_compared_without_converting_them(shelf: Shelf) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (1, 24, 24, 3), dtype=np.uint8)
    for kept in (shelf, Shelf.open(shelf.folder, "edgetpu")):
        output = Net(kept, "rnet").run(pixels)["logit"]
        for limit in np.linspace(-6, 6, 53):
            assert np.array_equal(output.at_least(float(limit)), output.real() >= limit - 1e-6)
