"""``facelatch bundle create``: people and photographs in one file for one lock, to be carried there on a stick."""

import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from edge.core.names import clean_name, shown
from edge.errors import FacelatchError, ImageError, InputError
from edge.output import console, json_option, print_json, table

DAYS_DEFAULT, DAYS_MAX = 7, 30
"""How long a bundle is good; the lock takes none that is meant for longer (``edge.sticks``)."""


@click.group("bundle")
def bundle_group() -> None:
    """Enrolment bundles: for a lock that no laptop's cable reaches."""


@bundle_group.command()
@click.argument("people", type=click.Path(path_type=Path, file_okay=False))
@click.option("--for", "lock_id", metavar="LOCK", help="The lock's id, as pairing named it.  [default: the only one]")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The file.  [default: LOCK.facelatch]")
@click.option(
    "--days", type=click.IntRange(1, DAYS_MAX), default=DAYS_DEFAULT, show_default=True, help="How long it is good."
)
@click.option(
    "--consent", is_flag=True, help="Everybody in it has agreed to what `facelatch consent` prints on the lock."
)
@json_option
def create(people: Path, lock_id: str | None, out: Path | None, days: int, consent: bool, as_json: bool) -> None:
    """Make a bundle of everybody in PEOPLE/NAME/*.jpg for one lock, which this laptop must be paired with as an owner.

    Copy it into the uppermost folder of a stick with a FAT file system and plug that into the lock. It is taken once,
    and not at all when somebody was forgotten since it was made. Nobody but that lock can read it.
    """
    from edge import bundle
    from edge.laptop.keys import KeyFile
    from edge.laptop.prepare import prepare

    keys = KeyFile().read()
    found = [lock for lock in keys.locks if lock_id in (None, lock.name)]
    if len(found) != 1:
        known = ", ".join(lock.name for lock in keys.locks) or "none: pair first, with `facelatch usb pair`"
        raise InputError(f"Say with --for which lock it is for. This laptop is paired with {known}.")
    entries: list[bundle.Entry] = []
    files: dict[bytes, bytes] = {}
    rows: list[tuple[str, int, str | None]] = []
    for folder in _folders(people):
        try:
            name = clean_name(folder.name)
            made = prepare(_photos(folder)[: bundle.PHOTOS_MAX])
        except FacelatchError as error:
            rows.append((shown(folder.name, 60)[1:-1], 0, str(error).partition("\n")[0]))
            continue
        files.update(made.files)
        entries.append(bundle.Entry(name, made.photos, consent))
        rows.append((name, len(made.photos), None))
    if not entries:
        raise ImageError(
            f"Nobody in {shown(str(people), 100)} has a photograph that can be used. Make it PEOPLE/NAME/*.jpg."
        )
    now = datetime.now(UTC)
    created, expires = (each.isoformat(timespec="milliseconds") for each in (now, now + timedelta(days=days)))
    data = bundle.write(
        bundle.Head(secrets.token_bytes(16), created, expires, entries), files, keys.private, found[0].key
    )
    target = out or Path(found[0].name + bundle.SUFFIX)
    try:
        with open(target, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(data)
    except OSError as error:
        raise InputError(f"{shown(str(target), 100)} cannot be made ({error.strerror}). Give another name.") from error
    if as_json:
        print_json({"file": str(target), "bytes": len(data), "people": [entry.name for entry in entries]})
        return
    table(f"{len(entries)} people", ("person", "photographs", "why not"), rows)
    console.print(f"{target} ({len(data) / 1e3:.0f} kB) is for lock {found[0].name}, for {days} days.", markup=False)


def _folders(people: Path) -> list[Path]:
    try:
        return sorted(each for each in people.iterdir() if each.is_dir() and not each.is_symlink())
    except OSError as error:
        raise ImageError(
            f"The folder {shown(str(people), 100)} cannot be read ({error.strerror}). Check it."
        ) from error


def _photos(folder: Path) -> list[Path]:
    from edge.images import pictures_in

    return [each for each in pictures_in(folder) if not each.is_symlink()]
