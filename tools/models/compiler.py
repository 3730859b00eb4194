"""The shipped networks of variant ``edgetpu``, through Google's edgetpu_compiler, into a folder that the product loads.

A compiled file holds one operator, ``edgetpu-custom-op``, which only libedgetpu can run.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from edge.errors import ModelError
from edge.models.manifest import MANIFEST, Shelf
from tools.models.compiler_log import CompilerLog, parse
from tools.models.manifest_writer import dumps
from tools.models.tpu_rules import operators

VARIANT = "edgetpu"

TIMEOUT_S = 600.0
"""The compiler stops by itself after 180 s a network ("Started a compilation timeout timer of 180 seconds")."""

LOG_MAX_CHARS = 200_000
"""A network of ours makes a few thousand."""

INSTALL = (
    "Install it as https://coral.ai/docs/edgetpu/compiler/ says, on a Debian or Ubuntu machine with an x86-64 "
    "processor: there is none for a Raspberry Pi."
)

HEADER = """\
# Compiled for the Edge TPU by `python -m tools.models edgetpu`; do not edit. A network is loaded only if its size and
# sha256 are these. What was measured of accuracy was measured before compiling, on a processor.
"""

Report: TypeAlias = Callable[[float], None]
"""Told the share that is done, 0..1."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """One compiled network: the file, by which compiler, from which file, and how many operations were mapped."""

    file: str
    content: bytes
    compiler: str
    operations: int
    source_sha256: str


def compile_shelf(shelf: Shelf, out: Path, compiler: str, report: Report) -> dict[str, Compiled]:
    """Compile every network of ``shelf`` and write files and manifest to ``out``, which is new or empty.

    ``out`` appears whole or not at all. Raises ModelError when the compiler is missing, fails, or leaves an operator to
    the processor.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ModelError(f"{out} is not an empty folder. Remove it, or choose another with --out.")
    compiled = {}
    for number, name in enumerate(shelf.cards):
        report(number / len(shelf.cards))
        compiled[name] = compile_network(shelf.load(name), shelf.card(name).file, compiler)
    report(1.0)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as folder:
        staged = Path(folder) / "networks"
        staged.mkdir()
        for each in compiled.values():
            (staged / each.file).write_bytes(each.content)
        (staged / MANIFEST).write_text(_manifest(shelf, compiled), encoding="utf-8")
        Shelf.open(staged, VARIANT)
        os.replace(staged, out)
    return compiled


def compile_network(model: bytes, file: str, compiler: str) -> Compiled:
    """One network; ``file`` is what it is called. Raises ModelError."""
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder) / Path(file).name, Path(folder) / "out"
        source.write_bytes(model)
        result.mkdir()
        target = result / f"{source.stem}_edgetpu.tflite"
        code, text = _run([compiler, "-s", "-o", str(result), str(source)], source.name)
        log = parse(text)
        if not log.rows:  # some versions print the table, some only write it beside the network, some do both
            with suppress(OSError):
                text += "\n" + target.with_suffix(".log").read_text(encoding="utf-8", errors="replace")[:LOG_MAX_CHARS]
            log = parse(text)
        if code != 0 or not target.is_file():
            raise ModelError(_failure(source.name, code, log))
        problem = log.problem()
        if problem:
            raise ModelError(
                f"{source.name} would not run wholly on the Edge TPU: {problem}. Nothing was written; use the networks "
                "as facelatch ships them, and compiler 16.0."
            )
        content = target.read_bytes()
    return Compiled(target.name, content, log.version, log.mapped, hashlib.sha256(model).hexdigest())


def _run(command: list[str], name: str) -> tuple[int, str]:
    """The compiler's exit code, and all that it printed."""
    compiler = command[0]
    if shutil.which(compiler) is None:
        raise ModelError(f"{compiler} is not on this machine. {INSTALL}")
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_S,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ModelError(
            f"{compiler} was still busy with {name} after {TIMEOUT_S:.0f} s and was stopped. Try again on a faster "
            "machine."
        ) from error
    except OSError as error:  # a program for another kind of processor
        raise ModelError(f"{compiler} cannot be run ({error.strerror}). {INSTALL}") from error
    return done.returncode, done.stdout.decode(errors="replace")[:LOG_MAX_CHARS]


def _failure(name: str, code: int, log: CompilerLog) -> str:
    said = "; ".join(log.complaints) or "it does not say why"
    return (
        f"edgetpu_compiler {log.version} did not compile {name} (exit code {code}: {said[:500]}). Nothing was written; "
        "use the networks as facelatch ships them, and compiler 16.0."
    )


def _manifest(shelf: Shelf, compiled: Mapping[str, Compiled]) -> str:
    """The shelf's own manifest with the compiled files in the place of all variants."""
    document: dict[str, Any] = tomllib.loads((shelf.folder / MANIFEST).read_text(encoding="utf-8"))
    for name, each in compiled.items():
        model = document["models"][name]
        card = model["variants"][VARIANT] | {
            "file": each.file,
            "sha256": hashlib.sha256(each.content).hexdigest(),
            "size_bytes": len(each.content),
            "ops": operators(each.content),
            "compiled": {
                "compiler": each.compiler,
                "operations": each.operations,
                "source_sha256": each.source_sha256,
            },
        }
        model["variants"] = {VARIANT: card}
    document["models"] = {name: document["models"][name] for name in compiled}
    # Compiled networks compute the same (`parity` tells where not): what was measured with these holds for them.
    if VARIANT in document.get("risk", {}):
        cards = ((name, hashlib.sha256(each.content).hexdigest()) for name, each in sorted(compiled.items()))
        files = "".join(f"{name} {digest}\n" for name, digest in cards)
        measured = document["risk"][VARIANT] | {"digest": hashlib.sha256(files.encode()).hexdigest()}
        document["risk"] = {VARIANT: measured}
    return dumps(document, HEADER)
