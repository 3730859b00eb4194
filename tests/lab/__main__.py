"""``python -m tests.lab``: every scenario on guests of its own, two at a time, and a table of what held."""

import resource
import shutil
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from edge.errors import FacelatchError
from tests.lab import stages
from tests.lab.lab import Lab, Say
from tests.lab.places import HERE, LAB, LabError

INSTALL = "install"
"""The scenario that every other one starts from: it runs first, and again when what it installs has changed."""

LONGEST_FIRST = ("powercut", "upgrade", "faults", "disk", "boot")
"""They begin before the others: a long one that begins last would run alone."""

ALONE = {"door", "camera", "time", "picamera2", "visitors", "usb", "stick"}
"""They let people in. With two cores the emulated networks take half a second for a frame, with one core a second,
after which a face is no longer the same face (edge/core/track.py)."""

USUAL = ("trixie", "amd64")
OTHER_MACHINES = (("bookworm", "amd64"), ("trixie", "arm64"))
"""What else is run every night: arm64's image alone takes half an hour to build, as every program in it is emulated."""

SMOKE = ("install", "boot", "door")
"""What is run there."""

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
@click.option("--cuts", default=50, show_default=True, help="How often the scenario powercut cuts the power.")
@click.option("--jobs", default=2, show_default=True, help="How many scenarios run at a time; a guest wants a core.")
@click.option("--nightly", is_flag=True, help="Install, boot and open on the other machines: bookworm, and arm64.")
@click.option("--list", "only_list", is_flag=True, help="Say what there is, and run nothing.")
def main(names: tuple[str, ...], suite: str, arch: str, cuts: int, jobs: int, nightly: bool, only_list: bool) -> None:
    """Run the device lab's scenarios: all, or those named. What they find is kept in build/lab/out/SCENARIO."""
    known = scenarios()
    if only_list:
        for name in known:
            console.print(f"{name:<10} {proves(name)}")
        return
    if unknown := set(names) - set(known):
        raise click.UsageError(f"There is no scenario {', '.join(sorted(unknown))}. There are {', '.join(known)}.")
    started_s = time.monotonic()
    _take_room()

    def say(text: str) -> None:
        console.print(Text(f"{time.monotonic() - started_s:6.0f} s  {text}"))

    verdicts: list[Verdict] = []
    try:
        for machine in OTHER_MACHINES if nightly else [(suite, arch)]:
            verdicts += _on(machine, names or (SMOKE if nightly else ()), cuts, jobs, say)
    except (LabError, FacelatchError) as error:
        console.print(Text(str(error)))
        sys.exit(2)
    show(verdicts, time.monotonic() - started_s)
    sys.exit(0 if all(verdict.passed for verdict in verdicts) else 1)


def _take_room() -> None:
    """A machine that examines fifty disks, each of many layers, opens a thousand files."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _on(machine: tuple[str, str], names: tuple[str, ...], cuts: int, jobs: int, say: Say) -> list[Verdict]:
    """The scenarios on one kind of machine. Raises LabError."""
    out = LAB / "out" if machine == USUAL else LAB / "out" / "-".join(machine)
    lab, stamp = stages.prepare(*machine, out, say)
    lab = replace(lab, cuts=cuts)
    wanted = [name for name in scenarios() if name != INSTALL and (not names or name in names)]
    wanted.sort(key=lambda name: LONGEST_FIRST.index(name) if name in LONGEST_FIRST else len(LONGEST_FIRST))
    if stages.is_installed(lab, stamp) and INSTALL not in names:
        verdicts = [Verdict(INSTALL, True, 0.0, "as before: nothing that is installed has changed")]
    else:
        (lab.installed.folder / "stamp").unlink(missing_ok=True)
        verdicts = [_run(INSTALL, lab)]
        if verdicts[0].passed:
            (lab.installed.folder / "stamp").write_text(stamp)
    if verdicts[0].passed:  # else the others would start from a machine that is not what it should be
        with ThreadPoolExecutor(max_workers=jobs) as pool:
            verdicts += pool.map(lambda name: _run(name, lab), [name for name in wanted if name not in ALONE])
        verdicts += [_run(name, lab) for name in wanted if name in ALONE]
    if machine != USUAL:
        verdicts = [replace(each, scenario=f"{each.scenario}, {' '.join(machine)}") for each in verdicts]
    return verdicts


def _run(name: str, prepared: Lab) -> Verdict:
    out = prepared.out / name
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    lab = replace(prepared, out=out, say=lambda text: prepared.say(f"{name:<9} {text}"), findings=[])
    lab.say(proves(name))
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


def show(verdicts: list[Verdict], took_s: float) -> None:
    """Print the table, and keep it. ``took_s``: the whole run, image and snapshots included."""
    drawn = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    drawn.add_column("scenario")
    drawn.add_column("verdict")
    drawn.add_column("seconds", justify="right")
    drawn.add_column("what held", overflow="fold")
    for each in verdicts:
        word, style = ("passed", "green") if each.passed else ("FAILED", "bold red")
        drawn.add_row(each.scenario, Text(word, style=style), f"{each.seconds:.0f}", Text(each.said))
    drawn.add_section()
    passed = sum(each.passed for each in verdicts)
    drawn.add_row(f"{len(verdicts)}", f"{passed} passed", f"{took_s:.0f}", "from the beginning to the end")
    Console(highlight=False).print(drawn)
    table = Path(LAB / "out" / "table.txt")
    with table.open("w") as into:
        Console(file=into, width=120, highlight=False).print(drawn)


if __name__ == "__main__":
    main()
