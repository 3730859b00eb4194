"""Run the demonstration; the exit code is 1 when anybody else got in, or the owner did not."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from edge import app, household
from edge import config as configuration
from edge.annotate import save_png
from edge.errors import FacelatchError, InputError
from edge.settings import Config
from tools import photos
from tools.demo import pictures, visitors
from tools.demo.verdict import Notice, faults, openings, taken_for_alive

OWNER = "Barack Obama"
ENROLLED_FROM = "obama.jpg"
UNLOCK_S = 2.0
PHOTOGRAPHS_OPEN, PHOTOGRAPHS_REFUSED = "off.toml", "required.toml"
console = Console(highlight=False)


@click.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("build/demo"), show_default=True)
def main(out: Path) -> None:
    """Enrol one person from one photograph, let visitors walk past, and see for whom the door opens."""
    try:
        sys.exit(demonstrate(out))
    except FacelatchError as error:
        console.print(f"demo: {error}", markup=False)
        sys.exit(error.exit_code)


def demonstrate(out: Path) -> int:
    """Everything in order; 0 when the right person got in, and nobody else."""
    out.mkdir(parents=True, exist_ok=True)
    with console.status("Fetching the photographs (18 MB, once)"):
        photographs = photos.fetch()
    with tempfile.TemporaryDirectory(prefix="facelatch-demo-") as folder:
        config = _configured(Path(folder))
        replay = out / "visitors.avi"
        detector = app.detector(config)
        visitors.write_replay(replay, photographs, app.detector(config, photographs=True))
        _command(folder, "enroll", OWNER, str(photographs[ENROLLED_FROM]))
        notices = _let_visitors_come(folder, replay, PHOTOGRAPHS_OPEN)
        console.print("\nThe very same visitors, and liveness required: they are photographs.", style="bold")
        refused = _let_visitors_come(folder, replay, PHOTOGRAPHS_REFUSED)
        opened = openings(notices)
        with household.registry(config) as (registry, _):
            shown = pictures.frames(replay, detector, app.embedder(config), registry)
            total = sum(scene.frames for scene in visitors.SCENES)
            drawn = [
                pictures.with_banner(rgb, number, opened)
                for number, rgb in enumerate(
                    track(shown, "Drawing the video", total=total, console=console, transient=True)
                )
            ]
    pictures.write_video(out / "demo.mp4", drawn)
    save_png(pictures.contact_sheet(drawn), out / "contact-sheet.png")
    return _conclude(out, notices, refused)


def _configured(folder: Path) -> Config:
    """Defaults, but everything in a temporary folder, and a door that relocks soon: once with liveness off, as the
    visitors are photographs, and once as it is by default, which is returned; but for the drill, without which the
    door would open to no face anyway."""
    paths = {"state": f"{folder}/state", "runtime": f"{folder}/run"}
    flags = {"paths": paths, "door": {"unlock_s": UNLOCK_S}}
    for mode, name in (("off", PHOTOGRAPHS_OPEN), ("required", PHOTOGRAPHS_REFUSED)):
        liveness = {"mode": mode, "drill": "waived"}
        config = configuration.load(None, environment={}, flags={**flags, "liveness": liveness})
        (folder / name).write_text(configuration.template(config))
    return config


def _command(folder: str, *arguments: str) -> None:
    done = subprocess.run(_facelatch(folder, PHOTOGRAPHS_OPEN, *arguments), check=False, env=_environment())
    if done.returncode:
        raise InputError(f"facelatch {arguments[0]} ended with exit code {done.returncode}. Its reason is above.")


def _let_visitors_come(folder: str, replay: Path, name: str) -> list[Notice]:
    """Run the lock on the replay and print its notices as they come."""
    seconds = sum(scene.seconds for scene in visitors.SCENES)
    console.print(f"\nThe lock watches a replay of {seconds:.0f} s: {len(visitors.SCENES)} scenes.\n")
    command = _facelatch(folder, name, "run", "--simulate", "--replay", str(replay), "--json")
    notices: list[Notice] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_environment()) as lock:
        assert lock.stdout is not None  # noqa: S101 - it is a pipe
        for line in lock.stdout:
            notices.append(json.loads(line))
            _print(notices[-1])
    if lock.returncode:
        console.print(f"facelatch run ended with exit code {lock.returncode}", style="bold red")
        notices = [notice for notice in notices if notice["kind"] != "stopped"]
    return notices


def _print(notice: Notice) -> None:
    who = visitors.SCENES[visitors.scene_of(int(notice["frame"]))].title if "frame" in notice else ""
    details = notice.get("name") or notice.get("reason") or notice.get("camera") or ""
    similarity = f" (similarity {notice['similarity']:.2f})" if notice.get("similarity") is not None else ""
    style = {"released": "bold green", "refused": "yellow", "fault": "bold red"}.get(notice["kind"], "")
    console.print(Text(f"{notice['at_utc'][11:21]}  {notice['kind']:<13}{who:<36}{details}{similarity}", style=style))
    console.print(Text(f"{'':12}{notice['status']}", style="dim"), soft_wrap=True)


def _conclude(out: Path, notices: list[Notice], refused: list[Notice]) -> int:
    wrong = [*faults(notices, OWNER, UNLOCK_S), *taken_for_alive(refused)]
    opened, alive = ({opening.scene for opening in openings(each)} for each in (notices, refused))
    summary = Table(title="Who got in?", title_justify="left")
    for column in ("scene", "must open", "opened, liveness off", "opened, liveness required"):
        summary.add_column(column)
    for number, scene in enumerate(visitors.SCENES):
        if scene.photographs:
            told = ("yes" if each else "no" for each in (scene.opens, number in opened, number in alive))
            summary.add_row(scene.title, *told)
    console.print(summary)
    console.print(f"annotated video  {out / 'demo.mp4'}\ncontact sheet    {out / 'contact-sheet.png'}", markup=False)
    for fault in wrong:
        console.print(f"WRONG: {fault}", style="bold red", markup=False)
    if not wrong:
        console.print(
            "The enrolled person got in, and nobody else; with liveness, no photograph did.", style="bold green"
        )
    return 1 if wrong else 0


def _facelatch(folder: str, name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "edge", "--config", f"{folder}/{name}", *arguments]


def _environment() -> dict[str, str]:
    """Without the user's own settings, which would win over the demonstration's."""
    return {k: v for k, v in os.environ.items() if not k.startswith(configuration.ENVIRONMENT_PREFIX)}


if __name__ == "__main__":
    main()
