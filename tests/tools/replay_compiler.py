"""``replay-compiler``: stands for Google's edgetpu_compiler, which is closed and in no registry.

It prints a recording in the compiler's format and copies the network where the compiler would write the compiled one.
What it makes is therefore not compiled; everything around it is real: the process, its output, its files.
"""

import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ai_edge_litert import schema_py_generated as schema

SCRIPT = """\
#!{python}
import json, shutil, sys
from pathlib import Path

_, silent, _, out, source = sys.argv
assert silent == "-s"
source = Path(source)
recording = json.loads((Path(__file__).parent / "recordings" / (source.stem + ".json")).read_text())
print(recording["printed"])
compiled = Path(out) / (source.stem + "_edgetpu.tflite")
if recording["compiles"]:
    shutil.copy(source, compiled)
if recording["log"]:
    compiled.with_suffix(".log").write_text(recording["log"])
sys.exit(recording["code"])
"""

MAPPED = "Mapped to Edge TPU"

HEAD = """\
Edge TPU Compiler version 16.0.384591198
Started a compilation timeout timer of 180 seconds.

Model compiled successfully in 417 ms.

Input model: {name}.tflite
Input size: 400.69KiB
Output model: {name}_edgetpu.tflite
Output size: 516.42KiB
On-chip memory used for caching model parameters: 433.00KiB
On-chip memory remaining for caching model parameters: 7.09MiB
Off-chip memory used for streaming uncached model parameters: 0.00B
Number of Edge TPU subgraphs: {subgraphs}
Total number of operations: {total}
Operation log: {name}_edgetpu.log
"""

PARTLY = """
Model successfully compiled but not all operations are supported by the Edge TPU. A percentage of the model will \
instead run on the CPU, which is slower. If possible, consider updating your model to use only operations supported by \
the Edge TPU. For details, visit g.co/coral/model-reqs.
Number of operations that will run on Edge TPU: {mapped}
Number of operations that will run on CPU: {left}
"""

TAIL = """\
Compilation child process completed within timeout period.
Compilation succeeded!
"""

Row = tuple[str, int, str]


def table(rows: list[Row]) -> str:
    """The table of ``-s``, and of the log file."""
    lines = [f"{'Operator':<31}{'Count':<11}Status", ""]
    return "\n".join(lines + [f"{operator:<31}{count:<11}{status}" for operator, count, status in rows]) + "\n"


def printed(rows: list[Row], name: str = "onet_edgetpu_int8", subgraphs: int = 1) -> str:
    """What version 16.0 prints with ``-s`` for a network that it compiles."""
    total = sum(count for _, count, _ in rows)
    mapped = sum(count for _, count, status in rows if status == MAPPED)
    partly = PARTLY.format(mapped=mapped, left=total - mapped) if mapped < total else ""
    return HEAD.format(name=name, subgraphs=subgraphs, total=total) + partly + "\n" + table(rows) + TAIL


def all_mapped(model: bytes) -> list[Row]:
    """A row for each operator of a network, mapped."""
    parsed = schema.ModelT.InitFromPackedBuf(model, 0)
    kinds = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
    codes = [parsed.operatorCodes[each.opcodeIndex] for each in parsed.subgraphs[0].operators]
    counted = Counter(kinds[max(code.builtinCode, code.deprecatedBuiltinCode)] for code in codes)
    return [(operator, count, MAPPED) for operator, count in counted.items()]


@dataclass(frozen=True)
class ReplayCompiler:
    """An executable that answers for each network with what was recorded for it."""

    path: Path

    @classmethod
    def install(cls, folder: Path) -> "ReplayCompiler":
        (folder / "recordings").mkdir(parents=True)
        path = folder / "replay-compiler"
        path.write_text(SCRIPT.format(python=sys.executable))
        path.chmod(0o755)
        return cls(path)

    def record(self, stem: str, text: str, *, log: str = "", code: int = 0, compiles: bool = True) -> None:
        recording = {"printed": text, "log": log, "code": code, "compiles": compiles}
        (self.path.parent / "recordings" / f"{stem}.json").write_text(json.dumps(recording))
