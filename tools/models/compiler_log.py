"""What Google's edgetpu_compiler prints, read: which operators it mapped, and why not the others.

The compiler is closed and its output is no interface, so it is taken line by line, whatever stands between. The format
is that of versions 2.1 to 16.0 as users have pasted it: github.com/google-coral/edgetpu, issues 60 and 211 (2.1, 14.1),
393 (15.0), 671 and 831 (16.0).
"""

import re
from dataclasses import dataclass

MAPPED = "Mapped to Edge TPU"

_VERSION = re.compile(r"Edge TPU Compiler version (\S+)")
_TOTAL = re.compile(r"Total number of operations: (\d+)")
_SUBGRAPHS = re.compile(r"Number of Edge TPU subgraphs: (\d+)")
_ON_CPU = re.compile(r"Number of operations that will run on CPU: (\d+)")
_HEADER = re.compile(r"^Operator\s+Count\s+Status\s*$", re.MULTILINE)
_ROW = re.compile(r"^([A-Za-z][\w.-]*)[ \t]+(\d+)[ \t]+(\S.*?)\s*$", re.MULTILINE)
_COMPLAINT = re.compile(r"error|fail|fault|invalid|abort|not quantized|could not|not supported", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Row:
    """So many operations of one operator share a status: ``MAPPED``, or the reason why they are not."""

    operator: str
    count: int
    status: str


@dataclass(frozen=True, slots=True)
class CompilerLog:
    """One run for one network. Numbers that it did not print are None; ``complaints`` are its lines that sound like an
    error, at most five."""

    version: str
    rows: tuple[Row, ...]
    total: int | None
    subgraphs: int | None
    on_cpu: int | None
    complaints: tuple[str, ...]

    @property
    def mapped(self) -> int:
        """Operations that will run on the Edge TPU."""
        return sum(row.count for row in self.rows if row.status == MAPPED)

    def problem(self) -> str:
        """Why the network does not run wholly on the Edge TPU, naming operators and reasons; empty when it does.

        Silence is no proof: a table that lacks operations, or no table, is a problem too.
        """
        left = [f"{row.operator} ({row.count}): {row.status}" for row in self.rows if row.status != MAPPED]
        if left:
            return "not every operator was mapped: " + "; ".join(left)
        if not self.rows or self.total is None or self.subgraphs is None:
            return "the compiler did not say which operators it mapped"
        if self.mapped != self.total or self.on_cpu:
            return f"it mapped {self.mapped} of {self.total} operations and does not say why not the others"
        if self.subgraphs != 1:
            return f"it made {self.subgraphs} subgraphs for the Edge TPU, not one"
        return ""


def parse(text: str) -> CompilerLog:
    """Read the compiler's output for one network, in any order and with anything in between."""
    header = _HEADER.search(text)
    rows = _ROW.findall(text, header.end()) if header else []
    version = _VERSION.search(text)
    complaints = [line.strip() for line in text.splitlines() if _COMPLAINT.search(line)]
    return CompilerLog(
        version=version[1] if version else "",
        rows=tuple(Row(operator, int(count), status) for operator, count, status in rows),
        total=_number(_TOTAL, text),
        subgraphs=_number(_SUBGRAPHS, text),
        on_cpu=_number(_ON_CPU, text),
        complaints=tuple(complaints[:5]),
    )


def _number(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.search(text)
    return int(found[1]) if found else None
