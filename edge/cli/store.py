"""``facelatch backup``, ``restore`` and ``keys``: the store as a whole."""

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from edge import app, household, wire
from edge import config as configuration
from edge.cli.output import console, json_option, print_json, table
from edge.core.names import shown
from edge.errors import InputError, WireError

KEY_FILE_MAX_BYTES = 64
"""More than any master key: the file is read no further."""


class Copy(msgspec.Struct):
    """A backup, as ``--json`` gives it."""

    file: str
    bytes: int
    made_utc: str | None = None


class PutBack(msgspec.Struct):
    """What was restored, as ``--json`` gives it. ``aside``: where what stood there before lies now."""

    backup: str
    people: int
    aside: str | None


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
    the store's place before is kept beside it. Who was enrolled after the backup was made is gone; who was forgotten
    after it stays forgotten.
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
        print_json(PutBack(str(done.backup), done.people, None if done.aside is None else str(done.aside)))
        return
    console.print(f"{done.backup} is restored: {done.people} enrolled.", markup=False, soft_wrap=True)
    if done.aside is not None:
        console.print(f"What stood there before is {done.aside}.", markup=False, soft_wrap=True)


@click.group("keys", invoke_without_command=True)
@json_option
@click.pass_context
def keys_group(context: click.Context, as_json: bool) -> None:
    """Say how it stands with the keys that names, templates and PINs are sealed with."""
    if context.invoked_subcommand is None:
        _keys(context.obj, wire.AskKeys(), as_json)


@keys_group.command()
@click.option("--new", type=click.Path(path_type=Path), help="A file of 32 random bytes to take; else one is made.")
@json_option
@click.pass_obj
def rotate(config_path: Path | None, new: Path | None, as_json: bool) -> None:
    """Put another master key in place and wrap every person's key with it. Works while the lock runs.

    For a master key that somebody may have read. The keys of people, and so the backups, stay as they are.
    """
    _keys(config_path, wire.AskRotate(None if new is None else _key_in(new)), as_json)


def _keys(config_path: Path | None, question: wire.AskKeys | wire.AskRotate, as_json: bool) -> None:
    config = configuration.load(config_path)
    answer = app.answer(config, question)
    if not isinstance(answer, wire.Keys):
        raise WireError("The guardian answered something else than keys. Use one release for both.")
    if as_json:
        print_json(answer)
        return
    where = config.paths.master_key or f"{config.store_path}.master"
    master = f"master key {answer.mark} ({where})" if answer.mark else "no master key yet"
    console.print(
        f"{master} · {answer.people} people have a key · {answer.destroyed} destroyed", markup=False, soft_wrap=True
    )


def _key_in(file: Path) -> bytes:
    """Raises InputError."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
            return os.read(descriptor, KEY_FILE_MAX_BYTES) if regular else b""
        finally:
            os.close(descriptor)
    except OSError as error:
        raise InputError(f"{shown(str(file), 120)} cannot be read ({error.strerror}). Check the path.") from error


def _copy(file: Path) -> Copy:
    found = file.stat()
    return Copy(str(file), found.st_size, datetime.fromtimestamp(found.st_mtime, UTC).isoformat(timespec="seconds"))
