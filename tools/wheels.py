"""Which wheels there are for which board, and a folder of them for one without a network: ``python -m tools.wheels``.

pip evaluates the markers of a requirement for the machine that it runs on, whatever ``--platform`` says. So they are
evaluated here, of the product's lock file, which names every package, and pip is asked about each pin alone
(``--no-deps``). It asks the user's own index; nothing is installed.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements-product.lock"
RECORD = Path(__file__).resolve().with_suffix(".json")
"""What pip answered, by Debian's release and machine: a version, or null where there is no wheel."""

SHOWN = (
    *("ai-edge-litert", "tflite-runtime", "numpy", "opencv-python-headless", "cryptography", "msgspec", "pillow"),
    *("lgpio", "gpiod"),
)
"""The packages with machine code that the table names; the others are its last row."""

PIP_TIMEOUT_S = 900.0
"""As of ``tools.photos``."""

Record = dict[str, dict[str, str | None]]


@dataclass(frozen=True, slots=True)
class Board:
    """One release of Debian on one kind of processor. ``glibc``: its minor version, 2.36 and 2.41."""

    debian: str
    python: str
    glibc: int
    machine: str

    @property
    def name(self) -> str:
        return f"{self.debian}, Python {self.python}, {self.machine}"

    @property
    def markers(self) -> dict[str, str]:
        """PEP 508's, as this board's Python would give them."""
        return {
            "python_version": self.python,
            "python_full_version": f"{self.python}.4",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "implementation_name": "cpython",
            "platform_system": "Linux",
            "sys_platform": "linux",
            "os_name": "posix",
            "extra": "",
        }

    @property
    def options(self) -> list[str]:
        """pip's, for every tag that this board's own pip would take: PEP 600's down to glibc 2.17."""
        tags = [f"manylinux_2_{minor}_{self.machine}" for minor in range(self.glibc, 16, -1)]
        tags += [f"manylinux2014_{self.machine}", f"linux_{self.machine}"]
        platforms = [option for tag in tags for option in ("--platform", tag)]
        return ["--only-binary=:all:", "--implementation=cp", f"--python-version={self.python}", *platforms]


BOARDS = [
    Board(debian, python, glibc, machine)
    for debian, python, glibc in (("Bookworm", "3.11", 36), ("Trixie", "3.13", 41))
    for machine in ("x86_64", "aarch64", "armv7l")
]


def pins(board: Board) -> dict[str, str]:
    """Every line of the lock that counts for the board, by package: the pin and its digests, without the marker."""
    text = re.sub(r"^\s*#.*\n", "", LOCK.read_text(), flags=re.MULTILINE).replace("\\\n", "")
    found = {}
    for line in text.splitlines():
        requirement = Requirement(line.split(" --hash")[0])
        if requirement.marker is None or requirement.marker.evaluate(board.markers):
            digests = re.findall(r"--hash=sha256:[0-9a-f]{64}", line)
            found[requirement.name] = " ".join([f"{requirement.name}{requirement.specifier}", *digests])
    return found


def ask(board: Board) -> dict[str, str | None]:
    """What pip would install of each of the board's packages, None where there is no wheel."""
    wanted = pins(board)
    together = _would_install(board, list(wanted.values()))
    if together is not None:
        return together
    answers = {name: _would_install(board, [line]) for name, line in wanted.items()}
    return {name: answer[name] if answer else None for name, answer in answers.items()}


def _would_install(board: Board, lines: Sequence[str]) -> dict[str, str | None] | None:
    """The versions, or None when one of the lines has no wheel whose digest the lock names."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = ["--dry-run", "--ignore-installed", "--target", folder, "--report", str(report), *board.options]
        if _pip("install", lines, Path(folder), *options) != 0:
            return None
        installed = json.loads(report.read_text())["install"]
    return {canonicalize_name(each["metadata"]["name"]): each["metadata"]["version"] for each in installed}


def _pip(verb: str, lines: Sequence[str], folder: Path, *options: str) -> int:
    listed = folder / "requirements.txt"
    listed.write_text("\n".join(lines))
    command = [sys.executable, "-m", "pip", verb, "--quiet", "--no-deps", "--require-hashes", "-r", str(listed)]
    done = subprocess.run([*command, *options], check=False, capture_output=True, text=True, timeout=PIP_TIMEOUT_S)
    if done.returncode and "No matching distribution" not in done.stderr:
        raise click.ClickException(f"pip failed:\n{done.stderr[-2000:]}")
    return done.returncode


def table(record: Record) -> str:
    """The record as a Markdown table, one column a board."""

    def cell(answers: dict[str, str | None], name: str) -> str:
        return (answers[name] or "no wheel") if name in answers else "·"

    def others(answers: dict[str, str | None]) -> str:
        missing = sorted(name for name, version in answers.items() if version is None and name not in SHOWN)
        return f"no wheel: {', '.join(missing)}" if missing else "all"

    boards = list(record)
    lines = [f"| | {' | '.join(boards)} |", "|---" * (len(boards) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(cell(record[board], name) for board in boards)} |" for name in SHOWN]
    lines.append(f"| the others | {' | '.join(others(record[board]) for board in boards)} |")
    return "\n".join([*lines, "", "· not asked for there", ""])


def recorded() -> Record:
    return msgspec.json.decode(RECORD.read_bytes(), type=Record)


@click.group()
def main() -> None:
    """Which wheels there are for which board."""


@main.command("ask")
def ask_command() -> None:
    """Ask pip for every board, print the table, and record it for systemd/README.md (`python -m tools.readme`)."""
    record = {}
    for board in BOARDS:
        click.echo(f"asking for {board.name}", err=True)
        record[board.name] = ask(board)
    RECORD.write_bytes(msgspec.json.format(msgspec.json.encode(record, order="sorted")) + b"\n")
    click.echo(table(record))


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--python", type=click.Choice(sorted({board.python for board in BOARDS})), required=True)
@click.option("--machine", type=click.Choice(sorted({board.machine for board in BOARDS})), required=True)
def fetch(folder: Path, python: str, machine: str) -> None:
    """Fill FOLDER for `install.sh --wheels` on a board without a network, on any machine that has one.

    The wheel of facelatch itself (`make wheel`) is to be laid beside them.
    """
    (board,) = (each for each in BOARDS if (each.python, each.machine) == (python, machine))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        lines = list(pins(board).values())
        if _pip("download", lines, Path(scratch), "--dest", str(folder), *board.options) != 0:
            raise click.ClickException(f"Not everything has a wheel for {board.name}: `python -m tools.wheels ask`.")
    click.echo(f"{len(list(folder.glob('*.whl')))} wheels in {folder}")


if __name__ == "__main__":
    main()
