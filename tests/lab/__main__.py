"""``python -m tests.lab``: every scenario on a guest of its own, and a table of what held."""

import sys
import time
import traceback
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from edge.errors import FacelatchError
from tests.lab import stages
from tests.lab.lab import Lab
from tests.lab.places import HERE, LAB, LabError

INSTALL = "install"
"""The scenario that every other one starts from: it runs first, and again when what it installs has changed."""

console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a scenario ended."""

    scenario: str
    passed: bool
    seconds: float
    said: str


def scenarios() -> list[str]:
    """Their names, the installation first."""
    names = sorted(path.stem for path in (HERE / "scenarios").glob("*.py") if path.stem != "__init__")
    return [INSTALL, *(name for name in names if name != INSTALL)]


def proves(name: str) -> str:
    """The first line of a scenario's docstring."""
    doc = import_module(f"tests.lab.scenarios.{name}").__doc__ or ""
    return doc.strip().splitlines()[0]


@click.command()
@click.argument("names", nargs=-1, metavar="[SCENARIO]...")
@click.option("--suite", type=click.Choice(["trixie", "bookworm"]), default="trixie", show_default=True)
@click.option("--arch", type=click.Choice(["amd64", "arm64"]), default="amd64", show_default=True)
@click.option("--cuts", default=10, show_default=True, help="How often the scenario powercut cuts the power.")
@click.option("--list", "only_list", is_flag=True, help="Say what there is, and run nothing.")
def main(names: tuple[str, ...], suite: str, arch: str, cuts: int, only_list: bool) -> None:
    """Run the device lab's scenarios: all, or those named. What they find is kept in build/lab/out/SCENARIO."""
    known = scenarios()
    if only_list:
        for name in known:
            console.print(f"{name:<10} {proves(name)}")
        return
    if unknown := set(names) - set(known):
        raise click.UsageError(f"There is no scenario {', '.join(sorted(unknown))}. There are {', '.join(known)}.")
    started_s = time.monotonic()

    def say(text: str) -> None:
        console.print(Text(f"{time.monotonic() - started_s:6.0f} s  {text}"))

    try:
        lab, stamp = stages.prepare(suite, arch, LAB / "out", say)
    except (LabError, FacelatchError) as error:
        console.print(Text(str(error)))
        sys.exit(2)
    verdicts = []
    wanted = [name for name in known if name != INSTALL and (not names or name in names)]
    if not stages.is_installed(lab, stamp) or INSTALL in names:
        wanted.insert(0, INSTALL)
    else:
        verdicts.append(Verdict(INSTALL, True, 0.0, "as before: nothing that is installed has changed"))
    for name in wanted:
        say(f"--- {name}: {proves(name)}")
        if name == INSTALL:
            (lab.installed.folder / "stamp").unlink(missing_ok=True)
        verdicts.append(_run(name, lab, cuts))
        if name == INSTALL:
            if not verdicts[-1].passed:
                break  # the others would start from a machine that is not what it should be
            (lab.installed.folder / "stamp").write_text(stamp)
    show(verdicts)
    sys.exit(0 if all(verdict.passed for verdict in verdicts) else 1)


def _run(name: str, prepared: Lab, cuts: int) -> Verdict:
    out = LAB / "out" / name
    out.mkdir(parents=True, exist_ok=True)
    for old in out.iterdir():
        if old.is_file():
            old.unlink()
    lab = Lab(
        prepared.image,
        prepared.ready,
        prepared.installed,
        prepared.pushed,
        prepared.photos,
        out,
        prepared.say,
        cuts,
    )
    started_s = time.monotonic()
    broken = ""
    try:
        import_module(f"tests.lab.scenarios.{name}").run(lab)
    except Exception as error:
        lab.keep("traceback.txt", traceback.format_exc())
        broken = f"{type(error).__name__}: {error}"
        lab.say(broken)
    failed = lab.failed
    held = f"{len(lab.findings) - len(failed)} of {len(lab.findings)} held"
    said = "; ".join([held, *(finding.what for finding in failed), *([broken.splitlines()[0]] if broken else [])])
    lines = [f"{'ok  ' if each.holds else 'FAIL'} {each.what}: {each.seen}" for each in lab.findings]
    lab.keep("findings.txt", "\n".join([*lines, broken]))
    return Verdict(name, bool(lab.findings) and not failed and not broken, time.monotonic() - started_s, said)


def show(verdicts: list[Verdict]) -> None:
    """Print the table, and keep it."""
    drawn = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    drawn.add_column("scenario")
    drawn.add_column("verdict")
    drawn.add_column("seconds", justify="right")
    drawn.add_column("what held", overflow="fold")
    for each in verdicts:
        word, style = ("passed", "green") if each.passed else ("FAILED", "bold red")
        drawn.add_row(each.scenario, Text(word, style=style), f"{each.seconds:.0f}", Text(each.said))
    total_s = sum(each.seconds for each in verdicts)
    drawn.add_section()
    passed = sum(each.passed for each in verdicts)
    drawn.add_row(f"{len(verdicts)}", f"{passed} passed", f"{total_s:.0f}", "")
    Console(highlight=False).print(drawn)
    table = Path(LAB / "out" / "table.txt")
    with table.open("w") as into:
        Console(file=into, width=120, highlight=False).print(drawn)


if __name__ == "__main__":
    main()
