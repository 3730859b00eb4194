"""Compiling for the Edge TPU: the compiler's output read, and a folder written whole or not at all.

The compiler itself is not available here; ``replay-compiler`` answers in its format.
"""

import hashlib
import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ModelError
from edge.models.manifest import MANIFEST, Shelf, variants
from tests.tools.replay_compiler import MAPPED, ReplayCompiler, Row, all_mapped, printed, table
from tools.models import compiler as compiling
from tools.models.compiler_log import CompilerLog, parse
from tools.models.coral import edgetpu_command

ONET: list[Row] = [
    ("MAX_POOL_2D", 3, MAPPED),
    ("CONV_2D", 4, MAPPED),
    ("PRELU", 5, MAPPED),
    ("FULLY_CONNECTED", 4, MAPPED),
    ("RESHAPE", 1, MAPPED),
]

CPU_PRELU: Row = ("PRELU", 2, "Operation is otherwise supported, but not mapped due to some unspecified limitation")
CPU_CONV: Row = ("CONV_2D", 3, "More than one subgraph is not supported")

OLD_PRINTED = """\
Edge TPU Compiler version 14.1.317412892

Model compiled successfully in 98 ms.

Input model: onet.tflite
Input size: 400.69KiB
Output model: onet_edgetpu.tflite
Output size: 516.42KiB
On-chip memory used for caching model parameters: 433.00KiB
On-chip memory remaining for caching model parameters: 7.09MiB
Off-chip memory used for streaming uncached model parameters: 0.00B
Number of Edge TPU subgraphs: 1
Total number of operations: 17
Operation log: onet_edgetpu.log
See the operation log file for individual operation details.
"""

OLD_LOG = "Edge TPU Compiler version 14.1.317412892\nInput: onet.tflite\nOutput: onet_edgetpu.tflite\n\n" + table(ONET)

DYNAMIC = """\
Edge TPU Compiler version 16.0.384591198
Started a compilation timeout timer of 180 seconds.
ERROR: Attempting to use a delegate that only supports static-sized tensors with a graph that has dynamic-sized tensors.
Compilation failed: Model failed in Tflite interpreter. Please ensure model can be loaded/run in Tflite interpreter.
Compilation child process completed within timeout period.
Compilation failed!
"""

NOT_QUANTISED = """\
Edge TPU Compiler version 15.0.340273435
Invalid model: onet.tflite
Model not quantized
"""

TOO_NEW = """\
Edge TPU Compiler version 16.0.384591198
ERROR: Didn't find op for builtin opcode 'CONV_2D' version '6'. An older version of this builtin might be supported.

ERROR: Registration failed.

Invalid model: onet.tflite
Model could not be parsed
"""

ABORTED = "Edge TPU Compiler version 14.1.317412892\n\nInternal compiler error. Aborting!\n"
SILENT = "Edge TPU Compiler version 15.0.340273435\n"


@pytest.fixture
def replay(tmp_path: Path) -> ReplayCompiler:
    return ReplayCompiler.install(tmp_path / "bin")


@pytest.fixture
def model(shelf: Shelf) -> bytes:
    return shelf.load("onet")


@pytest.fixture
def edgetpu() -> Shelf:
    return Shelf.open(None, "edgetpu")


def test_a_network_that_was_mapped_wholly_has_no_problem() -> None:
    log = parse(printed(ONET))
    assert log.problem() == ""
    assert (log.version, log.mapped, log.total, log.subgraphs) == ("16.0.384591198", 17, 17, 1)


def test_each_operator_left_to_the_processor_is_named_with_its_reason() -> None:
    log = parse(printed([*ONET, CPU_PRELU, CPU_CONV]))
    assert log.problem() == (
        "not every operator was mapped: PRELU (2): Operation is otherwise supported, but not mapped due to some "
        "unspecified limitation; CONV_2D (3): More than one subgraph is not supported"
    )
    assert (log.mapped, log.total, log.on_cpu) == (17, 22, 5)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (printed(ONET, subgraphs=2), "made 2 subgraphs"),
        (printed(ONET, subgraphs=0), "made 0 subgraphs"),
        (OLD_PRINTED, "did not say which operators"),
        (printed(ONET).replace("operations: 17", "operations: 18"), "mapped 17 of 18 operations"),
        (table(ONET), "did not say which operators"),
        (SILENT, "did not say which operators"),
        ("", "did not say which operators"),
    ],
)
def test_what_the_compiler_does_not_say_is_not_taken_for_mapped(text: str, problem: str) -> None:
    assert problem in parse(text).problem()


@given(st.lists(st.tuples(st.integers(0, 40), st.from_regex(r"\A[a-z ]{0,20}[:.]\Z")), max_size=10))
def test_lines_in_between_make_no_difference(noise: list[tuple[int, str]]) -> None:
    rows = [*ONET, CPU_PRELU]
    lines = printed(rows).splitlines()
    for place, line in noise:
        lines.insert(min(place, len(lines)), line)
    expected, found = parse(printed(rows)), parse("\r\n".join(lines))
    assert (found.rows, found.total, found.subgraphs) == (expected.rows, expected.total, expected.subgraphs)


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert isinstance(parse(text), CompilerLog)


def test_a_table_that_is_printed_and_written_counts_once(replay: ReplayCompiler, model: bytes) -> None:
    replay.record("onet", printed(ONET), log=table(ONET))
    assert compiling.compile_network(model, "onet.tflite", str(replay.path)).operations == 17


