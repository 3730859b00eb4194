"""``manifest.toml``: what the product verifies, and what a reader wants to know of each network."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge.models.interpreter import load_runtime
from tools.models.convert import SIGNATURE
from tools.models.sources import Source

SCHEMA = 1

HEADER = """\
# Written by `python -m tools.models build`; do not edit. A network is loaded only if its size and sha256 are these.
# An int8 tensor's real value is scale * (stored - zero_point).
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One network for the manifest: its file, where it comes from, what was measured."""

    name: str
    file: str
    model: bytes
    source: Source
    source_file: str
    figures: Mapping[str, float | int]
    template_model: str = ""


def manifest(entries: list[Entry]) -> str:
    """The manifest's text. Shapes, dtypes and scales are read from the models themselves."""
    lines = [HEADER, f"schema = {SCHEMA}"]
    for entry in entries:
        lines += ["", *_tables(entry)]
    return "\n".join(lines) + "\n"


def _tables(entry: Entry) -> list[str]:
    head = f"models.{entry.name}"
    inputs, outputs = tensors(entry.model)
    about = {
        "file": entry.file,
        "sha256": hashlib.sha256(entry.model).hexdigest(),
        "size_bytes": len(entry.model),
        **({"template_model": entry.template_model} if entry.template_model else {}),
        "licence": entry.source.licence,
    }
    source = {
        "package": entry.source.package,
        "version": entry.source.version,
        "registry": entry.source.registry,
        "archive_sha256": entry.source.archive_sha256,
        "file": entry.source_file,
        "file_sha256": entry.source.files[entry.source_file],
    }
    lines = _table(head, about) + _table(f"{head}.source", source)
    for name, tensor in inputs.items():
        lines += _table(f"{head}.input", {"name": name, **tensor})
    for name, tensor in outputs.items():
        lines += _table(f"{head}.outputs.{name}", tensor)
    return lines + _table(f"{head}.figures", entry.figures)


def tensors(model: bytes) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Inputs and outputs of a model's signature by name: shape, dtype, and for int8 scale and zero point."""
    interpreter = load_runtime().Interpreter(model_content=model)
    interpreter.allocate_tensors()
    runner = interpreter.get_signature_runner(SIGNATURE)
    return _described(runner.get_input_details()), _described(runner.get_output_details())


def _described(details: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    described = {}
    for name in sorted(details):
        scale, zero_point = details[name]["quantization"]
        described[name] = {
            "shape": [int(side) for side in details[name]["shape"]],
            "dtype": details[name]["dtype"].__name__,
        }
        if scale:
            described[name] |= {"scale": float(scale), "zero_point": int(zero_point)}
    return described


def _table(head: str, values: Mapping[str, Any]) -> list[str]:
    return [f"[{head}]", *(f"{key} = {_value(value)}" for key, value in values.items())]


def _value(value: str | int | float | list[int]) -> str:
    """TOML for the few kinds of value here. The strings are our own pins and names: no quote, no control character."""
    return f'"{value}"' if isinstance(value, str) else repr(value)
