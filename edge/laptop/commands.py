"""``facelatch usb``: a laptop's commands for the lock at the other end of a USB cable, on Linux, macOS and Windows.

Nothing here loads what only a lock has; encryption and port are loaded when a cable is to be used. Some commands serve
the lock's own operator: `pair` shows the code where a guardian runs; `keys`, `revoke`, `window` and `report` are for
it.
"""

import getpass
import platform
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.progress import BarColumn, Progress, TextColumn

from edge import wire
from edge.cable import talk
from edge.core.names import clean_name, shown
from edge.core.sitting import LOOKS_DEFAULT, LOOKS_MIN
from edge.errors import FacelatchError, InputError, WireError
from edge.laptop.prepare import prepare
from edge.laptop.preview import Preview
from edge.output import Command, console, errors, json_option, print_json, table
from edge.pairing_code import secret_of
from edge.types import TEMPLATES_MAX

if TYPE_CHECKING:
    from edge.laptop.line import Line


def port_option(function: Command) -> Command:
    """``--port``: where the lock is plugged in."""
    text = "The serial port, as /dev/ttyACM0 or COM3.  [default: found by its USB ids]"
    return click.option("--port", metavar="PORT", help=text)(function)


@click.group("usb")
def usb() -> None:
    """The lock at the other end of a USB cable: for a laptop, on Linux, macOS and Windows.

    Pair once: `facelatch usb pair` on the lock shows a code; the same command on the laptop asks for it. Nothing that
    goes over the cable opens the door.
    """


@usb.command()
@click.argument("code", required=False)
@port_option
@click.option(
    "--role",
    type=click.Choice(["owner", "installer"]),
    default="owner",
    show_default=True,
    help="On the lock: what the laptop may. An installer enrols and sees the status, for a time.",
)
@click.option(
    "--days", type=click.IntRange(1, 365), help="On the lock: how long an installer's key is good.  [default: 7]"
)
@click.option("--name", help="On the laptop: what the lock lists it as.  [default: user and host]")
@json_option
@click.pass_context
def pair(
    context: click.Context,
    code: str | None,
    port: str | None,
    role: str,
    days: int | None,
    name: str | None,
    as_json: bool,
) -> None:
    """On the lock: show a pairing code, good for one laptop and five minutes. On the laptop: pair, with that CODE."""
    if code is None and port is None and _is_lock(context):
        answer = _operate(context, wire.AskPair(role, days), wire.PairCode)  # type: ignore[arg-type]  # click checked it
        if as_json:
            print_json(answer)
        else:
            console.print(f"On the laptop, within {answer.for_s / 60:.0f} minutes:", markup=False)
            console.print(f"    facelatch usb pair {answer.code}", markup=False)
        return
    from edge.laptop.keys import KeyFile, named
    from edge.laptop.session import open_line

    typed = code or click.prompt("The code that `facelatch usb pair` shows on the lock", err=True)
    secret = secret_of(typed)
    file = KeyFile()
    keys = file.read()
    label = (name or f"{getpass.getuser()} on {platform.node()}")[: talk.LABEL_MAX_CHARS]
    line = open_line(port, keys)
    try:
        lock = named(line.pair(secret, label))
    finally:
        line.close()
    file.remember(keys, lock)
    if as_json:
        print_json({"lock": lock.name, "label": label})
    else:
        console.print(f"Paired with lock {lock.name}, which lists this laptop as {shown(label, 60)}.", markup=False)


@usb.command()
@json_option
@click.pass_context
def keys(context: click.Context, as_json: bool) -> None:
    """On the lock: list the laptops that are paired."""
    answer = _operate(context, wire.AskUsbKeys(), wire.UsbKeys)
    if as_json:
        print_json(answer)
        return
    rows = [
        (
            each.number,
            each.label,
            each.role,
            each.mark,
            each.paired_utc[:16].replace("T", " "),
            each.paired_by,
            _until(each),
        )
        for each in answer.keys
    ]
    columns = ("number", "laptop", "role", "key", "paired (UTC)", "by", "until")
    table(f"{len(rows)} paired", columns, rows)


@usb.command()
@click.argument("number", type=click.IntRange(0))
@json_option
@click.pass_context
def revoke(context: click.Context, number: int, as_json: bool) -> None:
    """On the lock: take the laptop with this NUMBER off the list. From then on it may ask nothing."""
    answer = _operate(context, wire.AskRevoke(number), wire.UsbKeys)
    if as_json:
        print_json(answer)
    else:
        console.print(f"{answer.keys[0].label}: revoked.", markup=False)


@usb.command()
@click.option(
    "--minutes", type=click.IntRange(1, 60), default=10, show_default=True, help="How long; then it closes by itself."
)
@click.option("--consent", is_flag=True, help="Everybody on the stick has agreed to what `facelatch consent` prints.")
@json_option
@click.pass_context
def window(context: click.Context, minutes: int, consent: bool, as_json: bool) -> None:
    """On the lock: for a while, enrol from a stick with plain folders people/NAME/*.jpg, too.

    Whoever plugs in a stick meanwhile enrols whomever they like. A bundle needs no window.
    """
    answer = _operate(context, wire.AskUsbWindow(minutes * 60, consent), wire.UsbWindow)
    if as_json:
        print_json(answer)
    else:
        console.print(f"Plain folders on a stick are taken for {answer.for_s / 60:.0f} minutes.", markup=False)