def test_an_older_compiler_keeps_the_table_in_its_log_file(replay: ReplayCompiler, model: bytes) -> None:
    replay.record("onet", OLD_PRINTED, log=OLD_LOG)
    compiled = compiling.compile_network(model, "onet.tflite", str(replay.path))
    assert (compiled.file, compiled.compiler, compiled.operations) == ("onet_edgetpu.tflite", "14.1.317412892", 17)
    assert (compiled.content, compiled.source_sha256) == (model, hashlib.sha256(model).hexdigest())


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (DYNAMIC, 1, "only supports static-sized tensors"),
        (NOT_QUANTISED, 1, "Model not quantized"),
        (TOO_NEW, 1, "builtin opcode 'CONV_2D' version '6'"),
        (ABORTED, 0, "Internal compiler error"),
        (SILENT, 0, "does not say why"),
    ],
)
def test_a_compiler_that_fails_is_quoted(replay: ReplayCompiler, model: bytes, text: str, code: int, said: str) -> None:
    replay.record("onet", text, code=code, compiles=False)
    with pytest.raises(ModelError, match=r"did not compile onet\.tflite") as caught:
        compiling.compile_network(model, "onet.tflite", str(replay.path))
    assert said in str(caught.value)


def test_a_file_from_a_compiler_that_ended_badly_is_not_used(replay: ReplayCompiler, model: bytes) -> None:
    replay.record("onet", printed(ONET), code=139)
    with pytest.raises(ModelError, match="exit code 139"):
        compiling.compile_network(model, "onet.tflite", str(replay.path))


def test_without_the_compiler_the_error_says_where_it_is_to_be_had(model: bytes, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"coral\.ai/docs/edgetpu/compiler/ .*x86-64"):
        compiling.compile_network(model, "onet.tflite", str(tmp_path / "edgetpu_compiler"))
    other_processor = tmp_path / "edgetpu_compiler_arm64"
    other_processor.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(200))
    other_processor.chmod(0o755)
    with pytest.raises(ModelError, match=r"cannot be run .*x86-64"):
        compiling.compile_network(model, "onet.tflite", str(other_processor))


def test_a_compiler_that_never_ends_is_stopped(model: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = tmp_path / "edgetpu_compiler"
    hanging.write_text("#!/bin/sh\nexec sleep 600\n")
    hanging.chmod(0o755)
    monkeypatch.setattr(compiling, "TIMEOUT_S", 0.1)
    with pytest.raises(ModelError, match="was stopped"):
        compiling.compile_network(model, "onet.tflite", str(hanging))


def record_all(replay: ReplayCompiler, shelf: Shelf, worse: dict[str, list[Row]] | None = None) -> None:
    for name, card in shelf.cards.items():
        stem = Path(card.file).stem
        rows = all_mapped(shelf.load(name)) + (worse or {}).get(name, [])
        replay.record(stem, printed(rows, stem))


@pytest.mark.parametrize("exists", [False, True])
def test_the_folder_is_one_that_the_lock_can_use(
    edgetpu: Shelf, replay: ReplayCompiler, tmp_path: Path, exists: bool
) -> None:
    record_all(replay, edgetpu)
    out = tmp_path / "deep" / "compiled"
    if exists:
        out.mkdir(parents=True)
    ran = CliRunner().invoke(edgetpu_command, ["--out", str(out), "--compiler", str(replay.path), "--json"])
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)["models"]

    shelf = Shelf.open(out, "edgetpu")
    written = tomllib.loads((out / MANIFEST).read_text())
    assert variants(out) == ["edgetpu"]
    assert {path.name for path in out.iterdir()} == {MANIFEST, *(card.file for card in shelf.cards.values())}
    assert shelf.template_space() == edgetpu.template_space()
    for name, card in shelf.cards.items():
        source = edgetpu.card(name)
        assert card.file == f"{Path(source.file).stem}_edgetpu.tflite"
        assert shelf.load(name) == edgetpu.load(name)  # replay-compiler copies
        assert (card.input, card.outputs) == (source.input, source.outputs)
        operations = sum(count for _, count, _ in all_mapped(edgetpu.load(name)))
        expected = {"compiler": "16.0.384591198", "operations": operations, "source_sha256": source.sha256}
        assert written["models"][name]["variants"]["edgetpu"]["compiled"] == expected
        assert told[name] == {"file": card.file, **expected}
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    assert out.stat().st_mode & 0o055 == 0o055  # the eyes are another user


def test_one_network_that_is_not_mapped_leaves_nothing_behind(
    edgetpu: Shelf, replay: ReplayCompiler, tmp_path: Path
) -> None:
    record_all(replay, edgetpu, worse={"onet": [CPU_PRELU]})
    out = tmp_path / "there" / "compiled"
    ran = CliRunner().invoke(edgetpu_command, ["--out", str(out), "--compiler", str(replay.path)])
    assert ran.exit_code == ModelError.exit_code
    assert "onet" in ran.stderr
    assert "PRELU (2): Operation is otherwise supported" in ran.stderr
    assert not out.parent.exists()


def test_a_folder_with_something_in_it_is_left_alone(edgetpu: Shelf, replay: ReplayCompiler, tmp_path: Path) -> None:
    record_all(replay, edgetpu)
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "mine").write_text("mine")
    ran = CliRunner().invoke(edgetpu_command, ["--out", str(kept), "--compiler", str(replay.path)])
    assert ran.exit_code == ModelError.exit_code
    assert "not an empty folder" in ran.stderr
    assert [path.name for path in kept.iterdir()] == ["mine"]
