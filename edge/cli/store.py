"""``facelatch backup``, ``restore`` and ``keys``: the store as a whole."""

from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from edge import app, household, wire
from edge import config as configuration
from edge.core.names import shown
from edge.errors import InputError, WireError
from edge.output import console, json_option, print_json, table


class Copy(msgspec.Struct):
    """A backup, as ``--json`` gives it."""

    file: str
    bytes: int
    made_utc: str | None = None


class PutBack(msgspec.Struct):
    """What was restored, as ``--json`` gives it. ``aside``: where what stood there before lies now.
    ``keys_of_nobody``: people enrolled after the backup, whose keys are still there."""

    backup: str
    people: int
    aside: str | None
    keys_of_nobody: int


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--list", "listed", is_flag=True, help="Only list the backups there are.")
@json_option
@click.pass_obj
def backup(config_path: Path | None, file: Path | None, listed: bool, as_json: bool) -> None:
    """Copy the store, in use or not, to FILE, or into the folder where the daily backups are.

    A backup holds no key. Only the lock that made it can read it, and nobody can read in it who was forgotten since.
    """
    config = configuration.load(config_path)
    if listed:
        if file is not None:
            raise InputError("--list copies nothing. Give it alone.")
        copies = [_copy(each) for each in household.backups(config)]
        if as_json:
            print_json(copies)
        else:
            rows = [(Path(each.file).name, each.bytes, each.made_utc) for each in copies]
            table(f"{len(rows)} in {config.backups_path}", ("file", "bytes", "made (UTC)"), rows)
        return
    made = _copy(household.back_up(config, file))
    if as_json:
        print_json(made)
    else:
        console.print(f"{made.file} holds the store ({made.bytes} bytes).", markup=False, soft_wrap=True)


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_obj
def restore(config_path: Path | None, file: Path | None, yes: bool, as_json: bool) -> None:
    """Put a backup in the store's place: FILE, or the newest in the folder of backups. The lock must not run.

    A file that is damaged, of another lock or of a newer facelatch is refused, and nothing is changed. What stood in
    the store's place before is kept beside it. All is as it was when the backup was made, PINs, hours and who is
    disabled, too; who was enrolled since is gone. Only who was forgotten since stays forgotten.
    """
    config = configuration.load(config_path)
    chosen = file
    if chosen is None:
        found = household.backups(config)
        if not found:
            raise InputError(f"There is no backup in {shown(str(config.backups_path), 120)}. Name a file.")
        chosen = found[0]
    if not yes:
        click.confirm(f"Put {shown(str(chosen), 120)} in the place of the store?", abort=True, err=True)
    done = household.restore(config, chosen, "an operator restored it")
    if as_json:
        aside = None if done.aside is None else str(done.aside)
        print_json(PutBack(str(done.backup), done.people, aside, done.keys_of_nobody))
        return
    console.print(f"{done.backup} is restored: {done.people} enrolled.", markup=False, soft_wrap=True)
    if done.aside is not None:
        console.print(f"What stood there before is {done.aside}.", markup=False, soft_wrap=True)
    if done.keys_of_nobody:
        advice = "`facelatch keys drop` destroys their keys for good"
        console.print(f"{done.keys_of_nobody} were enrolled since and are not known any more; {advice}.", markup=False)


@click.group("keys", invoke_without_command=True)
@json_option
@click.pass_context
def keys_group(context: click.Context, as_json: bool) -> None:
    """Say how it stands with the keys that names, templates and PINs are sealed with.

    They lie in facelatch.db.keys beside the store, and the master key that wraps them where paths.master_key says. No
    backup holds either: for another card carry over both, and a backup.
    """
    if context.invoked_subcommand is None:
        _keys(context.obj, wire.AskKeys(), as_json)


@keys_group.command()
@json_option
@click.pass_obj
def rotate(config_path: Path | None, as_json: bool) -> None:
    """Put another master key in place and wrap every person's key with it. Works while the lock runs.

    For a master key that somebody may have read. The keys of people, and so the backups, stay as they are. Where the
    master key is a credential, the next one must be loaded first as facelatch.master.next.
    """
    _keys(config_path, wire.AskRotate(), as_json)


@keys_group.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_obj
def drop(config_path: Path | None, yes: bool, as_json: bool) -> None:
    """Destroy the keys of people who are not in the store: they were enrolled after a backup that was restored.

    From then on no other backup, and no store put aside, brings them back.
    """
    if not yes:
        click.confirm("Destroy the keys of everybody who is not enrolled, for good?", abort=True, err=True)
    _keys(config_path, wire.AskDropKeys(), as_json)


def _keys(config_path: Path | None, question: wire.AskKeys | wire.AskRotate | wire.AskDropKeys, as_json: bool) -> None:
    config = configuration.load(config_path)
    answer = app.answer(config, question)
    if not isinstance(answer, wire.Keys):
        raise WireError("The guardian answered something else than keys. Use one release for both.")
    if as_json:
        print_json(answer)
        return
    where = config.paths.master_key or f"{config.store_path}.master"
    master = f"master key {answer.mark} ({where})" if answer.mark else "no master key yet"
    others = f" · {answer.without_person} of nobody enrolled (`facelatch keys drop`)" if answer.without_person else ""
    line = f"{master} · {answer.people} keys in use{others} · {answer.destroyed} destroyed"
    console.print(line, markup=False, soft_wrap=True)


def _copy(file: Path) -> Copy:
    found = file.stat()
    return Copy(str(file), found.st_size, datetime.fromtimestamp(found.st_mtime, UTC).isoformat(timespec="seconds"))
