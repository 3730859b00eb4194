"""``facelatch drill``: leads the owner through showing pictures to the lock, and says what that proves."""

import secrets
import select
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import click

from edge import app, wire
from edge import config as configuration
from edge.cli.output import console, errors, json_option, print_json, table
from edge.core import drill
from edge.core.drill import ATTACKS, KINDS, Count
from edge.core.names import harmless
from edge.errors import FaceError, FacelatchError, InputError
from edge.settings import Config

ASK_EVERY_S = 0.25
"""How often the guardian is asked: words that change faster are not read, and it notices soon when nobody asks any
more."""

PREPARE = """\
Have ready: photographs of somebody enrolled, taken from the front in good light, the face as large as life; printed on
paper (matt and glossy), and on a phone, a tablet, a laptop; and a video of that person who moves the head and blinks.
Be as cunning as a burglar: near and far, bright and dim, still and moving, the paper bent, the screen's edges hidden.
Nothing opens meanwhile. Ctrl-C ends it; what was counted is kept, and the next drill goes on from there.
"""


@click.command("drill")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(list(KINDS)),
    help="Show this kind alone; several times.",
)
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(sorted(drill.AT_HAND)),
    help="There is none: show more of the others; several times.",
)
@click.option("--anew", is_flag=True, help="Forget what was shown before, and begin from nothing.")
@click.option("--unattended", is_flag=True, help="Wait for no key: whoever comes next is presented, as listed.")
@click.option("--report", "only_report", is_flag=True, help="Only print what was shown so far.")
@json_option
@click.pass_obj
def drill_command(
    config_path: Path | None,
    only: tuple[str, ...],
    without: tuple[str, ...],
    anew: bool,
    unattended: bool,
    only_report: bool,
    as_json: bool,
) -> None:
    """Show your own lock photographs, screens and videos of somebody enrolled, and yourself, and see what passes.

    The running lock judges each as it would at the door, and nothing opens meanwhile. Before a drill is passed no face
    opens the door alone (liveness.drill). Passed: 60 pictures and videos that would have opened the door with liveness
    off, at least 12 each of print, phone and video, none of which did; and yourself four times in each of three lights,
    let in 8 times of 10. It holds for this camera, these networks and these settings; with others it has expired.

    With --unattended every face that comes, with nobody in view for two seconds before it, is the next presentation in
    the order listed. One that cannot be counted is not repeated, and after a minute without anybody the drill ends.

    The exit code is 1 while the drill is not passed.
    """
    config = configuration.load(config_path)
    if only_report:
        _finish(app.drill_report(config), as_json)
    if not unattended and not sys.stdin.isatty():
        raise InputError("Nobody is at the keyboard to say when a picture is held up. Use a terminal, or --unattended.")
    ticket = secrets.token_hex(8)
    _Leader(config, ticket, unattended).lead(anew, only, without)
    _finish(app.drill_report(config), as_json)


class _Leader:
    """One drill with the running guardian."""

    def __init__(self, config: Config, ticket: str, unattended: bool) -> None:
        self._config, self._ticket, self._unattended = config, ticket, unattended

    def lead(self, anew: bool, only: tuple[str, ...], without: tuple[str, ...]) -> None:
        """From what was counted before to the end of the plan. Ctrl-C and the end of input end it. Raises
        FacelatchError."""
        try:
            begun = app.drill(self._config, wire.AskDrill(self._ticket, anew))
            if not self._unattended:
                errors.print(PREPARE, markup=False, end="")
            counted = tally(begun.report)
            for kind, wanted in drill.plan(without).items():
                missing = wanted - counted.get(kind, Count()).shown
                if missing > 0 and (not only or kind in only):
                    self._show(kind, wanted, missing)
        except KeyboardInterrupt:
            with suppress(FacelatchError):  # it may have ended, or not begun
                app.drill(self._config, wire.AskDrillEnd(self._ticket))
            errors.print("\nBroken off. What was counted is kept; `facelatch drill` goes on from there.", markup=False)
            raise click.Abort from None
        app.drill(self._config, wire.AskDrillEnd(self._ticket))

    def _show(self, kind: str, wanted: int, missing: int) -> None:
        """So many of one kind; one that was not counted is repeated, where somebody is there to do so."""
        errors.print(f"\n{kind}: {KINDS[kind]}", markup=False)
        while missing > 0:
            number = wanted - missing + 1
            self._wait(f"  {kind} {number} of {wanted}: hold it up, then press Enter ")
            told = self._present(kind)
            errors.print(f"  {kind} {number} of {wanted}: {said(told)}", markup=False, soft_wrap=True)
            if self._unattended and not told.seen:
                raise FaceError("Nobody came before the camera any more. Present what is missing in another drill.")
            missing -= self._unattended or not told.reason

    def _wait(self, prompt: str) -> None:
        """For Enter, or unattended until nobody is in view; the guardian is told meanwhile that the drill goes on."""
        if self._unattended:
            while app.drill(self._config, wire.AskDrillProgress(self._ticket)).in_view:
                time.sleep(ASK_EVERY_S)
            return
        click.echo(prompt, err=True, nl=False)
        while not select.select([sys.stdin], [], [], ASK_EVERY_S)[0]:
            app.drill(self._config, wire.AskDrillProgress(self._ticket))
        if not sys.stdin.readline():
            raise KeyboardInterrupt  # Ctrl-D

    def _present(self, kind: str) -> wire.Presented:
        drilling = app.drill(self._config, wire.AskPresent(self._ticket, kind))
        with errors.status("", spinner="dots") as status:
            while drilling.presented is None:
                status.update(harmless(drilling.guidance))
                time.sleep(ASK_EVERY_S)
                drilling = app.drill(self._config, wire.AskDrillProgress(self._ticket))
        return drilling.presented


def tally(report: wire.DrillReport) -> dict[str, Count]:
    """The report's counts by kind."""
    return {each.kind: Count(each.shown, each.opened) for each in report.counts}


def said(told: wire.Presented) -> str:
    """What became of one presentation."""
    if told.reason:
        return f"NOT COUNTED: {harmless(told.reason)}"
    if told.kind in ATTACKS:
        return "PASSED: the door would have opened" if told.opened else f"refused ({told.looks} looks)"
    return "let in" if told.opened else f"NOT LET IN ({told.looks} looks)"


def _finish(report: wire.DrillReport, as_json: bool) -> NoReturn:
    """Print what was shown and what that proves; exit with 1 while it is not enough."""
    counted = tally(report)
    attacks, own = drill.attacks(counted), drill.own(counted)
    if as_json:
        print_json(report)
    else:
        rows = [(kind, counted.get(kind, Count()).shown, counted.get(kind, Count()).opened) for kind in KINDS]
        camera = report.camera or "a replay, which is no camera"
        table(f"Shown to {camera}", ("kind", "shown", "would have opened"), rows)
        for line in (drill.attacks_said(attacks), drill.own_said(own)):
            console.print(f"{line}.", markup=False, soft_wrap=True)
        console.print(_verdict(report), markup=False, soft_wrap=True)
    sys.exit(1 if report.lacking else 0)


def _verdict(report: wire.DrillReport) -> str:
    if report.liveness == "off":
        return "Liveness is off: a photograph opens the door."
    if not report.lacking:
        return "Passed: a face alone may open the door, until camera, networks or settings change."
    lacking = f"{harmless(report.lacking)[0].upper()}{harmless(report.lacking)[1:]}."
    alone = "A face opens alone all the same (liveness.drill)." if report.waived else "No face opens the door alone."
    return f"{lacking} {alone}"