@usb.command()
@json_option
@click.pass_context
def report(context: click.Context, as_json: bool) -> None:
    """On the lock: show what became of the last stick."""
    answer = _operate(context, wire.AskUsbReport(), wire.UsbReport)
    if as_json:
        print_json(answer)
        return
    rows = [(each.bundle, each.person, each.templates, each.refused) for each in answer.lines]
    when = answer.at_utc[:16].replace("T", " ") if answer.at_utc else "none yet"
    table(f"the last stick (UTC {when})", ("of", "person", "templates", "why not"), rows)


@usb.command()
@port_option
@json_option
def status(port: str | None, as_json: bool) -> None:
    """Say how the lock is."""
    with _connected(port) as line:
        answer = line.ask(talk.Status(), wire.Status)
    if as_json:
        print_json(answer)
    else:
        console.print(answer.line(), markup=False)


@usb.command()
@port_option
@json_option
def people(port: str | None, as_json: bool) -> None:
    """List everybody enrolled."""
    found: list[wire.PersonLine] = []
    with _connected(port) as line:
        while (page := line.ask(talk.People(len(found)), wire.People)).more:
            found += page.people
        found += page.people
    if as_json:
        print_json(found)
        return
    rows = [
        (each.name, each.templates, each.enrolled_utc[:16].replace("T", " "), each.expires or "never") for each in found
    ]
    table(f"{len(rows)} enrolled", ("name", "templates", "enrolled (UTC)", "erased after"), rows)


@usb.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@port_option
@json_option
def forget(name: str, yes: bool, port: str | None, as_json: bool) -> None:
    """Erase NAME, for good."""
    wanted = clean_name(name)
    if not yes:
        click.confirm(f"Erase {wanted}, for good?", abort=True, err=True)
    with _connected(port) as line:
        answer = line.ask(talk.Forget(wanted), wire.People)
    if as_json:
        print_json(answer)
    else:
        console.print(f"{answer.people[0].name} is forgotten.", markup=False)


@usb.command("log")
@click.option(
    "--last", type=click.IntRange(1, 100), default=20, show_default=True, help="So many of the newest entries."
)
@port_option
@json_option
def log_command(last: int, port: str | None, as_json: bool) -> None:
    """Show the newest entries of the audit log."""
    with _connected(port) as line:
        answer = line.ask(talk.Log(last), wire.Log)
    if as_json:
        print_json(answer)
        return
    rows = [
        (each.id, each.at_utc[:19].replace("T", " "), each.kind, each.person, _detail(each.detail))
        for each in answer.lines
    ]
    table(f"{len(rows)} entries", ("number", "time (UTC)", "what", "person", "detail"), rows)


@usb.command()
@port_option
@json_option
def doctor(port: str | None, as_json: bool) -> None:
    """Say what works on the lock and what does not. The exit code is 1 when something is at fault."""
    with _connected(port) as line:
        answer = line.ask(talk.Doctor(), talk.Findings)
    if as_json:
        print_json(answer.findings)
    else:
        table(
            "the lock",
            ("check", "state", "detail"),
            [(each.check, each.state, each.detail) for each in answer.findings],
        )
    if any(each.state == "fault" for each in answer.findings):
        sys.exit(1)


@usb.command("config")
@port_option
@json_option
def config_command(port: str | None, as_json: bool) -> None:
    """Print the lock's settings in force. They are changed on the lock alone."""
    with _connected(port) as line:
        answer = line.ask(talk.Settings(), talk.SettingsText)
    if as_json:
        print_json({"settings": answer.text})
    else:
        click.echo(answer.text, nl=False)


