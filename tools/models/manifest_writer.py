"""``manifest.toml``: what the product verifies, and what a reader wants to know of each network.

[models.NAME] is the same for all variants of a network, [models.NAME.variants.VARIANT] is one file.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from edge.models.interpreter import load_runtime
from tools.models.convert import SIGNATURE
from tools.models.sources import Source
from tools.models.tpu_rules import operators

SCHEMA = 2

HEADER = """\
# Written by `python -m tools.models build` and `python -m tools.evaluate record`; do not edit. A network is loaded only
# if its size and sha256 are these. An int8 tensor's real value is scale * (stored - zero_point).
"""

Table: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One network: what it is for, its licence, where it comes from (``from_package``, or what it was trained on), and
    its file and figures in each variant."""

    name: str
    role: str
    licence: str
    source: Table
    files: Mapping[str, bytes]
    figures: Mapping[str, Mapping[str, float | int]] = field(default_factory=dict)
    template: Table = field(default_factory=dict)


def from_package(source: Source, file: str) -> Table:
    """The source of a network out of a package."""
    return {
        "package": source.package,
        "version": source.version,
        "registry": source.registry,
        "archive_sha256": source.archive_sha256,
        "file": file,
        "file_sha256": source.files[file],
    }


def file_name(name: str, variant: str) -> str:
    """What the file of a network is called."""
    return f"{name}_{variant}.tflite" if variant == "fp32" else f"{name}_{variant}_int8.tflite"


def document(entries: list[Entry]) -> dict[str, Any]:
    """The manifest as nested tables. Shapes, dtypes, scales and operators are read from the models themselves."""
    return {"schema": SCHEMA, "models": {entry.name: _model(entry) for entry in entries}}


def dumps(tables: Table, header: str = HEADER) -> str:
    """Nested tables as TOML: values first, then the tables below, in the order given."""
    return header + "\n".join(_lines((), tables)) + "\n"


def tensors(model: bytes) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Inputs and outputs of a model's signature by name: shape, dtype, and for int8 scale and zero point."""
    interpreter = load_runtime().Interpreter(model_content=model)
    interpreter.allocate_tensors()
    runner = interpreter.get_signature_runner(SIGNATURE)
    return _described(runner.get_input_details()), _described(runner.get_output_details())


def _model(entry: Entry) -> dict[str, Any]:
    return {
        "role": entry.role,
        "licence": entry.licence,
        "preprocessing": "RGB, (x - 127.5) / 128",
        **entry.template,
        "source": entry.source,
        "variants": {
            variant: _variant(file_name(entry.name, variant), model, entry.figures.get(variant, {}))
            for variant, model in entry.files.items()
        },
    }


def _variant(file: str, model: bytes, figures: Table) -> dict[str, Any]:
    inputs, outputs = tensors(model)
    ((name, tensor),) = inputs.items()
    return {
        "file": file,
        "sha256": hashlib.sha256(model).hexdigest(),
        "size_bytes": len(model),
        "ops": operators(model),
        "input": {"name": name, **tensor},
        "outputs": outputs,
        "figures": dict(figures),
    }


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


def _lines(path: tuple[str, ...], table: Table) -> list[str]:
    values = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    lines = [f"{key} = {_value(value)}" for key, value in values.items()]
    if path and (lines or not table):
        lines.insert(0, f"[{'.'.join(path)}]")
    for key, below in table.items():
        if isinstance(below, Mapping):
            # A blank line before each network, variant and measurement; what describes one of them stays together.
            lines += ["", *_lines((*path, key), below)] if len(path) <= 1 else _lines((*path, key), below)
    return lines


def _value(value: Any) -> str:
    """JSON's text, numbers and truth are TOML's as well; a list's tables are written inline, each on a line."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return "[\n" + "".join(f"  {_value(each)},\n" for each in value) + "]"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    return repr(value) if isinstance(value, float) else json.dumps(value)