@usb.command()
@click.argument("name")
@click.argument("photos", nargs=-1, type=click.Path(path_type=Path))
@click.option("--live", is_flag=True, help="Enrol NAME at the lock's own camera instead.")
@click.option(
    "--preview",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --live: keep what the camera sees in this file (.jpg), anew every two seconds; removed at the end.",
)
@click.option(
    "--looks",
    type=click.IntRange(LOOKS_MIN, TEMPLATES_MAX),
    default=LOOKS_DEFAULT,
    show_default=True,
    help="How many looks to keep, the most different ones.",
)
@click.option("--add", is_flag=True, help="Give somebody who is enrolled already more templates.")
@click.option("--pin-required", is_flag=True, help="NAME looks like somebody else: let both in by PIN only.")
@click.option("--consent", is_flag=True, help="NAME has agreed to what `facelatch consent` prints on the lock.")
@port_option
@json_option
def enroll(
    name: str,
    photos: tuple[Path, ...],
    live: bool,
    preview: Path | None,
    looks: int,
    add: bool,
    pin_required: bool,
    consent: bool,
    port: str | None,
    as_json: bool,
) -> None:
    """Enrol NAME from PHOTOS on this laptop, or with --live at the lock's camera.

    The photographs are made small here and looked at on the lock. Should the cable be pulled, plug it in again: it goes
    on where it was.
    """
    if live == bool(photos):
        raise click.UsageError("Give at least one of the PHOTOS, or --live.")
    if preview is not None and not live:
        raise click.UsageError("--preview is what the lock's camera sees: give --live, too.")
    wanted = clean_name(name)
    if live:
        request_live = talk.Live(wanted, add, pin_required, consent, looks, preview is not None)
        with Preview(preview) as file:
            _live(request_live, port, as_json, file)
        return
    from edge.laptop.session import Enrolment

    made = prepare(photos)
    request = talk.Enroll(secrets.token_hex(8), wanted, made.photos, add, pin_required, consent, looks)
    total = sum(photo.size for photo in made.photos)
    with _progress(as_json) as progress:
        task = progress.add_task("to the lock", total=total)
        enrolment = Enrolment(
            lambda: _connect(port),
            progress=lambda done: progress.update(task, completed=done),
            looked=lambda each: progress.update(task, description="the lock looks at the photographs"),
            lost=lambda why: progress.update(task, description="the cable was pulled: plug it in again"),
        )
        answer = enrolment.run(request, made.files)
    lines = [*answer.photos, *(talk.Looked(source, reason) for source, reason in made.refused)]
    if as_json:
        print_json({"person": answer.person, "photos": lines})
        return
    rows = [(each.source, "no" if each.refused else "yes", each.refused) for each in lines]
    table(wanted, ("photo", "kept", "why not"), rows)
    size = f"{made.original_bytes / 1e3:.0f} kB went over the cable as {total / 1e3:.0f} kB."
    console.print(size, markup=False)
    _say_enrolled(answer.person)


def _live(request: talk.Live, port: str | None, as_json: bool, file: Preview) -> None:
    with _connected(port) as line, _progress(as_json) as progress:
        task = progress.add_task("look into the camera", total=request.looks)
        try:
            sitting = None
            for reply in line.replies(request):
                if isinstance(reply, wire.Picture):
                    file.show(reply)
                    continue
                if not isinstance(reply, wire.Sitting):
                    raise WireError("The lock answered something else than was asked. Use one release on both ends.")
                sitting = reply
                progress.update(task, description=reply.guidance, completed=len(reply.kept), total=reply.wanted)
                if reply.person is not None:
                    break
        except KeyboardInterrupt:
            with suppress(FacelatchError):  # whatever it says to that: it ends when nobody asks any more
                line.send(talk.Cancel())
                line.drain(0, lambda _: None)
            errors.print("Cancelled: nobody was enrolled.")
            raise click.Abort from None
    if as_json:
        print_json(sitting)
        return
    if sitting is None or sitting.person is None:
        return
    for reason, count in sitting.refused.items():
        console.print(f"{count} look{'s' * (count != 1)} not kept: {reason}", markup=False)
    _say_enrolled(sitting.person)


def _connect(port: str | None) -> "Line":
    from edge.laptop.keys import KeyFile
    from edge.laptop.session import greet, open_line

    file = KeyFile()
    keys = file.read()
    line = open_line(port, keys)
    try:
        lock = greet(line, keys)
    except BaseException:
        line.close()
        raise
    if keys.locks[0] != lock:
        file.remember(keys, lock)
    return line


@contextmanager
def _connected(port: str | None) -> Iterator["Line"]:
    line = _connect(port)
    try:
        yield line
    finally:
        line.close()


def _is_lock(context: click.Context) -> bool:
    """Whether a guardian runs on this machine."""
    if sys.platform != "linux":
        return False
    from edge import config as configuration

    try:
        return configuration.load(_config_path(context)).control_path.exists()
    except PermissionError:
        return True
    except FacelatchError:
        return False


def _operate(context: click.Context, question: wire.Question, kind: type[Any]) -> Any:
    """Ask this machine's own guardian, as an operator."""
    if sys.platform != "linux":
        raise InputError("That is asked on the lock itself. Run it there.")
    from edge import app
    from edge import config as configuration

    answer = app.answer(configuration.load(_config_path(context)), question)
    if not isinstance(answer, kind):
        raise WireError("The guardian answered something else than was asked. Use one release for both.")
    return answer


def _config_path(context: click.Context) -> Path | None:
    path = context.find_root().params.get("config_path")
    return path if isinstance(path, Path) else None


def _progress(as_json: bool) -> Progress:
    words = TextColumn("{task.description}", markup=False)
    return Progress(
        words, BarColumn(), TextColumn("{task.percentage:.0f} %"), console=errors, transient=True, disable=as_json
    )


def _say_enrolled(person: wire.PersonLine) -> None:
    console.print(
        f"{person.name} is enrolled with {person.templates} template{'s' * (person.templates != 1)}.", markup=False
    )


def _detail(detail: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in detail.items() if value is not None)


def _until(key: wire.UsbKey) -> str:
    if key.expires_utc is None:
        return "it is revoked"
    return f"{key.expires_utc[:16].replace('T', ' ')}{' (over)' if key.expired else ''}"
